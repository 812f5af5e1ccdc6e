using System.Diagnostics;
using System.Runtime.InteropServices;
using SeparableConv.Threading;

namespace SeparableConv.Kernels;

/// <summary>
/// Quantized convolution, pointwise, standard or grouped: the sums
/// bias[o] + sum over u,v,c of (x[n, i*s+u*d-p, j*s+v*d-p, c] - zeroPoint) * w[u,v,c,o], exact in 32 bits (beyond which they wrap
/// around), made bytes by <see cref="Requantizer"/>, or given as they are. A dense layer is a pointwise one whose pixels are the batch.
/// </summary>
/// <remarks>
/// The input is widened to 16 bits less its zero point, a block at a time, into scratch memory; the product is
/// <see cref="MatrixProduct"/>'s with pairs of such numbers in place of floats, and so has its tiles, panels and segments. Channels
/// are padded to an even number, the odd one against a weight of zero.
/// </remarks>
internal sealed unsafe class QuantizedConvKernel
{
    // Input, sums and output of a block stay in a part of the second-level cache while every panel of weights passes by.
    private const int BlockBytes = 192 * 1024;

    // Below so many rows a thread spends more on half-filled tiles than it saves by having a part of its own.
    private const int LeastRowsInPart = 2 * MatrixTile.MostRows;

    private readonly PackedMatrix[] _groups;
    private readonly Requantizer _requantizer;
    private readonly QuantizedInput _input;
    private readonly Size2D _kernel;
    private readonly int _groupChannels;
    private readonly int _outChannels;

    /// <param name="layer">Weights (kH, kW, C/groups, O).</param>
    /// <param name="kernel">kH and kW.</param>
    /// <param name="inChannels">C.</param>
    /// <param name="outChannels">O.</param>
    /// <param name="groups">Divides C and O; filters 0 .. O/groups-1 read the first C/groups channels, and so on.</param>
    /// <param name="width">The vector width to run with.</param>
    public QuantizedConvKernel(in QuantizedLayer layer, Size2D kernel, int inChannels, int outChannels, int groups, SimdWidth width)
    {
        var filters = outChannels / groups;
        _groupChannels = inChannels / groups;
        _outChannels = outChannels;
        _kernel = kernel;
        _input = layer.Input;
        Debug.Assert(layer.Weights.Length == kernel.Height * kernel.Width * _groupChannels * outChannels, "weights are (kH, kW, C/groups, O)");
        width = QuantizedLayer.NarrowTo(width, filters);
        _requantizer = new Requantizer(layer.Factors, layer.LargestSums(outChannels), layer.Output, width);
        _groups = new PackedMatrix[groups];
        for (var g = 0; g < groups; g++)
            _groups[g] = Pack(layer, g * filters, filters, width);
    }

    /// <summary>Numbers of 16 bits that a pixel takes in what <see cref="RunWidened"/> reads.</summary>
    public int WidenedChannels => _groupChannels + (_groupChannels & 1);

    private int Filters => _groups[0].Columns;

    private int Taps => _kernel.Height * _kernel.Width;

    /// <summary>Computes (N, outH, outW, O) from (N, inH, inW, C).</summary>
    public void Run(byte* input, byte* output, in ConvGeometry g, int threads)
    {
        if (Taps == 1 && g is { Groups: 1, IsPadded: false, Rows.Stride: 1, Columns.Stride: 1 })
        {
            RunPointwise(input, output, (nint)g.Batch * g.Rows.Out * g.Columns.Out, threads);
            return;
        }

        var rowParts = threads <= 1 ? 1 : Math.Min(g.Rows.Out, 4 * threads);
        var work = new RowWork { Kernel = this, Input = input, Output = output, Geometry = g, RowParts = rowParts };
        WorkerPool.Shared.Run(ref work, checked(g.Batch * rowParts), threads);
        GC.KeepAlive(this);
    }

