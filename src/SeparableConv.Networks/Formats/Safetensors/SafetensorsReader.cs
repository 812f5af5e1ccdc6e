using System.Buffers.Binary;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace SeparableConv.Networks.Formats.Safetensors;

/// <summary>
/// Reads a file from front to back: first the header, which is checked as a whole, then one tensor after the other into the memory that it
/// keeps. A stream need not seek; where it does not tell its length, memory is taken only as bytes arrive.
/// </summary>
internal sealed class SafetensorsReader
{
    private const int FirstPiece = 1 << 20;
    private const int HalvesAtOnce = 1 << 14;

    private readonly Stream _stream;
    private readonly string _what;
    private readonly bool _knowsLength;

    /// <summary>Reads the header; the stream is left at the first tensor.</summary>
    /// <param name="stream">The file, from where the stream stands to its end.</param>
    /// <param name="what">The file, to begin a message with.</param>
    /// <exception cref="NetworkException">It is no safetensors file, or is damaged; one line says where.</exception>
    public SafetensorsReader(Stream stream, string what)
    {
        (_stream, _what, _knowsLength) = (stream, what, stream.CanSeek);
        var left = _knowsLength ? Math.Max(0, stream.Length - stream.Position) : long.MaxValue;
        Span<byte> start = stackalloc byte[sizeof(ulong)];
        var count = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        if (count < start.Length)
            throw Damaged($"it has {count} bytes; expected {start.Length} and a header behind them");
        left -= start.Length;

        var length = BinaryPrimitives.ReadUInt64LittleEndian(start);
        if (length > SafetensorsHeader.MaxBytes)
            throw Damaged($"its first bytes speak of a header of {length} bytes; expected {SafetensorsHeader.MaxBytes} at most");
        if ((long)length > left)
            throw Damaged($"its first bytes speak of a header of {length} bytes, but {left} follow");
        Header = SafetensorsHeaderParser.Parse(ReadArray((int)length, ElementType.UInt8, Fill, "its header") as byte[], what);
        left -= (long)length;
        if (_knowsLength && left != Header.DataBytes)
            throw Damaged($"its tensors take {Header.DataBytes} bytes, but {left} follow the header");
    }

    /// <summary>What the file holds.</summary>
    public SafetensorsHeader Header { get; }

    /// <summary>Reads the tensors, each when it is asked for, in the order of the header. They can be read once.</summary>
    /// <exception cref="NetworkException">The file is cut off, or goes on behind its tensors.</exception>
    public IEnumerable<(SafetensorsEntry Entry, TensorData Data)> ReadTensors()
    {
        foreach (var entry in Header.Entries)
        {
            var values = ReadArray(
                (int)entry.Type.Shape.ElementCount,
                entry.Type.Element,
                entry.IsBrainFloat ? FillFromHalves : Fill,
                $"tensor '{OneLine.Of(entry.Name)}'");
            if (values is bool[])
                Normalize(Bytes(values, sizeof(bool)));
            yield return (entry, new TensorData(entry.Type, values));
        }

        if (!_knowsLength && _stream.ReadByte() >= 0)
            throw Damaged($"more bytes follow its tensors; expected {Header.DataBytes} bytes behind the header");
    }

    // Fills whole arrays where the length has been compared with the file's; else as much as there was before, again and again.
    private Array ReadArray(int count, ElementType type, Func<Span<byte>, bool> fill, string part)
    {
        var size = type.Size();
        var values = type.CreateArray(_knowsLength ? count : Math.Min(count, FirstPiece / size));
        for (var filled = 0; ;)
        {
            if (!fill(Bytes(values, size)[(filled * size)..]))
                throw Damaged($"it is cut off in {part}");
            filled = values.Length;
            if (filled == count)
                return values;

            var longer = type.CreateArray((int)Math.Min(count, 2L * filled));
            Bytes(values, size).CopyTo(Bytes(longer, size));
            values = longer;
        }
    }

    private bool Fill(Span<byte> bytes) => _stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) == bytes.Length;

    // A number's upper half, shifted into place, is the number.
    private bool FillFromHalves(Span<byte> bytes)
    {
        var numbers = MemoryMarshal.Cast<byte, uint>(bytes);
        var halves = new ushort[Math.Min(numbers.Length, HalvesAtOnce)];
        while (numbers.Length > 0)
        {
            var piece = halves.AsSpan(0, Math.Min(halves.Length, numbers.Length));
            if (!Fill(MemoryMarshal.AsBytes(piece)))
                return false;
            TensorPrimitives.ConvertTruncating<ushort, uint>(piece, numbers);
            TensorPrimitives.ShiftLeft(numbers[..piece.Length], 16, numbers);
            numbers = numbers[piece.Length..];
        }

        return true;
    }

    // Any byte but 0 is true; as a bool it must be 1.
    private static void Normalize(Span<byte> truths)
    {
        foreach (ref var truth in truths)
            truth = truth == 0 ? (byte)0 : (byte)1;
    }

    private static Span<byte> Bytes(Array values, int size) =>
        MemoryMarshal.CreateSpan(ref MemoryMarshal.GetArrayDataReference(values), values.Length * size);

    private NetworkException Damaged(string detail) => SafetensorsHeader.Damaged(_what, detail);
}
