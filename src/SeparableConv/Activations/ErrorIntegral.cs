using System.Runtime.CompilerServices;
using SeparableConv.Loops;

namespace SeparableConv.Activations;

/// <summary>
/// erf(x) = 2/sqrt(pi) * the integral of e^(-t^2) from 0 to x, for vectors. Up to 1 it is x times a polynomial in x^2, beyond it
/// 1 - e^q with a polynomial q for log(erfc|x|); both are interpolated at the nodes of Chebyshev.
/// </summary>
internal static class ErrorIntegral
{
    // erf(4) rounds to 1.
    private const float Saturated = 4f;

    // The polynomial of the tail is in |x| minus the middle of 1 to 4.
    private const float Middle = 2.5f;

    /// <summary>erf(x) within 4 units in the last place; NaN gives NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVec Erf<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var magnitude = TSimd.Min(TSimd.Broadcast(Saturated), TSimd.Abs(x));
        var near = TSimd.Multiply(magnitude, Near<TSimd, TVec>(TSimd.Multiply(magnitude, magnitude)));
        var complement = Exponential.Exp<TSimd, TVec>(LogOfTail<TSimd, TVec>(TSimd.Subtract(magnitude, TSimd.Broadcast(Middle))));
        var far = TSimd.Subtract(TSimd.Broadcast(1f), complement);
        return TSimd.CopySign(TSimd.SelectLess(magnitude, TSimd.Broadcast(1f), near, far), x);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVec Near<TSimd, TVec>(TVec s)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var p = TSimd.MultiplyAdd(TSimd.Broadcast(7.8824974e-5f), s, TSimd.Broadcast(-8.0188555e-4f));
        p = TSimd.MultiplyAdd(p, s, TSimd.Broadcast(5.189312e-3f));
        p = TSimd.MultiplyAdd(p, s, TSimd.Broadcast(-2.6854329e-2f));
        p = TSimd.MultiplyAdd(p, s, TSimd.Broadcast(0.11283597f));
        p = TSimd.MultiplyAdd(p, s, TSimd.Broadcast(-0.37612626f));
        return TSimd.MultiplyAdd(p, s, TSimd.Broadcast(1.1283791f));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVec LogOfTail<TSimd, TVec>(TVec u)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var q = TSimd.MultiplyAdd(TSimd.Broadcast(-6.5828573e-8f), u, TSimd.Broadcast(1.6140616e-6f));
        q = TSimd.MultiplyAdd(q, u, TSimd.Broadcast(-1.2976133e-5f));
        q = TSimd.MultiplyAdd(q, u, TSimd.Broadcast(7.7394427e-5f));
        q = TSimd.MultiplyAdd(q, u, TSimd.Broadcast(-4.2070693e-4f));
        q = TSimd.MultiplyAdd(q, u, TSimd.Broadcast(2.1651604e-3f));
        q = TSimd.MultiplyAdd(q, u, TSimd.Broadcast(-1.0858165e-2f));
        q = TSimd.MultiplyAdd(q, u, TSimd.Broadcast(-0.9438936f));
        q = TSimd.MultiplyAdd(q, u, TSimd.Broadcast(-5.3526807f));
        return TSimd.MultiplyAdd(q, u, TSimd.Broadcast(-7.806815f));
    }
}
