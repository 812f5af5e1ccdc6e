using System.Diagnostics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using SeparableConv.Threading;

namespace SeparableConv.Loops;

/// <summary>
/// Quantized convolution, pointwise, standard or grouped: the sums
/// bias[o] + sum over u,v,c of (x[n, i*s+u*d-p, j*s+v*d-p, c] - zeroPoint) * w[u,v,c,o], exact in 32 bits (beyond which they wrap
/// around), made bytes by <see cref="Requantizer"/>, or given as they are. A dense layer is a pointwise one whose pixels are the batch.
/// </summary>
/// <remarks>
/// The product is <see cref="MatrixProduct"/>'s, with integers in place of floats, and so has its tiles, panels and segments. Where the
/// machine multiplies four bytes at once and the weights fit signed bytes, or do less a number, lanes hold four channels: pointwise layers
/// often read their input where it lies. Elsewhere they hold two channels, widened to 16 bits, a block at a time. Some panels by some rows
/// are multiplied, and made bytes while their sums are in the first-level cache. Channels are padded to full lanes, against weights of
/// zero.
/// </remarks>
internal sealed unsafe class QuantizedConvLoop
{
    // A block of input stays in a part of the second-level cache while every panel of weights passes by.
    private const int BlockBytes = 192 * 1024;

    // Sums share the first-level cache with a panel and the rows at work. There is room for a tile of any panels that go together.
    private const int SumsBytes = 24 * 1024;

    // Vectors of columns whose sums are made bytes together: a row of 64 bytes on 512 bits.
    private const int VectorsTogether = 4;

    private const int LeastRowsInPart = ProductParts.LeastRows;

    // Of a shorter row the sum takes longer than four bytes at once save: 8 numbers 1.7 times as long in all, 32 as long, 64 0.75 times.
    private const int LeastShiftedDepth = 64;

    private readonly PackedMatrix[] _groups;
    private readonly Requantizer _requantizer;
    private readonly QuantizedLanes _lanes;
    private readonly Size2D _kernel;
    private readonly int _groupChannels;
    private readonly int _outChannels;

    // Subtracted from every weight, so that weights which fit no signed byte (uint8 weights less their zero point) do so. The product then
    // lacks _shift times the sum of a row's inputs, which is added to it.
    private readonly int _shift;

    /// <param name="layer">Weights (kH, kW, C/groups, O).</param>
    /// <param name="kernel">kH and kW.</param>
    /// <param name="inChannels">C.</param>
    /// <param name="outChannels">O.</param>
    /// <param name="groups">Divides C and O; filters 0 .. O/groups-1 read the first C/groups channels, and so on.</param>
    /// <param name="width">The vector width to run with.</param>
    /// <param name="byteQuads">
    /// Whether to multiply four bytes at once, if the weights fit; where not given, where the machine has an instruction for it.
    /// </param>
    public QuantizedConvLoop(
        in QuantizedLayer layer, Size2D kernel, int inChannels, int outChannels, int groups, SimdWidth width, bool? byteQuads = null)
    {
        var filters = outChannels / groups;
        _groupChannels = inChannels / groups;
        _outChannels = outChannels;
        _kernel = kernel;
        Debug.Assert(
            layer.Weights.Length == kernel.Height * kernel.Width * _groupChannels * outChannels, "weights are (kH, kW, C/groups, O)");

        // Fewer filters than four are multiplied as four, whose sums are copied out of a vector, and made bytes one by one.
        var isNarrow = filters < (int)SimdWidth.V128;
        width = SimdWidths.ForChannels(width, Math.Max(filters, (int)SimdWidth.V128));
        var kind = LaneKind.ShortPair;
        if (byteQuads != false && TryShift(layer.Weights, byteQuads == true, out var shift))
        {
            (kind, width) = byteQuads == true ? (LaneKind.ByteQuad, width) : ByteInstructions.Machine.Choose(width);
            _shift = kind == LaneKind.ByteQuad ? shift : 0;
        }

        _lanes = new(layer.Input, kind);
        _requantizer = new Requantizer(
            layer.Factors, layer.LargestSums(outChannels), layer.Output, isNarrow ? SimdWidth.Scalar : width);
        _groups = new PackedMatrix[groups];
        for (var g = 0; g < groups; g++)
            _groups[g] = Pack(layer, g * filters, filters, width);
    }

