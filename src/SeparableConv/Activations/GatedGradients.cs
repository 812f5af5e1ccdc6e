using System.Runtime.CompilerServices;
using SeparableConv.Loops;

namespace SeparableConv.Activations;

/// <summary>dx = ((1 + erf(x/sqrt(2)))/2 + x * e^(-x^2/2)/sqrt(2*pi)) * dy.</summary>
internal readonly struct GELUGradient : IElementGradient
{
    // 1/sqrt(2*pi).
    private const float Peak = 0.39894228f;

    // Beyond, the exponential is 0 to the last bit.
    private const float Saturated = 14.5f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec dy, TVec value)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var x = TSimd.Max(TSimd.Broadcast(-Saturated), TSimd.Min(TSimd.Broadcast(Saturated), value));
        var half = TSimd.Broadcast(0.5f);
        var erf = ErrorIntegral.Erf<TSimd, TVec>(TSimd.Multiply(TSimd.Broadcast(GELUFunction.RootOfHalf), x));
        var density = Exponential.Exp<TSimd, TVec>(TSimd.Multiply(TSimd.Multiply(x, x), TSimd.Broadcast(-0.5f)));
        var slope = TSimd.MultiplyAdd(half, erf, half);
        slope = TSimd.MultiplyAdd(TSimd.Multiply(TSimd.Broadcast(Peak), x), density, slope);
        return TSimd.Multiply(slope, dy);
    }
}

/// <summary>dx = (g + x * g * (1 - g) * 2*sqrt(2/pi) * (1 + 3*0.044715x^2)) * dy, with y = x*g.</summary>
internal readonly struct GELUTanhGradient : IElementGradient
{
    private const float Saturated = 14.5f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec dy, TVec value)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var x = TSimd.Max(TSimd.Broadcast(-Saturated), TSimd.Min(TSimd.Broadcast(Saturated), value));
        var one = TSimd.Broadcast(1f);
        var g = GELUTanhFunction.Gate<TSimd, TVec>(x);
        var inner = TSimd.MultiplyAdd(TSimd.Broadcast(3 * GELUTanhFunction.Cube), TSimd.Multiply(x, x), one);
        var change = TSimd.Multiply(TSimd.Multiply(g, TSimd.Subtract(one, g)), TSimd.Broadcast(GELUTanhFunction.Scale));
        change = TSimd.Multiply(change, inner);
        return TSimd.Multiply(TSimd.MultiplyAdd(x, change, g), dy);
    }
}

/// <summary>dx = (s + beta*x * s * (1 - s)) * dy, s = sigmoid(beta*x).</summary>
internal readonly struct SwishGradient(float beta) : IElementGradient
{
    // sigmoid is 0 or 1 beyond, to the last bit.
    private const float Saturated = 104f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec dy, TVec value)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var scaled = TSimd.Multiply(TSimd.Broadcast(beta), value);
        scaled = TSimd.Max(TSimd.Broadcast(-Saturated), TSimd.Min(TSimd.Broadcast(Saturated), scaled));
        var s = default(SigmoidFunction).Apply<TSimd, TVec>(scaled);
        var change = TSimd.Multiply(s, TSimd.Subtract(TSimd.Broadcast(1f), s));
        return TSimd.Multiply(TSimd.MultiplyAdd(scaled, change, s), dy);
    }
}

/// <summary>dx = (t + x * (1 - t^2) * sigmoid(x)) * dy, t = tanh(log(1 + e^x)).</summary>
internal readonly struct MishGradient : IElementGradient
{
    private const float Saturated = 104f;

    // With n = e^x * (e^x + 2), t is n/(n+2) and 1 - t^2 is 4(n+1)/(n+2)^2.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec dy, TVec value)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var x = TSimd.Max(TSimd.Broadcast(-Saturated), TSimd.Min(TSimd.Broadcast(Saturated), value));
        var n = MishFunction.Growth<TSimd, TVec>(x);
        var reciprocal = TSimd.Divide(TSimd.Broadcast(1f), TSimd.Add(n, TSimd.Broadcast(2f)));
        var t = TSimd.Multiply(n, reciprocal);
        var change = TSimd.Multiply(TSimd.Multiply(TSimd.Broadcast(4f), TSimd.Add(n, TSimd.Broadcast(1f))), reciprocal);
        change = TSimd.Multiply(TSimd.Multiply(change, reciprocal), default(SigmoidFunction).Apply<TSimd, TVec>(x));
        return TSimd.Multiply(TSimd.MultiplyAdd(x, change, t), dy);
    }
}
