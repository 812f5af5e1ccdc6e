using SeparableConv.Threading;

namespace SeparableConv.Loops;

/// <summary>
/// Standard and grouped convolution,
/// y[n,i,j,o] = activation(bias[o] + sum over u,v,c of x[n, i*s+u*d-p, j*s+v*d-p, c] * w[u,v,c,o]), c over the channels of o's group.
/// </summary>
/// <remarks>
/// No patches are copied: in NHWC the taps of a kernel row lie next to each other, so that a row of output pixels is a matrix
/// product whose left rows overlap in the input itself. Only where a border is read is that part of the input copied, with its
/// zeros, to memory that stays in the second-level cache.
/// </remarks>
internal sealed unsafe class StandardLoop : IRowLoop
{
    // An image of 1 MB and less stays in the second-level cache once it was read.
    private const nint SmallImageFloats = 256 * 1024;

    // A large dilated kernel has a segment a tap, and a thread's stack may be half a megabyte.
    private const int MostSegmentsOnStack = 4096;

    // Latency times throughput of the multiply-add is 8; a few more cover what lies between.
    private const int LeastSums = 10;

    private const int LeastFiltersToUnfold = 64;

    private const long MostFloatsToUnfold = 512 * 1024;

    private readonly PackedMatrix[] _groups;
    private readonly Size2D _kernel;
    private readonly int _groupChannels;
    private readonly int _outChannels;
    private readonly Activation _activation;
    private readonly SimdWidth _width;

    /// <param name="weights">(kH, kW, C/groups, O).</param>
    /// <param name="kernel">kH and kW.</param>
    /// <param name="inChannels">C.</param>
    /// <param name="outChannels">O.</param>
    /// <param name="groups">Divides C and O; filters 0 .. O/groups-1 read the first C/groups channels, and so on.</param>
    /// <param name="columnDilation">Input columns from one tap to the next, in every image that will come.</param>
    /// <param name="bias">(O), or none.</param>
    /// <param name="activation">Applied to the sum.</param>
    /// <param name="width">The vector width to run with.</param>
    public StandardLoop(
        ReadOnlySpan<float> weights, Size2D kernel, int inChannels, int outChannels, int groups, int columnDilation,
        ReadOnlySpan<float> bias, Activation activation, SimdWidth width)
    {
        _kernel = kernel;
        _groupChannels = inChannels / groups;
        _outChannels = outChannels;
        _activation = activation;
        _width = width;
        _groups = new PackedMatrix[groups];
        var filters = outChannels / groups;
        var depth = checked(kernel.Height * kernel.Width * _groupChannels);
        var segmentLength = columnDilation == 1 ? depth / kernel.Height : _groupChannels;
        for (var g = 0; g < groups; g++)
        {
            var groupBias = bias.IsEmpty ? bias : bias.Slice(g * filters, filters);
            _groups[g] = new PackedMatrix(
                weights[(g * filters)..], outChannels, depth, filters, groupBias, width, segmentLength);
        }
    }

    /// <summary>
    /// Packs other weights (kH, kW, C/groups, O), and a bias where there is one, in the place of those before; allocates nothing.
    /// </summary>
    public void Refill(ReadOnlySpan<float> weights, ReadOnlySpan<float> bias, int threads = 1)
    {
        for (var g = 0; g < _groups.Length; g++)
            _groups[g].Fill(weights[(g * Filters)..], _outChannels, bias.IsEmpty ? bias : bias.Slice(g * Filters, Filters), threads);
    }

    private int PanelsInGroup => _groups[0].Panels.Length;

    private int Filters => _groups[0].Columns;

    private int Panels => _groups.Length * PanelsInGroup;

    /// <summary>Computes (N, outH, outW, O) from (N, inH, inW, C).</summary>
    public void Run(float* input, float* output, in ConvGeometry geometry, int threads)
    {
        var cut = Cut(geometry, threads);
        var work = new Work { Loop = this, Input = input, Output = output, Geometry = geometry, Cut = cut };
        WorkerPool.Shared.Run(ref work, checked(geometry.Batch * cut.Parts), threads);
    }

    /// <summary>
    /// How images of a size are cut into parts for so many threads; only across the pixels where parts must have whole ones.
    /// </summary>
    public StandardCut Cut(in ConvGeometry geometry, int threads, bool needsAllChannels = false) =>
        StandardCut.Create(geometry, Panels, needsAllChannels || _activation.NeedsAllChannels, threads);

    /// <summary>
    /// Computes a part of one image on the calling thread, into memory whose rows and pixels lie as far apart as
    /// <paramref name="outputStride"/> says.
    /// </summary>
    /// <param name="image">The image's first float.</param>
    /// <param name="output">Where output pixel (0, 0) lies.</param>
    /// <param name="outputStride">From one output row to the next, and from one pixel to the next.</param>
    /// <param name="geometry">The sizes.</param>
    /// <param name="cut">What <see cref="Cut"/> returned.</param>
    /// <param name="part">The part, below <see cref="StandardCut.Parts"/>.</param>
    public void RunPart(
        float* image, float* output, in LineStrides outputStride, in ConvGeometry geometry, in StandardCut cut, int part)
    {
        var (panelPart, index) = Math.DivRem(part, cut.Rectangles);
        var rectangle = cut.Rectangle(index);
        if (rectangle.Rows <= 0 || rectangle.Columns <= 0)
            return;
        RunRectangle(
            image,
            output + (rectangle.FirstRow * outputStride.Line) + (rectangle.FirstColumn * outputStride.Pixel),
            outputStride,
            geometry,
            rectangle,
            (int)((long)Panels * panelPart / cut.PanelParts),
            (int)((long)Panels * (panelPart + 1) / cut.PanelParts));
    }

