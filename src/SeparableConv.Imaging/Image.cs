using System.Numerics;

namespace SeparableConv.Imaging;

/// <summary>
/// A picture in memory: (height, width, channels), row-major, channels interleaved. Its pixels are in the derived
/// <see cref="Image{T}"/>; match on it: <c>image is Image&lt;byte&gt; bytes</c>.
/// </summary>
public abstract class Image
{
    private protected Image(int width, int height, int channels, ElementType type)
    {
        if (width < 1 || height < 1)
        {
            throw new ArgumentOutOfRangeException(
                nameof(width), $"An image has at least 1x1 pixels, but {width}x{height} (width x height) was given.");
        }

        if (channels is < 1 or > 4)
        {
            throw new ArgumentOutOfRangeException(
                nameof(channels), $"An image has 1 to 4 channels (gray, gray+alpha, RGB, RGBA), but {channels} were given.");
        }

        Width = width;
        Height = height;
        Channels = channels;
        Type = type;
    }

    /// <summary>Pixels in a row.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>Samples a pixel: 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA. Alpha is not premultiplied.</summary>
    public int Channels { get; }

    /// <summary>The type of a sample: <see cref="ElementType.UInt8"/>, <see cref="ElementType.UInt16"/> or <see cref="ElementType.Float32"/>.</summary>
    public ElementType Type { get; }

    /// <summary>Size and type, as filters are planned for.</summary>
    public ImageShape Shape => new(Height, Width, Channels, Type);

    /// <summary>Whether the last channel is alpha: 2 or 4 channels.</summary>
    public bool HasAlpha => Shape.HasAlpha;

    /// <summary>Wraps pixels without copying them.</summary>
    /// <typeparam name="T"><see cref="byte"/>, <see cref="ushort"/> or <see cref="float"/>.</typeparam>
    /// <param name="width">Pixels in a row, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="channels">Samples a pixel, 1 to 4.</param>
    /// <param name="pixels">Exactly height * width * channels samples, row-major, channels interleaved.</param>
    /// <returns>The image, which shares <paramref name="pixels"/>.</returns>
    /// <exception cref="ArgumentException">The number of samples is another, or the type is none of the three.</exception>
    public static Image<T> Create<T>(int width, int height, int channels, T[] pixels)
        where T : unmanaged, INumber<T>
        => new(width, height, channels, pixels);

    /// <summary>For example <c>640x480x3 UInt8</c>: width, height, channels, type.</summary>
    /// <returns>Size and type.</returns>
    public override string ToString() => $"{Width}x{Height}x{Channels} {Type}";
}
