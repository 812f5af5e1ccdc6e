using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SeparableConv.Loops;

/// <summary>
/// Makes bytes of rows of 32-bit sums: y[r, c] = clamp(round(sum[r, c] * factor[c]) + zeroPoint), bit for bit as
/// <see cref="FixedPointMultiplier"/> or a float multiplication gives it.
/// </summary>
/// <remarks>
/// The vectors' roundings (<see cref="IRounding{TSimd, TVec}"/>) hold while nothing leaves 32 bits, which the bounds on the sums show when
/// the loop is made; elsewhere a float is clamped before it is rounded, and a fixed-point number goes through
/// <see cref="FixedPointMultiplier.Multiply"/> by itself.
/// </remarks>
internal sealed unsafe class Requantizer
{
    // 2^28 to round by and 2^30 for the sum stay below 2^31 together.
    private const int MostShift = 29;
    private const long MostSum = (1L << 30) - 1;

    private readonly SimdWidth _width;
    private readonly bool _isOrdered;
    private readonly FixedPointMultiplier[] _multipliers;
    private readonly PackedBuffer _factors;
    private readonly PackedBuffer _lower;
    private readonly PackedBuffer _upper;
    private readonly PackedBuffer _shifts;

    /// <param name="factors">The real number that a channel's sums are multiplied by; one for all, or one a channel.</param>
    /// <param name="largestSums">A bound on the magnitude of each channel's sums.</param>
    /// <param name="output">What to make of them.</param>
    /// <param name="width">The vector width to run with.</param>
    /// <param name="order">The channel of each column of sums; none where they are the same.</param>
    public Requantizer(
        ReadOnlySpan<double> factors,
        ReadOnlySpan<long> largestSums,
        QuantizedOutput output,
        SimdWidth width,
        ReadOnlySpan<int> order = default)
    {
        var columns = order.IsEmpty ? largestSums.Length : order.Length;
        (Output, _width, _isOrdered) = (output, width, order.IsEmpty);
        _multipliers = new FixedPointMultiplier[columns];
        (_factors, _lower, _upper, _shifts) = (new(columns), new(columns), new(columns), new(columns));
        var fits = true;
        for (var column = 0; column < columns; column++)
        {
            var c = order.IsEmpty ? column : order[column];
            var factor = factors[factors.Length == 1 ? 0 : c];
            if (output.Rounding != Requantization.FixedPoint)
            {
                _factors.Pointer[column] = (float)factor;
                _lower.Pointer[column] = output.ClampMin - output.ZeroPoint;
                _upper.Pointer[column] = output.ClampMax - output.ZeroPoint;
                fits &= Math.Abs(largestSums[c] * (double)(float)factor) <= MostSum;
                continue;
            }

            var multiplier = FixedPointMultiplier.Create(factor);
            var e = -multiplier.Shift;
            _multipliers[column] = multiplier;
            fits &= e is >= 0 and <= MostShift && largestSums[c] <= MostSum;
            if (!fits)
                continue;
            var addition = 1 << e >> 1;
            ((int*)_factors.Pointer)[column] = multiplier.Mantissa;
            ((int*)_lower.Pointer)[column] = e == 0 ? int.MinValue : addition;
            ((int*)_upper.Pointer)[column] = addition;
            ((int*)_shifts.Pointer)[column] = e;
        }

        Rounding = output.Rounding switch
        {
            Requantization.Float => fits ? RoundingForm.Float : RoundingForm.ClampedFloat,
            Requantization.None => RoundingForm.None,
            _ => !fits ? RoundingForm.Number : output.ClampMin < output.ZeroPoint ? RoundingForm.Fixed : RoundingForm.PositiveFixed,
        };
    }

    /// <summary>The <see cref="IRounding{TSimd, TVec}"/> that rounds the sums.</summary>
    public RoundingForm Rounding { get; }

