using SeparableConv.Training.Data;

namespace SeparableConv.Training;

/// <summary>
/// Pictures of one size, each of a class: read from files, drawn (<see cref="Shapes"/>), or a class of one's own; or pictures without
/// labels (<see cref="LoadPictures"/>). Samples may be read by several threads at once.
/// </summary>
/// <example><code>
/// var (training, validation) = PictureDataSet.Load("fashion-mnist").SplitLast(10_000);
/// using var batches = new BatchLoader(training, new() { BatchSize = 128, Augmentation = PictureAugmentation.Parse("flip,shift:2") });
/// var batch = batches.Next();
/// </code></example>
public abstract class PictureDataSet
{
    // Of a written mean, more decimals would say nothing about pixels of 0 to 255.
    private const int NormalizationDecimals = 4;
    private const int Levels = 256;

    /// <summary>Takes what all samples have in common.</summary>
    /// <param name="classes">The names of the classes; none for pictures without labels.</param>
    /// <param name="height">Rows of every picture.</param>
    /// <param name="width">Columns of every picture.</param>
    /// <param name="channels">Samples of a pixel, 1 to 4.</param>
    /// <exception cref="ArgumentException">A size is not positive or beyond what an array holds.</exception>
    protected PictureDataSet(ClassLabels classes, int height, int width, int channels)
    {
        ArgumentNullException.ThrowIfNull(classes);
        if (height < 1 || width < 1 || channels is < 1 or > 4 || (Int128)height * width * channels > Array.MaxLength)
        {
            throw new ArgumentException(
                $"The data set's pictures are {height}x{width}x{channels} (height x width x channels); at least 1x1, 1 to 4 channels and "
                + $"at most {Array.MaxLength} bytes are expected.");
        }

        (Classes, Height, Width, Channels) = (classes, height, width, channels);
    }

    /// <summary>The names of the classes; a sample's class counts from 0. None where pictures have no labels.</summary>
    public ClassLabels Classes { get; }

    /// <summary>Whether pictures are of classes.</summary>
    public bool IsLabelled => Classes.Count > 0;

    /// <summary>Rows of every picture.</summary>
    public int Height { get; }

    /// <summary>Columns of every picture.</summary>
    public int Width { get; }

    /// <summary>Samples of a pixel: 1 for gray, 3 for colour.</summary>
    public int Channels { get; }

    /// <summary>Bytes of a picture: height * width * channels.</summary>
    public int PictureBytes => Height * Width * Channels;

    /// <summary>How many pictures there are.</summary>
    public abstract int Count { get; }

    /// <summary>How many files were left out because they could not be read; see <see cref="DataSetOptions.Strict"/>.</summary>
    public virtual int SkippedCount => 0;

    /// <summary>The first of the files that were left out, each with the reason.</summary>
    public virtual IReadOnlyList<string> SkippedExamples => [];

    /// <summary>
    /// Reads a data set, whose format is recognized: a folder a class of images, IDX (MNIST and its like), CIFAR-10 or CIFAR-100 in their
    /// binary form, or a pair of .npy files.
    /// </summary>
    /// <remarks>
    /// All pictures are in memory afterwards, as bytes. Of a folder that has a training and a test part the training part is read; the
    /// other one is read by the name of its file. What is looked for is in docs/training-data.md.
    /// </remarks>
    /// <param name="path">
    /// A folder, or the file that has the pictures; the file that has their classes is found beside it by its name.
    /// </param>
    /// <param name="options">Size of pictures in folders, names, limits; <see cref="DataSetOptions.Default"/> where null.</param>
    /// <returns>The data set, in the order of its files.</returns>
    /// <exception cref="InvalidDataException">Nothing there is known, or a file is damaged or claims more than it can hold.</exception>
    /// <exception cref="ArgumentException">An option does not suit the data.</exception>
    /// <exception cref="DllNotFoundException">A picture's format needs libvips, which is not installed.</exception>
    /// <exception cref="IOException">A file does not exist or cannot be read.</exception>
    public static PictureDataSet Load(string path, DataSetOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return DataSetReader.Read(path, options ?? DataSetOptions.Default);
    }

    /// <summary>
    /// Reads pictures without labels, to calibrate with or to learn from by a teacher alone: all that <see cref="Load"/> reads, whose
    /// classes are passed over, and what has no classes: a folder of images, an IDX or .npy file alone.
    /// </summary>
    /// <remarks>
    /// Images are read that lie in the folder, and then those in its folders, one deep. All pictures are in memory afterwards, as bytes.
    /// </remarks>
    /// <param name="path">A folder, or the file that has the pictures.</param>
    /// <param name="options">Size of pictures in folders, limits; <see cref="DataSetOptions.Default"/> where null.</param>
    /// <returns>The data set, in the order of its files; it has no classes, and every sample's is 0.</returns>
    /// <exception cref="InvalidDataException">Nothing there is known, or a file is damaged or claims more than it can hold.</exception>
    /// <exception cref="ArgumentException">An option does not suit the data; names of classes never do.</exception>
    /// <exception cref="DllNotFoundException">A picture's format needs libvips, which is not installed.</exception>
    /// <exception cref="IOException">A file does not exist or cannot be read.</exception>
    public static PictureDataSet LoadPictures(string path, DataSetOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        options ??= DataSetOptions.Default;
        return options.Classes is null
            ? DataSetReader.ReadPictures(path, options)
            : throw new ArgumentException($"Names of classes were given, but '{path}' is read without labels: leave the names out.");
    }

