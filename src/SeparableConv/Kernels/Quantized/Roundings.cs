using System.Runtime.CompilerServices;

namespace SeparableConv.Kernels;

/// <summary>The numbers by which a <see cref="Requantizer"/> rounds: one a column in each table.</summary>
internal unsafe struct RoundingTables
{
    /// <summary>Floats, or 31-bit mantissas.</summary>
    public int* Factors;

    /// <summary>What is added before the shift.</summary>
    public int* Additions;

    /// <summary>Below what it is one less.</summary>
    public int* Limits;

    public int* Shifts;

    /// <summary>Bounds of a rounded sum, as the bits of floats.</summary>
    public int Lower;

    public int Upper;
}

/// <summary>
/// Brings a vector of sums to the scale of the output. Results far outside the output's range may be any number beyond its bounds.
/// </summary>
internal interface IRounding<TSimd, TVec>
    where TSimd : struct, IIntegerSimd<TVec>
    where TVec : struct
{
    /// <summary>Takes what the vector of columns from <paramref name="column"/> on is rounded by.</summary>
    void Load(in RoundingTables tables, nint column);

    TVec Round(TVec sums);
}

/// <summary>round(sum*factor), half to even, where no product leaves 32 bits.</summary>
internal unsafe struct FloatRounding<TSimd, TVec> : IRounding<TSimd, TVec>
    where TSimd : struct, IIntegerSimd<TVec>
    where TVec : struct
{
    private TVec _scale;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Load(in RoundingTables tables, nint column) => _scale = TSimd.Load(tables.Factors + column);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TVec Round(TVec sums) => TSimd.Scale(sums, _scale);
}

/// <summary>The same for products of any size, which are clamped first.</summary>
internal unsafe struct ClampedFloatRounding<TSimd, TVec> : IRounding<TSimd, TVec>
    where TSimd : struct, IIntegerSimd<TVec>
    where TVec : struct
{
    private TVec _scale;
    private TVec _lower;
    private TVec _upper;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Load(in RoundingTables tables, nint column)
    {
        _scale = TSimd.Load(tables.Factors + column);
        _lower = TSimd.Broadcast(tables.Lower);
        _upper = TSimd.Broadcast(tables.Upper);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TVec Round(TVec sums) => TSimd.Scale(sums, _scale, _lower, _upper);
}

/// <summary>
/// Two roundings, as <see cref="FixedPointMultiplier"/>: the high half h = floor((2*sum*mantissa + 2^31) / 2^32), then h / 2^e half away from
/// zero, (h + 2^(e-1) - [h below 0]) >> e.
/// </summary>
internal unsafe struct FixedRounding<TSimd, TVec> : IRounding<TSimd, TVec>
    where TSimd : struct, IIntegerSimd<TVec>
    where TVec : struct
{
    private TVec _factor;
    private TVec _addition;
    private TVec _limit;
    private TVec _shift;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Load(in RoundingTables tables, nint column)
    {
        _factor = TSimd.Load(tables.Factors + column);
        _addition = TSimd.Load(tables.Additions + column);
        _limit = TSimd.Load(tables.Limits + column);
        _shift = TSimd.Load(tables.Shifts + column);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TVec Round(TVec sums)
    {
        var high = TSimd.Add(TSimd.HighMultiply(TSimd.Add(sums, sums), _factor), _addition);
        return TSimd.ShiftRight(TSimd.DecrementBelow(high, _limit), _shift);
    }
}

/// <summary>The same where the output is cut off at the zero point, as ReLU's is: what is below 0 needs no rounding of its own.</summary>
internal unsafe struct PositiveFixedRounding<TSimd, TVec> : IRounding<TSimd, TVec>
    where TSimd : struct, IIntegerSimd<TVec>
    where TVec : struct
{
    private TVec _factor;
    private TVec _addition;
    private TVec _shift;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Load(in RoundingTables tables, nint column)
    {
        _factor = TSimd.Load(tables.Factors + column);
        _addition = TSimd.Load(tables.Additions + column);
        _shift = TSimd.Load(tables.Shifts + column);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TVec Round(TVec sums) =>
        TSimd.ShiftRight(TSimd.Add(TSimd.HighMultiply(TSimd.Add(sums, sums), _factor), _addition), _shift);
}