    /// <inheritdoc/>
    public void RunRows(float* image, float* output, nint outputPixelStride, in ConvGeometry geometry, int firstRow, int endRow)
    {
        var rectangle = new OutputRectangle(firstRow, endRow, 0, geometry.Columns.Out);
        RunRectangle(
            image, output, new(geometry.Columns.Out * outputPixelStride, outputPixelStride), geometry, rectangle, 0, Panels);
    }

    /// <summary>
    /// Computes some filters of a rectangle; panels are numbered through all groups, <paramref name="output"/> is its first pixel.
    /// </summary>
    private void RunRectangle(
        float* image, float* output, in LineStrides outputStride, in ConvGeometry geometry, in OutputRectangle rectangle,
        int firstPanel, int endPanel)
    {
        // Unfolded, the pixels of all rows are one row.
        if (UnfoldingPays(geometry, rectangle) && outputStride.Line == rectangle.Columns * outputStride.Pixel)
            RunUnfolded(image, output, outputStride.Pixel, geometry, rectangle, firstPanel, endPanel);
        else
            RunLines(image, output, outputStride, geometry, rectangle, firstPanel, endPanel);
    }

    /// <summary>
    /// Whether lines of pixels make tiles of too few sums to hide the multiply-add's latency, while all pixels together would fill
    /// them and have filters enough to pay for a copy: 7x7 on 256 bits gains 12 %, on 512 bits it would lose 15 %.
    /// </summary>
    private bool UnfoldingPays(in ConvGeometry geometry, in OutputRectangle rectangle)
    {
        var most = _groups[0].Table.RowsFor(2);
        var line = Math.Max(rectangle.Rows, rectangle.Columns);
        var tiles = (line + most - 1) / most;
        return 2 * line < LeastSums * tiles
            && rectangle.Rows > 1
            && rectangle.Columns == geometry.Columns.Out
            && Filters >= LeastFiltersToUnfold
            && (long)rectangle.Rows * rectangle.Columns * _groups[0].Depth <= MostFloatsToUnfold;
    }

    private void RunUnfolded(
        float* image, float* output, nint outputPixelStride, in ConvGeometry geometry, in OutputRectangle rectangle,
        int firstPanel, int endPanel)
    {
        var window = new StandardWindow(geometry, rectangle);
        var segments = window.Segments;
        var pixels = (nint)rectangle.Rows * rectangle.Columns;
        var depth = _groups[0].Depth;
        var patchStride = Scratch.RowStride(depth);
        nint offsetFloats = segments * (sizeof(nint) / sizeof(float));
        var offsets = (nint*)Scratch.Floats(checked(offsetFloats + (pixels * patchStride) + (window.NeedsCopy ? window.CopyFloats : 0)));
        var patches = (float*)offsets + offsetFloats;
        window.FillSegmentOffsets(offsets);
        nint whole = 0;
        var left = new LeftRows
        {
            Start = patches,
            RowStride = patchStride,
            Rows = pixels,
            SegmentOffsets = &whole,
            Segments = 1,
            SegmentLength = depth,
        };
        for (var panel = firstPanel; panel < endPanel;)
        {
            var (group, inGroup) = Math.DivRem(panel, PanelsInGroup);
            var endInGroup = Math.Min(PanelsInGroup, inGroup + endPanel - panel);
            var source = window.Prepare(image + ((nint)group * _groupChannels), patches + (pixels * patchStride));
            window.Unfold(source, rectangle, new(offsets, segments), depth / segments, patches, patchStride);
            MatrixProduct.Run(
                _groups[group], left, output + ((nint)group * Filters), outputPixelStride, _activation, inGroup, endInGroup);
            panel += endInGroup - inGroup;
        }

        if (_activation.IsInRegisters)
            return;
        var firstColumn = Column(firstPanel);
        _activation.ApplyRows(output + firstColumn, pixels, Column(endPanel) - firstColumn, outputPixelStride, firstColumn, _width);
    }

