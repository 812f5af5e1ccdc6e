using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SeparableConv.Loops;

/// <summary>Looks at alpha, the last channel, and puts that of a filtered row back to what it was.</summary>
internal static unsafe class AlphaPass
{
    /// <summary>Whether every pixel is fully opaque: alpha the largest integer, or 1 for floats.</summary>
    /// <param name="picture">Its first row.</param>
    /// <param name="rowBytes">From row to row.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="pixels">Pixels a row.</param>
    /// <param name="channels">2 or 4.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool IsOpaque<T>(byte* picture, nint rowBytes, int rows, int pixels, int channels)
        where T : unmanaged
    {
        // The alphas of a vector are compared, its colours passed over.
        var isAlpha = Vector256.Create<byte>(AlphaPattern<T>(channels, stackalloc byte[Vector256<byte>.Count]));
        var opaque = typeof(T) == typeof(float) ? Vector256.Create(1f).AsByte() : Vector256<byte>.AllBitsSet;
        var largest = (float)new ImageShape(1, 1, 1, ImageShape.TypeOf<T>()).MaxValue;
        var bytes = (nint)pixels * channels * sizeof(T);
        for (; rows > 0; rows--, picture += rowBytes)
        {
            nint x = 0;
            for (; x <= bytes - Vector256<byte>.Count; x += Vector256<byte>.Count)
            {
                if ((Vector256.Load(picture + x) & isAlpha) != (opaque & isAlpha))
                    return false;
            }

            for (x += (channels - 1) * sizeof(T); x < bytes; x += channels * sizeof(T))
            {
                if (SimdScalar.LoadPixels((T*)(picture + x)) != largest)
                    return false;
            }
        }

        return true;
    }

    /// <summary>target[p, channels - 1] = source[p, channels - 1] for every pixel p; same type on both sides.</summary>
    /// <param name="source">A row of pixels.</param>
    /// <param name="target">A row of pixels.</param>
    /// <param name="pixels">Pixels a row.</param>
    /// <param name="channels">2 or 4, so that a vector always starts with a whole pixel.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Copy<T>(byte* source, byte* target, int pixels, int channels)
        where T : unmanaged
    {
        var isAlpha = Vector256.Create<byte>(AlphaPattern<T>(channels, stackalloc byte[Vector256<byte>.Count]));
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

    private static ReadOnlySpan<byte> AlphaPattern<T>(int channels, Span<byte> pattern)
        where T : unmanaged
    {
        for (var i = 0; i < pattern.Length; i++)
            pattern[i] = (byte)(i / sizeof(T) % channels == channels - 1 ? 0xFF : 0);
        return pattern;
    }
}
