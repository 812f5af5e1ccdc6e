using System.Numerics;
using System.Numerics.Tensors;
using SeparableConv.Imaging.Vips;

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

    /// <inheritdoc/>
    public override Image<T> CreateLike(int width, int height)
    {
        var image = CreateEmpty(width, height, Channels);
        image.Metadata = Metadata;
        return image;
    }

    /// <inheritdoc/>
    public override void FilterInto(ImageFilter filter, Image result, ImageRegion? region = null)
    {
        ArgumentNullException.ThrowIfNull(filter);
        ArgumentNullException.ThrowIfNull(result);
        var part = region ?? Everything;
        switch (result)
        {
            case Image<T> same:
                filter.Run(View(Everything), part, same.View(same.Everything));
                break;
            case Image<float> floats:
                filter.RunToFloat<T>(View(Everything), part, floats.View(floats.Everything));
                break;
            default:
                throw new ArgumentException(
                    $"The result is {result}, but a picture of {Type} is filtered into one of {Type} or Float32.", nameof(result));
        }
    }

    /// <inheritdoc/>
    public override Image<T> FilterInPlace(ImageFilter filter, ImageRegion? region = null)
    {
        ArgumentNullException.ThrowIfNull(filter);
        var part = region ?? Everything;
        part.Check(Height, Width);
        filter.Run(View(Everything), part, View(part));
        return this;
    }

    /// <inheritdoc/>
    public override Image<T> ToGray()
    {
        if (Channels <= 2)
            return this;
        var color = ToSrgb();
        var gray = CreateEmpty(Width, Height, HasAlpha ? 2 : 1);
        gray.Metadata = color.Metadata;
        var (source, target) = (color.Pixels, gray.Pixels);
        for (int from = 0, to = 0; from < source.Length; from += Channels, to += gray.Channels)
        {
            target[to] = Luma.Of(source[from], source[from + 1], source[from + 2]);
            if (HasAlpha)
                target[to + 1] = source[from + 3];
        }

        return gray;
    }

    /// <inheritdoc/>
    public override Image<T> ToSrgb()
    {
        if (Metadata.Profile is not { } profile || profile.IsGray != Channels <= 2)
            return Metadata.Profile is null ? this : With(Pixels);
        if (!profile.HasCurves)
            return (Image<T>)VipsCodec.ToSrgb(this);
        if (profile.Conversion is not { } conversion)
            return With(Pixels);

        var pixels = GC.AllocateUninitializedArray<T>(Pixels.Length);
        conversion.Run<T>(Pixels, pixels, Channels);
        return With(pixels);
    }

    internal static Image<T> CreateEmpty(int width, int height, int channels) =>
        new(width, height, channels, new T[Math.Max(0, (long)width * height * channels)]);

    // The picture with other samples, which are sRGB.
    private Image<T> With(T[] pixels) => new(Width, Height, Channels, pixels) { Metadata = Metadata.WithoutColors() };

    private ImageRegion Everything => new(0, 0, Width, Height);

    // A dimension of length 1 has the stride 0.
    private TensorSpan<T> View(ImageRegion part) => new(
        Pixels.AsSpan(((part.Top * Width) + part.Left) * Channels),
        [part.Height, part.Width, Channels],
        [part.Height == 1 ? 0 : Width * Channels, part.Width == 1 ? 0 : Channels, Channels == 1 ? 0 : 1]);
}

/// <summary>The brightness of a colour: 0.299 R + 0.587 G + 0.114 B.</summary>
internal static class Luma
{
    private const double Red = 0.299;
    private const double Green = 0.587;
    private const double Blue = 0.114;

    /// <summary>The brightness, of integers rounded half to even.</summary>
    public static T Of<T>(T red, T green, T blue)
        where T : unmanaged, INumber<T>
    {
        var luma = (Red * double.CreateTruncating(red)) + (Green * double.CreateTruncating(green)) + (Blue * double.CreateTruncating(blue));
        return T.CreateTruncating(typeof(T) == typeof(float) ? luma : Math.Round(luma));
    }
}
