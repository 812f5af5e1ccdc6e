using System.Buffers.Binary;
using System.Numerics;

namespace SeparableConv.Imaging.Bmp;

/// <summary>
/// What the header of a Windows bitmap says about its pixels. libvips reads bitmaps by way of ImageMagick, which takes some kinds for
/// others: these are refused, and a fourth byte that the header does not call alpha is dropped.
/// </summary>
internal readonly struct BmpHeader
{
    /// <summary>How many first bytes of a file are looked at: both headers of the newest version, up to its masks.</summary>
    public const int Bytes = 70;

    private const int FileHeader = 14;
    private const int CoreSize = 12;
    private const int Os2Size = 64;
    private const int PlainSize = 40;

    // From this size on the masks are a part of the header, alpha's from the next.
    private const int AlphaSize = 56;
    private const int None = 0;
    private const int RunLength4 = 2;
    private const int BitFields = 3;

    private BmpHeader(bool hasAlpha) => HasAlpha = hasAlpha;

    /// <summary>Whether pixels have an alpha.</summary>
    public bool HasAlpha { get; }

    /// <summary>Reads the beginning of a file.</summary>
    /// <exception cref="InvalidDataException">It is cut off, or of a kind that would be read wrongly.</exception>
    public static BmpHeader Read(ReadOnlySpan<byte> start)
    {
        var size = start.Length < FileHeader + CoreSize ? 0 : BinaryPrimitives.ReadInt32LittleEndian(start[FileHeader..]);
        if (size == CoreSize)
            return Checked(BinaryPrimitives.ReadUInt16LittleEndian(start[24..]), None, isOs2: true, [], hasAlpha: false);
        if (size < CoreSize + 4 || start.Length < Math.Min(Bytes, FileHeader + size))
            throw new InvalidDataException("The BMP file is cut off in its header, or the header is none.");

        int bits = BinaryPrimitives.ReadUInt16LittleEndian(start[28..]);
        var compression = size < CoreSize + 8 ? None : BinaryPrimitives.ReadInt32LittleEndian(start[30..]);
        Span<uint> masks = stackalloc uint[4];
        var count = compression != BitFields || start.Length < Bytes - 4 ? 0 : size >= AlphaSize && start.Length >= Bytes ? 4 : 3;
        for (var i = 0; i < count; i++)
            masks[i] = BinaryPrimitives.ReadUInt32LittleEndian(start[(FileHeader + PlainSize + (4 * i))..]);
        return Checked(bits, compression, isOs2: size == Os2Size, masks[..count], masks[3] != 0);
    }

    /// <summary>The picture as the header means it.</summary>
    public Image Apply(Image image) => HasAlpha || !image.HasAlpha
        ? image
        : image switch
        {
            Image<byte> bytes => WithoutAlpha(bytes),
            Image<ushort> words => WithoutAlpha(words),
            _ => WithoutAlpha((Image<float>)image),
        };

    private static BmpHeader Checked(int bits, int compression, bool isOs2, ReadOnlySpan<uint> masks, bool hasAlpha)
    {
        var isKnown = compression switch
        {
            None => bits is 1 or 4 or 8 or 16 or 24 or 32,
            BitFields when !isOs2 => bits switch
            {
                16 => masks.StartsWith([0x7C00u, 0x3E0u, 0x1Fu]) || masks.StartsWith([0xF800u, 0x7E0u, 0x1Fu]),
                32 => AreBytes(masks),
                _ => false,
            } && !(hasAlpha && bits == 16),
            _ => compression is > None and <= RunLength4 && bits == (compression == RunLength4 ? 4 : 8),
        };
        return isKnown
            ? new BmpHeader(hasAlpha)
            : throw new InvalidDataException(
                $"The BMP file has {bits} bits a pixel in form {compression}{Masks(masks)}, which is not read; 1, 4, 8, 16 (5 or 6 bits a "
                + "colour), 24 and 32 bits (a byte a colour) and run lengths are. Save it as PNG.");
    }

    private static string Masks(ReadOnlySpan<uint> masks) => masks.IsEmpty
        ? ""
        : $" with the masks {string.Join(", ", masks.ToArray().Select(mask => mask.ToString("x", null)))}";

    private static bool AreBytes(ReadOnlySpan<uint> masks)
    {
        var all = 0u;
        foreach (var mask in masks)
        {
            if (mask == 0 && masks.Length == 4 && mask == masks[3])
                continue;
            var isByte = mask >> BitOperations.TrailingZeroCount(mask) == 0xFF && BitOperations.TrailingZeroCount(mask) % 8 == 0;
            if (!isByte || (all & mask) != 0)
                return false;
            all |= mask;
        }

        return masks.Length >= 3;
    }

    private static Image<T> WithoutAlpha<T>(Image<T> image)
        where T : unmanaged, INumber<T>
    {
        var colors = image.Channels - 1;
        var result = Image<T>.CreateEmpty(image.Width, image.Height, colors);
        result.Metadata = image.Metadata;
        for (int from = 0, to = 0; from < image.Pixels.Length; from += colors + 1, to += colors)
            image.Pixels.AsSpan(from, colors).CopyTo(result.Pixels.AsSpan(to));
        return result;
    }
}
