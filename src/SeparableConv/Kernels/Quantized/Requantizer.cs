using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SeparableConv.Kernels;

/// <summary>
/// Makes bytes of rows of 32-bit sums: y[r, c] = clamp(round(sum[r, c] * factor[c]) + zeroPoint), bit for bit as
/// <see cref="FixedPointMultiplier"/> or a float multiplication gives it.
/// </summary>
/// <remarks>
/// A fixed-point product takes its high half, h = floor((2*sum*mantissa + 2^31) / 2^32), and divides that by 2^e, half away
/// from zero: (h + 2^(e-1) - [h below 0]) >> e. All of it holds while nothing leaves 32 bits, which the bounds on the sums show when the kernel
/// is made; elsewhere each number goes through <see cref="FixedPointMultiplier.Multiply"/>. Where the clamp cuts off at the zero
/// point, as ReLU's does, what is below 0 needs no rounding of its own.
/// </remarks>
internal sealed unsafe class Requantizer
{
    // 2^28 to round by and 2^30 for the sum stay below 2^31 together.
    private const int MostShift = 29;
    private const long MostSum = (1L << 30) - 1;

    private readonly QuantizedOutput _output;
    private readonly SimdWidth _width;
    private readonly int[] _order;
    private readonly FixedPointMultiplier[] _multipliers;

    // One number a column each: mantissa or float, what is added before the shift, below what it is one less, the shift.
    private readonly PackedBuffer _factors;
    private readonly PackedBuffer _additions;
    private readonly PackedBuffer _limits;
    private readonly PackedBuffer _shifts;

    /// <param name="factors">The real number that a channel's sums are multiplied by; one for all, or one a channel.</param>
    /// <param name="largestSums">A bound on the magnitude of each channel's sums.</param>
    /// <param name="output">What to make of them.</param>
    /// <param name="width">The vector width to run with.</param>
    /// <param name="order">The channel of each column of sums; none where they are the same.</param>
    public Requantizer(ReadOnlySpan<double> factors, ReadOnlySpan<long> largestSums, QuantizedOutput output, SimdWidth width, ReadOnlySpan<int> order = default)
    {
        var columns = order.IsEmpty ? largestSums.Length : order.Length;
        (_output, _width, _order) = (output, width, order.ToArray());
        _multipliers = new FixedPointMultiplier[columns];
        (_factors, _additions, _limits, _shifts) = (new(columns), new(columns), new(columns), new(columns));
        IsVectorized = true;
        for (var column = 0; column < columns; column++)
        {
            var c = order.IsEmpty ? column : order[column];
            var factor = factors[factors.Length == 1 ? 0 : c];
            if (output.Rounding != Requantization.FixedPoint)
            {
                _factors.Pointer[column] = (float)factor;
                continue;
            }

            var multiplier = FixedPointMultiplier.Create(factor);
            var e = -multiplier.Shift;
            _multipliers[column] = multiplier;
            IsVectorized &= e is >= 0 and <= MostShift && largestSums[c] <= MostSum;
            if (!IsVectorized)
                continue;
            var addition = 1 << e >> 1;
            ((int*)_factors.Pointer)[column] = multiplier.Mantissa;
            ((int*)_additions.Pointer)[column] = addition;
            ((int*)_limits.Pointer)[column] = e == 0 ? int.MinValue : addition;
            ((int*)_shifts.Pointer)[column] = e;
        }
    }

    /// <summary>Bytes that an output takes: 1, or those of a sum where the sums are what is asked for.</summary>
    public int OutputBytes => _output.Rounding == Requantization.None ? sizeof(int) : 1;

    private bool IsVectorized { get; }

    private bool IsFloat => _output.Rounding == Requantization.Float;

    /// <summary>Makes bytes of rows of sums in the order of their channels.</summary>
    /// <param name="sums">The first row, at channel <paramref name="firstChannel"/>.</param>
    /// <param name="sumStride">Sums from one row to the next.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="firstChannel">The first channel.</param>
    /// <param name="channels">Channels; at least as many as a vector has lanes.</param>
    /// <param name="output">The first row, at the first channel.</param>
    /// <param name="outputStride">Outputs from one row to the next.</param>
    public void Run(int* sums, nint sumStride, nint rows, int firstChannel, int channels, byte* output, nint outputStride)
    {
        Debug.Assert(channels >= (int)_width && _order.Length == 0, "There are as many channels as lanes, in their order.");
        if (_output.Rounding == Requantization.None)
        {
            for (nint row = 0; row < rows; row++)
                new Span<int>(sums + (row * sumStride), channels).CopyTo(new Span<int>((int*)output + (row * outputStride), channels));
            return;
        }

        var lanes = (int)_width;
        var block = new Block { SumStride = sumStride, Rows = rows, OutputStride = outputStride, IsOrdered = true };
        if (!IsVectorized)
        {
            block.Sums = sums;
            block.Bytes = output;
            block.Column = firstChannel;
            RunByNumber(block, channels);
            return;
        }

        // The last two vectors end with the last channel; they may overlap those before. A single one is its own neighbour.
        var step = channels < 2 * lanes ? lanes : 2 * lanes;
        for (var c = 0; c < channels; c += step)
        {
            var at = Math.Min(c, channels - step);
            block.Sums = sums + at;
            block.Bytes = output + at;
            block.Column = firstChannel + at;
            block.High = step - lanes;
            Run(block);
        }
    }

