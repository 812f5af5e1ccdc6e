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
/// from zero: (h + 2^(e-1) - [h below 0]) >> e. The zero point is added before the shift, as zeroPoint * 2^e. The kernel is asked for
/// twice the sums (<see cref="SumFactor"/>), which doubles its weights instead of every product. All of it holds while nothing
/// leaves 32 bits, which the bounds on the sums show when the kernel is made; elsewhere each number goes through
/// <see cref="FixedPointMultiplier.Multiply"/>. Where the clamp cuts off at the zero point, as ReLU's does, what is below 0 needs
/// no rounding of its own.
/// </remarks>
internal sealed unsafe class Requantizer
{
    // 2^28 for the zero point and 2^30 for the sum stay below 2^31 together.
    private const int MostShift = 20;
    private const long MostSum = (1L << 30) - 1;

    private readonly QuantizedOutput _output;
    private readonly SimdWidth _width;
    private readonly FixedPointMultiplier[] _multipliers;

    // One number a channel each: mantissa or float, what is added before the shift, below what it is one less, the shift.
    private readonly PackedBuffer _factors;
    private readonly PackedBuffer _additions;
    private readonly PackedBuffer _limits;
    private readonly PackedBuffer _shifts;

    /// <param name="factors">The real number that a channel's sums are multiplied by; one for all, or one a channel.</param>
    /// <param name="largestSums">A bound on the magnitude of each channel's sums.</param>
    /// <param name="output">What to make of them.</param>
    /// <param name="width">The vector width to run with; there are at least as many channels as it has lanes.</param>
    public Requantizer(ReadOnlySpan<double> factors, ReadOnlySpan<long> largestSums, QuantizedOutput output, SimdWidth width)
    {
        var channels = largestSums.Length;
        Debug.Assert(channels >= (int)width, "There are as many channels as lanes.");
        (_output, _width) = (output, width);
        _multipliers = new FixedPointMultiplier[channels];
        (_factors, _additions, _limits, _shifts) = (new(channels), new(channels), new(channels), new(channels));
        IsVectorized = true;
        for (var c = 0; c < channels; c++)
        {
            var factor = factors[factors.Length == 1 ? 0 : c];
            if (output.Rounding == Requantization.Float)
            {
                _factors.Pointer[c] = (float)factor;
                continue;
            }

            var multiplier = FixedPointMultiplier.Create(factor);
            var e = -multiplier.Shift;
            _multipliers[c] = multiplier;
            IsVectorized &= e is >= 0 and <= MostShift && largestSums[c] <= MostSum;
            if (!IsVectorized)
                continue;
            var addition = (1 << e >> 1) + (output.ZeroPoint << e);
            ((int*)_factors.Pointer)[c] = multiplier.Mantissa;
            ((int*)_additions.Pointer)[c] = addition;
            ((int*)_limits.Pointer)[c] = e == 0 ? int.MinValue : addition;
            ((int*)_shifts.Pointer)[c] = e;
        }
    }

    /// <summary>How many times the sums it must be given: 1 or 2.</summary>
    public int SumFactor => _output.Rounding == Requantization.FixedPoint && IsVectorized ? 2 : 1;

    private bool IsVectorized { get; }

    /// <summary>Makes bytes.</summary>
    /// <param name="sums">The first row, at channel <paramref name="firstChannel"/>.</param>
    /// <param name="sumStride">Sums from one row to the next.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="firstChannel">The first channel.</param>
    /// <param name="channels">Channels; at least as many as there are lanes.</param>
    /// <param name="output">The first row, at the first channel.</param>
    /// <param name="outputStride">Bytes from one row to the next.</param>
    public void ToBytes(int* sums, nint sumStride, nint rows, int firstChannel, int channels, byte* output, nint outputStride) =>
        Run(new(sums, sumStride, rows, firstChannel, channels, output, null, outputStride));

    /// <summary>
    /// The same, but gives 16-bit numbers less the zero point: what the next kernel would make of the bytes. The stride is in such numbers.
    /// </summary>
    public void ToShorts(int* sums, nint sumStride, nint rows, int firstChannel, int channels, short* output, nint outputStride) =>
        Run(new(sums, sumStride, rows, firstChannel, channels, null, output, outputStride));

