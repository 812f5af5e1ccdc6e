using SeparableConv.Threading;

namespace SeparableConv.Loops;

/// <summary>The sizes of a <see cref="FusedExpansionLoop"/>.</summary>
/// <param name="Expansion">Of the first convolution: C channels to E.</param>
/// <param name="Depthwise">Of the depthwise step, which reads what that gives: E channels to E*M.</param>
/// <param name="OutChannels">O, what the last convolution gives.</param>
internal readonly record struct ExpansionSizes(ConvGeometry Expansion, ConvGeometry Depthwise, int OutChannels);

/// <summary>
/// MobileNetV2's block: pointwise into many channels, depthwise, pointwise into few, and the shortcut's sum where there is one. A network's
/// first layers are the same with a standard convolution in front.
/// </summary>
/// <remarks>
/// The expanded image, the largest there is, is never whole: a window of its rows slides down and stays in the second-level cache, which no
/// other core writes to. Where an image has too few rows for that, each thread takes channels of its own up to the last convolution.
/// To the bit what the steps give one after the other: no sum is cut, whatever the window and the threads.
/// </remarks>
internal sealed unsafe class FusedExpansionLoop
{
    // 256 KB of expanded rows: 192 to 768 KB made no difference on MobileNetV2 (Zen 5, second-level cache of 1 MB), and some have 512 KB.
    private const int WindowFloats = 64 * 1024;

    // Bands compute the rows that they share with a neighbour twice. With fewer rows than these that costs more than it saves.
    private const int LeastRowsInBand = 6;

    private readonly IRowLoop _expand;
    private readonly DepthwiseLoop _depthwise;
    private readonly PointwiseLoop _project;

    public FusedExpansionLoop(IRowLoop expand, DepthwiseLoop depthwise, PointwiseLoop project)
    {
        (_expand, _depthwise, _project) = (expand, depthwise, project);
    }

    /// <summary>Computes (N, outH, outW, O) from (N, inH, inW, C).</summary>
    /// <param name="input">(N, inH, inW, C).</param>
    /// <param name="shortcut">(N, outH, outW, O), added to the last sums behind their activation; null for none.</param>
    /// <param name="output">(N, outH, outW, O).</param>
    /// <param name="sizes">The sizes of the steps.</param>
    /// <param name="threads">Threads to use at most.</param>
    public void Run(float* input, float* shortcut, float* output, in ExpansionSizes sizes, int threads)
    {
        var g = sizes.Depthwise;
        var bands = threads > g.Batch ? (threads + g.Batch - 1) / g.Batch : 1;
        if (bands > 1 && g.Rows.Out < LeastRowsInBand * bands && CanSlice(threads))
        {
            for (var n = 0; n < g.Batch; n++)
                RunSlices(input, shortcut, output, sizes, n, threads);
            return;
        }

        var work = new BandWork
        {
            Loop = this,
            Input = input,
            Shortcut = shortcut,
            Output = output,
            Sizes = sizes,
            Bands = Math.Min(g.Rows.Out, bands),
        };
        WorkerPool.Shared.Run(ref work, checked(g.Batch * work.Bands), threads);
    }

    /// <summary>Whether a slice of the expanded channels can be made, and read by the depthwise step, without the others.</summary>
    private bool CanSlice(int threads) => _expand is PointwiseLoop expand && expand.CanShareFilters(threads) && _depthwise.CanSlice;

    // Expanded channels are cut, so that each thread writes, reads and keeps its own; then the filters of the last convolution are.
    private void RunSlices(float* input, float* shortcut, float* output, in ExpansionSizes sizes, int image, int threads)
    {
        var g = sizes.Depthwise;
        var expand = (PointwiseLoop)_expand;
        var (pixels, outPixels) = ((nint)g.Rows.In * g.Columns.In, (nint)g.Rows.Out * g.Columns.Out);
        var stride = Scratch.RowStride(g.OutChannels);
        var expanded = Scratch.Shared(checked((pixels * g.InChannels) + (outPixels * stride)));
        var work = new SliceWork
        {
            Expand = expand,
            Depthwise = _depthwise,
            Input = input + (image * pixels * sizes.Expansion.InChannels),
            Expanded = expanded,
            Between = expanded + (pixels * g.InChannels),
            Stride = stride,
            InChannels = sizes.Expansion.InChannels,
            Geometry = g with { Batch = 1 },
            Slices = Math.Min(2 * threads, expand.Panels),
        };
        WorkerPool.Shared.Run(ref work, work.Slices, threads);

        var offset = image * outPixels * sizes.OutChannels;
        _project.Run(work.Between, stride, output + offset, outPixels, threads, shortcut == null ? null : shortcut + offset);
    }