    /// <summary>
    /// Makes bytes, or where <paramref name="shorts"/> is given 16-bit numbers less the zero point, of two vectors of columns that are
    /// taken apart as <see cref="IIntegerSimd{TVec}.JoinLow"/> does it.
    /// </summary>
    /// <param name="sums">[row][column of two vectors].</param>
    /// <param name="rows">Rows.</param>
    /// <param name="firstColumn">The first column.</param>
    /// <param name="channels">Channels: two vectors full but for a single channel.</param>
    /// <param name="bytes">The first row at the first channel.</param>
    /// <param name="shorts">The same.</param>
    /// <param name="outputStride">Outputs from one row to the next.</param>
    public void RunApart(int* sums, nint rows, int firstColumn, int channels, byte* bytes, short* shorts, nint outputStride)
    {
        var lanes = (int)_width;
        if (_output.Rounding == Requantization.None)
        {
            var target = (int*)bytes;
            for (nint row = 0; row < rows; row++, target += outputStride, sums += 2 * lanes)
            {
                for (var c = 0; c < channels; c++)
                    target[ChannelApart(c, lanes)] = sums[c];
            }

            return;
        }

        var block = new Block
        {
            Sums = sums,
            SumStride = 2 * lanes,
            Rows = rows,
            Column = firstColumn,
            High = lanes,
            Bytes = bytes,
            Shorts = shorts,
            OutputStride = outputStride,
        };
        if (IsVectorized && channels == 2 * lanes)
            Run(block);
        else
            RunByNumber(block, channels);
    }

    /// <summary>For the columns of some vectors: the number, among those of two vectors, of the channel in column <paramref name="column"/>.</summary>
    public static int ChannelApart(int column, int lanes)
    {
        var (high, lane) = Math.DivRem(column, lanes);
        return lanes == 1 ? column : (lane / 4 * 8) + (lane % 4) + (high * 4);
    }

    private void Run(in Block block)
    {
        switch (_width)
        {
            case SimdWidth.V512:
                Run<Integers512, Vector512<int>>(block);
                break;
            case SimdWidth.V256:
                Run<Integers256, Vector256<int>>(block);
                break;
            case SimdWidth.V128:
                Run<Integers128, Vector128<int>>(block);
                break;
            default:
                Run<IntegersScalar, int>(block);
                break;
        }
    }

