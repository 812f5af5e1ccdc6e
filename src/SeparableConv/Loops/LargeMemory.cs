using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SeparableConv.Loops;

/// <summary>
/// What a loop says to the caches about memory that they cannot hold, or cannot foresee. None of it changes a result; processors without
/// such instructions are told nothing.
/// </summary>
internal static unsafe class LargeMemory
{
    // Measured in whole training steps, on a machine where copying slows down from some 30 MB on: a step has more than one tensor.
    private const long LeastBytes = 8_000_000;

    /// <summary>Whether a tensor of so many floats is out of the caches before it is read again.</summary>
    public static bool Holds(long floats) => floats * sizeof(float) >= LeastBytes;

    /// <summary>Fetches what will be read soon into the second-level cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Fetch(float* soon)
    {
        if (Sse.IsSupported)
            Sse.Prefetch1(soon);
    }

    /// <summary>
    /// Stores a vector past the caches where it is a whole line of theirs, which then need not be read before it is written; else as ever.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<TSimd, TVec>(TVec value, float* target)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        if (TSimd.Count == Vector512<float>.Count && Avx512F.IsSupported && (nint)target % Vector512<byte>.Count == 0)
            Avx512F.StoreAlignedNonTemporal(target, Unsafe.BitCast<TVec, Vector512<float>>(value));
        else
            TSimd.Store(value, target);
    }

    /// <summary>Makes what was stored past the caches seen by other threads; to be called before they are told of it.</summary>
    public static void Fence()
    {
        if (Sse.IsSupported)
            Sse.StoreFence();
    }
}