    /// <summary>
    /// Output rows whose expanded rows fill the window, a band's cut into as equal windows as can be; even, because the depthwise step
    /// makes two at a time.
    /// </summary>
    private static int RowsInWindow(in ConvGeometry g, int bandRows)
    {
        var rowFloats = (long)g.Columns.In * g.InChannels;
        var most = (int)Math.Clamp((((WindowFloats / rowFloats) - g.Rows.Span) / g.Rows.Stride) + 1, 1, bandRows);
        var windows = (bandRows + most - 1) / most;
        return Math.Min(bandRows, (((bandRows + windows - 1) / windows) + 1) / 2 * 2);
    }

    private struct BandWork : IParallelWork
    {
        public FusedExpansionLoop Loop;
        public float* Input;
        public float* Shortcut;
        public float* Output;
        public ExpansionSizes Sizes;
        public int Bands;

        public readonly void Execute(int part)
        {
            var (expansion, depthwise, outChannels) = (Sizes.Expansion with { Batch = 1 }, Sizes.Depthwise, Sizes.OutChannels);
            var (n, band) = Math.DivRem(part, Bands);
            var (rows, columns) = (depthwise.Rows, depthwise.Columns);
            var firstRow = (int)((long)rows.Out * band / Bands);
            var endRow = (int)((long)rows.Out * (band + 1) / Bands);
            var image = Input + ((nint)n * expansion.Rows.In * expansion.Columns.In * expansion.InChannels);
            var offset = (((nint)n * rows.Out) + firstRow) * columns.Out * outChannels;

            var height = RowsInWindow(depthwise, endRow - firstRow);
            var expandedRow = (nint)columns.In * depthwise.InChannels;
            var windowRows = Math.Min(rows.In, ((height - 1) * rows.Stride) + rows.Span);
            var pixelStride = Scratch.RowStride(depthwise.OutChannels);
            var window = Scratch.Tile(checked((windowRows * expandedRow) + (height * columns.Out * pixelStride)));
            var between = window + (windowRows * expandedRow);

            // Expanded row r lies in row r % windowRows of the window; those before end are there already.
            var end = 0;
            for (var row = firstRow; row < endRow; row += height)
            {
                var count = Math.Min(height, endRow - row);
                var top = rows.InputStart(row);
                var (from, to) = (Math.Clamp(top, 0, rows.In), Math.Clamp(top + ((count - 1) * rows.Stride) + rows.Span, 0, rows.In));
                for (var (next, run) = (Math.Max(from, end), 0); next < to; next += run)
                {
                    var slot = next % windowRows;
                    run = Math.Min(to - next, windowRows - slot);
                    Loop._expand.RunRows(image, window + (slot * expandedRow), depthwise.InChannels, expansion, next, next + run);
                }

                end = to;
                var seen = depthwise with { Batch = 1, Rows = rows with { In = to - from, Out = count, PadBefore = from - top } };
                var ring = new RowRing(from % windowRows, windowRows);
                Loop._depthwise.RunRows(window, ring, between, pixelStride, seen, 0, count);
                var pixels = (nint)count * columns.Out;
                var shortcut = Shortcut == null ? null : Shortcut + offset;
                Loop._project.RunPixels(between, pixelStride, pixels, Output + offset, outChannels, shortcut: shortcut);
                offset += pixels * outChannels;
            }
        }
    }

    private struct SliceWork : IParallelWork
    {
        public PointwiseLoop Expand;
        public DepthwiseLoop Depthwise;
        public float* Input;
        public float* Expanded;
        public float* Between;
        public nint Stride;
        public int InChannels;
        public ConvGeometry Geometry;
        public int Slices;

        public readonly void Execute(int part)
        {
            var pixels = (nint)Geometry.Rows.In * Geometry.Columns.In;
            Expand.RunPixels(Input, InChannels, pixels, Expanded, Geometry.InChannels, part, Slices);
            var (first, end) = Expand.Columns(part, Slices);
            Depthwise.RunChannels(Expanded, Between, Stride, Geometry, first, end);
        }
    }
}
