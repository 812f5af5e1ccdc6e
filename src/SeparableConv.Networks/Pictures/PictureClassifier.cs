using SeparableConv.Imaging;
using SeparableConv.Networks.Pictures;

namespace SeparableConv.Networks;

/// <summary>How sure a network is of a class.</summary>
/// <param name="Index">The class, from 0.</param>
/// <param name="Label">Its name; null where no labels were given.</param>
/// <param name="Score">
/// The output's own number, a real number where the output is quantized; a probability where the network ends in softmax.
/// </param>
public readonly record struct ClassScore(int Index, string? Label, double Score)
{
    /// <summary>The label, or <c>class 7</c> where there is none.</summary>
    public string Name => Label ?? $"class {Index}";

    /// <summary>Takes it apart: <c>foreach (var (label, score) in ...)</c>.</summary>
    /// <param name="label">The <see cref="Name"/>.</param>
    /// <param name="score">The <see cref="Score"/>.</param>
    public void Deconstruct(out string label, out double score) => (label, score) = (Name, Score);
}

/// <summary>Tells what is on pictures: a picture and a network in, the best classes out.</summary>
/// <remarks>
/// The network has one input, for one picture of 1 or 3 channels, and one output, a list of scores. One picture at a time; for several
/// threads make
/// a classifier each.
/// </remarks>
/// <example><code>
/// using var classifier = new PictureClassifier(ModelFile.Load("model.onnx"), ClassLabels.Load("labels.txt"));
/// foreach (var (label, score) in classifier.Classify(ImageFile.Load("cat.jpg"), top: 5))
///     Console.WriteLine($"{label}: {score:0.000}");
/// </code></example>
public sealed class PictureClassifier : IDisposable
{
    private readonly InferenceSession _session;
    private readonly ClassRanking _ranking;

    /// <summary>Compiles a network and makes it ready for pictures.</summary>
    /// <param name="network">The network.</param>
    /// <param name="labels">The names of its classes, or null: then classes are numbers.</param>
    /// <param name="normalization">
    /// How samples become numbers; where null as the network's metadata says (<see cref="Normalization.Of"/>), and where they say nothing
    /// <see cref="Normalization.UsualFor"/> its input.
    /// </param>
    /// <param name="fit">How pictures of another size are fitted.</param>
    /// <param name="options">How the network is run; the defaults where null.</param>
    /// <exception cref="ArgumentException">
    /// The network takes no picture or tells no classes, or labels or normalization do not suit it.
    /// </exception>
    /// <exception cref="NetworkException">The network cannot be run.</exception>
    public PictureClassifier(
        Network network,
        ClassLabels? labels = null,
        Normalization? normalization = null,
        PictureFit fit = PictureFit.Stretch,
        CompileOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        if (network.Inputs is not [var input])
        {
            throw new ArgumentException(
                $"The network has {network.Inputs.Count} inputs, and a classifier writes one; use an {nameof(InferenceSession)} with a "
                + $"{nameof(PictureTransform)}.");
        }

        Classes = ClassRanking.Count(network) ?? throw new ArgumentException(
            $"The network's outputs are {string.Join(", ", network.Outputs)}, and a classifier reads one list of classes; use an "
            + $"{nameof(InferenceSession)} with a {nameof(PictureTransform)}.");
        labels?.Check(Classes);
        Transform = new PictureTransform(input, normalization ?? Normalization.Of(network), fit);
        if (Transform.Count != 1)
        {
            throw new ArgumentException(
                $"The input '{input.Name}' takes {Transform.Count} pictures at once, {input.Type}, and a classifier writes one; load the "
                + "network for one.");
        }

        _session = new InferenceSession(network, options);
        _ranking = new ClassRanking(_session.Outputs[0].Type, labels);
    }

    /// <summary>How many classes the network tells apart.</summary>
    public int Classes { get; }

    /// <summary>What is done to pictures: size, channels, normalization.</summary>
    public PictureTransform Transform { get; }

    /// <summary>Runs the network on a picture.</summary>
    /// <param name="picture">The picture, of any size, type and number of channels.</param>
    /// <param name="top">How many of the best classes are told.</param>
    /// <returns>The best classes, best first; of equal ones the lower index, and NaN last. Only this array is allocated.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="top"/> is below 1.</exception>
    /// <exception cref="ObjectDisposedException">The classifier was disposed.</exception>
    public ClassScore[] Classify(Image picture, int top = 5)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(top, 1);
        var best = new ClassScore[Math.Min(top, Classes)];
        Classify(picture, best);
        return best;
    }

    /// <summary>Runs the network on a picture, and allocates nothing for one as wide as the one before.</summary>
    /// <param name="picture">The picture, of any size, type and number of channels.</param>
    /// <param name="best">Receives the best classes, best first.</param>
    /// <returns>How many were written: as many as there is room for, or all classes.</returns>
    /// <exception cref="ObjectDisposedException">The classifier was disposed.</exception>
    public int Classify(Image picture, Span<ClassScore> best)
    {
        Transform.Write(picture, _session);
        _session.Run();
        return _ranking.Best(_session.OutputBytes(0), best);
    }

    /// <summary>Lets the session's memory go.</summary>
    public void Dispose() => _session.Dispose();
}
