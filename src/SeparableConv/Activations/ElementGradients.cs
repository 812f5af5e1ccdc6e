using System.Runtime.CompilerServices;
using SeparableConv.Loops;

namespace SeparableConv.Activations;

/// <summary>
/// The gradient of a function of one value, written once for every vector width: dx from dy and from x, or from y where the formula
/// needs no more. At a kink it is the derivative of one side: each says of which.
/// </summary>
internal interface IElementGradient
{
    /// <summary>dx from dy and the value that the function's <see cref="Activation.GradientReadsOutput"/> names.</summary>
    TVec Apply<TSimd, TVec>(TVec dy, TVec value)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct;
}

/// <summary>dx = dy where x is above 0, else alpha*dy.</summary>
internal readonly struct LeakyReLUGradient(float alpha) : IElementGradient
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec dy, TVec value)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct => TSimd.SelectLess(TSimd.Zero, value, dy, TSimd.Multiply(TSimd.Broadcast(alpha), dy));
}

/// <summary>dx = dy where x is above 0, else alpha * e^x * dy.</summary>
internal readonly struct ELUGradient(float alpha) : IElementGradient
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec dy, TVec value)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var e = Exponential.Exp<TSimd, TVec>(TSimd.Min(TSimd.Zero, value));
        return TSimd.SelectLess(TSimd.Zero, value, dy, TSimd.Multiply(TSimd.Multiply(TSimd.Broadcast(alpha), e), dy));
    }
}

/// <summary>dx = 0 where x is -3 or below, dy where x is 3 or above, (x/3 + 1/2) * dy between.</summary>
internal readonly struct HardSwishGradient : IElementGradient
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec dy, TVec value)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var slope = TSimd.MultiplyAdd(TSimd.Broadcast(1f / 3), value, TSimd.Broadcast(0.5f));
        var dx = TSimd.SelectLess(value, TSimd.Broadcast(3f), TSimd.Multiply(slope, dy), dy);

        // Less than the next number is not above: a NaN gives dy, as from the functions with kinks that loops clamp.
        return TSimd.SelectLess(value, TSimd.Broadcast(MathF.BitIncrement(-3f)), TSimd.Zero, dx);
    }
}

/// <summary>dx = alpha*dy where 0 &lt; y &lt; 1, else 0.</summary>
internal readonly struct HardSigmoidGradient(float alpha) : IElementGradient
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec dy, TVec value)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var inside = TSimd.SelectLess(TSimd.Zero, value, TSimd.Multiply(TSimd.Broadcast(alpha), dy), TSimd.Zero);
        return TSimd.SelectLess(value, TSimd.Broadcast(1f), inside, TSimd.Zero);
    }
}

/// <summary>dx = y * (1 - y) * dy.</summary>
internal readonly struct SigmoidGradient : IElementGradient
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec dy, TVec value)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct => TSimd.Multiply(TSimd.Multiply(value, TSimd.Subtract(TSimd.Broadcast(1f), value)), dy);
}

/// <summary>dx = (1 - y^2) * dy.</summary>
internal readonly struct TanhGradient : IElementGradient
{
    // As (1 - y)*(1 + y): the square would be rounded first, and y near 1 is where it shows.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVec Apply<TSimd, TVec>(TVec dy, TVec value)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var one = TSimd.Broadcast(1f);
        return TSimd.Multiply(TSimd.Multiply(TSimd.Subtract(one, value), TSimd.Add(one, value)), dy);
    }
}
