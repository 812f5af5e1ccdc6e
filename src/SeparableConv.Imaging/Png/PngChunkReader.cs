using System.Buffers.Binary;
using System.Text;

namespace SeparableConv.Imaging.Png;

/// <summary>
/// Walks the chunks of a PNG that lies in memory and checks each one's length, letters and checksum. Those that a reader may pass over are,
/// where their checksum is wrong, unless it is strict.
/// </summary>
internal ref struct PngChunkReader
{
    // Length, type and checksum around a chunk's data.
    private const int Frame = 12;

    // Bit 5 of the first letter, its case, says whether a reader may pass over a chunk.
    private const uint Ancillary = 0x20000000;

    private readonly ReadOnlySpan<byte> _file;
    private readonly bool _isStrict;
    private int _position;

    public PngChunkReader(ReadOnlySpan<byte> file, bool isStrict)
    {
        if (!file.StartsWith(Signature))
            throw new InvalidDataException("This is not a PNG file, or its first eight bytes were changed in transfer.");

        _file = file;
        _isStrict = isStrict;
        _position = Signature.Length;
    }

    /// <summary>The eight bytes that every PNG begins with.</summary>
    public static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>Whether a picture is whole without chunks of a type.</summary>
    public static bool IsAncillary(PngChunkType type) => ((uint)type & Ancillary) != 0;

    /// <summary>The four letters of a chunk's type.</summary>
    public static string Name(PngChunkType type)
    {
        Span<byte> letters = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(letters, (uint)type);
        return Encoding.ASCII.GetString(letters);
    }

    /// <summary>The next chunk.</summary>
    /// <exception cref="InvalidDataException">The file ends inside it, its letters are none, or its checksum is wrong.</exception>
    public PngChunk Next()
    {
        while (true)
        {
            if (Read() is { } chunk)
                return chunk;
        }
    }

    // Null for a chunk that is passed over.
    private PngChunk? Read()
    {
        var rest = _file[_position..];
        if (rest.Length < Frame)
            throw new InvalidDataException($"The PNG ends at byte {_file.Length} without its last chunk, IEND: the file is cut off.");

        var length = BinaryPrimitives.ReadUInt32BigEndian(rest);
        var letters = rest.Slice(4, 4);
        foreach (var letter in letters)
        {
            if (!char.IsAsciiLetter((char)letter))
                throw new InvalidDataException($"PNG chunk type at byte {_position + 4} is not four letters: the file is damaged.");
        }

        var type = (PngChunkType)BinaryPrimitives.ReadUInt32BigEndian(letters);
        if (length > (uint)(rest.Length - Frame))
        {
            throw new InvalidDataException(
                $"PNG chunk {Name(type)} at byte {_position} claims {length} bytes, but {rest.Length - Frame} are left: the file is cut "
                + "off or damaged.");
        }

        var data = rest.Slice(8, (int)length);
        var stored = BinaryPrimitives.ReadUInt32BigEndian(rest[(8 + (int)length)..]);
        var computed = Crc32.Compute(letters, data);
        var chunk = new PngChunk(type, _position + 8, (int)length);
        if (stored != computed && (_isStrict || !IsAncillary(type)))
        {
            throw new InvalidDataException(
                $"PNG chunk {Name(type)} at byte {_position} has checksum {computed:x8}, but the file says {stored:x8}: the file is "
                + "damaged.");
        }

        _position += Frame + (int)length;
        return stored == computed ? chunk : null;
    }
}

/// <summary>A chunk of a PNG: where its data begin in the file, how many bytes they are, and its four letters.</summary>
internal readonly record struct PngChunk(PngChunkType Type, int Offset, int Length);

/// <summary>A chunk's four letters as a big-endian number; only the chunks that matter here are named.</summary>
internal enum PngChunkType : uint
{
    Header = 0x49484452, // IHDR
    Palette = 0x504C5445, // PLTE
    Transparency = 0x74524E53, // tRNS
    Exif = 0x65584966, // eXIf
    Profile = 0x69434350, // iCCP
    PhysicalSize = 0x70485973, // pHYs
    Gamma = 0x67414D41, // gAMA
    Chromaticities = 0x6348524D, // cHRM
    StandardRgb = 0x73524742, // sRGB
    CodingIndependent = 0x63494350, // cICP
    Data = 0x49444154, // IDAT
    End = 0x49454E44, // IEND
}
