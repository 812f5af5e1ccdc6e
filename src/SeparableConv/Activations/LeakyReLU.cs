using System.Runtime.CompilerServices;
using SeparableConv.Loops;

namespace SeparableConv.Activations;

/// <summary>y = x where x is 0 or more, alpha*x below.</summary>
internal readonly struct LeakyReLUFunction(float alpha) : IElementFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct => TSimd.SelectLess(x, TSimd.Zero, TSimd.Multiply(TSimd.Broadcast(alpha), x), x);
}
