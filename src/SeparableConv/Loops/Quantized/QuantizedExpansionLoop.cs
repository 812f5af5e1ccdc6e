using SeparableConv.Threading;

namespace SeparableConv.Loops;

/// <summary>
/// Quantized depthwise, then pointwise, with a convolution before them where there is one: <see cref="FusedSeparableLoop"/> and
/// <see cref="FusedExpansionLoop"/> of bytes. A window of rows at a time stays in the second-level cache, which no other core writes to;
/// where an image has too few rows for that, each thread takes channels of its own up to the last convolution.
/// </summary>
internal sealed unsafe class QuantizedExpansionLoop
{
    private const int WindowBytes = 192 * 1024;

    // Bands compute the rows that they share with a neighbour twice. With fewer rows than these that costs more than it saves.
    private const int LeastRowsInBand = 6;

    private readonly QuantizedConvLoop? _expand;
    private readonly QuantizedDepthwiseLoop _depthwise;
    private readonly QuantizedConvLoop _project;
    private readonly ExpansionSizes _sizes;
    private readonly ByteCombination? _ending;

    /// <param name="expand">The first convolution, or none; then nobody reads its sizes.</param>
    /// <param name="depthwise">The depthwise step; it spreads no channels.</param>
    /// <param name="project">The last convolution, a pointwise one.</param>
    /// <param name="sizes">The sizes of the steps.</param>
    /// <param name="ending">What is done with the last convolution's bytes, the first operand, and a shortcut; null for nothing.</param>
    public QuantizedExpansionLoop(
        QuantizedConvLoop? expand,
        QuantizedDepthwiseLoop depthwise,
        QuantizedConvLoop project,
        in ExpansionSizes sizes,
        ByteCombination? ending = null)
    {
        (_expand, _depthwise, _project, _sizes, _ending) = (expand, depthwise, project, sizes, ending);
    }

    private bool CanSlice(int threads) =>
        _expand is not null
        && _depthwise.Blocks >= threads
        && _sizes.Expansion.IsPointwise
        && _depthwise.BlockChannels > 0
        && _depthwise.BlockChannels % _expand.PanelColumns == 0;

    /// <summary>Computes (N, outH, outW, O) from (N, inH, inW, C).</summary>
    /// <param name="input">The image.</param>
    /// <param name="shortcut">What the end reads beside the sums, of the output's shape; null where there is none.</param>
    /// <param name="output">The result.</param>
    /// <param name="threads">Threads.</param>
    public void Run(byte* input, byte* shortcut, byte* output, int threads)
    {
        var g = _sizes.Depthwise;
        var bands = threads > g.Batch ? (threads + g.Batch - 1) / g.Batch : 1;
        if (bands > 1 && g.Rows.Out < LeastRowsInBand * bands)
        {
            RunFewRows(input, shortcut, output, threads);
            return;
        }

        // Without an expansion rows are read twice, but nothing is computed twice: finer bands are evener.
        bands = _expand is null && threads > 1 ? Math.Max(bands, 2 * threads / g.Batch) : bands;
        bands = Math.Min(g.Rows.Out, bands);
        var work = new BandWork { Loop = this, Input = input, Shortcut = shortcut, Output = output, Bands = bands };
        WorkerPool.Shared.Run(ref work, checked(g.Batch * work.Bands), threads);
    }

    private void RunFewRows(byte* input, byte* shortcut, byte* output, int threads)
    {
        var (first, g) = (_sizes.Expansion, _sizes.Depthwise);
        var (pixels, outPixels) = ((nint)g.Rows.In * g.Columns.In, (nint)g.Batch * g.Rows.Out * g.Columns.Out);
        var expandedBytes = _expand is null ? 0 : checked(g.Batch * pixels * g.InChannels);
        var expanded = (byte*)Scratch.Shared(checked(expandedBytes + (outPixels * g.OutChannels) + 3) / sizeof(float));
        var between = expanded + expandedBytes;
        if (CanSlice(threads))
        {
            for (var n = 0; n < g.Batch; n++)
            {
                var work = new SliceWork
                {
                    Loop = this,
                    Input = input + (n * pixels * first.InChannels),
                    Expanded = expanded + (n * pixels * g.InChannels),
                    Between = between + (n * (outPixels / g.Batch) * g.OutChannels),
                    Slices = Math.Min(2 * threads, _depthwise.Blocks),
                };
                WorkerPool.Shared.Run(ref work, work.Slices, threads);
            }
        }
        else
        {
            _expand?.Run(input, expanded, first, threads);
            _depthwise.Run(_expand is null ? input : expanded, between, threads);
        }

        _project.RunPointwise(between, output, outPixels, threads);
        _ending?.Invoke(output, shortcut, output, outPixels * _sizes.OutChannels);
    }

