namespace SeparableConv.Networks.Separating;

/// <summary>Positions of a layer's output that stand for all of them: as many in each image, the same in every run.</summary>
internal sealed class SamplePositions
{
    private readonly int[] _positions;

    /// <param name="images">Images of the calibration.</param>
    /// <param name="output">Height and width of the output.</param>
    /// <param name="samples">About how many are wanted in all.</param>
    /// <param name="seed">What the choice follows from.</param>
    public SamplePositions(int images, Size2D output, int samples, int seed)
    {
        var all = output.Height * output.Width;
        InImage = Math.Clamp(samples / images, 1, all);
        Output = output;
        _positions = new int[images * InImage];
        var random = new Random(seed);
        var shuffled = Enumerable.Range(0, all).ToArray();
        for (var image = 0; image < images; image++)
        {
            for (var i = 0; i < InImage; i++)
            {
                var other = random.Next(i, all);
                (shuffled[i], shuffled[other]) = (shuffled[other], shuffled[i]);
                _positions[(image * InImage) + i] = shuffled[i];
            }
        }
    }

    public int InImage { get; }

    public Size2D Output { get; }

    public int Count => _positions.Length;

    /// <summary>Row and column of a sample.</summary>
    public (int Row, int Column) this[int sample] => Math.DivRem(_positions[sample], Output.Width);
}

/// <summary>Copies patches, and pixels, out of images.</summary>
internal static class PatchSamples
{
    /// <summary>
    /// Writes the patches of a group at the samples of some images: (samples, taps*C/groups), zeros where the kernel reaches over the edge.
    /// </summary>
    /// <param name="images">(N, height, width, C), the first of them image <paramref name="firstImage"/>.</param>
    /// <param name="geometry">The convolution that reads the patches.</param>
    /// <param name="group">The group.</param>
    /// <param name="positions">The samples.</param>
    /// <param name="firstImage">The number of the first image.</param>
    /// <param name="count">How many images.</param>
    /// <param name="target">Where the patch of sample 0 of image 0 would lie.</param>
    public static void Copy(
        ReadOnlySpan<float> images,
        in ConvGeometry geometry,
        int group,
        SamplePositions positions,
        int firstImage,
        int count,
        Span<float> target)
    {
        var channels = geometry.InChannels / geometry.Groups;
        var (rows, columns) = (geometry.Rows, geometry.Columns);
        var width = rows.Kernel * columns.Kernel * channels;
        for (var sample = firstImage * positions.InImage; sample < (firstImage + count) * positions.InImage; sample++)
        {
            var (row, column) = positions[sample];
            var patch = target.Slice(sample * width, width);
            patch.Clear();
            var image = (sample / positions.InImage) - firstImage;
            var (firstRow, endRow) = rows.Taps(row);
            var (firstColumn, endColumn) = columns.Taps(column);
            for (var i = firstRow; i < endRow; i++)
            {
                var y = rows.InputStart(row) + (i * rows.Dilation);
                for (var j = firstColumn; j < endColumn; j++)
                {
                    var x = columns.InputStart(column) + (j * columns.Dilation);
                    var pixel = (((((image * rows.In) + y) * columns.In) + x) * geometry.InChannels) + (group * channels);
                    images.Slice(pixel, channels).CopyTo(patch[(((i * columns.Kernel) + j) * channels)..]);
                }
            }
        }
    }

    /// <summary>Writes the pixels of (N, height, width, channels) at the samples of some images: (samples, channels).</summary>
    public static void CopyPixels(
        ReadOnlySpan<float> images, int channels, SamplePositions positions, int firstImage, int count, Span<float> target)
    {
        for (var sample = firstImage * positions.InImage; sample < (firstImage + count) * positions.InImage; sample++)
        {
            var (row, column) = positions[sample];
            var image = (sample / positions.InImage) - firstImage;
            var pixel = ((((image * positions.Output.Height) + row) * positions.Output.Width) + column) * channels;
            images.Slice(pixel, channels).CopyTo(target[(sample * channels)..]);
        }
    }
}
