using System.Runtime.CompilerServices;

namespace SeparableConv.Loops;

/// <summary>
/// Depthwise convolution of fewer channels than a vector has lanes, or of mapped channels. Input rows are first spread out in
/// scratch memory: zeros on both sides, a channel for each output channel, and the columns sorted by their remainder under the stride. What
/// is left is a convolution whose output channels read their own input channels and whose columns lie side by side whatever the stride, so
/// that several pixels of few channels fill a vector together. <see cref="DepthwiseTaps"/> computes it.
/// </summary>
internal static unsafe class DepthwiseSpread
{
    public static void Run<TSimd, TVec>(in DepthwiseBlock block, in ConvGeometry g, Activation activation, SimdWidth width)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var outChannels = block.OutChannels;
        var groups = (g.Columns.Out + block.PixelsTogether - 1) / block.PixelsTogether;

        // A row is padded to a whole number of strides; a single column takes none, however long they are.
        var columns = g.Columns.Out == 1 ? g.Columns with { Stride = 1 } : g.Columns;
        var row = new SpreadRow(block, columns, groups * block.PixelsTogether);
        var window = g.Rows.Span;
        var kernelTaps = g.Rows.Kernel * g.Columns.Kernel;

        // One piece of scratch memory: the rows of the window, a row of output, the lists of taps, what row each slot holds.
        var floats = ((nint)window * row.Floats) + ((nint)groups * block.PixelsTogether * outChannels);
        var bytes = ((floats * sizeof(float)) + 15) & ~15;
        var scratch = Scratch.Bytes(bytes + ((nint)kernelTaps * (sizeof(float*) + sizeof(int))) + ((nint)window * sizeof(int)));
        var rows = (float*)scratch;
        var outRow = rows + ((nint)window * row.Floats);
        var inputs = (float**)(scratch + bytes);
        var numbers = (int*)(inputs + kernelTaps);
        var held = numbers + kernelTaps;
        new Span<int>(held, window).Fill(-1);

        // Groups that end with the row and leave no gaps can be written in place.
        var inPlace = block.PixelsTogether == 1
            || (block.OutputPixelStride == outChannels && g.Columns.Out % block.PixelsTogether == 0);
        var run = new DepthwiseRun
        {
            Inputs = inputs,
            Numbers = numbers,
            KernelTaps = kernelTaps,
            InputStep = (nint)block.PixelsTogether * outChannels,
            OutputStep = block.PixelsTogether == 1 ? block.OutputPixelStride : block.PixelsTogether * outChannels,
            Pixels = groups,
            Weights = block.Weights,
            Bias = block.Bias,
            FirstVector = block.FirstVector,
            EndVector = block.EndVector,
            Channels = block.PixelsTogether * outChannels,
            Lower = block.Lower,
            Upper = block.Upper,
        };
        for (var y = block.FirstRow; y < block.EndRow; y++)
        {
            run.Taps = 0;
            var (firstTap, endTap) = g.Rows.Taps(y);
            for (var tap = firstTap; tap < endTap; tap++)
            {
                var inY = g.Rows.InputStart(y) + (tap * g.Rows.Dilation);
                var slot = inY % window;
                var spread = rows + ((nint)slot * row.Floats);
                if (held[slot] != inY)
                {
                    row.Fill(block.InputRow(inY, g.Columns.In), spread);
                    held[slot] = inY;
                }

                for (var x = 0; x < g.Columns.Kernel; x++)
                {
                    inputs[run.Taps] = spread + row.Offset(x * g.Columns.Dilation);
                    numbers[run.Taps++] = (tap * g.Columns.Kernel) + x;
                }
            }

            var output = block.OutputRow(y, g.Columns.Out);
            run.Output = inPlace ? output : outRow;
            DepthwiseTaps.Run<TSimd, TVec, ReadsItsOwn>(run);
            if (!inPlace)
                CopyPixels(outRow, output, g.Columns.Out, outChannels, block.OutputPixelStride);
            Activate(block, activation, output, g.Columns.Out, width);
        }
    }

    private static void Activate(in DepthwiseBlock block, Activation activation, float* row, int pixels, SimdWidth width)
    {
        if (!activation.IsClamp)
            activation.ApplyRows(row, pixels, block.OutChannels, block.OutputPixelStride, 0, width);
    }

    private static void CopyPixels(float* from, float* to, int pixels, int channels, nint stride)
    {
        if (stride == channels)
        {
            Buffer.MemoryCopy(from, to, (nint)pixels * channels * sizeof(float), (nint)pixels * channels * sizeof(float));
            return;
        }

        for (var pixel = 0; pixel < pixels; pixel++)
        {
            for (var c = 0; c < channels; c++)
                to[(pixel * stride) + c] = from[((nint)pixel * channels) + c];
        }
    }

    /// <summary>A spread row is [column % stride][column / stride][output channel], columns counted from the left border.</summary>
    private readonly struct SpreadRow
    {
        private readonly AxisGeometry _columns;
        private readonly int _inChannels;
        private readonly int _outChannels;
        private readonly int _multiplier;
        private readonly int* _map;
        private readonly nint _phase;

        public SpreadRow(in DepthwiseBlock block, AxisGeometry columns, int outColumns)
        {
            (_columns, _inChannels, _outChannels) = (columns, block.InChannels, block.OutChannels);
            _multiplier = block.Multiplier;
            _map = block.Map;
            var needed = ((outColumns - 1) * columns.Stride) + columns.Span;
            _phase = (nint)((needed + columns.Stride - 1) / columns.Stride) * _outChannels;
        }

        public nint Floats => _phase * _columns.Stride;

        /// <summary>Where a column, counted from the left border, begins.</summary>
        public nint Offset(int column) => (column % _columns.Stride * _phase) + ((nint)(column / _columns.Stride) * _outChannels);

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Fill(float* from, float* to)
        {
            var stride = _columns.Stride;
            new Span<float>(to, checked((int)Floats)).Clear();
            var end = (int)Math.Clamp((Floats / _outChannels) - _columns.PadBefore, 0, _columns.In);
            if (stride == 1 && _multiplier == 1)
            {
                var bytes = (nint)end * _inChannels * sizeof(float);
                Buffer.MemoryCopy(from, to + Offset(_columns.PadBefore), bytes, bytes);
                return;
            }

            // A stride's worth of passes, each of which writes from left to right.
            for (var first = 0; first < Math.Min(stride, end); first++)
            {
                var target = to + Offset(first + _columns.PadBefore);
                for (var x = first; x < end; x += stride, target += _outChannels)
                    SpreadPixel(from + ((nint)x * _inChannels), target);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void SpreadPixel(float* from, float* to)
        {
            if (_multiplier == 0)
            {
                for (var e = 0; e < _outChannels; e++)
                    to[e] = from[_map[e]];
                return;
            }

            if (_multiplier == 1)
            {
                for (var c = 0; c < _inChannels; c++)
                    to[c] = from[c];
                return;
            }

            for (var c = 0; c < _inChannels; c++)
            {
                var m = 0;
                for (; m <= _multiplier - Simd128.Count; m += Simd128.Count, to += Simd128.Count)
                    Simd128.Store(Simd128.Broadcast(from[c]), to);
                for (; m < _multiplier; m++)
                    *to++ = from[c];
            }
        }
    }
}
