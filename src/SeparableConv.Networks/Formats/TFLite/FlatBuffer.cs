using System.Buffers.Binary;
using System.Globalization;

namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>
/// The bytes of a FlatBuffers file, read in place. Every position is checked before it is followed: a damaged file gives a
/// <see cref="NetworkException"/> and nothing worse.
/// </summary>
/// <remarks>
/// Many offsets may point to the same bytes, so that a small file can describe a huge model. The bytes that are made from vectors and
/// strings are therefore counted, and limited to a multiple of the file.
/// </remarks>
internal sealed class FlatBuffer
{
    private const long FreeBytes = 16 << 20;
    private const int BytesPerFileByte = 16;
    private readonly ReadOnlyMemory<byte> _bytes;
    private long _budget;

    public FlatBuffer(ReadOnlyMemory<byte> bytes)
    {
        _bytes = bytes;
        _budget = FreeBytes + ((long)BytesPerFileByte * bytes.Length);
    }

    /// <summary>Bytes of the file.</summary>
    public int Length => _bytes.Length;

    /// <summary>The bytes from a position on.</summary>
    /// <exception cref="NetworkException">They are not all in the file.</exception>
    public ReadOnlySpan<byte> Slice(long position, long length)
    {
        if (position < 0 || length < 0 || position + length > _bytes.Length)
            throw Damaged($"{length} bytes at {position} lie outside its {_bytes.Length} bytes");
        return _bytes.Span.Slice((int)position, (int)length);
    }

    public ushort UInt16(long position) => BinaryPrimitives.ReadUInt16LittleEndian(Slice(position, sizeof(ushort)));

    public int Int32(long position) => BinaryPrimitives.ReadInt32LittleEndian(Slice(position, sizeof(int)));

    public uint UInt32(long position) => BinaryPrimitives.ReadUInt32LittleEndian(Slice(position, sizeof(uint)));

    /// <summary>Where the unsigned offset at a position leads.</summary>
    public long Follow(long position) => position + UInt32(position);

    /// <summary>Counts bytes that are made from the file.</summary>
    /// <exception cref="NetworkException">It is out of proportion to the file.</exception>
    public void Spend(long bytes)
    {
        _budget -= bytes;
        if (_budget < 0)
            throw Damaged($"its parts refer to the same bytes so often that more than {BytesPerFileByte} times its size would be read");
    }

    /// <summary>An error that says how the file is damaged.</summary>
    public static NetworkException Damaged(FormattableString what) =>
        new($"The TensorFlow Lite file is damaged: {what.ToString(CultureInfo.InvariantCulture)}.");
}
