using SeparableConv.Threading;

namespace SeparableConv.Loops;

/// <summary>The sizes of a <see cref="FusedExpansionLoop"/>.</summary>
/// <param name="Expansion">Of the first convolution: C channels to E.</param>
/// <param name="Depthwise">Of the depthwise step, which reads what that gives: E channels to E*M.</param>
/// <param name="OutChannels">O, what the last convolution gives.</param>
internal readonly record struct ExpansionSizes(ConvGeometry Expansion, ConvGeometry Depthwise, int OutChannels);

/// <summary>Where the means of an image's channels go, each row summed by itself and then the rows.</summary>
/// <param name="rowSums">(N, outH, E*M), which may hold anything.</param>
/// <param name="means">(N, E*M).</param>
internal readonly unsafe struct ChannelMeans(float* rowSums, float* means)
{
    public float* RowSums { get; } = rowSums;

    /// <summary>Null for none.</summary>
    public float* Means { get; } = means;

    /// <summary>Those of one image.</summary>
    public ChannelMeans Of(int image, in ConvGeometry g) => Means == null
        ? default
        : new(RowSums + ((nint)image * g.Rows.Out * g.OutChannels), Means + ((nint)image * g.OutChannels));
}

/// <summary>
/// MobileNetV2's block: pointwise into many channels, depthwise, pointwise into few, and the shortcut's sum where there is one. A network's
/// first layers are the same with a standard convolution in front. A block that squeezes and excites ends behind its depthwise step, with
/// its channels' means (<see cref="GatedBlockLoop"/>), and may have nothing before it.
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

    private readonly IRowLoop? _expand;
    private readonly DepthwiseLoop _depthwise;
    private readonly PointwiseLoop? _project;
    private readonly bool _addsExpanded;

    /// <param name="expand">The first convolution; null for none, and nobody reads its sizes.</param>
    /// <param name="depthwise">The depthwise step.</param>
    /// <param name="project">The last convolution, a pointwise one; null where the depthwise step is the end.</param>
    /// <param name="addsExpanded">Whether what the first convolution gives is added to the last sums behind their activation.</param>
    public FusedExpansionLoop(IRowLoop? expand, DepthwiseLoop depthwise, PointwiseLoop? project, bool addsExpanded = false)
    {
        (_expand, _depthwise, _project, _addsExpanded) = (expand, depthwise, project, addsExpanded);
    }

    /// <summary>Computes (N, outH, outW, O) from (N, inH, inW, C).</summary>
    /// <param name="input">(N, inH, inW, C).</param>
    /// <param name="shortcut">(N, outH, outW, O), added to the last sums behind their activation; null for none.</param>
    /// <param name="output">(N, outH, outW, O); (N, outH, outW, E*M) without a last convolution.</param>
    /// <param name="sizes">The sizes of the steps.</param>
    /// <param name="threads">Threads to use at most.</param>
    /// <param name="means">The mean of each channel of the depthwise step, where it is the end; none by default.</param>
    public void Run(
        float* input, float* shortcut, float* output, in ExpansionSizes sizes, int threads, ChannelMeans means = default)
    {
        var g = sizes.Depthwise;
        var bands = threads > g.Batch ? (threads + g.Batch - 1) / g.Batch : 1;
        if (bands > 1 && g.Rows.Out < LeastRowsInBand * bands && CanSlice(threads))
        {
            for (var n = 0; n < g.Batch; n++)
                RunSlices(input, shortcut, output, means, sizes, n, threads);
            return;
        }

        var work = new BandWork
        {
            Loop = this,
            Input = input,
            Shortcut = shortcut,
            Output = output,
            RowSums = means.RowSums,
            Sizes = sizes,
            Bands = Math.Min(g.Rows.Out, bands),
        };
        WorkerPool.Shared.Run(ref work, checked(g.Batch * work.Bands), threads);
        if (means.Means != null)
        {
            var pixels = (nint)g.Rows.Out * g.Columns.Out;
            PixelReduction.Run<Reduction.Sum>(
                means.RowSums, means.Means, g.Batch, g.Rows.Out, g.OutChannels, pixels, _depthwise.Width, threads);
        }
    }

    /// <summary>Whether a slice of the expanded channels can be made, and read by the depthwise step, without the others.</summary>
    private bool CanSlice(int threads) =>
        _expand is PointwiseLoop expand && expand.CanShareFilters(threads) && _depthwise.CanSlice && !_addsExpanded;

    // Expanded channels are cut, so that each thread writes, reads and keeps its own; then the filters of the last convolution are.
    private void RunSlices(
        float* input, float* shortcut, float* output, ChannelMeans means, in ExpansionSizes sizes, int image, int threads)
    {
        var g = sizes.Depthwise;
        var expand = (PointwiseLoop)_expand!;
        var (pixels, outPixels) = ((nint)g.Rows.In * g.Columns.In, (nint)g.Rows.Out * g.Columns.Out);
        var stride = _project is null ? g.OutChannels : Scratch.RowStride(g.OutChannels);
        var expanded = Scratch.Shared(checked((pixels * g.InChannels) + (_project is null ? 0 : outPixels * stride)));
        var work = new SliceWork
        {
            Expand = expand,
            Depthwise = _depthwise,
            Input = input + (image * pixels * sizes.Expansion.InChannels),
            Expanded = expanded,
            Between = _project is null ? output + (image * outPixels * stride) : expanded + (pixels * g.InChannels),
            Means = means.Of(image, g),
            Stride = stride,
            InChannels = sizes.Expansion.InChannels,
            Geometry = g with { Batch = 1 },
            Slices = Math.Min(2 * threads, expand.Panels),
        };
        WorkerPool.Shared.Run(ref work, work.Slices, threads);
        if (_project is null)
            return;

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
        public float* RowSums;
        public ExpansionSizes Sizes;
        public int Bands;

        public readonly void Execute(int part)
        {
            var (depthwise, project) = (Sizes.Depthwise, Loop._project);
            var (n, band) = Math.DivRem(part, Bands);
            var (rows, columns) = (depthwise.Rows, depthwise.Columns);
            var firstRow = (int)((long)rows.Out * band / Bands);
            var endRow = (int)((long)rows.Out * (band + 1) / Bands);
            var height = RowsInWindow(depthwise, endRow - firstRow);
            var window = new Window(Loop, Input, Sizes, n, height);
            var pixelStride = project is null ? depthwise.OutChannels : Scratch.RowStride(depthwise.OutChannels);
            var betweenFloats = project is null ? 0 : checked(height * columns.Out * pixelStride);
            window.Memory = Scratch.Tile(checked(window.Floats + betweenFloats));
            var between = window.Memory + window.Floats;
            var outChannels = project is null ? depthwise.OutChannels : Sizes.OutChannels;
            for (var row = firstRow; row < endRow; row += height)
            {
                var count = Math.Min(height, endRow - row);
                var pixels = (nint)count * columns.Out;
                var outRow = ((nint)n * rows.Out) + row;
                var offset = outRow * columns.Out * outChannels;
                if (project is null)
                {
                    window.Read(row, count, Output + offset, pixelStride);
                    if (RowSums != null)
                    {
                        PixelReduction.RunRows<Reduction.Sum>(
                            Output + offset, outChannels, RowSums + (outRow * outChannels), outChannels, count, columns.Out, outChannels,
                            Loop._depthwise.Width);
                    }

                    continue;
                }

                window.Read(row, count, between, pixelStride);
                if (Loop._addsExpanded)
                {
                    Loop.AddExpanded(window, row, count, between, pixelStride, Output + offset);
                    continue;
                }

                var shortcut = Shortcut == null ? null : Shortcut + offset;
                project.RunPixels(between, pixelStride, pixels, Output + offset, outChannels, shortcut: shortcut);
            }
        }
    }

    // The expanded rows lie in a ring: in one piece or two. With a stride of 1 the window has the row that each output row is made around.
    private void AddExpanded(in Window window, int row, int count, float* between, nint pixelStride, float* output)
    {
        nint rowFloats = window.RowFloats;
        var columns = rowFloats / _project!.OutChannels;
        for (var done = 0; done < count;)
        {
            var run = Math.Min(count - done, window.RowsFrom(row + done));
            var first = between + (done * columns * pixelStride);
            _project.RunPixels(
                first, pixelStride, run * columns, output + (done * rowFloats), _project.OutChannels, shortcut: window.Row(row + done));
            done += run;
        }
    }

    /// <summary>A window of expanded rows of an image, which slides down as it is read.</summary>
    private ref struct Window
    {
        private readonly FusedExpansionLoop _loop;
        private readonly float* _image;
        private readonly ConvGeometry _expansion;
        private readonly ConvGeometry _depthwise;
        private readonly int _rows;
        private readonly nint _rowFloats;

        // Expanded row r lies in row r % _rows of the window; those before this one are there already.
        private int _end;

        public Window(FusedExpansionLoop loop, float* input, in ExpansionSizes sizes, int image, int height)
        {
            (_loop, _expansion, _depthwise) = (loop, sizes.Expansion with { Batch = 1 }, sizes.Depthwise with { Batch = 1 });
            var rows = _depthwise.Rows;
            _rowFloats = (nint)_depthwise.Columns.In * _depthwise.InChannels;
            _rows = Math.Min(rows.In, ((height - 1) * rows.Stride) + rows.Span);
            Floats = loop._expand is null ? 0 : checked(_rows * _rowFloats);
            _image = input + (image * (loop._expand is null
                ? rows.In * _rowFloats
                : (nint)_expansion.Rows.In * _expansion.Columns.In * _expansion.InChannels));
        }

        /// <summary>Floats in an expanded row.</summary>
        public readonly nint RowFloats => _rowFloats;

        /// <summary>Where an expanded row lies that was read.</summary>
        public readonly float* Row(int row) => Memory + (row % _rows * _rowFloats);

        /// <summary>How many rows lie behind each other from one on.</summary>
        public readonly int RowsFrom(int row) => _rows - (row % _rows);

        /// <summary>Floats of memory that it wants.</summary>
        public nint Floats { get; }

        public float* Memory { get; set; }

        /// <summary>Computes some rows of the depthwise step, the next ones at each call.</summary>
        public void Read(int row, int count, float* output, nint pixelStride)
        {
            if (_loop._expand is not { } expand)
            {
                _loop._depthwise.RunRows(_image, output, pixelStride, _depthwise, row, row + count);
                return;
            }

            var rows = _depthwise.Rows;
            var top = rows.InputStart(row);
            var (from, to) = (Math.Clamp(top, 0, rows.In), Math.Clamp(top + ((count - 1) * rows.Stride) + rows.Span, 0, rows.In));
            for (var (next, run) = (Math.Max(from, _end), 0); next < to; next += run)
            {
                var slot = next % _rows;
                run = Math.Min(to - next, _rows - slot);
                expand.RunRows(_image, Memory + (slot * _rowFloats), _depthwise.InChannels, _expansion, next, next + run);
            }

            _end = to;
            var seen = _depthwise with { Rows = rows with { In = to - from, Out = count, PadBefore = from - top } };
            _loop._depthwise.RunRows(Memory, new RowRing(from % _rows, _rows), output, pixelStride, seen, 0, count);
        }
    }

    private struct SliceWork : IParallelWork
    {
        public PointwiseLoop Expand;
        public DepthwiseLoop Depthwise;
        public float* Input;
        public float* Expanded;
        public float* Between;
        public ChannelMeans Means;
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
            if (Means.Means == null)
                return;
            var (rows, columns, channels) = ((nint)Geometry.Rows.Out, (nint)Geometry.Columns.Out, Geometry.OutChannels);
            var sums = Means.RowSums + first;
            PixelReduction.RunRows<Reduction.Sum>(Between + first, Stride, sums, channels, rows, columns, end - first, Depthwise.Width);
            PixelReduction.RunRows<Reduction.Sum>(
                sums, channels, Means.Means + first, channels, 1, rows, end - first, Depthwise.Width, rows * columns);
        }
    }
}
