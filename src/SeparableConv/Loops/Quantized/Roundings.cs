using System.Runtime.CompilerServices;

namespace SeparableConv.Loops;

/// <summary>How a <see cref="Requantizer"/> rounds its sums.</summary>
internal enum RoundingForm
{
    /// <summary>Not at all: <see cref="Requantization.None"/>.</summary>
    None,

    /// <summary>Number by number, through <see cref="FixedPointMultiplier.Multiply"/>, because a vector's lanes could overflow.</summary>
    Number,

    /// <summary><see cref="FloatRounding{TSimd, TVec}"/>.</summary>
    Float,

    /// <summary><see cref="ClampedFloatRounding{TSimd, TVec}"/>.</summary>
    ClampedFloat,

    /// <summary><see cref="FixedRounding{TSimd, TVec}"/>.</summary>
    Fixed,

    /// <summary><see cref="PositiveFixedRounding{TSimd, TVec}"/>.</summary>
    PositiveFixed,
}

/// <summary>The numbers by which a <see cref="Requantizer"/> rounds: one a column in each table.</summary>
internal unsafe struct RoundingTables
{
    /// <summary>Floats by their bits, or 31-bit mantissas.</summary>
    public int* Factors;

    /// <summary>Fixed point: the limit below which the product is decreased by one. Floats: the least result, by its bits.</summary>
    public int* Lower;

    /// <summary>Fixed point: what is added before the shift. Floats: the largest result, by its bits.</summary>
    public int* Upper;

    public int* Shifts;
}

/// <summary>
/// Brings a vector of sums to the scale of the output. Results far outside the output's range may be any number beyond its bounds.
/// </summary>
/// <remarks>
/// The four numbers are those of the tables. They are arguments, and not fields, because the JIT keeps vectors in registers only so.
/// </remarks>
internal interface IRounding<TSimd, TVec>
    where TSimd : struct, IIntegerSimd<TVec>
    where TVec : struct
{
    static abstract TVec Round(TVec sums, TVec factor, TVec lower, TVec upper, TVec shift);
}

/// <summary>Work that is compiled for each vector and rounding: see <see cref="Requantizer.Dispatch{TWork}"/>.</summary>
internal interface IRoundingWork
{
    void Run<TSimd, TVec, TRounding>()
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct
        where TRounding : struct, IRounding<TSimd, TVec>;
}

/// <summary>round(sum*factor), half to even, where no product leaves 32 bits.</summary>
internal readonly struct FloatRounding<TSimd, TVec> : IRounding<TSimd, TVec>
    where TSimd : struct, IIntegerSimd<TVec>
    where TVec : struct
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVec Round(TVec sums, TVec factor, TVec lower, TVec upper, TVec shift) => TSimd.Scale(sums, factor);
}

/// <summary>The same for products of any size, which are clamped first.</summary>
internal readonly struct ClampedFloatRounding<TSimd, TVec> : IRounding<TSimd, TVec>
    where TSimd : struct, IIntegerSimd<TVec>
    where TVec : struct
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVec Round(TVec sums, TVec factor, TVec lower, TVec upper, TVec shift) => TSimd.Scale(sums, factor, lower, upper);
}

/// <summary>
/// Two roundings, as <see cref="FixedPointMultiplier"/>: the high half h = floor((2*sum*mantissa + 2^31) / 2^32), then h / 2^e half away
/// from zero, (h + 2^(e-1) - [h below 0]) >> e.
/// </summary>
internal readonly struct FixedRounding<TSimd, TVec> : IRounding<TSimd, TVec>
    where TSimd : struct, IIntegerSimd<TVec>
    where TVec : struct
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVec Round(TVec sums, TVec factor, TVec lower, TVec upper, TVec shift) =>
        TSimd.ShiftRight(TSimd.DecrementBelow(TSimd.Add(TSimd.HighMultiply(TSimd.Add(sums, sums), factor), upper), lower), shift);
}

/// <summary>The same where the output is cut off at the zero point, as ReLU's is: what is below 0 needs no rounding of its own.</summary>
internal readonly struct PositiveFixedRounding<TSimd, TVec> : IRounding<TSimd, TVec>
    where TSimd : struct, IIntegerSimd<TVec>
    where TVec : struct
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVec Round(TVec sums, TVec factor, TVec lower, TVec upper, TVec shift) =>
        TSimd.ShiftRight(TSimd.Add(TSimd.HighMultiply(TSimd.Add(sums, sums), factor), upper), shift);
}
