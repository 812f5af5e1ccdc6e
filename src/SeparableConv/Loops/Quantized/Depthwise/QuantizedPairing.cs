using System.Runtime.CompilerServices;

namespace SeparableConv.Loops;

/// <summary>
/// How a row of input is laid out in pairs for <see cref="QuantizedDepthwisePaired"/>: [position][column of two vectors]. A pair holds the
/// number at the position and the number a dilation to its right, 16 bits each, both less the zero point, and 0 in the border. Step t of
/// output pixel j reads position j*PixelStep + t*TapStep.
/// </summary>
internal readonly unsafe struct QuantizedPairing
{
    // Positions for each that is read: at 3, stride 5 of a 3x3 kernel takes 0.6 of the time that it takes at 2.
    private const int MostUnread = 3;

    private readonly AxisGeometry _columns;
    private readonly QuantizedInput _input;
    private readonly int _channels;
    private readonly int _positions;
    private readonly int _steps;

    // Input columns from one position to the next; 0 where positions are pixel after pixel, step after step.
    private readonly int _grid;

    public QuantizedPairing(AxisGeometry axis, QuantizedInput input, ChannelBlocks blocks)
    {
        (_columns, _input, _channels) = (axis, input, blocks.Channels);
        _steps = (axis.Kernel + 1) / 2;

        var columns = blocks.Columns;

        // All positions that are multiples of what stride and taps have in common, one after the other; or, where strides or dilations make
        // those too many, those alone that are read, each of which takes about three times as long.
        var tap = 2L * axis.Dilation;
        var grid = _steps == 1 ? axis.Stride : GreatestCommonDivisor(axis.Stride, tap);
        var positions = ((((axis.Out - 1) * (long)axis.Stride) + ((_steps - 1) * tap)) / grid) + 1;
        var alone = (long)axis.Out * _steps;
        if (positions <= MostUnread * alone)
        {
            (_grid, _positions) = ((int)grid, checked((int)positions));
            (PixelStep, TapStep) = ((nint)(axis.Stride / grid * columns), (nint)(tap / grid * columns));
        }
        else
        {
            _positions = checked((int)alone);
            (PixelStep, TapStep) = ((nint)_steps * columns, columns);
        }

        RowInts = (nint)_positions * columns;
    }

    /// <summary>Integers that a row takes.</summary>
    public nint RowInts { get; }

    /// <summary>Integers from an output pixel's first position to the next pixel's.</summary>
    public nint PixelStep { get; }

    /// <summary>Integers from one step's position to the next step's.</summary>
    public nint TapStep { get; }

    /// <summary>Lays out a row in pairs, for the channels from <paramref name="channel"/> on.</summary>
    public void Fill<TSimd, TVec>(byte* row, int channel, int* target)
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct
    {
        // The positions both of whose columns are inside the image.
        var (first, end) = (0, 0);
        if (_grid > 0 && _columns.In > _columns.Dilation)
        {
            first = (int)Math.Min(_positions, (_columns.PadBefore + _grid - 1L) / _grid);
            end = (int)Math.Clamp(((_columns.In - 1L - _columns.Dilation + _columns.PadBefore) / _grid) + 1, first, _positions);
            FillInside<TSimd, TVec>(
                row + ((((nint)first * _grid) - _columns.PadBefore) * _channels) + channel,
                end - first,
                target + ((nint)first * 2 * TSimd.Count));
        }

        for (var p = 0; p < first; p++)
            FillOne<TSimd, TVec>(row, channel, p, target);
        for (var p = end; p < _positions; p++)
            FillOne<TSimd, TVec>(row, channel, p, target);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void FillInside<TSimd, TVec>(byte* source, int count, int* target)
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct
    {
        var zero = TSimd.BroadcastShort(_input.ZeroPoint);
        var signed = _input.IsSigned;
        var (step, right) = ((nint)_grid * _channels, (nint)_columns.Dilation * _channels);
        if (step == right)
        {
            // What is right of a position is the next one's own.
            var current = TSimd.SubtractShorts(TSimd.LoadShorts(source, signed), zero);
            for (var p = 0; p < count; p++, target += 2 * TSimd.Count)
            {
                source += step;
                var next = TSimd.SubtractShorts(TSimd.LoadShorts(source, signed), zero);
                TSimd.Store(TSimd.JoinLow(current, next), target);
                TSimd.Store(TSimd.JoinHigh(current, next), target + TSimd.Count);
                current = next;
            }

            return;
        }

        for (var p = 0; p < count; p++, source += step, target += 2 * TSimd.Count)
        {
            var left = TSimd.SubtractShorts(TSimd.LoadShorts(source, signed), zero);
            var next = TSimd.SubtractShorts(TSimd.LoadShorts(source + right, signed), zero);
            TSimd.Store(TSimd.JoinLow(left, next), target);
            TSimd.Store(TSimd.JoinHigh(left, next), target + TSimd.Count);
        }
    }

    private void FillOne<TSimd, TVec>(byte* row, int channel, int position, int* target)
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct
    {
        var column = _grid > 0
            ? (position * _grid) - _columns.PadBefore
            : (position / _steps * _columns.Stride) + (position % _steps * 2 * _columns.Dilation) - _columns.PadBefore;
        var left = Read<TSimd, TVec>(row, column, channel);
        var right = Read<TSimd, TVec>(row, column + _columns.Dilation, channel);
        target += (nint)position * 2 * TSimd.Count;
        TSimd.Store(TSimd.JoinLow(left, right), target);
        TSimd.Store(TSimd.JoinHigh(left, right), target + TSimd.Count);
    }

    private TVec Read<TSimd, TVec>(byte* row, int column, int channel)
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct
    {
        if ((uint)column >= (uint)_columns.In)
            return TSimd.BroadcastShort(0);
        return TSimd.SubtractShorts(
            TSimd.LoadShorts(row + ((nint)column * _channels) + channel, _input.IsSigned), TSimd.BroadcastShort(_input.ZeroPoint));
    }

    private static long GreatestCommonDivisor(long a, long b) => b == 0 ? a : GreatestCommonDivisor(b, a % b);
}
