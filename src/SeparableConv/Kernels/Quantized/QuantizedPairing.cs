using System.Runtime.CompilerServices;

namespace SeparableConv.Kernels;

/// <summary>
/// How a row of input is paired for <see cref="QuantizedDepthwiseKernel"/>: [position][lane], a lane the number at the position and the one a
/// dilation to its right, each 16 bits less the zero point, 0 in the border. Step t of output pixel j reads position
/// j*PixelStep + t*TapStep.
/// </summary>
internal readonly unsafe struct QuantizedPairing
{
    private readonly AxisGeometry _columns;
    private readonly QuantizedInput _input;
    private readonly int _channels;
    private readonly int _multiplier;
    private readonly int _positions;
    private readonly int _steps;

    // Input columns from one position to the next; 0 where positions are pixel after pixel, step after step.
    private readonly int _grid;

    public QuantizedPairing(in ConvGeometry g, QuantizedInput input, int multiplier, int lanes)
    {
        (_columns, _input, _channels, _multiplier) = (g.Columns, input, g.InChannels, multiplier);
        _steps = (g.Columns.Kernel + 1) / 2;

        // All positions that are multiples of what stride and taps have in common; or, where strides or dilations make those
        // many, those alone that are read.
        var tap = 2L * g.Columns.Dilation;
        var grid = _steps == 1 ? g.Columns.Stride : GreatestCommonDivisor(g.Columns.Stride, tap);
        var positions = ((((g.Columns.Out - 1) * (long)g.Columns.Stride) + ((_steps - 1) * tap)) / grid) + 1;
        var alone = (long)g.Columns.Out * _steps;
        if (positions <= alone)
        {
            (_grid, _positions) = ((int)grid, checked((int)positions));
            (PixelStep, TapStep) = ((nint)(g.Columns.Stride / grid * lanes), (nint)(tap / grid * lanes));
        }
        else
        {
            _positions = checked((int)alone);
            (PixelStep, TapStep) = ((nint)_steps * lanes, lanes);
        }

        RowInts = (nint)_positions * lanes;
    }

    /// <summary>Integers that a row takes.</summary>
    public nint RowInts { get; }

    /// <summary>Integers from an output pixel's first position to the next pixel's.</summary>
    public nint PixelStep { get; }

    /// <summary>Integers from one step's position to the next step's.</summary>
    public nint TapStep { get; }

    /// <summary>Pairs a row for the output channels from <paramref name="channel"/> on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Fill<TSimd, TVec>(byte* row, int channel, int* target)
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct
    {
        var zero = TSimd.Broadcast(_input.ZeroPoint);
        var (columns, channels, signed, dilation) = (_columns.In, _channels, _input.IsSigned, _columns.Dilation);
        var spread = stackalloc byte[TSimd.Count];
        for (var p = 0; p < _positions; p++, target += TSimd.Count)
        {
            var column = _grid > 0 ? (p * _grid) - _columns.PadBefore : (p / _steps * _columns.Stride) + (p % _steps * 2 * dilation) - _columns.PadBefore;
            var low = TSimd.Broadcast(0);
            var high = low;
            if ((uint)column < (uint)columns)
                low = TSimd.Subtract(Read<TSimd, TVec>(row + ((nint)column * channels), channel, signed, spread), zero);
            column += dilation;
            if ((uint)column < (uint)columns)
                high = TSimd.Subtract(Read<TSimd, TVec>(row + ((nint)column * channels), channel, signed, spread), zero);
            TSimd.Store(TSimd.JoinPairs(low, high), target);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private TVec Read<TSimd, TVec>(byte* pixel, int channel, bool signed, byte* spread)
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct
    {
        if (_multiplier == 1)
        {
            spread = pixel + channel;
        }
        else
        {
            for (var lane = 0; lane < TSimd.Count; lane++)
                spread[lane] = pixel[(channel + lane) / _multiplier];
        }

        return signed ? TSimd.LoadSignedBytes(spread) : TSimd.LoadBytes(spread);
    }

    private static long GreatestCommonDivisor(long a, long b) => b == 0 ? a : GreatestCommonDivisor(b, a % b);
}
