using System.Buffers.Binary;
using System.Text;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>Options of a custom operator as a FlexBuffers map: keys in order, numbers of four bytes.</summary>
internal static class FlexOptions
{
    private const int Width = 4;
    private const int Packed = 2;

    public static byte[] Map(params (string Name, object Value)[] options)
    {
        var sorted = options.OrderBy(option => option.Name, StringComparer.Ordinal).ToArray();
        var bytes = new List<byte>();
        var names = new List<int>();
        foreach (var (name, _) in sorted)
        {
            names.Add(bytes.Count);
            bytes.AddRange([.. Encoding.ASCII.GetBytes(name), 0]);
        }

        while (bytes.Count % Width != 0)
            bytes.Add(0);
        Put(bytes, sorted.Length);
        var keys = bytes.Count;
        foreach (var name in names)
            Put(bytes, bytes.Count - name);
        Put(bytes, bytes.Count - keys);
        Put(bytes, Width);
        Put(bytes, sorted.Length);
        var values = bytes.Count;
        foreach (var (_, value) in sorted)
            Put(bytes, value switch { float f => BitConverter.SingleToInt32Bits(f), bool b => b ? 1 : 0, _ => (int)value });
        foreach (var (_, value) in sorted)
            bytes.Add((byte)((value switch { float => 3, bool => 26, _ => 1 } << 2) | Packed));
        bytes.AddRange([(byte)(bytes.Count - values), (9 << 2) | Packed, 1]);
        return [.. bytes];
    }

    private static void Put(List<byte> bytes, int number)
    {
        var four = new byte[Width];
        BinaryPrimitives.WriteInt32LittleEndian(four, number);
        bytes.AddRange(four);
    }
}
