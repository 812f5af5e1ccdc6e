using SeparableConv.Imaging.Png;

namespace SeparableConv.Imaging;

/// <summary>A format of image files: how it is recognized when read, and what it can hold where it is written.</summary>
/// <param name="Name">For messages.</param>
/// <param name="Extensions">Those it is written under, each with its dot, the usual one first; none where it is only read.</param>
/// <param name="MaxType">The widest samples that it holds.</param>
/// <param name="HoldsAlpha">Whether it keeps an alpha channel.</param>
/// <param name="HasQuality">Whether it is lossy and takes a quality.</param>
internal sealed record ImageFormat(string Name, string[] Extensions, ElementType MaxType, bool HoldsAlpha, bool HasQuality)
{
    public static readonly ImageFormat Png = new("PNG", [".png"], ElementType.UInt16, HoldsAlpha: true, HasQuality: false);
    public static readonly ImageFormat Bmp = new("BMP", [], ElementType.UInt8, HoldsAlpha: true, HasQuality: false);
    public static readonly ImageFormat Npy = new(".npy", [".npy"], ElementType.Float32, HoldsAlpha: true, HasQuality: false);

    /// <summary>How many first bytes <see cref="Recognize"/> needs at most.</summary>
    public const int MarkBytes = 12;

    private static readonly ImageFormat Jpeg = new("JPEG", [".jpg", ".jpeg"], ElementType.UInt8, HoldsAlpha: false, HasQuality: true);
    private static readonly ImageFormat WebP = new("WebP", [".webp"], ElementType.UInt8, HoldsAlpha: true, HasQuality: true);
    private static readonly ImageFormat Tiff = new("TIFF", [".tif", ".tiff"], ElementType.Float32, HoldsAlpha: true, HasQuality: false);
    private static readonly ImageFormat Gif = new("GIF", [".gif"], ElementType.UInt8, HoldsAlpha: true, HasQuality: false);
    private static readonly ImageFormat Avif = new("AVIF", [".avif"], ElementType.UInt8, HoldsAlpha: true, HasQuality: true);
    private static readonly ImageFormat Heif = new("HEIF", [".heif", ".heic"], ElementType.UInt8, HoldsAlpha: true, HasQuality: true);
    private static readonly ImageFormat Pnm = new(
        "PNM", [".ppm", ".pgm", ".pnm"], ElementType.UInt16, HoldsAlpha: false, HasQuality: false);

    private static readonly ImageFormat Jpeg2000 = new("JPEG 2000", [".jp2"], ElementType.UInt16, HoldsAlpha: true, HasQuality: true);
    private static readonly ImageFormat JpegXl = new("JPEG XL", [".jxl"], ElementType.UInt16, HoldsAlpha: true, HasQuality: true);
    private static readonly ImageFormat OpenExr = new("OpenEXR", [], ElementType.Float32, HoldsAlpha: true, HasQuality: false);

    private static readonly ImageFormat[] All = [Png, Npy, Jpeg, WebP, Tiff, Gif, Avif, Heif, Bmp, Pnm, Jpeg2000, JpegXl, OpenExr];

    /// <summary>Whether the library reads and writes it by itself; all others go through libvips.</summary>
    public bool IsOwn => this == Png || this == Npy;

    /// <summary>Whether a file keeps the picture's colour profile; pictures become sRGB where it does not.</summary>
    public bool HoldsProfile => Array.IndexOf([Png, Jpeg, WebP, Tiff, Avif, Heif, JpegXl], this) >= 0;

    /// <summary>The format of an extension (with its dot).</summary>
    /// <exception cref="ArgumentException">Nothing is written under it.</exception>
    public static ImageFormat OfExtension(string extension, string path) => Find(extension) ?? throw new ArgumentException(
        $"'{path}' names no format to write; use {string.Join(", ", All.SelectMany(format => format.Extensions))}.", nameof(path));

    /// <summary>The format of an extension (with its dot); null where nothing is written under it.</summary>
    public static ImageFormat? Find(string extension) =>
        Array.Find(All, format => format.Extensions.Contains(extension, StringComparer.OrdinalIgnoreCase));

    /// <summary>The format of a file, by its first bytes.</summary>
    /// <exception cref="InvalidDataException">It is none that is known.</exception>
    public static ImageFormat Of(ReadOnlySpan<byte> start)
    {
        if (start.IsEmpty)
            throw new InvalidDataException("The image file is empty.");
        return Recognize(start) ?? throw new InvalidDataException(
            $"The file is no image of a known kind: it begins with the bytes {Convert.ToHexString(start[..Math.Min(8, start.Length)])}; "
            + $"one of {string.Join(", ", All.Select(format => format.Name))} is expected.");
    }

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

    private static ImageFormat? Recognize(ReadOnlySpan<byte> start)
    {
        // An ISO media file names its kind behind a box length and "ftyp".
        var brand = start.Length >= 12 && start[4..].StartsWith("ftyp"u8) ? start.Slice(8, 4) : default;
        return start switch
        {
            _ when start.StartsWith(PngChunkReader.Signature[..4]) => Png,
            _ when start.StartsWith(NpyFile.Magic) => Npy,
            [0xFF, 0xD8, 0xFF, ..] => Jpeg,
            _ when start.StartsWith("RIFF"u8) && start.Length >= 12 && start[8..].StartsWith("WEBP"u8) => WebP,
            _ when start.StartsWith("II\x2a\0"u8) || start.StartsWith("MM\0\x2a"u8) => Tiff,

            // BigTIFF.
            _ when start.StartsWith("II\x2b\0"u8) || start.StartsWith("MM\0\x2b"u8) => Tiff,
            _ when start.StartsWith("GIF87a"u8) || start.StartsWith("GIF89a"u8) => Gif,
            _ when brand.SequenceEqual("avif"u8) || brand.SequenceEqual("avis"u8) => Avif,
            _ when brand.StartsWith("hei"u8) || brand.StartsWith("hev"u8) => Heif,
            _ when brand.SequenceEqual("mif1"u8) || brand.SequenceEqual("msf1"u8) => Heif,
            _ when start.StartsWith("BM"u8) => Bmp,
            [(byte)'P', >= (byte)'1' and <= (byte)'6' or (byte)'f' or (byte)'F', (byte)'\n' or (byte)' ' or (byte)'\r' or (byte)'\t', ..] =>
                Pnm,
            [0x00, 0x00, 0x00, 0x0C, (byte)'j', (byte)'P', ..] or [0xFF, 0x4F, 0xFF, 0x51, ..] => Jpeg2000,
            [0xFF, 0x0A, ..] or [0x00, 0x00, 0x00, 0x0C, (byte)'J', (byte)'X', (byte)'L', ..] => JpegXl,
            [0x76, 0x2F, 0x31, 0x01, ..] => OpenExr,
            _ => null,
        };
    }
}
