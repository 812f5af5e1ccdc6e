using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SeparableConv.Loops;

/// <summary>Puts the last channel of a filtered row back to what it was.</summary>
internal static unsafe class AlphaPass
{
    /// <summary>target[p, channels - 1] = source[p, channels - 1] for every pixel p; same type on both sides.</summary>
    /// <param name="source">A row of pixels.</param>
    /// <param name="target">A row of pixels.</param>
    /// <param name="pixels">Pixels a row.</param>
    /// <param name="channels">2 or 4, so that a vector always starts with a whole pixel.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Copy<T>(byte* source, byte* target, int pixels, int channels)
        where T : unmanaged
    {
        var pattern = stackalloc byte[Vector256<byte>.Count];
        for (var i = 0; i < Vector256<byte>.Count; i++)
            pattern[i] = (byte)(i / sizeof(T) % channels == channels - 1 ? 0xFF : 0);
        var isAlpha = Vector256.Load(pattern);

        var bytes = (nint)pixels * channels * sizeof(T);
        nint x = 0;
        for (; x <= bytes - Vector256<byte>.Count; x += Vector256<byte>.Count)
            Vector256.ConditionalSelect(isAlpha, Vector256.Load(source + x), Vector256.Load(target + x)).Store(target + x);
        for (x += (channels - 1) * sizeof(T); x < bytes; x += channels * sizeof(T))
            *(T*)(target + x) = *(T*)(source + x);
    }

    /// <summary>The same for integers in and floats out.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void CopyToFloat<TIn>(byte* source, byte* target, int pixels, int channels)
        where TIn : unmanaged
    {
        var from = (TIn*)source;
        var to = (float*)target;
        for (nint x = channels - 1; x < (nint)pixels * channels; x += channels)
            to[x] = SimdScalar.LoadPixels(from + x);
    }
}
