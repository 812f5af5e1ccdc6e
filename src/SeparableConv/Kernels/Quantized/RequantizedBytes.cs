using System.Runtime.CompilerServices;

namespace SeparableConv.Kernels;

/// <summary>Adds the zero point to rounded sums, clamps them and stores them as bytes.</summary>
internal readonly unsafe struct RequantizedBytes<TSimd, TVec>
    where TSimd : struct, IIntegerSimd<TVec>
    where TVec : struct
{
    private readonly TVec _zeroPoint;
    private readonly TVec _lower;
    private readonly TVec _upper;

    public RequantizedBytes(QuantizedOutput output)
    {
        _lower = TSimd.BroadcastShort(output.ClampMin);
        _upper = TSimd.BroadcastShort(output.ClampMax);
        _zeroPoint = TSimd.BroadcastShort(output.ZeroPoint);
    }

    /// <summary>Two vectors of columns that <see cref="IIntegerSimd{TVec}.JoinLow"/> took apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StoreApart(TVec low, TVec high, byte* target) => TSimd.StoreBytes(Clamped(low, high), target);

    /// <summary>Two neighbouring vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(TVec low, TVec high, byte* target) => TSimd.StoreBytes(TSimd.Order(Clamped(low, high)), target);

    /// <summary>One vector.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(TVec value, byte* target) => TSimd.StoreHalfBytes(TSimd.Order(Clamped(value, value)), target);

    // Packing and adding saturate outside the bounds.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private TVec Clamped(TVec low, TVec high) => TSimd.ClampShorts(TSimd.AddShorts(TSimd.Pack(low, high), _zeroPoint), _lower, _upper);
}

/// <summary>The same for four neighbouring vectors, whose bytes fill one.</summary>
internal readonly unsafe struct RequantizedVectors<TSimd, TVec>
    where TSimd : struct, IIntegerSimd<TVec>
    where TVec : struct
{
    private readonly TVec _zeroPoint;
    private readonly TVec _lower;
    private readonly TVec _upper;
    private readonly TVec _flip;

    public RequantizedVectors(QuantizedOutput output)
    {
        // Signed bytes are made as unsigned ones 128 above them.
        var offset = output.IsSigned ? 128 : 0;
        _zeroPoint = TSimd.BroadcastShort(output.ZeroPoint + offset);
        _lower = TSimd.BroadcastShort((output.ClampMin + offset) * 0x0101);
        _upper = TSimd.BroadcastShort((output.ClampMax + offset) * 0x0101);
        _flip = TSimd.BroadcastShort(output.IsSigned ? 0x8080 : 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(TVec a, TVec b, TVec c, TVec d, byte* target)
    {
        // Packing and adding saturate outside the bounds.
        var low = TSimd.AddShorts(TSimd.Pack(a, b), _zeroPoint);
        var high = TSimd.AddShorts(TSimd.Pack(c, d), _zeroPoint);
        var bytes = TSimd.ClampBytes(TSimd.PackBytes(low, high), _lower, _upper);
        TSimd.Store(TSimd.Xor(TSimd.OrderBytes(bytes), _flip), (int*)target);
    }
}