    /// <summary>Computes <paramref name="pixels"/> rows of (pixels, C) into (pixels, O) with a 1x1 kernel.</summary>
    public void RunPointwise(byte* input, byte* output, nint pixels, int threads)
    {
        // Cut pixels where there are enough of them; else cut the filters.
        var pixelParts = threads <= 1 ? 1 : (int)Math.Min(4 * threads, pixels / LeastRowsInPart / threads * threads);
        var work = new PixelWork
        {
            Kernel = this,
            Input = input,
            Output = output,
            Pixels = pixels,
            PixelParts = Math.Max(1, pixelParts),
            FilterParts = threads <= 1 || pixelParts >= threads ? 1 : Math.Min(2 * threads, _groups[0].Panels.Length),
        };
        WorkerPool.Shared.Run(ref work, work.PixelParts * work.FilterParts, threads);
        GC.KeepAlive(this);
    }

    /// <summary>
    /// Computes part <paramref name="filterPart"/> of <paramref name="filterParts"/> of the filters of a 1x1 kernel on the calling
    /// thread, from 16-bit numbers less the zero point.
    /// </summary>
    /// <param name="left">The first pixel: <see cref="WidenedChannels"/> numbers; where the last is not a channel it is any number.</param>
    /// <param name="leftStride">Numbers from one pixel to the next; even.</param>
    /// <param name="pixels">Pixels.</param>
    /// <param name="output">The first pixel's first filter.</param>
    /// <param name="filterPart">Which part.</param>
    /// <param name="filterParts">Of how many; at most as many as there are panels.</param>
    public void RunWidened(short* left, nint leftStride, nint pixels, byte* output, int filterPart = 0, int filterParts = 1)
    {
        var rows = RowsInBlock(leftStride);
        var sums = (int*)Scratch.Bytes(checked(rows * Filters * sizeof(int)));
        for (nint row = 0; row < pixels; row += rows)
        {
            Multiply(left + (row * leftStride), leftStride, Math.Min(rows, pixels - row), sums, output + (row * Filters), filterPart, filterParts);
        }
    }

    private PackedMatrix Pack(in QuantizedLayer layer, int firstFilter, int filters, SimdWidth width)
    {
        var tapPairs = WidenedChannels / 2;
        var depth = checked(Taps * tapPairs);
        var pairs = new int[checked(depth * filters)];
        for (var tap = 0; tap < Taps; tap++)
        {
            for (var c = 0; c < _groupChannels; c++)
            {
                var row = layer.Weights.Slice(((tap * _groupChannels) + c) * _outChannels + firstFilter, filters);
                var target = pairs.AsSpan(((tap * tapPairs) + (c / 2)) * filters, filters);
                for (var n = 0; n < filters; n++)
                    target[n] |= c % 2 == 0 ? row[n] * _requantizer.SumFactor & 0xFFFF : row[n] * _requantizer.SumFactor << 16;
            }
        }

        var bias = new int[filters];
        for (var n = 0; n < filters && !layer.Bias.IsEmpty; n++)
            bias[n] = layer.Bias[firstFilter + n] * _requantizer.SumFactor;
        return new PackedMatrix(
            MemoryMarshal.Cast<int, float>(pairs), filters, depth, filters, MemoryMarshal.Cast<int, float>(bias), width, tapPairs, shortPairs: true);
    }

    private byte* At(byte* output, nint index) => output + (index * _requantizer.OutputBytes);

    private nint RowsInBlock(nint leftStride)
    {
        var rows = BlockBytes / ((leftStride * sizeof(short)) + ((nint)Filters * sizeof(int)));
        return Math.Max(2, rows / LeastRowsInPart) * LeastRowsInPart;
    }

    private void RunPixels(byte* input, nint pixels, byte* output, int filterPart, int filterParts)
    {
        var pairs = Scratch.RowStride(WidenedChannels / 2);
        var rows = Math.Min(RowsInBlock(2 * pairs), pixels);
        var left = (short*)Scratch.Bytes(checked(rows * ((2 * pairs * sizeof(short)) + ((nint)Filters * sizeof(int)))));
        var sums = (int*)(left + (rows * 2 * pairs));
        for (nint row = 0; row < pixels; row += rows)
        {
            var count = Math.Min(rows, pixels - row);
            Widening.Pixels(_input, input + (row * _groupChannels), _groupChannels, count, _groupChannels, left, 2 * pairs);
            Multiply(left, 2 * pairs, count, sums, At(output, row * _outChannels), filterPart, filterParts);
        }
    }