    private void Run(in Block block)
    {
        if (!IsVectorized)
        {
            RunByNumber(block);
            return;
        }

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
        for (var c = 0; c < block.Channels; c += TSimd.Count)
        {
            // The last vector ends with the last channel; it may overlap the one before.
            var at = Math.Min(c, block.Channels - TSimd.Count);
            if (_output.Rounding == Requantization.Float)
                RunFloat<TSimd, TVec>(block, at);
            else if (_output.ClampMin < _output.ZeroPoint)
                RunFixed<TSimd, TVec, Constant.Is1>(block, at);
            else
                RunFixed<TSimd, TVec, Constant.Is0>(block, at);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunFixed<TSimd, TVec, TNegative>(in Block block, int at)
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct
        where TNegative : struct, IConstant
    {
        var channel = block.FirstChannel + at;
        var mantissa = TSimd.Load((int*)_factors.Pointer + channel);
        var addition = TSimd.Load((int*)_additions.Pointer + channel);
        var limit = TSimd.Load((int*)_limits.Pointer + channel);
        var shift = TSimd.Load((int*)_shifts.Pointer + channel);
        var lower = TSimd.Broadcast(_output.ClampMin);
        var upper = TSimd.Broadcast(_output.ClampMax);
        var zeroPoint = TSimd.Broadcast(_output.ZeroPoint);
        var sums = block.Sums + at;
        var bytes = block.Bytes + at;
        var shorts = block.Shorts + at;
        var (sumStride, stride) = (block.SumStride, block.OutputStride);
        for (nint row = 0; row < block.Rows; row++)
        {
            var value = TSimd.Add(TSimd.HighMultiply(TSimd.Load(sums), mantissa), addition);
            if (TNegative.Value == 1)
                value = TSimd.DecrementBelow(value, limit);
            value = TSimd.Min(TSimd.Max(TSimd.ShiftRight(value, shift), lower), upper);
            if (block.Shorts != null)
                TSimd.StoreShorts(TSimd.Subtract(value, zeroPoint), shorts);
            else
                TSimd.StoreBytes(value, bytes);
            sums += sumStride;
            bytes += stride;
            shorts += stride;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunFloat<TSimd, TVec>(in Block block, int at)
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct
    {
        var scale = TSimd.Load((int*)_factors.Pointer + block.FirstChannel + at);
        var lower = TSimd.Broadcast(BitConverter.SingleToInt32Bits(_output.ClampMin - _output.ZeroPoint));
        var upper = TSimd.Broadcast(BitConverter.SingleToInt32Bits(_output.ClampMax - _output.ZeroPoint));
        var zeroPoint = TSimd.Broadcast(_output.ZeroPoint);
        var sums = block.Sums + at;
        var bytes = block.Bytes + at;
        var shorts = block.Shorts + at;
        var (sumStride, stride) = (block.SumStride, block.OutputStride);
        for (nint row = 0; row < block.Rows; row++)
        {
            var value = TSimd.Scale(TSimd.Load(sums), scale, lower, upper);
            if (block.Shorts != null)
                TSimd.StoreShorts(value, shorts);
            else
                TSimd.StoreBytes(TSimd.Add(value, zeroPoint), bytes);
            sums += sumStride;
            bytes += stride;
            shorts += stride;
        }
    }

    private void RunByNumber(in Block block)
    {
        for (nint row = 0; row < block.Rows; row++)
        {
            for (var c = 0; c < block.Channels; c++)
            {
                var scaled = _multipliers[block.FirstChannel + c].Multiply(block.Sums[(row * block.SumStride) + c]) + _output.ZeroPoint;
                var value = Math.Clamp(scaled, _output.ClampMin, _output.ClampMax);
                if (block.Shorts != null)
                    block.Shorts[(row * block.OutputStride) + c] = (short)(value - _output.ZeroPoint);
                else
                    block.Bytes[(row * block.OutputStride) + c] = (byte)value;
            }
        }
    }

    private readonly struct Block(int* sums, nint sumStride, nint rows, int firstChannel, int channels, byte* bytes, short* shorts, nint outputStride)
    {
        public readonly int* Sums = sums;
        public readonly nint SumStride = sumStride;
        public readonly nint Rows = rows;
        public readonly int FirstChannel = firstChannel;
        public readonly int Channels = channels;
        public readonly byte* Bytes = bytes;
        public readonly short* Shorts = shorts;
        public readonly nint OutputStride = outputStride;
    }
}