    /// <summary>Runs of filters that can be computed by themselves.</summary>
    public int Panels => _groups[0].Panels.Length;

    /// <summary>Filters of each panel, but of the last where their number is no multiple of it.</summary>
    public int PanelColumns => 2 * _groups[0].Table.VectorLength;

    private int Filters => _groups[0].Columns;

    private int Taps => _kernel.Height * _kernel.Width;

    /// <summary>Computes (N, outH, outW, O) from (N, inH, inW, C).</summary>
    public void Run(byte* input, byte* output, in ConvGeometry g, int threads)
    {
        if (g.IsPointwise)
        {
            RunPointwise(input, output, (nint)g.Batch * g.Rows.Out * g.Columns.Out, threads);
            return;
        }

        var rowParts = threads <= 1 ? 1 : Math.Min(g.Rows.Out, 4 * threads);
        var work = new RowWork { Loop = this, Input = input, Output = output, Geometry = g, RowParts = rowParts };
        WorkerPool.Shared.Run(ref work, checked(g.Batch * rowParts), threads);
        GC.KeepAlive(this);
    }

    /// <summary>Computes <paramref name="pixels"/> rows of (pixels, C) into (pixels, O) with a 1x1 kernel.</summary>
    public void RunPointwise(byte* input, byte* output, nint pixels, int threads)
    {
        var parts = ProductParts.Cut(pixels, Panels, threads);
        var work = new PixelWork { Loop = this, Input = input, Output = output, Parts = parts };
        WorkerPool.Shared.Run(ref work, work.Parts.Count, threads);
        GC.KeepAlive(this);
    }

