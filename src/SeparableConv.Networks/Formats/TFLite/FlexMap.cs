using System.Buffers.Binary;

namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>
/// The numbers of a FlexBuffers map, in which custom operators keep their options: names and values of any width, read in place. Every
/// offset is checked before it is followed.
/// </summary>
internal readonly ref struct FlexMap
{
    private const int MapType = 9;
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly long _values;
    private readonly int _width;
    private readonly long _keys;
    private readonly int _keyWidth;
    private readonly int _count;

    /// <param name="bytes">The whole buffer: its last byte is the width of the root, the one before that the root's type.</param>
    /// <exception cref="NetworkException">It is no map, or it is damaged.</exception>
    public FlexMap(ReadOnlySpan<byte> bytes)
    {
        _bytes = bytes;
        if (bytes.Length < 3 || bytes[^2] >> 2 != MapType)
            throw FlatBuffer.Damaged($"the options of a custom operator, {bytes.Length} bytes, are no FlexBuffers map");
        _width = 1 << (bytes[^2] & 3);
        _values = Follow(bytes.Length - 2L - bytes[^1], bytes[^1]);

        // Before the values lie their number, the width of the keys, and where those are.
        var count = Unsigned(_values - _width, _width);
        var keyWidth = Unsigned(_values - (2 * _width), _width);
        if (count > (ulong)bytes.Length || keyWidth is not (1 or 2 or 4 or 8))
            throw FlatBuffer.Damaged($"a FlexBuffers map has {count} entries in {bytes.Length} bytes, and keys of {keyWidth} bytes each");
        (_count, _keyWidth) = ((int)count, (int)keyWidth);
        _keys = Follow(_values - (3 * _width), _width);
    }

    /// <summary>A number by its name; null where the map has none of that name.</summary>
    /// <exception cref="NetworkException">It is no number.</exception>
    public double? Find(ReadOnlySpan<byte> name)
    {
        for (var i = 0; i < _count; i++)
        {
            var key = Follow(_keys + ((long)i * _keyWidth), _keyWidth);
            if (IsName(key, name))
                return Value(i);
        }

        return null;
    }

    private bool IsName(long key, ReadOnlySpan<byte> name)
    {
        var rest = _bytes[(int)key..];
        return rest.Length > name.Length && rest.StartsWith(name) && rest[name.Length] == 0;
    }

    private double? Value(int index)
    {
        var packed = Slice(_values + ((long)_count * _width) + index, 1)[0];
        var (at, width) = (_values + ((long)index * _width), 1 << (packed & 3));
        return (packed >> 2) switch
        {
            0 => null,
            1 => Signed(at, _width),
            2 or 26 => Unsigned(at, _width),
            3 => Real(at, _width),
            6 => Signed(Follow(at, _width), width),
            7 => Unsigned(Follow(at, _width), width),
            8 => Real(Follow(at, _width), width),
            var type => throw FlatBuffer.Damaged($"an option of a custom operator has FlexBuffers type {type}; expected a number"),
        };
    }

    private long Follow(long position, int width) => position - (long)Math.Min(Unsigned(position, width), int.MaxValue) is >= 0 and var to
        ? to
        : throw FlatBuffer.Damaged($"an offset at {position} of a FlexBuffers map leads out of it");

    private ulong Unsigned(long position, int width) => width switch
    {
        1 => Slice(position, 1)[0],
        2 => BinaryPrimitives.ReadUInt16LittleEndian(Slice(position, 2)),
        4 => BinaryPrimitives.ReadUInt32LittleEndian(Slice(position, 4)),
        8 => BinaryPrimitives.ReadUInt64LittleEndian(Slice(position, 8)),
        _ => throw FlatBuffer.Damaged($"a FlexBuffers map has numbers of {width} bytes; expected 1, 2, 4 or 8"),
    };

    private long Signed(long position, int width)
    {
        var unused = 64 - (8 * width);
        return (long)(Unsigned(position, width) << unused) >> unused;
    }

    private double Real(long position, int width) => width switch
    {
        4 => BinaryPrimitives.ReadSingleLittleEndian(Slice(position, 4)),
        8 => BinaryPrimitives.ReadDoubleLittleEndian(Slice(position, 8)),
        _ => throw FlatBuffer.Damaged($"an option of a custom operator is a float of {width} bytes; expected 4 or 8"),
    };

    private ReadOnlySpan<byte> Slice(long position, int length) => position >= 0 && position + length <= _bytes.Length
        ? _bytes.Slice((int)position, length)
        : throw FlatBuffer.Damaged($"{length} bytes at {position} lie outside a FlexBuffers map of {_bytes.Length} bytes");
}
