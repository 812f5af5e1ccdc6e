using System.Numerics;
using System.Numerics.Tensors;

namespace SeparableConv.Imaging;

/// <summary>Images in another size.</summary>
public static class ImageResize
{
    /// <summary>
    /// Resizes by weights that fall off like a triangle, with the centres of pixels half a pixel inside the edges: bilinear where an
    /// image grows, and over all the pixels that one pixel stands for where it shrinks (antialiased), as Pillow, PyTorch and
    /// TensorFlow do it where they are asked to.
    /// </summary>
    /// <remarks>
    /// y[i] = sum over p of x[p] * w(p) / sum over p of w(p), w(p) = max(0, 1 - |p - c| / s), c = (i + 0.5) * in/out - 0.5,
    /// s = max(1, in/out); rows first, then columns. Samples keep their range (bytes become 0 to 255) and are not rounded. Every channel
    /// is resized by itself, alpha too.
    /// </remarks>
    /// <param name="image">The picture.</param>
    /// <param name="width">Pixels in a row of the result, at least 1.</param>
    /// <param name="height">Rows of the result, at least 1.</param>
    /// <returns>A picture of the same channels.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A size is below 1, or the result has more samples than an array can hold.</exception>
    public static Image<float> Bilinear(Image image, int width, int height)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        var samples = (Int128)width * height * image.Channels;
        if (samples > Array.MaxLength)
        {
            throw new ArgumentOutOfRangeException(
                nameof(width),
                $"An image of {width}x{height}x{image.Channels} has {samples} samples; at most {Array.MaxLength} fit an array.");
        }

        return image switch
        {
            Image<byte> bytes => Resize(bytes, width, height),
            Image<ushort> words => Resize(words, width, height),
            _ => Resize((Image<float>)image, width, height),
        };
    }

    private static Image<float> Resize<T>(Image<T> image, int width, int height)
        where T : unmanaged, INumber<T>
    {
        var result = Image<float>.CreateEmpty(width, height, image.Channels);
        new BilinearResizer(width, height, image.Channels).Run(new Rows<T>(image), image.Width, image.Height, result.Pixels);
        return result;
    }

    private readonly struct Rows<T>(Image<T> image) : IFloatRows
        where T : unmanaged, INumber<T>
    {
        public void Read(int y, Span<float> row) => TensorPrimitives.ConvertTruncating<T, float>(image.Row(y), row);
    }
}

/// <summary>The rows of a picture as floats.</summary>
internal interface IFloatRows
{
    /// <summary>Gives the samples of a row.</summary>
    void Read(int y, Span<float> row);
}

/// <summary>
/// Resizes pictures of any size to one size; its tables and rows are kept, so that pictures of a size seen before allocate nothing.
/// </summary>
internal sealed class BilinearResizer(int width, int height, int channels)
{
    private readonly int[] _firsts = new int[width];
    private readonly int[] _counts = new int[width];
    private float[] _columns = [];
    private float[] _row = [];
    private float[] _sum = [];
    private double[] _exact = [];
    private float[] _weights = [];
    private int _inWidth;

    /// <summary>Resizes.</summary>
    /// <param name="rows">The picture's rows, (inWidth, channels) each.</param>
    /// <param name="inWidth">Pixels in a row of the picture.</param>
    /// <param name="inHeight">Rows of the picture.</param>
    /// <param name="result">Receives (height, width, channels).</param>
    public void Run<TRows>(TRows rows, int inWidth, int inHeight, Span<float> result)
        where TRows : struct, IFloatRows
    {
        PrepareColumns(inWidth);
        var row = _row.AsSpan(0, inWidth * channels);
        var sum = _sum.AsSpan(0, inWidth * channels);
        for (var y = 0; y < height; y++)
        {
            var weights = Weights(y, inHeight, height, out var first);
            sum.Clear();
            for (var k = 0; k < weights.Length; k++)
            {
                rows.Read(first + k, row);
                TensorPrimitives.MultiplyAdd(row, weights[k], sum, sum);
            }

            SumPixels(sum, result.Slice(y * width * channels, width * channels));
        }
    }

    private void PrepareColumns(int inWidth)
    {
        if (_inWidth == inWidth)
            return;
        _inWidth = inWidth;
        if (_row.Length < inWidth * channels)
            (_row, _sum) = (new float[inWidth * channels], new float[inWidth * channels]);
        var used = 0;
        for (var x = 0; x < width; x++)
        {
            var weights = Weights(x, inWidth, width, out _firsts[x]);
            _counts[x] = weights.Length;
            if (_columns.Length < used + weights.Length)
                Array.Resize(ref _columns, Math.Max(2 * _columns.Length, used + (weights.Length * (width - x))));
            weights.CopyTo(_columns.AsSpan(used));
            used += weights.Length;
        }
    }

    private void SumPixels(ReadOnlySpan<float> row, Span<float> result)
    {
        var columns = _columns.AsSpan();
        for (var x = 0; x < width; x++)
        {
            var weights = columns[.._counts[x]];
            columns = columns[weights.Length..];
            var pixels = row.Slice(_firsts[x] * channels, weights.Length * channels);
            for (var c = 0; c < channels; c++)
            {
                var sum = 0f;
                for (int k = 0, at = c; k < weights.Length; k++, at += channels)
                    sum += pixels[at] * weights[k];
                result[(x * channels) + c] = sum;
            }
        }
    }

    // What one pixel of the result is made of, in one direction; valid until the next call.
    private ReadOnlySpan<float> Weights(int index, int input, int output, out int first)
    {
        var step = (double)input / output;
        var centre = ((index + 0.5) * step) - 0.5;
        var reach = Math.Max(1, step);
        first = (int)Math.Max(0, Math.Ceiling(centre - reach));
        var last = (int)Math.Min(input - 1, Math.Floor(centre + reach));
        var count = last - first + 1;
        if (_exact.Length < count)
            (_exact, _weights) = (new double[count + 2], new float[count + 2]);
        var sum = 0.0;
        for (var k = 0; k < count; k++)
        {
            _exact[k] = Math.Max(0, 1 - (Math.Abs(first + k - centre) / reach));
            sum += _exact[k];
        }

        for (var k = 0; k < count; k++)
            _weights[k] = (float)(_exact[k] / sum);
        return _weights.AsSpan(0, count);
    }
}
