using SeparableConv.Imaging.Png;

namespace SeparableConv.Imaging;

/// <summary>Recognizes the format of an image file by its first bytes.</summary>
internal static class ImageFormat
{
    public const string Png = "PNG";
    public const string Npy = ".npy";

    /// <summary>How many first bytes <see cref="Recognize"/> needs at most.</summary>
    public const int MarkBytes = 12;

    /// <summary>The format's name, or null where none is known. All but PNG and .npy are libvips's to read.</summary>
    public static string? Recognize(ReadOnlySpan<byte> start)
    {
        // An ISO media file names its kind behind a box length and "ftyp".
        var brand = start.Length >= 12 && start[4..].StartsWith("ftyp"u8) ? start.Slice(8, 4) : default;
        return start switch
        {
            _ when start.StartsWith(PngChunkReader.Signature[..4]) => Png,
            _ when start.StartsWith(NpyFile.Magic) => Npy,
            [0xFF, 0xD8, 0xFF, ..] => "JPEG",
            _ when start.StartsWith("RIFF"u8) && start.Length >= 12 && start[8..].StartsWith("WEBP"u8) => "WebP",
            _ when start.StartsWith("II\x2a\0"u8) || start.StartsWith("MM\0\x2a"u8) => "TIFF",
            _ when start.StartsWith("II\x2b\0"u8) || start.StartsWith("MM\0\x2b"u8) => "BigTIFF",
            _ when start.StartsWith("GIF87a"u8) || start.StartsWith("GIF89a"u8) => "GIF",
            _ when brand.SequenceEqual("avif"u8) || brand.SequenceEqual("avis"u8) => "AVIF",
            _ when brand.StartsWith("hei"u8) || brand.StartsWith("hev"u8) => "HEIF",
            _ when brand.SequenceEqual("mif1"u8) || brand.SequenceEqual("msf1"u8) => "HEIF",
            _ when start.StartsWith("BM"u8) => "BMP",
            [(byte)'P', >= (byte)'1' and <= (byte)'6' or (byte)'f' or (byte)'F', (byte)'\n' or (byte)' ' or (byte)'\r' or (byte)'\t', ..] =>
                "PNM",
            [0x00, 0x00, 0x00, 0x0C, (byte)'j', (byte)'P', ..] or [0xFF, 0x4F, 0xFF, 0x51, ..] => "JPEG 2000",
            [0xFF, 0x0A, ..] or [0x00, 0x00, 0x00, 0x0C, (byte)'J', (byte)'X', (byte)'L', ..] => "JPEG XL",
            [0x76, 0x2F, 0x31, 0x01, ..] => "OpenEXR",
            _ => null,
        };
    }
}
