using System.Globalization;
using SeparableConv.Imaging;

namespace SeparableConv.Training.Augmentation;

/// <summary>
/// A step of an augmentation that changes a single picture in place. It keeps nothing between pictures: threads share it.
/// </summary>
internal abstract class PictureStep
{
    /// <summary>The step as it is read.</summary>
    public abstract string Text { get; }

    /// <summary>Refuses pictures that it does not suit.</summary>
    /// <exception cref="ArgumentException">It does not.</exception>
    public virtual void Check(int height, int width)
    {
    }

    /// <summary>Changes a picture.</summary>
    /// <param name="picture">(height, width, channels), samples of 0 to 255.</param>
    /// <param name="scratch">The picture's size, and memory to work in.</param>
    /// <param name="random">All that is random in the step.</param>
    public abstract void Apply(Span<float> picture, PictureScratch scratch, CounterRandom random);

    /// <summary>A number in a step's text.</summary>
    protected static string Word(string name, params ReadOnlySpan<double> numbers)
    {
        foreach (var number in numbers)
            name += ":" + number.ToString(CultureInfo.InvariantCulture);
        return name;
    }

    /// <summary>Refuses a number that is out of range.</summary>
    protected static T Checked<T>(string name, T number, bool isGood, string expected) => isGood
        ? number
        : throw new ArgumentException(FormattableString.Invariant($"The step {name} takes {expected}, but {number} was given."));
}

/// <summary>What steps work with: the size of pictures, and memory of one thread.</summary>
internal sealed class PictureScratch
{
    private readonly float[] _copy;
    private readonly float[] _mean;

    /// <summary>Takes memory.</summary>
    public PictureScratch(int height, int width, int channels, float[] mean)
    {
        (Height, Width, Channels, _mean) = (height, width, channels, mean);
        _copy = new float[height * width * channels];
        Resizer = new BilinearResizer(width, height, channels);

        // Its tables are longest for a whole picture: after this one none makes them grow.
        Resizer.Run(new EmptyRows(), width, height, _copy);
    }

    public int Height { get; }

    public int Width { get; }

    public int Channels { get; }

    /// <summary>Samples of a row.</summary>
    public int RowLength => Width * Channels;

    /// <summary>The data set's mean colour.</summary>
    public ReadOnlySpan<float> Mean => _mean;

    /// <summary>Memory as large as a picture; a step leaves in it what it likes.</summary>
    public Span<float> Copy => _copy;

    /// <summary>Brings a part of a picture to the size of the whole one.</summary>
    public BilinearResizer Resizer { get; }

    private readonly struct EmptyRows : IFloatRows
    {
        public void Read(int y, Span<float> row) => row.Clear();
    }
}
