using System.Runtime.CompilerServices;
using SeparableConv.Loops;

namespace SeparableConv.Activations;

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