    /// <summary>
    /// Drawn shapes of twelve classes, in colour: anti-aliased, at any place, size and angle, over a texture, with strokes in between and
    /// noise. Sample i follows from the seed and i alone and is the same on every machine; it is drawn when it is first read, and kept in
    /// memory where all of them take no more than 256 MiB.
    /// </summary>
    /// <param name="count">How many; classes take turns.</param>
    /// <param name="size">Rows and columns, 8 to 1024.</param>
    /// <param name="seed">Another seed gives other pictures.</param>
    /// <returns>The data set.</returns>
    /// <exception cref="ArgumentException">There is no picture, or the size is out of range.</exception>
    public static PictureDataSet Shapes(int count, int size = 32, int seed = 0) => new ShapeDataSet(count, size, seed);

    /// <summary>The class of a sample.</summary>
    /// <param name="index">The sample, from 0.</param>
    /// <returns>The class, from 0; 0 where pictures have no labels.</returns>
    public abstract int ClassOf(int index);

    /// <summary>Reads a sample's pixels. Allocates nothing, or nothing the second time.</summary>
    /// <param name="index">The sample, from 0.</param>
    /// <param name="pixels">Receives (height, width, channels), exactly <see cref="PictureBytes"/>.</param>
    /// <exception cref="ArgumentException">There is no such sample, or the memory is of another size.</exception>
    public void Read(int index, Span<byte> pixels)
    {
        if ((uint)index >= (uint)Count)
            throw new ArgumentOutOfRangeException(nameof(index), $"Sample {index} was asked for, but there are {Count}; count from 0.");
        if (pixels.Length != PictureBytes)
        {
            throw new ArgumentException(
                $"A picture of {Height}x{Width}x{Channels} takes {PictureBytes} bytes, but there are {pixels.Length}.", nameof(pixels));
        }

        ReadPixels(index, pixels);
    }

    /// <summary>
    /// Parts the samples at random into those to train on and those to validate with: of every class the same share, at least one sample
    /// left to train on; without labels as if all were of one class. Both parts keep the order of the whole.
    /// </summary>
    /// <param name="validationFraction">The share that validates, above 0 and below 1; of every class rounded to the nearest.</param>
    /// <param name="seed">The same seed gives the same parts.</param>
    /// <returns>Two views of this data set.</returns>
    /// <exception cref="ArgumentException">The fraction is out of range, or a part would be empty.</exception>
    public (PictureDataSet Training, PictureDataSet Validation) Split(double validationFraction, int seed = 0)
    {
        if (!(validationFraction is > 0 and < 1))
        {
            throw new ArgumentException(
                FormattableString.Invariant($"The fraction for validation is {validationFraction}; give a number above 0 and below 1."));
        }

        return DataSetSplit.Stratified(this, validationFraction, seed);
    }

    /// <summary>Takes the last samples for validation, in the order of the files.</summary>
    /// <param name="count">How many validate; the rest is to train on.</param>
    /// <returns>Two views of this data set.</returns>
    /// <exception cref="ArgumentException">A part would be empty.</exception>
    public (PictureDataSet Training, PictureDataSet Validation) SplitLast(int count) => DataSetSplit.Last(this, count);

    /// <summary>
    /// Mean and standard deviation of every channel over all samples, rounded to four decimals so that they can be written down. A channel
    /// that is the same everywhere has the deviation 1.
    /// </summary>
    /// <returns>The normalization that brings each channel to mean 0 and deviation 1.</returns>
    public Normalization MeasureNormalization()
    {
        // Counted in whole numbers: exact, and the same in any order.
        var counts = new long[Channels * Levels];
        var pixels = new byte[PictureBytes];
        for (var i = 0; i < Count; i++)
        {
            Read(i, pixels);
            for (int at = 0, channel = 0; at < pixels.Length; at++)
            {
                counts[(channel * Levels) + pixels[at]]++;
                channel = channel + 1 == Channels ? 0 : channel + 1;
            }
        }

        var (means, deviations) = (new double[Channels], new double[Channels]);
        for (var c = 0; c < Channels; c++)
            (means[c], deviations[c]) = Moments(counts.AsSpan(c * Levels, Levels));
        return new Normalization(means, deviations);
    }

    /// <summary>For example <c>60000 pictures of 28x28x1 in 10 classes</c>: height, width, channels.</summary>
    /// <returns>Size and numbers.</returns>
    public override string ToString() =>
        $"{Count} pictures of {Height}x{Width}x{Channels} {(IsLabelled ? $"in {Classes.Count} classes" : "without labels")}";

    /// <summary>Reads a sample's pixels; may be called by several threads at once.</summary>
    /// <param name="index">A sample that is there.</param>
    /// <param name="pixels">Receives (height, width, channels); of the right size.</param>
    protected abstract void ReadPixels(int index, Span<byte> pixels);

    private static (double Mean, double Deviation) Moments(ReadOnlySpan<long> counts)
    {
        double total = 0, sum = 0, squares = 0;
        for (var level = 0; level < Levels; level++)
        {
            total += counts[level];
            sum += (double)level * counts[level];
        }

        var mean = total == 0 ? 0 : sum / total;
        for (var level = 0; level < Levels; level++)
            squares += counts[level] * (level - mean) * (level - mean);
        var deviation = total == 0 ? 0 : Math.Round(Math.Sqrt(squares / total), NormalizationDecimals);
        return (Math.Round(mean, NormalizationDecimals), deviation == 0 ? 1 : deviation);
    }
}
