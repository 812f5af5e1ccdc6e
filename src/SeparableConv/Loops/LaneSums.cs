using System.Runtime.CompilerServices;

namespace SeparableConv.Loops;

/// <summary>The lanes of a vector as one number.</summary>
internal static unsafe class LaneSums
{
    /// <summary>Their sum: halves upon each other, so that few additions wait for another.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum<TSimd, TVec>(TVec value)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var lanes = stackalloc float[TSimd.Count];
        TSimd.Store(value, lanes);
        for (var half = TSimd.Count / 2; half > 0; half /= 2)
        {
            for (var i = 0; i < half; i++)
                lanes[i] += lanes[i + half];
        }

        return lanes[0];
    }

    /// <summary>The largest of them; a NaN may be lost.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Max<TSimd, TVec>(TVec value)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var lanes = stackalloc float[TSimd.Count];
        TSimd.Store(value, lanes);
        for (var half = TSimd.Count / 2; half > 0; half /= 2)
        {
            for (var i = 0; i < half; i++)
                lanes[i] = lanes[i] > lanes[i + half] ? lanes[i] : lanes[i + half];
        }

        return lanes[0];
    }
}
