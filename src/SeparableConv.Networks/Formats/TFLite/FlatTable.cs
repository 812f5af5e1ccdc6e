using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>
/// A table of a FlatBuffers file: fields by their number in the schema, each of which may be missing and then has its default.
/// </summary>
internal readonly struct FlatTable
{
    private const int LongestName = 200;
    private readonly FlatBuffer _file;
    private readonly long _position;
    private readonly long _fields;
    private readonly int _fieldCount;
    private readonly int _bytes;

    /// <param name="file">The file.</param>
    /// <param name="position">Where the table begins: with the distance back to its list of field offsets.</param>
    /// <exception cref="NetworkException">The table or its list of fields does not lie in the file.</exception>
    public FlatTable(FlatBuffer file, long position)
    {
        var list = position - file.Int32(position);
        var (listBytes, tableBytes) = (file.UInt16(list), file.UInt16(list + 2));
        if (listBytes < 4 || tableBytes < 4)
        {
            throw FlatBuffer.Damaged(
                $"the table at {position} has {tableBytes} bytes and a field list of {listBytes}; each has at least 4");
        }

        file.Slice(list, listBytes);
        file.Slice(position, tableBytes);
        (_file, _position, _fields, _fieldCount, _bytes) = (file, position, list + 4, (listBytes - 4) / 2, tableBytes);
    }

    /// <summary>The first table of a file.</summary>
    public static FlatTable Root(FlatBuffer file) => new(file, file.Follow(0));

    public bool Has(int field) => Find(field, 1) >= 0;

    public byte Byte(int field, byte missing = 0) => Find(field, 1) is >= 0 and var at ? _file.Slice(at, 1)[0] : missing;

    public bool Bool(int field) => Byte(field) != 0;

    public int Int32(int field, int missing = 0) => Find(field, 4) is >= 0 and var at ? _file.Int32(at) : missing;

    public uint UInt32(int field) => Find(field, 4) is >= 0 and var at ? _file.UInt32(at) : 0;

    public ulong UInt64(int field) => Find(field, 8) is >= 0 and var at ? BinaryPrimitives.ReadUInt64LittleEndian(_file.Slice(at, 8)) : 0;

    public float Single(int field, float missing = 0) =>
        Find(field, 4) is >= 0 and var at ? BinaryPrimitives.ReadSingleLittleEndian(_file.Slice(at, 4)) : missing;

    /// <summary>A table that this one refers to; null where the field is missing.</summary>
    public FlatTable? Table(int field) => Find(field, 4) is >= 0 and var at ? new FlatTable(_file, _file.Follow(at)) : null;

    /// <summary>A name in one line, cut where it is too long to be one; empty where the field is missing.</summary>
    public string Name(int field)
    {
        var bytes = Vector(field, 1);
        if (bytes.IsEmpty)
            return "";
        var cut = bytes[..Math.Min(bytes.Length, LongestName)];
        _file.Spend(cut.Length);
        var name = new StringBuilder(Encoding.UTF8.GetString(cut));
        for (var i = 0; i < name.Length; i++)
        {
            if (char.IsControl(name[i]) || name[i] is '\u2028' or '\u2029')
                name[i] = ' ';
        }

        return name.ToString();
    }

    /// <summary>The bytes of a vector's elements, where they lie; empty where the field is missing.</summary>
    public ReadOnlySpan<byte> Vector(int field, int elementBytes)
    {
        if (Find(field, 4) is not (>= 0 and var at))
            return [];
        var start = _file.Follow(at);
        return _file.Slice(start + 4, (long)_file.UInt32(start) * elementBytes);
    }

    /// <summary>A copy of a vector of numbers; empty where the field is missing.</summary>
    /// <exception cref="NetworkException">There are more than <paramref name="most"/>.</exception>
    public T[] Array<T>(int field, string what, int most = int.MaxValue)
        where T : unmanaged
    {
        var size = Marshal.SizeOf<T>();
        var bytes = Vector(field, size);
        if (bytes.IsEmpty)
            return [];
        if (bytes.Length / size > most)
            throw FlatBuffer.Damaged($"{what} has {bytes.Length / size} entries; at most {most} make sense");
        _file.Spend(bytes.Length);
        return MemoryMarshal.Cast<byte, T>(bytes).ToArray();
    }

    /// <summary>The tables that a vector refers to; empty where the field is missing.</summary>
    public FlatTable[] Tables(int field)
    {
        if (Find(field, 4) is not (>= 0 and var at))
            return [];
        var start = _file.Follow(at);
        long count = _file.UInt32(start);
        _file.Slice(start + 4, count * 4);
        _file.Spend(count * 32);
        var tables = new FlatTable[count];
        for (var i = 0; i < tables.Length; i++)
            tables[i] = new FlatTable(_file, _file.Follow(start + 4 + (4L * i)));
        return tables;
    }

    // Where a field lies; -1 where it is missing.
    private long Find(int field, int bytes)
    {
        if (_file is null || field >= _fieldCount)
            return -1;
        var offset = _file.UInt16(_fields + (2 * field));
        if (offset == 0)
            return -1;
        return offset >= 4 && offset + bytes <= _bytes
            ? _position + offset
            : throw FlatBuffer.Damaged($"field {field} of the table at {_position} lies at {offset}, outside the table's {_bytes} bytes");
    }
}
