using System.Runtime.CompilerServices;
using SeparableConv.Loops;

namespace SeparableConv.Activations;

/// <summary>y = e^x, which as those below is no activation but runs as one.</summary>
internal readonly struct ExpFunction : IElementFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct => Exponential.Exp<TSimd, TVec>(x);
}

/// <summary>y = log x.</summary>
internal readonly struct LogFunction : IElementFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct => Logarithm.Log<TSimd, TVec>(x);
}

/// <summary>y = erf(x).</summary>
internal readonly struct ErfFunction : IElementFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct => ErrorIntegral.Erf<TSimd, TVec>(x);
}

/// <summary>y = log(1 + e^x), as max(0, x) + log(1 + e^-|x|), which neither overflows nor loses small numbers.</summary>
internal readonly struct SoftplusFunction : IElementFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var z = Exponential.Exp<TSimd, TVec>(TSimd.Subtract(TSimd.Zero, TSimd.Abs(x)));
        return TSimd.Add(TSimd.Max(TSimd.Zero, x), Logarithm.LogPlusOne<TSimd, TVec>(z));
    }
}

/// <summary>y = x / (1 + |x|).</summary>
internal readonly struct SoftsignFunction : IElementFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct => TSimd.Divide(x, TSimd.Add(TSimd.Broadcast(1f), TSimd.Abs(x)));
}

/// <summary>y = (e^x - e^-x) / 2.</summary>
internal readonly struct SinhFunction : IElementFunction
{
    // From here on e^-x is below the last place.
    private const float Large = 20f;

    // With m = e^|x| - 1 it is (m + m/(m+1))/2, which keeps every digit near 0; far out a root of it is made, which does not overflow.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var half = TSimd.Broadcast(0.5f);
        var magnitude = TSimd.Abs(x);
        var m = Exponential.ExpMinusOne<TSimd, TVec>(TSimd.Min(TSimd.Broadcast(Large), magnitude));
        var near = TSimd.Multiply(half, TSimd.Add(m, TSimd.Divide(m, TSimd.Add(m, TSimd.Broadcast(1f)))));
        var root = Exponential.Exp<TSimd, TVec>(TSimd.Multiply(half, magnitude));
        var far = TSimd.Multiply(TSimd.Multiply(half, root), root);
        return TSimd.CopySign(TSimd.SelectLess(magnitude, TSimd.Broadcast(Large), near, far), x);
    }
}

/// <summary>y = (e^x + e^-x) / 2.</summary>
internal readonly struct CoshFunction : IElementFunction
{
    // From here on e^-x is below the last place.
    private const float Large = 20f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var half = TSimd.Broadcast(0.5f);
        var magnitude = TSimd.Abs(x);
        var root = Exponential.Exp<TSimd, TVec>(TSimd.Multiply(half, magnitude));
        var e = TSimd.Multiply(root, root);
        var near = TSimd.Multiply(half, TSimd.Add(e, TSimd.Divide(TSimd.Broadcast(1f), e)));
        return TSimd.SelectLess(magnitude, TSimd.Broadcast(Large), near, TSimd.Multiply(TSimd.Multiply(half, root), root));
    }
}

/// <summary>y = sin x, for x up to <see cref="Trigonometry.Largest"/>.</summary>
internal readonly struct SinFunction : IElementFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct => Trigonometry.Sine<TSimd, TVec>(x, 0);
}

/// <summary>y = cos x, for x up to <see cref="Trigonometry.Largest"/>.</summary>
internal readonly struct CosFunction : IElementFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct => Trigonometry.Sine<TSimd, TVec>(x, 1);
}

/// <summary>y = -1, 0 or 1; NaN for NaN.</summary>
internal readonly struct SignFunction : IElementFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var notAbove = TSimd.SelectLess(x, TSimd.Zero, TSimd.Broadcast(-1f), x);
        return TSimd.SelectLess(TSimd.Zero, x, TSimd.Broadcast(1f), notAbove);
    }
}
