using System.Runtime.CompilerServices;
using SeparableConv.Loops;

namespace SeparableConv.Activations;

/// <summary>y = min(upper, max(lower, x)); NaN stays, as in the loops.</summary>
internal readonly struct ClampFunction(float lower, float upper) : IElementFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec x)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct => TSimd.Min(TSimd.Broadcast(upper), TSimd.Max(TSimd.Broadcast(lower), x));
}
