using System.Numerics;
using System.Numerics.Tensors;

namespace SeparableConv.Imaging;

/// <summary>A picture whose samples are of type <typeparamref name="T"/>; see <see cref="Image"/>.</summary>
/// <typeparam name="T"><see cref="byte"/>, <see cref="ushort"/> or <see cref="float"/>.</typeparam>
public sealed class Image<T> : Image
    where T : unmanaged, INumber<T>
{
    /// <summary>Wraps pixels without copying them.</summary>
    /// <param name="width">Pixels in a row, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="channels">Samples a pixel, 1 to 4.</param>
    /// <param name="pixels">Exactly height * width * channels samples, row-major, channels interleaved.</param>
    /// <exception cref="ArgumentException">The number of samples is another, or the type is none of the three.</exception>
    public Image(int width, int height, int channels, T[] pixels)
        : base(width, height, channels, ImageShape.TypeOf<T>())
    {
        ArgumentNullException.ThrowIfNull(pixels);
        var expected = (Int128)width * height * channels;
        if (pixels.Length != expected)
        {
            throw new ArgumentException(
                $"An image of {width}x{height}x{channels} has {expected} samples, but the array has {pixels.Length}.", nameof(pixels));
        }

        Pixels = pixels;
    }

    /// <summary>The samples, (height, width, channels) row-major. The image's own array: what is written here is in the image.</summary>
    public T[] Pixels { get; }

    /// <summary>One row's width * channels samples.</summary>
    /// <param name="y">The row, from 0.</param>
    /// <returns>A view of the image's memory.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row.</exception>
    public Span<T> Row(int y)
    {
        if ((uint)y >= (uint)Height)
            throw new ArgumentOutOfRangeException(nameof(y), $"The image has rows 0 to {Height - 1}, but row {y} was asked for.");

        var samples = Width * Channels;
        return Pixels.AsSpan(y * samples, samples);
    }

    /// <summary>The image as a tensor of shape (height, width, channels) that shares its memory.</summary>
    /// <returns>A dense tensor over <see cref="Pixels"/>.</returns>
    public Tensor<T> AsTensor() => Tensor.Create(Pixels, [Height, Width, Channels]);
}