    private void Run<TSimd, TVec>(in Block block)
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct
    {
        if (IsFloat)
            RunFloat<TSimd, TVec>(block);
        else if (_output.ClampMin < _output.ZeroPoint)
            RunFixed<TSimd, TVec, Constant.Is1>(block);
        else
            RunFixed<TSimd, TVec, Constant.Is0>(block);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunFixed<TSimd, TVec, TNegative>(in Block block)
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct
        where TNegative : struct, IConstant
    {
        var (low, high) = (block.Column, block.Column + block.High);
        var (factorLow, factorHigh) = (TSimd.Load((int*)_factors.Pointer + low), TSimd.Load((int*)_factors.Pointer + high));
        var (additionLow, additionHigh) = (TSimd.Load((int*)_additions.Pointer + low), TSimd.Load((int*)_additions.Pointer + high));
        var (limitLow, limitHigh) = (TSimd.Load((int*)_limits.Pointer + low), TSimd.Load((int*)_limits.Pointer + high));
        var (shiftLow, shiftHigh) = (TSimd.Load((int*)_shifts.Pointer + low), TSimd.Load((int*)_shifts.Pointer + high));
        var store = new Target<TSimd, TVec>(_output, block);
        var sums = block.Sums;
        var (sumStride, highSums, rows) = (block.SumStride, (nint)block.High, block.Rows);
        for (nint row = 0; row < rows; row++, sums += sumStride)
        {
            var a = TSimd.Add(TSimd.HighMultiply(Twice<TSimd, TVec>(sums), factorLow), additionLow);
            var b = TSimd.Add(TSimd.HighMultiply(Twice<TSimd, TVec>(sums + highSums), factorHigh), additionHigh);
            if (TNegative.Value == 1)
            {
                a = TSimd.DecrementBelow(a, limitLow);
                b = TSimd.DecrementBelow(b, limitHigh);
            }

            store.Next(TSimd.ShiftRight(a, shiftLow), TSimd.ShiftRight(b, shiftHigh));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunFloat<TSimd, TVec>(in Block block)
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct
    {
        var scaleLow = TSimd.Load((int*)_factors.Pointer + block.Column);
        var scaleHigh = TSimd.Load((int*)_factors.Pointer + block.Column + block.High);
        var lower = TSimd.Broadcast(BitConverter.SingleToInt32Bits(_output.ClampMin - _output.ZeroPoint));
        var upper = TSimd.Broadcast(BitConverter.SingleToInt32Bits(_output.ClampMax - _output.ZeroPoint));
        var store = new Target<TSimd, TVec>(_output, block);
        var sums = block.Sums;
        var (sumStride, high, rows) = (block.SumStride, (nint)block.High, block.Rows);
        for (nint row = 0; row < rows; row++, sums += sumStride)
            store.Next(TSimd.Scale(TSimd.Load(sums), scaleLow, lower, upper), TSimd.Scale(TSimd.Load(sums + high), scaleHigh, lower, upper));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVec Twice<TSimd, TVec>(int* sums)
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct
    {
        var value = TSimd.Load(sums);
        return TSimd.Add(value, value);
    }

    private void RunByNumber(in Block block, int channels)
    {
        for (nint row = 0; row < block.Rows; row++)
        {
            for (var c = 0; c < channels; c++)
            {
                var sum = block.Sums[(row * block.SumStride) + c];
                var scaled = IsFloat ? Scaled(sum, _factors.Pointer[block.Column + c])
                    : IsVectorized ? FixedPointMultiplier.DivideByPowerOfTwo(
                        IntegersScalar.HighMultiply(2 * sum, _multipliers[block.Column + c].Mantissa), -_multipliers[block.Column + c].Shift)
                    : _multipliers[block.Column + c].Multiply(sum);
                var value = Math.Clamp(scaled + _output.ZeroPoint, _output.ClampMin, _output.ClampMax);
                var at = (row * block.OutputStride) + (block.IsOrdered ? c : ChannelApart(c, (int)_width));
                if (block.Shorts != null)
                    block.Shorts[at] = (short)(value - _output.ZeroPoint);
                else
                    block.Bytes[at] = (byte)value;
            }
        }
    }

    private int Scaled(int sum, float factor) => IntegersScalar.Scale(
        sum,
        BitConverter.SingleToInt32Bits(factor),
        BitConverter.SingleToInt32Bits(_output.ClampMin - _output.ZeroPoint),
        BitConverter.SingleToInt32Bits(_output.ClampMax - _output.ZeroPoint));

    /// <summary>Two vectors of columns of some rows.</summary>
    private struct Block
    {
        public int* Sums;
        public nint SumStride;
        public nint Rows;
        public int Column;

        /// <summary>Columns from the first vector to the second; 0 where there is one only.</summary>
        public int High;
        public byte* Bytes;
        public short* Shorts;
        public nint OutputStride;

        /// <summary>Whether the two vectors are neighbours, not taken apart.</summary>
        public bool IsOrdered;
    }

    /// <summary>Where the numbers of two vectors go, row after row.</summary>
    private ref struct Target<TSimd, TVec>
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct
    {
        private readonly TVec _lower;
        private readonly TVec _upper;
        private readonly TVec _zeroPoint;
        private readonly nint _stride;
        private readonly bool _isOrdered;
        private readonly bool _isHalf;
        private readonly bool _isShort;
        private byte* _bytes;
        private short* _shorts;

        public Target(QuantizedOutput output, in Block block)
        {
            _lower = TSimd.BroadcastShort(output.ClampMin - output.ZeroPoint);
            _upper = TSimd.BroadcastShort(output.ClampMax - output.ZeroPoint);
            _zeroPoint = TSimd.BroadcastShort(output.ZeroPoint);
            (_stride, _isOrdered, _isHalf, _isShort) = (block.OutputStride, block.IsOrdered, block.High == 0, block.Shorts != null);
            _bytes = block.Bytes;
            _shorts = block.Shorts;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Next(TVec low, TVec high)
        {
            // Packing saturates far outside the bounds.
            var value = TSimd.ClampShorts(TSimd.Pack(low, high), _lower, _upper);
            if (_isOrdered)
                value = TSimd.Order(value);
            if (_isShort)
            {
                TSimd.Store(value, (int*)_shorts);
                _shorts += _stride;
                return;
            }

            value = TSimd.AddShorts(value, _zeroPoint);
            if (_isHalf)
                TSimd.StoreHalfBytes(value, _bytes);
            else
                TSimd.StoreBytes(value, _bytes);
            _bytes += _stride;
        }
    }
}
