using System.Runtime.CompilerServices;
using SeparableConv.Loops;

namespace SeparableConv.Activations;

/// <summary>
/// e^x and e^x - 1 for vectors. x = n*ln 2 + r with whole n and |r| at most ln(2)/2; e^r is a polynomial, and 2^n is put
/// into the exponent.
/// </summary>
internal static class Exponential
{
    private const float Log2E = 1.44269504f;

    // ln 2 in two parts; the first has so few bits that n times it is exact.
    private const float Ln2High = 0.693359375f;
    private const float Ln2Low = -2.12194440e-4f;

    // Below the first e^x rounds to 0 (half of the least denormal is e^-103.97), above the second it is infinite.
    private const float Underflow = -104f;
    private const float Overflow = 89f;

    /// <summary>e^x within 2 units in the last place; NaN gives NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVec Exp<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        x = TSimd.Min(TSimd.Broadcast(Overflow), TSimd.Max(TSimd.Broadcast(Underflow), x));
        var n = Reduce<TSimd, TVec>(x, out var r);
        var power = TSimd.Add(TSimd.Broadcast(1f), ReducedExpMinusOne<TSimd, TVec>(r));

        // In two halves, because 2^n itself may be denormal or beyond the greatest float: only the last product rounds.
        var half = TSimd.Round(TSimd.Multiply(n, TSimd.Broadcast(0.5f)));
        return TSimd.Multiply(TSimd.Multiply(power, TSimd.PowerOfTwo(half)), TSimd.PowerOfTwo(TSimd.Subtract(n, half)));
    }

    /// <summary>e^x - 1 without cancellation near 0, for x from -80 to 80; NaN gives NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVec ExpMinusOne<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var n = Reduce<TSimd, TVec>(x, out var r);
        var scale = TSimd.PowerOfTwo(n);
        return TSimd.MultiplyAdd(scale, ReducedExpMinusOne<TSimd, TVec>(r), TSimd.Subtract(scale, TSimd.Broadcast(1f)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVec Reduce<TSimd, TVec>(TVec x, out TVec r)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var n = TSimd.Round(TSimd.Multiply(x, TSimd.Broadcast(Log2E)));
        r = TSimd.MultiplyAdd(n, TSimd.Broadcast(-Ln2High), x);
        r = TSimd.MultiplyAdd(n, TSimd.Broadcast(-Ln2Low), r);
        return n;
    }

    // r + r^2/2! + ... + r^7/7!: what is left out is below 6e-9 of e^r, a twentieth of a unit in the last place.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVec ReducedExpMinusOne<TSimd, TVec>(TVec r)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var q = TSimd.MultiplyAdd(TSimd.Broadcast(1f / 5040), r, TSimd.Broadcast(1f / 720));
        q = TSimd.MultiplyAdd(q, r, TSimd.Broadcast(1f / 120));
        q = TSimd.MultiplyAdd(q, r, TSimd.Broadcast(1f / 24));
        q = TSimd.MultiplyAdd(q, r, TSimd.Broadcast(1f / 6));
        q = TSimd.MultiplyAdd(q, r, TSimd.Broadcast(0.5f));
        return TSimd.MultiplyAdd(TSimd.Multiply(r, r), q, r);
    }
}