    // A shift needs the sum of a row's inputs, and so rows whose lanes hold nothing but channels.
    private bool TryShift(ReadOnlySpan<short> weights, bool isForced, out int shift)
    {
        var (least, most) = (TensorPrimitives.Min(weights), TensorPrimitives.Max(weights));
        var fits = least >= sbyte.MinValue && most <= sbyte.MaxValue;
        shift = fits ? 0 : least - sbyte.MinValue;
        return fits
            || (most - least <= byte.MaxValue
                && _groupChannels % sizeof(int) == 0
                && (isForced || Taps * _groupChannels >= LeastShiftedDepth));
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
                    var weight = row[n] - _shift;
                    target[n] |= ((uint)weight & mask) << shift;
                    bias[n] -= _lanes.ZeroPoint * weight;
                }
            }
        }

        return new PackedMatrix(
            MemoryMarshal.Cast<uint, float>(lanes), filters, depth, filters, MemoryMarshal.Cast<int, float>(bias),
            width, tapLanes, _lanes.Kind);
    }

    private byte* At(byte* output, nint index) => output + (index * _requantizer.OutputBytes);

    /// <summary>
    /// Computes part <paramref name="filterPart"/> of <paramref name="filterParts"/> of the filters of a 1x1 kernel, on the calling thread.
    /// </summary>
    public void RunPixels(byte* input, nint pixels, byte* output, int filterPart = 0, int filterParts = 1) =>
        RunPanels(input, pixels, output, Panels * filterPart / filterParts, Panels * (filterPart + 1) / filterParts);

    /// <summary>Computes some panels of the filters of a 1x1 kernel, on the calling thread.</summary>
    public void RunPanels(byte* input, nint pixels, byte* output, int firstPanel, int endPanel)
    {
        var inPlace = _lanes.AreInput(_groupChannels);
        var stride = inPlace ? _groupChannels / sizeof(int) : Scratch.RowStride(_lanes.Lanes(_groupChannels));
        var rows = Math.Min(Math.Max(2, BlockBytes / (stride * sizeof(int)) / LeastRowsInPart) * LeastRowsInPart, pixels);
        var sums = (int*)Scratch.Bytes(checked(SumsBytes + (rows * sizeof(int)) + (inPlace ? 0 : rows * stride * sizeof(int))));
        var rowSums = (int*)((byte*)sums + SumsBytes);
        var copy = rowSums + rows;
        nint segment = 0;
        var left = new LeftRows { RowStride = stride, SegmentOffsets = &segment, Segments = 1, SegmentLength = _groups[0].Depth };
        for (nint row = 0; row < pixels; row += rows)
        {
            left.Rows = Math.Min(rows, pixels - row);
            var source = input + (row * _groupChannels);
            left.Start = (float*)(inPlace ? (int*)source : copy);
            if (!inPlace)
                _lanes.Fill(source, _groupChannels, left.Rows, _groupChannels, copy, stride);
            Multiply(left, 1, 0, 0, firstPanel, endPanel, sums, rowSums, At(output, row * _outChannels), new(0, _outChannels));
        }
    }

    /// <summary>The same as <see cref="RunRows"/> into pixels that follow each other without a gap; pointwise layers too.</summary>
    public void RunImageRows(byte* image, byte* output, in ConvGeometry g, int firstRow, int endRow)
    {
        nint row = g.Columns.Out * (nint)_outChannels;
        if (g.IsPointwise)
            RunPixels(image + ((nint)firstRow * g.Columns.In * _groupChannels), (nint)(endRow - firstRow) * g.Columns.In, output);
        else
            RunRows(image, output, new(row, _outChannels), g, firstRow, endRow);
    }

    /// <summary>
    /// Computes output rows <paramref name="firstRow"/> up to <paramref name="endRow"/> of one image on the calling thread.
    /// </summary>
    /// <param name="image">The image.</param>
    /// <param name="output">Where the first of these rows begins.</param>
    /// <param name="outputStride">Outputs from one row to the next, and from one pixel to the next.</param>
    /// <param name="g">The sizes.</param>
    /// <param name="firstRow">The first row.</param>
    /// <param name="endRow">One past the last row.</param>
    public void RunRows(byte* image, byte* output, LineStrides outputStride, in ConvGeometry g, int firstRow, int endRow)
    {
        var form = QuantizedWindow.Create(g, _lanes, _groupChannels);
        var lines = (int)Math.Clamp(
            (BlockBytes - (form.FirstLineLanes * sizeof(int))) / (form.LineLanes * sizeof(int)), 1, endRow - firstRow);
        var offsetBytes = (nint)form.Segments * sizeof(nint);
        var rowSumCount = (nint)lines * g.Columns.Out;
        var sums = (int*)Scratch.Bytes(checked(SumsBytes + offsetBytes + ((rowSumCount + form.Lanes(lines)) * sizeof(int))));
        var offsets = (nint*)((byte*)sums + SumsBytes);
        var rowSums = (int*)((byte*)offsets + offsetBytes);
        var window = rowSums + rowSumCount;
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
                var target = At(output, ((row - firstRow) * outputStride.Line) + ((nint)group * Filters));
                Multiply(left, count, form.LineStride, group, 0, _groups[group].Panels.Length, sums, rowSums, target, outputStride);
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
    /// <param name="rowSums">Room for a number for each row of each line.</param>
    /// <param name="output">The first row's first filter of the group.</param>
    /// <param name="outputStride">Outputs from a line to the next, and from a row to the next.</param>
    private void Multiply(
        LeftRows left, int lines, nint lineStride, int group, int firstPanel, int endPanel, int* sums, int* rowSums, byte* output,
        LineStrides outputStride)
    {
        if (_shift != 0)
            SumRows(left, lines, lineStride, rowSums);
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
            var most = Math.Max(1, SumsBytes / (columns * sizeof(int)) / MatrixTile.MostRows) * MatrixTile.MostRows;
            var part = Math.Min(most, lineRows);
            var together = outputStride.Line == lineRows * outputStride.Pixel ? (int)Math.Max(1, most / lineRows) : 1;
            for (var line = 0; line < lines; line += together)
            {
                var count = Math.Min(together, lines - line);
                for (nint row = 0; row < lineRows; row += part)
                {
                    left.Rows = Math.Min(part, lineRows - row);
                    for (var i = 0; i < count; i++)
                    {
                        left.Start = start + ((line + i) * lineStride) + (row * left.RowStride);
                        MatrixProduct.Run(
                            weights, left, (float*)(sums + (i * left.Rows * columns)) - column, columns, Activation.None, firstPanel, end);
                    }

                    if (_shift != 0)
                        AddToRows(sums, columns, rowSums + (line * lineRows) + row, count * left.Rows);
                    var target = At(output, (line * outputStride.Line) + (row * outputStride.Pixel) + column);
                    _requantizer.Run(sums, columns, count * left.Rows, (group * Filters) + column, columns, target, outputStride.Pixel);
                }
            }

            firstPanel = end;
        }
    }

    // _shift times the sum of every row's numbers less the zero point.
    private void SumRows(in LeftRows left, int lines, nint lineStride, int* rowSums)
    {
        var zeros = Taps * _groupChannels * _lanes.ZeroPoint;
        for (var line = 0; line < lines; line++)
        {
            var row = left.Start + (line * lineStride);
            for (nint r = 0; r < left.Rows; r++, row += left.RowStride)
            {
                var sum = 0;
                for (var s = 0; s < left.Segments; s++)
                    sum += SumBytes((byte*)(row + left.SegmentOffsets[s]), left.SegmentLength * sizeof(int));
                *rowSums++ = _shift * (sum - zeros);
            }
        }
    }

    private static int SumBytes(byte* bytes, int count)
    {
        var sum = 0;
        if (Avx2.IsSupported)
        {
            var sums = Vector256<int>.Zero;
            for (; count >= 32; count -= 32, bytes += 32)
                sums += Avx2.SumAbsoluteDifferences(Vector256.Load(bytes), Vector256<byte>.Zero).AsInt32();
            sum = Vector256.Sum(sums);
            for (; count >= 8; count -= 8, bytes += 8)
                sum += Sse2.SumAbsoluteDifferences(Vector128.CreateScalar(*(ulong*)bytes).AsByte(), Vector128<byte>.Zero)
                    .AsInt32().ToScalar();
        }

        for (; count > 0; count--)
            sum += *bytes++;
        return sum;
    }

    private static void AddToRows(int* sums, int columns, int* numbers, nint rows)
    {
        for (nint r = 0; r < rows; r++, sums += columns)
        {
            var number = numbers[r];
            var c = 0;
            for (; c <= columns - 8; c += 8)
                (Vector256.Load(sums + c) + Vector256.Create(number)).Store(sums + c);
            for (; c < columns; c++)
                sums[c] += number;
        }
    }

    private struct PixelWork : IParallelWork
    {
        public QuantizedConvLoop Loop;
        public byte* Input;
        public byte* Output;
        public ProductParts Parts;

        public readonly void Execute(int part)
        {
            var (first, count, filterPart) = Parts.Part(part);
            Loop.RunPixels(
                Input + (first * Loop._groupChannels), count, Loop.At(Output, first * Loop._outChannels), filterPart, Parts.FilterParts);
        }
    }

    private struct RowWork : IParallelWork
    {
        public QuantizedConvLoop Loop;
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
            var (pixel, row) = ((nint)Geometry.OutChannels, (nint)columns.Out * Geometry.OutChannels);
            Loop.RunRows(image, Loop.At(Output, (((nint)n * rows.Out) + first) * row), new(row, pixel), Geometry, first, end);
        }
    }
}