    /// <summary>The numbers that it rounds by, one a column in each table.</summary>
    public RoundingTables Tables => new()
    {
        Factors = (int*)_factors.Pointer,
        Lower = (int*)_lower.Pointer,
        Upper = (int*)_upper.Pointer,
        Shifts = (int*)_shifts.Pointer,
    };

    public QuantizedOutput Output { get; }

    /// <summary>Bytes that an output takes: 1, or those of a sum where the sums are what is asked for.</summary>
    public int OutputBytes => Rounding == RoundingForm.None ? sizeof(int) : 1;

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
        Debug.Assert(channels >= (int)_width && _isOrdered, "There are as many channels as lanes, in their order.");
        if (Rounding == RoundingForm.None)
        {
            for (nint row = 0; row < rows; row++)
                new Span<int>(sums + (row * sumStride), channels).CopyTo(new Span<int>((int*)output + (row * outputStride), channels));
            return;
        }

        var lanes = (int)_width;
        var vectors = channels >= 4 * lanes ? 4 : channels >= 2 * lanes ? 2 : 1;
        var block = new Block { SumStride = sumStride, Rows = rows, OutputStride = outputStride, Vectors = vectors };
        if (Rounding == RoundingForm.Number)
        {
            block.Sums = sums;
            block.Bytes = output;
            block.Column = firstChannel;
            RunByNumber(block, channels);
            GC.KeepAlive(this);
            return;
        }

        // The last vectors end with the last channel; they may overlap those before.
        var step = vectors * lanes;
        for (var c = 0; c < channels; c += step)
        {
            var at = Math.Min(c, channels - step);
            block.Sums = sums + at;
            block.Bytes = output + at;
            block.Column = firstChannel + at;
            Dispatch(new BlockWork { Requantizer = this, Block = block });
        }

