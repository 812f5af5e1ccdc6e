using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>A table for a hand-made FlatBuffers file: values by the number of their field.</summary>
internal sealed class FlatRecord : SortedDictionary<int, object>
{
    /// <summary>The file whose first table this is.</summary>
    public byte[] ToFile(string identifier = "TFL3")
    {
        var file = new List<byte>();
        file.AddRange(new byte[4]);
        file.AddRange(Encoding.ASCII.GetBytes(identifier));
        Point(file, 0, this);
        return [.. file];
    }

    private static int Write(List<byte> file, FlatRecord record)
    {
        Align(file, 8);
        var count = record.Count == 0 ? 0 : record.Keys.Max() + 1;
        var list = file.Count;
        file.AddRange(new byte[4 + (2 * count)]);
        Align(file, 8);
        var table = file.Count;
        file.AddRange(new byte[8]);
        var places = new List<(int Place, object Value)>();
        foreach (var (field, value) in record)
        {
            Put16(file, list + 4 + (2 * field), file.Count - table);
            places.Add((file.Count, value));
            file.AddRange(new byte[8]);
        }

        Put16(file, list, 4 + (2 * count));
        Put16(file, list + 2, file.Count - table);
        Put32(file, table, table - list);
        foreach (var (place, value) in places)
            WriteField(file, place, value);
        return table;
    }

    private static void WriteField(List<byte> file, int place, object value)
    {
        switch (value)
        {
            case byte b:
                file[place] = b;
                break;
            case int i:
                Put32(file, place, i);
                break;
            case ulong u:
                Put32(file, place, (int)u);
                Put32(file, place + 4, (int)(u >> 32));
                break;
            case float f:
                Put32(file, place, BitConverter.SingleToInt32Bits(f));
                break;
            default:
                Point(file, place, value);
                break;
        }
    }

    private static void Point(List<byte> file, int place, object value)
    {
        var target = value switch
        {
            FlatRecord record => Write(file, record),
            FlatRecord[] records => WriteTables(file, records),
            string text => WriteVector(file, Encoding.UTF8.GetBytes(text), 1),
            byte[] bytes => WriteVector(file, bytes, 1),
            int[] numbers => WriteVector(file, MemoryMarshal.AsBytes<int>(numbers), 4),
            ushort[] numbers => WriteVector(file, MemoryMarshal.AsBytes<ushort>(numbers), 2),
            float[] numbers => WriteVector(file, MemoryMarshal.AsBytes<float>(numbers), 4),
            long[] numbers => WriteVector(file, MemoryMarshal.AsBytes<long>(numbers), 8),
            _ => throw new ArgumentException($"{value.GetType()} is no field."),
        };
        Put32(file, place, target - place);
    }

    private static int WriteTables(List<byte> file, FlatRecord[] records)
    {
        Align(file, 4);
        var vector = file.Count;
        file.AddRange(new byte[4 + (4 * records.Length)]);
        Put32(file, vector, records.Length);
        for (var i = 0; i < records.Length; i++)
            Point(file, vector + 4 + (4 * i), records[i]);
        return vector;
    }

    private static int WriteVector(List<byte> file, ReadOnlySpan<byte> bytes, int elementBytes)
    {
        // The elements are aligned, behind their number.
        while ((file.Count + 4) % 8 != 0)
            file.Add(0);
        var vector = file.Count;
        file.AddRange(new byte[4]);
        Put32(file, vector, bytes.Length / elementBytes);
        file.AddRange(bytes);
        return vector;
    }

    private static void Align(List<byte> file, int to)
    {
        while (file.Count % to != 0)
            file.Add(0);
    }

    private static void Put16(List<byte> file, int at, int value) =>
        BinaryPrimitives.WriteUInt16LittleEndian(CollectionsMarshal.AsSpan(file)[at..], (ushort)value);

    private static void Put32(List<byte> file, int at, int value) =>
        BinaryPrimitives.WriteInt32LittleEndian(CollectionsMarshal.AsSpan(file)[at..], value);
}