    private void RunLines(
        float* image, float* output, LineStrides outputStride, in ConvGeometry geometry, in OutputRectangle rectangle,
        int firstPanel, int endPanel)
    {
        var window = new StandardWindow(geometry, rectangle);
        var segments = window.Segments;
        var isOnStack = segments <= MostSegmentsOnStack;
        nint copyFloats = window.NeedsCopy ? checked((window.CopyFloats + 1) / 2 * 2) : 0;
        var copy = Scratch.Floats(copyFloats + (isOnStack ? 0 : (nint)segments * sizeof(nint) / sizeof(float)));
        var onStack = stackalloc nint[isOnStack ? segments : 0];
        var offsets = isOnStack ? onStack : (nint*)(copy + copyFloats);
        window.FillSegmentOffsets(offsets);

        // Lines of pixels are matrix products: rows, or columns where the rectangle is taller than wide.
        var inputStride = new LineStrides(geometry.Rows.Stride * window.RowStride, (nint)geometry.Columns.Stride * window.PixelStride);
        var lines = rectangle.Rows;
        var left = new LeftRows
        {
            Rows = rectangle.Columns,
            SegmentOffsets = offsets,
            Segments = segments,
            SegmentLength = _groups[0].Depth / segments,
        };
        if (rectangle.Rows > rectangle.Columns)
        {
            (lines, left.Rows) = (rectangle.Columns, rectangle.Rows);
            (inputStride, outputStride) = (inputStride.Transposed, outputStride.Transposed);
        }

        left.RowStride = inputStride.Pixel;

        // What comes from far away meanwhile: where the image is large its next row, where the weights are larger the next panel.
        var panelFloats = (nint)_groups[0].Panels[0].Vectors * _groups[0].Table.VectorLength * _groups[0].Depth;
        var imageFloats = (nint)geometry.Rows.In * geometry.Columns.In * geometry.InChannels;
        var fetchInput = imageFloats > Math.Max(SmallImageFloats, Panels * panelFloats);
        var fetchStep = Math.Max(1, 2 * geometry.Columns.Stride * (nint)MatrixTile.MostRows / (segments * geometry.Columns.Kernel));

        // Each tile fetches its share once: fetching a line twice costs 5 %, not at all another 3.
        var most = _groups[0].Table.RowsFor(2);
        var tiles = lines * ((left.Rows + most - 1) / most);
        var weightStep = Math.Clamp(
            (panelFloats + (tiles * _groups[0].Depth) - 1) / (tiles * _groups[0].Depth), 1, _groups[0].Table.VectorLength);
        float* source = null;
        for (var panel = firstPanel; panel < endPanel; panel++)
        {
            var (group, inGroup) = Math.DivRem(panel, PanelsInGroup);
            if (panel == firstPanel || inGroup == 0)
                source = window.Prepare(image + ((nint)group * _groupChannels), copy);
            for (var line = 0; line < lines; line++)
            {
                left.Start = source + (line * inputStride.Line);
                if (fetchInput && panel == firstPanel)
                {
                    // The row below the patches of the next line: the only one that line reads first.
                    left.Prefetch = left.Start + inputStride.Line + offsets[segments - 1];
                    (left.PrefetchStep, left.PrefetchRowStride) = (fetchStep, inputStride.Pixel);
                }
                else
                {
                    // The next panel of weights, a piece of it with every line.
                    var next = _groups[group].Panels[Math.Min(inGroup + 1, PanelsInGroup - 1)].Weights;
                    left.Prefetch = next + (panelFloats / lines * line);
                    (left.PrefetchStep, left.PrefetchRowStride) = (fetchInput ? 0 : weightStep, panelFloats / (lines * left.Rows));
                }

                var target = output + (line * outputStride.Line) + ((nint)group * Filters);
                MatrixProduct.Run(_groups[group], left, target, outputStride.Pixel, _activation, inGroup, inGroup + 1);
            }
        }

        if (_activation.IsInRegisters)
            return;
        var firstColumn = Column(firstPanel);
        for (var line = 0; line < lines; line++)
        {
            _activation.ApplyRows(
                output + (line * outputStride.Line) + firstColumn, left.Rows, Column(endPanel) - firstColumn,
                outputStride.Pixel, firstColumn, _width);
        }
    }

    /// <summary>The filter that a panel begins with.</summary>
    private int Column(int panel)
    {
        var (group, inGroup) = Math.DivRem(panel, PanelsInGroup);
        return group == _groups.Length ? _outChannels : (group * Filters) + _groups[group].Panels[inGroup].FirstColumn;
    }

    private struct Work : IParallelWork
    {
        public StandardLoop Loop;
        public float* Input;
        public float* Output;
        public ConvGeometry Geometry;
        public StandardCut Cut;

        public readonly void Execute(int part)
        {
            // Images first: what they share, some filters, is read by one after the other.
            var (panelPart, rest) = Math.DivRem(part, Geometry.Batch * Cut.Rectangles);
            var (n, index) = Math.DivRem(rest, Cut.Rectangles);
            var (rows, columns, filters) = (Geometry.Rows, Geometry.Columns, (nint)Geometry.OutChannels);
            Loop.RunPart(
                Input + ((nint)n * rows.In * columns.In * Geometry.InChannels),
                Output + (n * rows.Out * columns.Out * filters),
                new(columns.Out * filters, filters),
                Geometry,
                Cut,
                (panelPart * Cut.Rectangles) + index);
        }
    }
}

/// <summary>Floats from one line of pixels to the next, and from one pixel of a line to the next.</summary>
internal readonly record struct LineStrides(nint Line, nint Pixel)
{
    public LineStrides Transposed => new(Pixel, Line);
}
