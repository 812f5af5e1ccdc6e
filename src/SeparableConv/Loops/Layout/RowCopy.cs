using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SeparableConv.Loops;

/// <summary>Copies rows of bytes between places whose rows lie some way apart.</summary>
/// <remarks>
/// For a row of a few channels a call of the framework's copy takes longer than the copy: 4096 rows of 24 floats, each with 4 zeros behind
/// it, took 61 us on Zen 5 and take 11.
/// </remarks>
internal static unsafe class RowCopy
{
    // From here on the framework's copy is as fast.
    private const int Long = 1024;

    /// <summary>Copies <paramref name="rows"/> rows; strides are in bytes, and source and target do not overlap.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(byte* source, nint sourceStride, byte* target, nint targetStride, nint bytes, nint rows)
    {
        if (bytes >= Long || bytes < sizeof(uint))
            Whole(source, sourceStride, target, targetStride, bytes, rows);
        else if (bytes < sizeof(ulong))
            Ends<uint>(source, sourceStride, target, targetStride, bytes, rows);
        else if (bytes < Vector128<byte>.Count)
            Ends<ulong>(source, sourceStride, target, targetStride, bytes, rows);
        else if (bytes < Vector256<byte>.Count)
            Ends<Vector128<byte>>(source, sourceStride, target, targetStride, bytes, rows);
        else
            Vectors(source, sourceStride, target, targetStride, bytes, rows);
    }

    private static void Whole(byte* source, nint sourceStride, byte* target, nint targetStride, nint bytes, nint rows)
    {
        for (; rows > 0; rows--, source += sourceStride, target += targetStride)
            Buffer.MemoryCopy(source, target, bytes, bytes);
    }

    /// <summary>Rows that their first and their last element of a size cover together.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Ends<T>(byte* source, nint sourceStride, byte* target, nint targetStride, nint bytes, nint rows)
        where T : unmanaged
    {
        var last = bytes - sizeof(T);
        for (; rows > 0; rows--, source += sourceStride, target += targetStride)
        {
            var (first, second) = (Unsafe.ReadUnaligned<T>(source), Unsafe.ReadUnaligned<T>(source + last));
            Unsafe.WriteUnaligned(target, first);
            Unsafe.WriteUnaligned(target + last, second);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Vectors(byte* source, nint sourceStride, byte* target, nint targetStride, nint bytes, nint rows)
    {
        // The last vector may lie over the one before it.
        var last = bytes - Vector256<byte>.Count;
        for (; rows > 0; rows--, source += sourceStride, target += targetStride)
        {
            for (nint i = 0; i < last; i += Vector256<byte>.Count)
                Vector256.Load(source + i).Store(target + i);
            Vector256.Load(source + last).Store(target + last);
        }
    }
}
