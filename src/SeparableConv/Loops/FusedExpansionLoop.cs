using SeparableConv.Threading;

namespace SeparableConv.Loops;

/// <summary>
/// MobileNetV2's block: pointwise into many channels, depthwise, pointwise into few, a few rows at a time. The expanded image, the
/// largest there is, is never whole: a window of its rows slides down and stays in the second-level cache.
/// </summary>
/// <remarks>To the bit what the three steps give one after the other: no sum is cut, whatever the window and the threads.</remarks>
internal sealed unsafe class FusedExpansionLoop
{
    // 256 KB of expanded rows: 192 to 768 KB made no difference on MobileNetV2 (Zen 5, second-level cache of 1 MB), and some have 512 KB.
    private const int WindowFloats = 64 * 1024;

    private readonly PointwiseLoop _expand;
    private readonly DepthwiseLoop _depthwise;
    private readonly PointwiseLoop _project;

    public FusedExpansionLoop(PointwiseLoop expand, DepthwiseLoop depthwise, PointwiseLoop project)
    {
        (_expand, _depthwise, _project) = (expand, depthwise, project);
    }

    /// <summary>Computes (N, outH, outW, O) from (N, inH, inW, C).</summary>
    /// <param name="input">(N, inH, inW, C).</param>
    /// <param name="output">(N, outH, outW, O).</param>
    /// <param name="geometry">The sizes of the depthwise step, which reads E channels and gives E*M.</param>
    /// <param name="inChannels">C.</param>
    /// <param name="outChannels">O.</param>
    /// <param name="threads">Threads to use at most.</param>
    public void Run(float* input, float* output, in ConvGeometry geometry, int inChannels, int outChannels, int threads)
    {
        // A band computes the rows that it shares with its neighbour once more: one a thread, or one an image.
        var bands = Math.Min(geometry.Rows.Out, threads > geometry.Batch ? (threads + geometry.Batch - 1) / geometry.Batch : 1);
        var work = new Work
        {
            Loop = this,
            Input = input,
            Output = output,
            Geometry = geometry,
            InChannels = inChannels,
            OutChannels = outChannels,
            Bands = bands,
        };
        WorkerPool.Shared.Run(ref work, checked(geometry.Batch * bands), threads);
    }

    /// <summary>Output rows whose expanded rows fill the window; even, because the depthwise step makes two at a time.</summary>
    private static int RowsInWindow(in ConvGeometry g)
    {
        var rowFloats = (long)g.Columns.In * g.InChannels;
        var expanded = WindowFloats / rowFloats;
        return (int)Math.Clamp((((expanded - g.Rows.Span) / g.Rows.Stride) + 1) / 2 * 2, 2, int.MaxValue / 4);
    }

    private struct Work : IParallelWork
    {
        public FusedExpansionLoop Loop;
        public float* Input;
        public float* Output;
        public ConvGeometry Geometry;
        public int InChannels;
        public int OutChannels;
        public int Bands;

        public readonly void Execute(int part)
        {
            var (n, band) = Math.DivRem(part, Bands);
            var (rows, columns) = (Geometry.Rows, Geometry.Columns);
            var firstRow = (int)((long)rows.Out * band / Bands);
            var endRow = (int)((long)rows.Out * (band + 1) / Bands);
            var image = Input + ((nint)n * rows.In * columns.In * InChannels);
            var output = Output + (((nint)n * rows.Out) + firstRow) * columns.Out * OutChannels;

            var height = Math.Min(RowsInWindow(Geometry), endRow - firstRow);
            var expandedRow = (nint)columns.In * Geometry.InChannels;
            var windowRows = Math.Min(rows.In, ((height - 1) * rows.Stride) + rows.Span);
            var pixelStride = Scratch.RowStride(Geometry.OutChannels);
            var window = Scratch.Tile(checked((windowRows * expandedRow) + (height * columns.Out * pixelStride)));
            var between = window + (windowRows * expandedRow);

            // Rows held are start up to and without end of the expanded image, from the window's beginning on.
            var (start, end) = (0, 0);
            for (var row = firstRow; row < endRow; row += height)
            {
                var count = Math.Min(height, endRow - row);
                var top = rows.InputStart(row);
                var (from, to) = (Math.Clamp(top, 0, rows.In), Math.Clamp(top + ((count - 1) * rows.Stride) + rows.Span, 0, rows.In));
                var kept = Math.Max(0, end - Math.Max(from, start));
                new ReadOnlySpan<float>(window + ((end - kept - start) * expandedRow), checked((int)(kept * expandedRow)))
                    .CopyTo(new Span<float>(window, checked((int)(kept * expandedRow))));
                var next = from + kept;
                Loop._expand.RunPixels(
                    image + ((nint)next * columns.In * InChannels),
                    InChannels,
                    (nint)(to - next) * columns.In,
                    window + (kept * expandedRow),
                    Geometry.InChannels);
                (start, end) = (from, to);

                var seen = Geometry with { Batch = 1, Rows = rows with { In = to - from, Out = count, PadBefore = from - top } };
                Loop._depthwise.RunRows(window, between, pixelStride, seen, 0, count);
                Loop._project.RunPixels(between, pixelStride, (nint)count * columns.Out, output, OutChannels);
                output += (nint)count * columns.Out * OutChannels;
            }
        }
    }
}
