namespace SeparableConv.Imaging;

/// <summary>A file format that libvips writes, and what it can hold.</summary>
/// <param name="Name">For messages.</param>
/// <param name="MaxType">The widest samples.</param>
/// <param name="HoldsAlpha">Whether it keeps an alpha channel.</param>
/// <param name="HasQuality">Whether it is lossy and takes a quality.</param>
internal sealed record ImageTarget(string Name, ElementType MaxType, bool HoldsAlpha, bool HasQuality)
{
    private static readonly ImageTarget Jpeg = new("JPEG", ElementType.UInt8, HoldsAlpha: false, HasQuality: true);
    private static readonly ImageTarget WebP = new("WebP", ElementType.UInt8, HoldsAlpha: true, HasQuality: true);
    private static readonly ImageTarget Tiff = new("TIFF", ElementType.Float32, HoldsAlpha: true, HasQuality: false);
    private static readonly ImageTarget Gif = new("GIF", ElementType.UInt8, HoldsAlpha: true, HasQuality: false);
    private static readonly ImageTarget Avif = new("AVIF", ElementType.UInt8, HoldsAlpha: true, HasQuality: true);
    private static readonly ImageTarget Heif = new("HEIF", ElementType.UInt8, HoldsAlpha: true, HasQuality: true);
    private static readonly ImageTarget Jpeg2000 = new("JPEG 2000", ElementType.UInt16, HoldsAlpha: true, HasQuality: true);
    private static readonly ImageTarget JpegXl = new("JPEG XL", ElementType.UInt16, HoldsAlpha: true, HasQuality: true);
    private static readonly ImageTarget Pnm = new("PNM", ElementType.UInt16, HoldsAlpha: false, HasQuality: false);

    /// <summary>The format of an extension (with its dot), or null.</summary>
    public static ImageTarget? FromExtension(string extension) => extension.ToLowerInvariant() switch
    {
        ".jpg" or ".jpeg" => Jpeg,
        ".webp" => WebP,
        ".tif" or ".tiff" => Tiff,
        ".gif" => Gif,
        ".avif" => Avif,
        ".heif" or ".heic" => Heif,
        ".jp2" => Jpeg2000,
        ".jxl" => JpegXl,
        ".ppm" or ".pgm" or ".pnm" => Pnm,
        _ => null,
    };

    /// <summary>Throws where the format cannot hold the picture as it is.</summary>
    /// <exception cref="ArgumentException">Its samples are too wide, or its alpha would be lost.</exception>
    public void Check(Image image)
    {
        if (image.Type.Size() > MaxType.Size())
        {
            throw new ArgumentException(
                $"{Name} holds samples up to {MaxType}, but the image is {image}; convert it first, or save it as .tif or .npy.");
        }

        if (image.HasAlpha && !HoldsAlpha)
            throw new ArgumentException($"{Name} holds no alpha channel, but the image is {image}; drop it first, or save it as .png.");
    }
}