        GC.KeepAlive(this);
    }

    /// <summary>Makes bytes of two vectors of columns that are taken apart as <see cref="IIntegerSimd{TVec}.JoinLow"/> does it.</summary>
    /// <param name="sums">[row][column of two vectors].</param>
    /// <param name="rows">Rows.</param>
    /// <param name="firstColumn">The first column.</param>
    /// <param name="output">The first row at the first channel.</param>
    /// <param name="outputStride">Outputs from one row to the next.</param>
    public void RunApart(int* sums, nint rows, int firstColumn, byte* output, nint outputStride)
    {
        var columns = 2 * (int)_width;
        if (Rounding == RoundingForm.None)
        {
            var target = (int*)output;
            for (nint row = 0; row < rows; row++, target += outputStride, sums += columns)
                JoinApart(sums, (int)_width, target);
            return;
        }

        var block = new Block
        {
            Sums = sums,
            SumStride = columns,
            Rows = rows,
            Column = firstColumn,
            Bytes = output,
            OutputStride = outputStride,
            Vectors = 2,
            IsApart = true,
        };
        if (Rounding == RoundingForm.Number)
            RunByNumber(block, columns);
        else
            Dispatch(new BlockWork { Requantizer = this, Block = block });
        GC.KeepAlive(this);
    }

    // Sums of two vectors that were taken apart, four channels at a time, in the order of their channels.
    private static void JoinApart(int* sums, int lanes, int* target)
    {
        if (lanes < Vector128<int>.Count)
        {
            for (var c = 0; c < 2 * lanes; c++)
                target[ChannelApart(c, lanes)] = sums[c];
            return;
        }

        for (var lane = 0; lane < lanes; lane += Vector128<int>.Count)
        {
            Vector128.Load(sums + lane).Store(target + (2 * lane));
            Vector128.Load(sums + lanes + lane).Store(target + (2 * lane) + Vector128<int>.Count);
        }
    }

    /// <summary>
    /// For the columns of some vectors: the number, among those of two vectors, of the channel in column <paramref name="column"/>.
    /// </summary>
    public static int ChannelApart(int column, int lanes)
    {
        var (high, lane) = Math.DivRem(column, lanes);
        return lanes == 1 ? column : (lane / 4 * 8) + (lane % 4) + (high * 4);
    }

    /// <summary>Runs work with this width's vectors and this rounding.</summary>
    public void Dispatch<TWork>(in TWork work)
        where TWork : struct, IRoundingWork
    {
        var choice = new RoundingChoice<TWork>(this, in work);
        _width.DispatchIntegers(ref choice);
    }

    private readonly ref struct RoundingChoice<TWork>(Requantizer requantizer, ref readonly TWork work) : IIntegerSimdWork
        where TWork : struct, IRoundingWork
    {
        private readonly ref readonly TWork _work = ref work;

        public void Run<TSimd, TVec>()
            where TSimd : struct, IIntegerSimd<TVec>
            where TVec : struct => requantizer.Dispatch<TWork, TSimd, TVec>(_work);
    }

    private void Dispatch<TWork, TSimd, TVec>(in TWork work)
        where TWork : struct, IRoundingWork
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct
    {
        switch (Rounding)
        {
            case RoundingForm.Float:
                work.Run<TSimd, TVec, FloatRounding<TSimd, TVec>>();
                break;
            case RoundingForm.ClampedFloat:
                work.Run<TSimd, TVec, ClampedFloatRounding<TSimd, TVec>>();
                break;
            case RoundingForm.Fixed:
                work.Run<TSimd, TVec, FixedRounding<TSimd, TVec>>();
                break;
            default:
                work.Run<TSimd, TVec, PositiveFixedRounding<TSimd, TVec>>();
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunFour<TSimd, TVec, TRounding>(in Block block)
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct
        where TRounding : struct, IRounding<TSimd, TVec>
    {
        var v = TSimd.Count;
        var column = (int*)_factors.Pointer + block.Column;
        var (f0, f1, f2, f3) = (TSimd.Load(column), TSimd.Load(column + v), TSimd.Load(column + (2 * v)), TSimd.Load(column + (3 * v)));
        column = (int*)_lower.Pointer + block.Column;
        var (l0, l1, l2, l3) = (TSimd.Load(column), TSimd.Load(column + v), TSimd.Load(column + (2 * v)), TSimd.Load(column + (3 * v)));
        column = (int*)_upper.Pointer + block.Column;
        var (u0, u1, u2, u3) = (TSimd.Load(column), TSimd.Load(column + v), TSimd.Load(column + (2 * v)), TSimd.Load(column + (3 * v)));
        column = (int*)_shifts.Pointer + block.Column;
        var (s0, s1, s2, s3) = (TSimd.Load(column), TSimd.Load(column + v), TSimd.Load(column + (2 * v)), TSimd.Load(column + (3 * v)));

        // Signed bytes are made as unsigned ones 128 above them.
        var offset = Output.IsSigned ? 128 : 0;
        var zeroPoint = TSimd.BroadcastShort(Output.ZeroPoint + offset);
        var least = TSimd.BroadcastShort((Output.ClampMin + offset) * 0x0101);
        var most = TSimd.BroadcastShort((Output.ClampMax + offset) * 0x0101);
        var flip = TSimd.BroadcastShort(offset * 0x0101);
        var (sums, output) = ((nint)block.Sums, (nint)block.Bytes);
        var (sumBytes, outputStride) = (block.SumStride * sizeof(int), block.OutputStride);
        for (var row = block.Rows; row > 0; row--)
        {
            var first = (int*)sums;
            var a = TRounding.Round(TSimd.Load(first), f0, l0, u0, s0);
            var b = TRounding.Round(TSimd.Load(first + v), f1, l1, u1, s1);
            var c = TRounding.Round(TSimd.Load(first + (2 * v)), f2, l2, u2, s2);
            var d = TRounding.Round(TSimd.Load(first + (3 * v)), f3, l3, u3, s3);

            // Packing and adding saturate outside the bounds.
            var bytes = TSimd.PackBytes(TSimd.AddShorts(TSimd.Pack(a, b), zeroPoint), TSimd.AddShorts(TSimd.Pack(c, d), zeroPoint));
            TSimd.Store(TSimd.Xor(TSimd.OrderBytes(TSimd.ClampBytes(bytes, least, most)), flip), (int*)output);
            sums += sumBytes;
            output += outputStride;
        }
    }

    // Or one vector, which is then its own neighbour.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunTwo<TSimd, TVec, TRounding>(in Block block)
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct
        where TRounding : struct, IRounding<TSimd, TVec>
    {
        var high = (block.Vectors - 1) * TSimd.Count;
        var column = (int*)_factors.Pointer + block.Column;
        var (f0, f1) = (TSimd.Load(column), TSimd.Load(column + high));
        column = (int*)_lower.Pointer + block.Column;
        var (l0, l1) = (TSimd.Load(column), TSimd.Load(column + high));
        column = (int*)_upper.Pointer + block.Column;
        var (u0, u1) = (TSimd.Load(column), TSimd.Load(column + high));
        column = (int*)_shifts.Pointer + block.Column;
        var (s0, s1) = (TSimd.Load(column), TSimd.Load(column + high));
        var zeroPoint = TSimd.BroadcastShort(Output.ZeroPoint);
        var least = TSimd.BroadcastShort(Output.ClampMin);
        var most = TSimd.BroadcastShort(Output.ClampMax);
        var (sums, output) = ((nint)block.Sums, (nint)block.Bytes);
        var (sumBytes, outputStride) = (block.SumStride * sizeof(int), block.OutputStride);
        var (isApart, isOne) = (block.IsApart, high == 0);
        for (var row = block.Rows; row > 0; row--)
        {
            var a = TRounding.Round(TSimd.Load((int*)sums), f0, l0, u0, s0);
            var b = TRounding.Round(TSimd.Load((int*)sums + high), f1, l1, u1, s1);
            var shorts = TSimd.ClampShorts(TSimd.AddShorts(TSimd.Pack(a, b), zeroPoint), least, most);
            if (isApart)
                TSimd.StoreBytes(shorts, (byte*)output);
            else if (isOne)
                TSimd.StoreHalfBytes(TSimd.Order(shorts), (byte*)output);
            else
                TSimd.StoreBytes(TSimd.Order(shorts), (byte*)output);
            sums += sumBytes;
            output += outputStride;
        }
    }

    private void RunByNumber(in Block block, int channels)
    {
        for (nint row = 0; row < block.Rows; row++)
        {
            for (var c = 0; c < channels; c++)
            {
                var sum = block.Sums[(row * block.SumStride) + c];
                var scaled = _multipliers[block.Column + c].Multiply(sum);
                var value = Math.Clamp(unchecked(scaled + Output.ZeroPoint), Output.ClampMin, Output.ClampMax);
                block.Bytes[(row * block.OutputStride) + (block.IsApart ? ChannelApart(c, (int)_width) : c)] = (byte)value;
            }
        }
    }

    /// <summary>Some vectors of columns of some rows.</summary>
    private struct Block
    {
        public int* Sums;
        public nint SumStride;
        public nint Rows;
        public int Column;
        public byte* Bytes;
        public nint OutputStride;

        /// <summary>1, 2 or 4.</summary>
        public int Vectors;

        /// <summary>Whether two vectors are taken apart, not neighbours.</summary>
        public bool IsApart;
    }

    private struct BlockWork : IRoundingWork
    {
        public Requantizer Requantizer;
        public Block Block;

        public readonly void Run<TSimd, TVec, TRounding>()
            where TSimd : struct, IIntegerSimd<TVec>
            where TVec : struct
            where TRounding : struct, IRounding<TSimd, TVec>
        {
            if (Block.Vectors == 4)
                Requantizer.RunFour<TSimd, TVec, TRounding>(Block);
            else
                Requantizer.RunTwo<TSimd, TVec, TRounding>(Block);
        }
    }
}