    private void Multiply(short* left, nint leftStride, nint rows, int* sums, byte* output, int filterPart, int filterParts)
    {
        nint segment = 0;
        var (weights, filters) = (_groups[0], Filters);
        var operand = new LeftRows
        {
            Start = (float*)left,
            RowStride = leftStride / 2,
            Rows = rows,
            SegmentOffsets = &segment,
            Segments = 1,
            SegmentLength = weights.Depth,
        };
        var panels = weights.Panels;
        var (firstPanel, endPanel) = (panels.Length * filterPart / filterParts, panels.Length * (filterPart + 1) / filterParts);
        MatrixProduct.Run(weights, operand, (float*)sums, filters, 0, 0, firstPanel, endPanel);
        var first = panels[firstPanel].FirstColumn;
        var columns = (endPanel < panels.Length ? panels[endPanel].FirstColumn : filters) - first;
        _requantizer.Run(sums + first, filters, rows, first, columns, At(output, first), filters);
    }

    private void RunRows(byte* image, byte* output, in ConvGeometry g, int firstRow, int endRow)
    {
        var form = QuantizedWindow.Create(g, WidenedChannels);
        nint lineBytes = checked((form.LineShorts * sizeof(short)) + ((nint)g.Columns.Out * Filters * sizeof(int)));
        var lines = (int)Math.Clamp((BlockBytes - (form.FirstLineShorts * sizeof(short))) / lineBytes, 1, endRow - firstRow);
        var offsetBytes = (nint)form.Segments * sizeof(nint);
        var sumBytes = (nint)lines * g.Columns.Out * Filters * sizeof(int);
        var offsets = (nint*)Scratch.Bytes(checked(offsetBytes + sumBytes + (form.Shorts(lines) * sizeof(short))));
        var sums = (int*)((byte*)offsets + offsetBytes);
        var window = (short*)((byte*)sums + sumBytes);
        form.FillSegmentOffsets(offsets);
        var left = new LeftRows
        {
            RowStride = form.PixelStride / 2,
            Rows = g.Columns.Out,
            SegmentOffsets = offsets,
            Segments = form.Segments,
            SegmentLength = _groups[0].Depth / form.Segments,
        };
        for (var group = 0; group < _groups.Length; group++)
        {
            var weights = _groups[group];
            for (var row = firstRow; row < endRow; row += lines)
            {
                var count = Math.Min(lines, endRow - row);
                form.Fill(_input, image + ((nint)group * _groupChannels), _groupChannels, row, count, window);
                for (var line = 0; line < count; line++)
                {
                    left.Start = (float*)(window + (line * form.LineStride));
                    MatrixProduct.Run(weights, left, (float*)(sums + ((nint)line * g.Columns.Out * Filters)), Filters, 0, 0, 0, weights.Panels.Length);
                }

                var target = At(output, ((nint)(row - firstRow) * g.Columns.Out * _outChannels) + ((nint)group * Filters));
                _requantizer.Run(sums, Filters, (nint)count * g.Columns.Out, group * Filters, Filters, target, _outChannels);
            }
        }
    }

    private struct PixelWork : IParallelWork
    {
        public QuantizedConvKernel Kernel;
        public byte* Input;
        public byte* Output;
        public nint Pixels;
        public int PixelParts;
        public int FilterParts;

        public readonly void Execute(int part)
        {
            var (filterPart, pixelPart) = Math.DivRem(part, PixelParts);
            var first = Pixels * pixelPart / PixelParts;
            var end = Pixels * (pixelPart + 1) / PixelParts;
            Kernel.RunPixels(
                Input + (first * Kernel._groupChannels), end - first, Kernel.At(Output, first * Kernel._outChannels), filterPart, FilterParts);
        }
    }

    private struct RowWork : IParallelWork
    {
        public QuantizedConvKernel Kernel;
        public byte* Input;
        public byte* Output;
        public ConvGeometry Geometry;
        public int RowParts;

        public readonly void Execute(int part)
        {
            var (n, rowPart) = Math.DivRem(part, RowParts);
            var (rows, columns) = (Geometry.Rows, Geometry.Columns);
            var first = (int)((long)rows.Out * rowPart / RowParts);
            var end = (int)((long)rows.Out * (rowPart + 1) / RowParts);
            var image = Input + ((nint)n * rows.In * columns.In * Geometry.InChannels);
            Kernel.RunRows(image, Kernel.At(Output, (((nint)n * rows.Out) + first) * columns.Out * Geometry.OutChannels), Geometry, first, end);
        }
    }
}
