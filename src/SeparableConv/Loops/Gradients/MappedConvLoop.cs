using SeparableConv.Threading;

namespace SeparableConv.Loops;

/// <summary>
/// The forward pass of a convolution as a training runs it: the input is mapped band by band as it is read (<see cref="ChannelMap"/>), and
/// the mean and variance of the sums are gathered while they are in the cache (<see cref="Moments"/>).
/// </summary>
internal sealed unsafe class MappedConvLoop
{
    // Mapped rows of a band: half of the smallest second-level cache in use, with what is written beside them.
    private const int BandFloats = 32 * 1024;

    private readonly IRowLoop _loop;
    private readonly ConvGeometry _geometry;
    private readonly SimdWidth _width;
    private readonly GradientParts _parts;

    /// <summary>Prepares for images of one size.</summary>
    /// <param name="loop">The convolution, without an activation.</param>
    /// <param name="geometry">The sizes. Where a pixel is all that a sum reads, the batch may be one tall image.</param>
    /// <param name="parts">How the output's rows are cut; each part is one sum of the moments.</param>
    /// <param name="width">The vector width to run with.</param>
    public MappedConvLoop(IRowLoop loop, in ConvGeometry geometry, GradientParts parts, SimdWidth width) =>
        (_loop, _geometry, _parts, _width) = (loop, geometry, parts, width);

    /// <summary>Floats that <see cref="Run"/> needs beside its tensors.</summary>
    public nint ScratchFloats => _parts.Count * Moments.PartFloats(_geometry.OutChannels);

    /// <summary>Computes the output, and its moments (C each) unless they are null.</summary>
    public void Run(float* input, in ChannelMap map, float* output, float* mean, float* variance, float* scratch, int threads)
    {
        var work = new Work { Loop = this, Input = input, Map = map, Output = output, Moments = mean != null ? scratch : null };
        WorkerPool.Shared.Run(ref work, _parts.Count, threads);
        if (mean == null)
            return;
        Span<nint> counts = stackalloc nint[_parts.Count];
        for (var part = 0; part < counts.Length; part++)
        {
            var (firstImage, endImage, firstRow, endRow) = _parts.Part(part);
            counts[part] = (nint)(endImage - firstImage) * (endRow - firstRow) * _geometry.Columns.Out;
        }

        Moments.Combine(scratch, Moments.PartFloats(_geometry.OutChannels), counts, mean, variance, _geometry.OutChannels);
    }

    private struct Work : IParallelWork
    {
        public MappedConvLoop Loop;
        public float* Input;
        public ChannelMap Map;
        public float* Output;
        public float* Moments;

        public readonly void Execute(int part)
        {
            ref readonly var g = ref Loop._geometry;
            var (firstImage, endImage, firstRow, endRow) = Loop._parts.Part(part);
            var moments = Moments == null ? null : Moments + (part * Loops.Moments.PartFloats(g.OutChannels));
            var bandRows = BandRows(g, endRow - firstRow);
            for (var image = firstImage; image < endImage; image++)
            {
                for (var row = firstRow; row < endRow; row += bandRows)
                {
                    var end = Math.Min(endRow, row + bandRows);
                    var output = Output + ((((nint)image * g.Rows.Out) + row) * g.Columns.Out * g.OutChannels);
                    RunBand(g, Input + ((nint)image * g.Rows.In * g.Columns.In * g.InChannels), output, row, end);
                    if (moments == null)
                        continue;
                    if (image == firstImage && row == firstRow)
                        Loops.Moments.Begin(moments, output, g.OutChannels);
                    Loops.Moments.Add(moments, output, (nint)(end - row) * g.Columns.Out, g.OutChannels, Loop._width);
                }
            }
        }

        private static int BandRows(in ConvGeometry g, int rows)
        {
            var rowFloats = Math.Max((long)g.Columns.In * g.InChannels * g.Rows.Stride, (long)g.Columns.Out * g.OutChannels);
            var most = (int)Math.Clamp(BandFloats / rowFloats, Math.Min(rows, 2), Math.Max(1, rows));
            var bands = (rows + most - 1) / most;

            // Depthwise loops do two rows at a time.
            return Math.Min(rows, ((rows + bands - 1) / bands) + 1 & ~1);
        }

        private readonly void RunBand(in ConvGeometry g, float* image, float* output, int row, int end)
        {
            if (!Map.IsPresent)
            {
                Loop._loop.RunRows(image, output, g.OutChannels, g, row, end);
                return;
            }

            // The loop counts in the image's rows: it is given where the image would begin.
            var rowFloats = (nint)g.Columns.In * g.InChannels;
            var first = Math.Clamp(g.Rows.InputStart(row), 0, g.Rows.In);
            var last = Math.Clamp(g.Rows.InputStart(end - 1) + g.Rows.Span, first, g.Rows.In);
            var mapped = Scratch.Tile((last - first) * rowFloats);
            var map = new ChannelRows.MapWork
            {
                Map = Map,
                Z = image + (first * rowFloats),
                X = mapped,
                XStride = g.InChannels,
                Pixels = (nint)(last - first) * g.Columns.In,
                Channels = g.InChannels,
            };
            SimdWidths.ForChannels(Loop._width, g.InChannels).Dispatch(ref map);
            Loop._loop.RunRows(mapped - (first * rowFloats), output, g.OutChannels, g, row, end);
        }
    }
}
