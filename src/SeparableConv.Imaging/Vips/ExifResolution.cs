using System.Buffers.Binary;

namespace SeparableConv.Imaging.Vips;

/// <summary>The resolution in a block of EXIF data (CIPA DC-008), for formats that have no other place for it.</summary>
internal static class ExifResolution
{
    private const ushort Short = 3;
    private const ushort Rational = 5;
    private const ushort HorizontalTag = 0x011A;
    private const ushort VerticalTag = 0x011B;
    private const ushort UnitTag = 0x0128;
    private const ushort Inch = 2;
    private const ushort Centimetre = 3;
    private const uint Denominator = 1000;

    // Header, number of entries, three entries of 12 bytes, no next directory, two fractions.
    private const int Numbers = 8 + 2 + (3 * 12) + 4;

    /// <summary>The resolution that a block names; null where it names none.</summary>
    public static Resolution? Read(ReadOnlySpan<byte> exif)
    {
        var directory = new ExifDirectory(exif);
        if (directory.Rational(HorizontalTag) is not { } horizontal || directory.Rational(VerticalTag) is not { } vertical)
            return null;
        return (directory.Short(UnitTag) ?? Inch) switch
        {
            Inch => Resolution.OfMetres(horizontal / 0.0254, vertical / 0.0254),
            Centimetre => Resolution.OfMetres(100 * horizontal, 100 * vertical),
            _ => null,
        };
    }

    /// <summary>A block of nothing else: a TIFF header and one directory.</summary>
    public static byte[] Block(Resolution resolution)
    {
        var block = new byte[Numbers + 16];
        "II\x2a\0"u8.CopyTo(block);
        WriteLong(block, 4, 8);
        BinaryPrimitives.WriteUInt16LittleEndian(block.AsSpan(8), 3);
        WriteEntry(block, 0, HorizontalTag, Rational, Numbers);
        WriteEntry(block, 1, VerticalTag, Rational, Numbers + 8);
        WriteEntry(block, 2, UnitTag, Short, Inch);
        foreach (var (at, value) in new[] { (Numbers, resolution.Horizontal), (Numbers + 8, resolution.Vertical) })
        {
            WriteLong(block, at, (uint)Math.Clamp(Math.Round(value * Denominator), 1, uint.MaxValue));
            WriteLong(block, at + 4, Denominator);
        }

        return block;
    }

    private static void WriteEntry(byte[] block, int entry, ushort tag, ushort type, uint value)
    {
        var at = 10 + (12 * entry);
        BinaryPrimitives.WriteUInt16LittleEndian(block.AsSpan(at), tag);
        BinaryPrimitives.WriteUInt16LittleEndian(block.AsSpan(at + 2), type);
        WriteLong(block, at + 4, 1);
        WriteLong(block, at + 8, value);
    }

    private static void WriteLong(byte[] block, int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(at), value);
}
