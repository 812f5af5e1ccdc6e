using System.Runtime.CompilerServices;
using SeparableConv.Loops;

namespace SeparableConv.Activations;

/// <summary>The families of activations.</summary>
internal enum ActivationKind
{
    /// <summary>Two bounds, applied by the loop: none, ReLU, ReLU6, clip.</summary>
    Clamp,

    LeakyReLU,
    PReLU,
    ELU,
    HardSwish,
    HardSigmoid,
    Sigmoid,
    Tanh,
    Softmax,
    GELU,

    /// <summary>GELU with the hyperbolic tangent in the place of the error function.</summary>
    GELUTanh,

    Swish,
    Mish,
}

/// <summary>A function of one value, written once for every vector width.</summary>
internal interface IElementFunction
{
    TVec Apply<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct;
}

/// <summary>y = min(upper, max(lower, x)); NaN stays, as in the loops.</summary>
internal readonly struct ClampFunction(float lower, float upper) : IElementFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct => TSimd.Min(TSimd.Broadcast(upper), TSimd.Max(TSimd.Broadcast(lower), x));
}

/// <summary>y = x where x is 0 or more, alpha*x below.</summary>
internal readonly struct LeakyReLUFunction(float alpha) : IElementFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct => TSimd.SelectLess(x, TSimd.Zero, TSimd.Multiply(TSimd.Broadcast(alpha), x), x);
}

/// <summary>y = x where x is 0 or more, alpha*(e^x - 1) below.</summary>
internal readonly struct ELUFunction(float alpha) : IElementFunction
{
    // e^-30 is far below the last place of 1; only negative x uses the exponential.
    private const float Saturated = -30f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var inRange = TSimd.Min(TSimd.Zero, TSimd.Max(TSimd.Broadcast(Saturated), x));
        var below = TSimd.Multiply(TSimd.Broadcast(alpha), Exponential.ExpMinusOne<TSimd, TVec>(inRange));
        return TSimd.SelectLess(x, TSimd.Zero, below, x);
    }
}

/// <summary>y = min(1, max(0, alpha*x + beta)).</summary>
internal readonly struct HardSigmoidFunction(float alpha, float beta) : IElementFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var line = TSimd.MultiplyAdd(TSimd.Broadcast(alpha), x, TSimd.Broadcast(beta));
        return TSimd.Min(TSimd.Broadcast(1f), TSimd.Max(TSimd.Zero, line));
    }
}

/// <summary>y = x * min(6, max(0, x + 3)) / 6.</summary>
internal readonly struct HardSwishFunction : IElementFunction
{
    // x is bounded below first, so that minus infinity gives 0 and not infinity times 0.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var bounded = TSimd.Max(TSimd.Broadcast(-3f), x);
        var gate = TSimd.Min(TSimd.Broadcast(6f), TSimd.Add(bounded, TSimd.Broadcast(3f)));
        return TSimd.Multiply(bounded, TSimd.Multiply(gate, TSimd.Broadcast(1f / 6)));
    }
}

/// <summary>y = 1 / (1 + e^-x).</summary>
internal readonly struct SigmoidFunction : IElementFunction
{
    // From e^-|x|, which never overflows: 1/(1+e) on the right, e/(1+e) on the left, down to the denormals.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var one = TSimd.Broadcast(1f);
        var e = Exponential.ExpBelowOverflow<TSimd, TVec>(TSimd.CopySign(x, TSimd.Broadcast(-1f)));
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
