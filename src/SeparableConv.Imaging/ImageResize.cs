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
            throw new ArgumentOutOfRangeException(nameof(width), $"An image of {width}x{height}x{image.Channels} has {samples} samples; at most {Array.MaxLength} fit an array.");
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
        var channels = image.Channels;
        var result = new Image<float>(width, height, channels, new float[width * height * channels]);
        var (row, sum) = (new float[image.Width * channels], new float[image.Width * channels]);
        var columns = new Weights[width];
        for (var x = 0; x < width; x++)
            columns[x] = Weights.Create(x, image.Width, width);

        for (var y = 0; y < height; y++)
        {
            var weights = Weights.Create(y, image.Height, height);
            Array.Clear(sum);
            for (var k = 0; k < weights.Values.Length; k++)
            {
                TensorPrimitives.ConvertTruncating<T, float>(image.Row(weights.First + k), row);
                TensorPrimitives.MultiplyAdd(row, weights.Values[k], sum, sum);
            }

            SumPixels(sum, channels, columns, result.Row(y));
        }

        return result;
    }

    private static void SumPixels(ReadOnlySpan<float> row, int channels, Weights[] columns, Span<float> result)
    {
        for (var x = 0; x < columns.Length; x++)
        {
            var weights = columns[x].Values;
            var pixels = row.Slice(columns[x].First * channels, weights.Length * channels);
            for (var c = 0; c < channels; c++)
            {
                var sum = 0f;
                for (int k = 0, at = c; k < weights.Length; k++, at += channels)
                    sum += pixels[at] * weights[k];
                result[(x * channels) + c] = sum;
            }
        }
    }

    /// <summary>What one pixel of the result is made of, in one direction.</summary>
    private readonly record struct Weights(int First, float[] Values)
    {
        public static Weights Create(int index, int input, int output)
        {
            var step = (double)input / output;
            var centre = ((index + 0.5) * step) - 0.5;
            var reach = Math.Max(1, step);
            var first = (int)Math.Max(0, Math.Ceiling(centre - reach));
            var last = (int)Math.Min(input - 1, Math.Floor(centre + reach));
            var weights = new double[last - first + 1];
            for (var k = 0; k < weights.Length; k++)
                weights[k] = Math.Max(0, 1 - (Math.Abs(first + k - centre) / reach));
            var sum = weights.Sum();
            return new(first, Array.ConvertAll(weights, weight => (float)(weight / sum)));
        }
    }
}