    /// <summary>Output rows whose expanded rows fill the window, a band's cut into as equal windows as can be.</summary>
    private int RowsInWindow(int bandRows)
    {
        var g = _sizes.Depthwise;
        var rowBytes = (long)g.Columns.In * g.InChannels;
        var most = (int)Math.Clamp((((WindowBytes / rowBytes) - g.Rows.Span) / g.Rows.Stride) + 1, 1, bandRows);
        var windows = (bandRows + most - 1) / most;
        return (bandRows + windows - 1) / windows;
    }

    private struct BandWork : IParallelWork
    {
        public QuantizedExpansionLoop Loop;
        public byte* Input;
        public byte* Shortcut;
        public byte* Output;
        public int Bands;

        public readonly void Execute(int part)
        {
            var (first, depthwise, expand) = (Loop._sizes.Expansion, Loop._sizes.Depthwise, Loop._expand);
            var (n, band) = Math.DivRem(part, Bands);
            var (rows, columns) = (depthwise.Rows, depthwise.Columns);
            var firstRow = (int)((long)rows.Out * band / Bands);
            var endRow = (int)((long)rows.Out * (band + 1) / Bands);
            var image = Input + (expand is null
                ? (nint)n * rows.In * columns.In * depthwise.InChannels
                : (nint)n * first.Rows.In * first.Columns.In * first.InChannels);
            var output = Output + ((((nint)n * rows.Out) + firstRow) * columns.Out * Loop._sizes.OutChannels);

            var height = Loop.RowsInWindow(endRow - firstRow);
            var expandedRow = (nint)columns.In * depthwise.InChannels;
            nint windowBytes = expand is null ? 0 : checked(Math.Min(rows.In, ((height - 1) * rows.Stride) + rows.Span) * expandedRow);
            var betweenBytes = checked(height * columns.Out * (nint)depthwise.OutChannels);
            var window = (byte*)Scratch.Tile(checked(windowBytes + betweenBytes + 3) / sizeof(float));
            var between = window + windowBytes;

            // Rows held are start up to and without end of the expanded image, from the window's beginning on.
            var (start, end) = (0, 0);
            for (var row = firstRow; row < endRow; row += height)
            {
                var count = Math.Min(height, endRow - row);
                var source = image;
                if (expand is not null)
                {
                    var top = rows.InputStart(row);
                    var (from, to) = (Math.Clamp(top, 0, rows.In), Math.Clamp(top + ((count - 1) * rows.Stride) + rows.Span, 0, rows.In));
                    var kept = Math.Max(0, end - Math.Max(from, start));
                    new ReadOnlySpan<byte>(window + ((end - kept - start) * expandedRow), checked((int)(kept * expandedRow)))
                        .CopyTo(new Span<byte>(window, checked((int)(kept * expandedRow))));
                    expand.RunImageRows(image, window + (kept * expandedRow), first, from + kept, to);
                    (start, end) = (from, to);

                    // The depthwise step counts rows from the image's first.
                    source = window - (from * expandedRow);
                }

                Loop._depthwise.RunRows(source, between, row, row + count);
                var pixels = (nint)count * columns.Out;
                Loop._project.RunPixels(between, pixels, output);
                Loop._ending?.Invoke(output, Shortcut + (output - Output), output, pixels * Loop._sizes.OutChannels);
                output += pixels * Loop._sizes.OutChannels;
            }
        }
    }

    private struct SliceWork : IParallelWork
    {
        public QuantizedExpansionLoop Loop;
        public byte* Input;
        public byte* Expanded;
        public byte* Between;
        public int Slices;

        public readonly void Execute(int part)
        {
            var (expand, depthwise, g) = (Loop._expand!, Loop._depthwise, Loop._sizes.Depthwise);
            var (first, end) = (depthwise.Blocks * part / Slices, depthwise.Blocks * (part + 1) / Slices);
            var panels = depthwise.BlockChannels / expand.PanelColumns;
            expand.RunPanels(Input, (nint)g.Rows.In * g.Columns.In, Expanded, first * panels, end * panels);
            depthwise.RunBlocks(Expanded, Between, first, end);
        }
    }
}
