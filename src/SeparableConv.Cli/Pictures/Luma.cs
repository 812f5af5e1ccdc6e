using SeparableConv.Imaging;

namespace SeparableConv.Cli.Pictures;

/// <summary>Gray from colour: 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601, as OpenCV and Pillow do), rounded half to even; alpha is kept.</summary>
internal static class Luma
{
    private const double Red = 0.299;
    private const double Green = 0.587;
    private const double Blue = 0.114;

    /// <summary>The gray picture; a picture that is gray already comes back as it is.</summary>
    public static Image Of(Image image) => image switch
    {
        { Channels: <= 2 } => image,
        Image<byte> bytes => Of(bytes, luma => (byte)Math.Round(luma)),
        Image<ushort> shorts => Of(shorts, luma => (ushort)Math.Round(luma)),
        _ => Of((Image<float>)image, luma => (float)luma),
    };

    private static Image<T> Of<T>(Image<T> image, Func<double, T> round)
        where T : unmanaged, System.Numerics.INumber<T>
    {
        var source = image.Pixels;
        var step = image.Channels;
        var kept = image.HasAlpha ? 2 : 1;
        var gray = new T[source.Length / step * kept];
        for (int from = 0, to = 0; from < source.Length; from += step, to += kept)
        {
            gray[to] = round((Red * double.CreateTruncating(source[from]))
                + (Green * double.CreateTruncating(source[from + 1]))
                + (Blue * double.CreateTruncating(source[from + 2])));
            if (image.HasAlpha)
                gray[to + 1] = source[from + 3];
        }

        return Image.Create(image.Width, image.Height, kept, gray);
    }
}
