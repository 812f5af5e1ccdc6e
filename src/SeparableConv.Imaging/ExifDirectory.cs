using System.Buffers.Binary;

namespace SeparableConv.Imaging;

/// <summary>
/// The first directory of a block of EXIF data (CIPA DC-008): a TIFF header and entries of 12 bytes. A damaged block has no entries, since
/// a picture is readable without its metadata.
/// </summary>
internal readonly ref struct ExifDirectory
{
    private const int EntryBytes = 12;
    private const ushort ShortType = 3;
    private const ushort RationalType = 5;

    private readonly ReadOnlySpan<byte> _block;
    private readonly ReadOnlySpan<byte> _entries;
    private readonly bool _little;

    /// <summary>Reads a block, with or without the letters "Exif" before it.</summary>
    public ExifDirectory(ReadOnlySpan<byte> block)
    {
        if (block.StartsWith("Exif\0\0"u8))
            block = block[6..];
        _little = block.StartsWith("II\x2a\0"u8);
        if (block.Length < 8 || (!_little && !block.StartsWith("MM\0\x2a"u8)))
            return;

        _block = block;
        var start = ReadUInt32(block[4..]);
        if (start > block.Length - 2)
            return;
        var entries = block[((int)start + 2)..];
        var count = Math.Min(ReadUInt16(block[(int)start..]), entries.Length / EntryBytes);
        _entries = entries[..(count * EntryBytes)];
    }

    /// <summary>A number of 16 bits; null where there is none.</summary>
    public int? Short(ushort tag) => Find(tag, ShortType) is { IsEmpty: false } entry ? ReadUInt16(entry[8..]) : null;

    /// <summary>A fraction; null where there is none.</summary>
    public double? Rational(ushort tag)
    {
        if (Find(tag, RationalType) is not { IsEmpty: false } entry)
            return null;
        var offset = ReadUInt32(entry[8..]);
        return offset + 8L <= _block.Length
            ? (double)ReadUInt32(_block[(int)offset..]) / ReadUInt32(_block[((int)offset + 4)..])
            : null;
    }

    private ReadOnlySpan<byte> Find(ushort tag, ushort type)
    {
        for (var entries = _entries; !entries.IsEmpty; entries = entries[EntryBytes..])
        {
            if (ReadUInt16(entries) == tag)
                return ReadUInt16(entries[2..]) == type ? entries[..EntryBytes] : default;
        }

        return default;
    }

    private ushort ReadUInt16(ReadOnlySpan<byte> bytes) =>
        _little ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : BinaryPrimitives.ReadUInt16BigEndian(bytes);

    private uint ReadUInt32(ReadOnlySpan<byte> bytes) =>
        _little ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : BinaryPrimitives.ReadUInt32BigEndian(bytes);
}
