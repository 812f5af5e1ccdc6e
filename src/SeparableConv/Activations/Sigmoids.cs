using System.Runtime.CompilerServices;
using SeparableConv.Loops;

namespace SeparableConv.Activations;

/// <summary>y = 1 / (1 + e^-x).</summary>
internal readonly struct SigmoidFunction : IElementFunction
{
    // From e^-|x|, which never overflows: 1/(1+e) on the right, e/(1+e) on the left, down to the denormals.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var e = Exponential.Exp<TSimd, TVec>(TSimd.Subtract(TSimd.Zero, TSimd.Abs(x)));
        var one = TSimd.Broadcast(1f);
        return TSimd.Divide(TSimd.SelectLess(x, TSimd.Zero, e, one), TSimd.Add(one, e));
    }
}

/// <summary>y = (e^x - e^-x) / (e^x + e^-x).</summary>
internal readonly struct TanhFunction : IElementFunction
{
    // tanh(9.02) already rounds to 1.
    private const float Saturated = 10f;

    // With m = e^(2|x|) - 1 it is m/(m+2), which keeps every digit near 0.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var magnitude = TSimd.Min(TSimd.Broadcast(Saturated), TSimd.Abs(x));
        var m = Exponential.ExpMinusOne<TSimd, TVec>(TSimd.Add(magnitude, magnitude));
        return TSimd.CopySign(TSimd.Divide(m, TSimd.Add(m, TSimd.Broadcast(2f))), x);
    }
}
