using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SeparableConv.Imaging.Png;

/// <summary>The cyclic redundancy check of PNG (ISO 3309: polynomial 0x04C11DB7, reflected), sixteen bytes a step.</summary>
internal static class Crc32
{
    private const int Slices = 16;

    // Tables[k * 256 + b]: the effect of byte b followed by k zero bytes.
    private static readonly uint[] Tables = MakeTables();

    /// <summary>The check over a chunk's type and data, which need not lie side by side.</summary>
    public static uint Compute(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
        => ~Append(Append(~0u, first), second);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        ref var table = ref MemoryMarshal.GetArrayDataReference(Tables);
        while (bytes.Length >= Slices)
        {
            // The check so far meets the first eight bytes, of which it covers four. Sixteen look-ups wait for no other.
            var low = BinaryPrimitives.ReadUInt64LittleEndian(bytes) ^ crc;
            var high = BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]);
            crc = Fold(ref table, low, 15) ^ Fold(ref table, high, 7);
            bytes = bytes[Slices..];
        }

        foreach (var value in bytes)
            crc = Unsafe.Add(ref table, (byte)crc ^ value) ^ (crc >> 8);

        return crc;
    }

    // Eight bytes, the first of which is followed by `zeros` bytes in its step.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Fold(ref uint table, ulong bytes, int zeros)
        => Unsafe.Add(ref table, zeros * 256 + (byte)bytes)
            ^ Unsafe.Add(ref table, (zeros - 1) * 256 + (byte)(bytes >> 8))
            ^ Unsafe.Add(ref table, (zeros - 2) * 256 + (byte)(bytes >> 16))
            ^ Unsafe.Add(ref table, (zeros - 3) * 256 + (byte)(bytes >> 24))
            ^ Unsafe.Add(ref table, (zeros - 4) * 256 + (byte)(bytes >> 32))
            ^ Unsafe.Add(ref table, (zeros - 5) * 256 + (byte)(bytes >> 40))
            ^ Unsafe.Add(ref table, (zeros - 6) * 256 + (byte)(bytes >> 48))
            ^ Unsafe.Add(ref table, (zeros - 7) * 256 + (byte)(bytes >> 56));

    private static uint[] MakeTables()
    {
        var tables = new uint[Slices * 256];
        for (var i = 0u; i < 256; i++)
        {
            var value = i;
            for (var bit = 0; bit < 8; bit++)
                value = (value >> 1) ^ (0xEDB88320u & (0u - (value & 1)));
            tables[i] = value;
        }

        for (var i = 256; i < tables.Length; i++)
            tables[i] = tables[(byte)tables[i - 256]] ^ (tables[i - 256] >> 8);

        return tables;
    }
}
