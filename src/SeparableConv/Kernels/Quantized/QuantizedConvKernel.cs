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
/// The product is <see cref="MatrixProduct"/>'s, with integers in place of floats, and so has its tiles, panels and segments. Where the
/// machine multiplies four bytes at once and the weights fit signed bytes, lanes hold four channels: pointwise layers often read
/// their input where it lies. Elsewhere they hold two channels, widened to 16 bits, a block at a time. Some panels by some rows are
/// multiplied, and made bytes while their sums are in the first-level cache. Channels are padded to full lanes, against weights of zero.
/// </remarks>
internal sealed unsafe class QuantizedConvKernel
{
    // A block of input stays in a part of the second-level cache while every panel of weights passes by.
    private const int BlockBytes = 192 * 1024;

    // Sums share the first-level cache with a panel and the rows at work. There is room for a tile of any panels that go together.
    private const int SumBytes = 24 * 1024;

    // Vectors of columns whose sums are made bytes together: a row of 64 bytes on 512 bits.
    private const int VectorsTogether = 4;

    // Below so many rows a thread spends more on half-filled tiles than it saves by having a part of its own.
    private const int LeastRowsInPart = 2 * MatrixTile.MostRows;

    private readonly PackedMatrix[] _groups;
    private readonly Requantizer _requantizer;
    private readonly QuantizedLanes _lanes;
    private readonly Size2D _kernel;
    private readonly int _groupChannels;
    private readonly int _outChannels;

    /// <param name="layer">Weights (kH, kW, C/groups, O).</param>
    /// <param name="kernel">kH and kW.</param>
    /// <param name="inChannels">C.</param>
    /// <param name="outChannels">O.</param>
    /// <param name="groups">Divides C and O; filters 0 .. O/groups-1 read the first C/groups channels, and so on.</param>
    /// <param name="width">The vector width to run with.</param>
    /// <param name="byteQuads">Whether to multiply four bytes at once, if the weights fit; where not given, where the machine has an instruction for it.</param>
    public QuantizedConvKernel(
        in QuantizedLayer layer, Size2D kernel, int inChannels, int outChannels, int groups, SimdWidth width, bool? byteQuads = null)
    {
        var filters = outChannels / groups;
        _groupChannels = inChannels / groups;
        _outChannels = outChannels;
        _kernel = kernel;
        Debug.Assert(layer.Weights.Length == kernel.Height * kernel.Width * _groupChannels * outChannels, "weights are (kH, kW, C/groups, O)");
        width = QuantizedLayer.NarrowTo(width, filters);
        var kind = LaneKind.ShortPair;
        if (byteQuads != false && !layer.Weights.ContainsAnyExceptInRange(sbyte.MinValue, sbyte.MaxValue))
            (kind, width) = ChooseQuads(width, byteQuads == true);
        _lanes = new(layer.Input, kind);
        _requantizer = new Requantizer(layer.Factors, layer.LargestSums(outChannels), layer.Output, width);
        _groups = new PackedMatrix[groups];
        for (var g = 0; g < groups; g++)
            _groups[g] = Pack(layer, g * filters, filters, width);
    }

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

    // 512 bits of pairs do what 256 of quads do, but for the additions.
    private static (LaneKind Kind, SimdWidth Width) ChooseQuads(SimdWidth width, bool isForced)
    {
        if (isForced || MatrixTileTable.HasByteQuads(width))
            return (LaneKind.ByteQuad, width);
        return width == SimdWidth.V512 && MatrixTileTable.HasByteQuads(SimdWidth.V256) ? (LaneKind.ByteQuad, SimdWidth.V256) : (LaneKind.ShortPair, width);
    }

    private PackedMatrix Pack(in QuantizedLayer layer, int firstFilter, int filters, SimdWidth width)
    {
        var tapLanes = _lanes.Lanes(_groupChannels);
        var depth = checked(Taps * tapLanes);
        var (inLane, bits) = (_lanes.ChannelsInLane, 32 / _lanes.ChannelsInLane);
        var mask = uint.MaxValue >> (32 - bits);
        var lanes = new uint[checked(depth * filters)];
        var bias = new int[filters];
        if (!layer.Bias.IsEmpty)
            layer.Bias.Slice(firstFilter, filters).CopyTo(bias);
        for (var tap = 0; tap < Taps; tap++)
        {
            for (var c = 0; c < _groupChannels; c++)
            {
                var row = layer.Weights.Slice((((tap * _groupChannels) + c) * _outChannels) + firstFilter, filters);
                var target = lanes.AsSpan(((tap * tapLanes) + (c / inLane)) * filters, filters);
                var shift = c % inLane * bits;
                for (var n = 0; n < filters; n++)
                {
                    target[n] |= ((uint)row[n] & mask) << shift;
                    bias[n] -= _lanes.ZeroPoint * row[n];
                }
            }
        }

        return new PackedMatrix(
            MemoryMarshal.Cast<uint, float>(lanes), filters, depth, filters, MemoryMarshal.Cast<int, float>(bias), width, tapLanes, _lanes.Kind);
    }

    private byte* At(byte* output, nint index) => output + (index * _requantizer.OutputBytes);

