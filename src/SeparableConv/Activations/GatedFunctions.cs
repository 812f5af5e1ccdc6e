using System.Runtime.CompilerServices;
using SeparableConv.Loops;

namespace SeparableConv.Activations;

/// <summary>y = x * (1 + erf(x/sqrt(2))) / 2.</summary>
internal readonly struct GELUFunction : IElementFunction
{
    /// <summary>1/sqrt(2).</summary>
    public const float RootOfHalf = 0.70710678f;

    // Below, the bracket is 0 to the last bit; bounding x gives 0 for minus infinity too.
    private const float Saturated = -14f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var bounded = TSimd.Max(TSimd.Broadcast(Saturated), x);
        var erf = ErrorIntegral.Erf<TSimd, TVec>(TSimd.Multiply(TSimd.Broadcast(RootOfHalf), bounded));
        var half = TSimd.Multiply(TSimd.Broadcast(0.5f), bounded);
        return TSimd.MultiplyAdd(half, erf, half);
    }
}

/// <summary>y = x * (1 + tanh(sqrt(2/pi) * (x + 0.044715x^3))) / 2, which is x * sigmoid of twice the bracket.</summary>
internal readonly struct GELUTanhFunction : IElementFunction
{
    /// <summary>2*sqrt(2/pi).</summary>
    public const float Scale = 1.5957691f;

    /// <summary>The factor of the cube.</summary>
    public const float Cube = 0.044715f;

    // The sigmoid of what this gives is 0; bounding x gives 0 for minus infinity too.
    private const float Saturated = -14f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var bounded = TSimd.Max(TSimd.Broadcast(Saturated), x);
        return TSimd.Multiply(bounded, Gate<TSimd, TVec>(bounded));
    }

    /// <summary>(1 + tanh(sqrt(2/pi) * (x + 0.044715x^3))) / 2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVec Gate<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var bracket = TSimd.MultiplyAdd(TSimd.Broadcast(Cube), TSimd.Multiply(x, x), TSimd.Broadcast(1f));
        return default(SigmoidFunction).Apply<TSimd, TVec>(TSimd.Multiply(TSimd.Multiply(TSimd.Broadcast(Scale), x), bracket));
    }
}

/// <summary>y = x * sigmoid(beta*x).</summary>
internal readonly struct SwishFunction(float beta) : IElementFunction
{
    // Its exponential rounds to 0.
    private const float Saturated = -104f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var scaled = TSimd.Multiply(TSimd.Broadcast(beta), x);
        var y = TSimd.Multiply(x, default(SigmoidFunction).Apply<TSimd, TVec>(scaled));
        return TSimd.SelectLess(scaled, TSimd.Broadcast(Saturated), TSimd.Zero, y);
    }
}

/// <summary>y = x * tanh(log(1 + e^x)).</summary>
internal readonly struct MishFunction : IElementFunction
{
    // e^20 is so large that the hyperbolic tangent is 1, and its square still a float.
    private const float Largest = 20f;

    private const float Saturated = -104f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var n = Growth<TSimd, TVec>(x);
        var y = TSimd.Multiply(x, TSimd.Divide(n, TSimd.Add(n, TSimd.Broadcast(2f))));
        return TSimd.SelectLess(x, TSimd.Broadcast(Saturated), TSimd.Zero, y);
    }

    /// <summary>n = e^x * (e^x + 2), with which tanh(log(1 + e^x)) is n/(n+2).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVec Growth<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var e = Exponential.Exp<TSimd, TVec>(TSimd.Min(TSimd.Broadcast(Largest), x));
        return TSimd.Multiply(e, TSimd.Add(e, TSimd.Broadcast(2f)));
    }
}
