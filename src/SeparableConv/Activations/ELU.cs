using System.Runtime.CompilerServices;
using SeparableConv.Loops;

namespace SeparableConv.Activations;

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