    private void RunPixels(byte* input, nint pixels, byte* output, int filterPart, int filterParts)
    {
        var panels = _groups[0].Panels.Length;
        var (firstPanel, endPanel) = (panels * filterPart / filterParts, panels * (filterPart + 1) / filterParts);
        var inPlace = _lanes.AreInput(_groupChannels);
        var stride = inPlace ? _groupChannels / sizeof(int) : Scratch.RowStride(_lanes.Lanes(_groupChannels));
        var rows = Math.Min(Math.Max(2, BlockBytes / (stride * sizeof(int)) / LeastRowsInPart) * LeastRowsInPart, pixels);
        var sums = (int*)Scratch.Bytes(checked(SumBytes + (inPlace ? 0 : rows * stride * sizeof(int))));
        var copy = (int*)((byte*)sums + SumBytes);
        nint segment = 0;
        var left = new LeftRows { RowStride = stride, SegmentOffsets = &segment, Segments = 1, SegmentLength = _groups[0].Depth };
        for (nint row = 0; row < pixels; row += rows)
        {
            left.Rows = Math.Min(rows, pixels - row);
            var source = input + (row * _groupChannels);
            left.Start = (float*)(inPlace ? (int*)source : copy);
            if (!inPlace)
                _lanes.Fill(source, _groupChannels, left.Rows, _groupChannels, copy, stride);
            Multiply(left, 1, 0, 0, firstPanel, endPanel, sums, At(output, row * _outChannels));
        }
    }

    private void RunRows(byte* image, byte* output, in ConvGeometry g, int firstRow, int endRow)
    {
        var form = QuantizedWindow.Create(g, _lanes, _groupChannels);
        var lines = (int)Math.Clamp((BlockBytes - (form.FirstLineLanes * sizeof(int))) / (form.LineLanes * sizeof(int)), 1, endRow - firstRow);
        var offsetBytes = (nint)form.Segments * sizeof(nint);
        var sums = (int*)Scratch.Bytes(checked(SumBytes + offsetBytes + (form.Lanes(lines) * sizeof(int))));
        var offsets = (nint*)((byte*)sums + SumBytes);
        var window = (int*)((byte*)offsets + offsetBytes);
        form.FillSegmentOffsets(offsets);
        var left = new LeftRows
        {
            Start = (float*)window,
            RowStride = form.PixelStride,
            Rows = g.Columns.Out,
            SegmentOffsets = offsets,
            Segments = form.Segments,
            SegmentLength = _groups[0].Depth / form.Segments,
        };
        for (var row = firstRow; row < endRow; row += lines)
        {
            var count = Math.Min(lines, endRow - row);
            for (var group = 0; group < _groups.Length; group++)
            {
                form.Fill(image + ((nint)group * _groupChannels), row, count, window);
                var target = At(output, ((nint)(row - firstRow) * g.Columns.Out * _outChannels) + ((nint)group * Filters));
                Multiply(left, count, form.LineStride, group, 0, _groups[group].Panels.Length, sums, target);
            }
        }
    }

    /// <summary>Multiplies lines of rows and makes bytes of the sums.</summary>
    /// <param name="left">The first line.</param>
    /// <param name="lines">Lines.</param>
    /// <param name="lineStride">Lanes from one to the next.</param>
    /// <param name="group">Whose weights.</param>
    /// <param name="firstPanel">The first panel of them.</param>
    /// <param name="endPanel">One past the last.</param>
    /// <param name="sums">Room.</param>
    /// <param name="output">The first row's first filter of the group.</param>
    private void Multiply(LeftRows left, int lines, nint lineStride, int group, int firstPanel, int endPanel, int* sums, byte* output)
    {
        var weights = _groups[group];
        var panels = weights.Panels;
        var start = left.Start;
        var lineRows = left.Rows;
        while (firstPanel < endPanel)
        {
            var end = firstPanel;
            var vectors = 0;
            while (end < endPanel && vectors < VectorsTogether)
                vectors += panels[end++].Vectors;
            var column = panels[firstPanel].FirstColumn;
            var columns = (end < panels.Length ? panels[end].FirstColumn : Filters) - column;

            // Part of a line, or some short lines whole.
            var most = Math.Max(1, SumBytes / (columns * sizeof(int)) / MatrixTile.MostRows) * MatrixTile.MostRows;
            var part = Math.Min(most, lineRows);
            var together = (int)Math.Max(1, most / lineRows);
            for (var line = 0; line < lines; line += together)
            {
                var count = Math.Min(together, lines - line);
                for (nint row = 0; row < lineRows; row += part)
                {
                    left.Rows = Math.Min(part, lineRows - row);
                    for (var i = 0; i < count; i++)
                    {
                        left.Start = start + ((line + i) * lineStride) + (row * left.RowStride);
                        MatrixProduct.Run(weights, left, (float*)(sums + (i * left.Rows * columns)) - column, columns, 0, 0, firstPanel, end);
                    }

                    var target = At(output, (((line * lineRows) + row) * _outChannels) + column);
                    _requantizer.Run(sums, columns, count * left.Rows, (group * Filters) + column, columns, target, _outChannels);
                }
            }

            firstPanel = end;
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
