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
        where TVec : struct => ExpBelowOverflow<TSimd, TVec>(TSimd.Min(TSimd.Broadcast(Overflow), x));

    /// <summary>The same for x up to 89, such as the negative ones of which sigmoids are made.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVec ExpBelowOverflow<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var n = Reduce<TSimd, TVec>(TSimd.Max(TSimd.Broadcast(Underflow), x), out var r);
        var square = TSimd.Multiply(r, r);
        var line = TSimd.Add(r, TSimd.Broadcast(1f));
        return TSimd.Scale(TSimd.MultiplyAdd(Tail<TSimd, TVec>(r, square), square, line), n);
    }

    /// <summary>e^x - 1 without cancellation near 0, for x from -80 to 80; NaN gives NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVec ExpMinusOne<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var n = Reduce<TSimd, TVec>(x, out var r);
        var scale = TSimd.PowerOfTwo(n);
        var square = TSimd.Multiply(r, r);
        var power = TSimd.MultiplyAdd(Tail<TSimd, TVec>(r, square), square, r);
        return TSimd.MultiplyAdd(scale, power, TSimd.Subtract(scale, TSimd.Broadcast(1f)));
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

    // (e^r - 1 - r) / r^2, of the least largest error: e^r is within 4e-9 of itself, a thirtieth of a unit in the last place. By pairs of
    // terms, which wait for each other half as often as one after the other.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVec Tail<TSimd, TVec>(TVec r, TVec square)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var high = TSimd.MultiplyAdd(TSimd.Broadcast(8.36872403e-3f), r, TSimd.Broadcast(4.1668389e-2f));
        var low = TSimd.MultiplyAdd(TSimd.Broadcast(0.166665211f), r, TSimd.Broadcast(0.49999994f));
        return TSimd.MultiplyAdd(TSimd.MultiplyAdd(TSimd.Broadcast(1.38145837e-3f), square, high), square, low);
    }
}
