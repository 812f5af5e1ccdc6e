using System.Runtime.CompilerServices;
using SeparableConv.Loops;

namespace SeparableConv.Activations;

/// <summary>
/// log x and log(1 + z) for vectors. x = 2^e * m with whole e and m from 2/3 up to 4/3; log m is a polynomial in m - 1, interpolated at the
/// nodes of Chebyshev.
/// </summary>
internal static class Logarithm
{
    // ln 2 in two parts; the first has so few bits that e times it is exact.
    private const float Ln2High = 0.693359375f;
    private const float Ln2Low = -2.12194440e-4f;

    private const float LeastNormal = 1.17549435e-38f;
    private const int DenormalBits = 25;

    /// <summary>log x within 2 units in the last place; minus infinity for 0, NaN below.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVec Log<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var least = TSimd.Broadcast(LeastNormal);
        var scaled = TSimd.SelectLess(x, least, TSimd.Multiply(x, TSimd.Broadcast(1 << DenormalBits)), x);
        var m = TSimd.Mantissa(scaled, out var e);
        e = TSimd.Add(e, TSimd.SelectLess(x, least, TSimd.Broadcast(-DenormalBits), TSimd.Zero));
        var y = Sum<TSimd, TVec>(e, TSimd.Subtract(m, TSimd.Broadcast(1f)));

        // Plus infinity and NaN give themselves.
        y = TSimd.SelectLess(x, TSimd.Broadcast(float.PositiveInfinity), y, x);
        var none = TSimd.SelectLess(x, TSimd.Zero, TSimd.Broadcast(float.NaN), TSimd.Broadcast(float.NegativeInfinity));
        return TSimd.SelectLess(x, TSimd.Broadcast(float.Epsilon), none, y);
    }

    /// <summary>log(1 + z) within 2 units in the last place for z from 0 to 1; NaN gives NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVec LogPlusOne<TSimd, TVec>(TVec z)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        // From 1/3 on it is ln 2 more than the logarithm of (1 + z)/2, and that less 1 is exact.
        var third = TSimd.Broadcast(1f / 3);
        var one = TSimd.Broadcast(1f);
        var f = TSimd.SelectLess(z, third, z, TSimd.Multiply(TSimd.Subtract(z, one), TSimd.Broadcast(0.5f)));
        return Sum<TSimd, TVec>(TSimd.SelectLess(z, third, TSimd.Zero, one), f);
    }

    // e*ln 2 + log(1 + f), f from -1/3 to 1/3.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVec Sum<TSimd, TVec>(TVec e, TVec f)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        // (log(1 + f) - f + f^2/2) / f^3: what is left out is a twentieth of a unit in the last place.
        var p = TSimd.MultiplyAdd(TSimd.Broadcast(0.11330617f), f, TSimd.Broadcast(-0.124222f));
        p = TSimd.MultiplyAdd(p, f, TSimd.Broadcast(0.10915655f));
        p = TSimd.MultiplyAdd(p, f, TSimd.Broadcast(-0.122887217f));
        p = TSimd.MultiplyAdd(p, f, TSimd.Broadcast(0.142918676f));
        p = TSimd.MultiplyAdd(p, f, TSimd.Broadcast(-0.16673316f));
        p = TSimd.MultiplyAdd(p, f, TSimd.Broadcast(0.19999948f));
        p = TSimd.MultiplyAdd(p, f, TSimd.Broadcast(-0.24999945f));
        p = TSimd.MultiplyAdd(p, f, TSimd.Broadcast(0.33333334f));
        var square = TSimd.Multiply(f, f);
        var y = TSimd.MultiplyAdd(square, TSimd.MultiplyAdd(p, f, TSimd.Broadcast(-0.5f)), TSimd.Multiply(e, TSimd.Broadcast(Ln2Low)));
        return TSimd.MultiplyAdd(e, TSimd.Broadcast(Ln2High), TSimd.Add(f, y));
    }
}
