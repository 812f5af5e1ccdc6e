using SeparableConv.Threading;

namespace SeparableConv.Loops;

/// <summary>A convolution that can compute some of its output rows by itself: what drivers that chain two of them need.</summary>
internal unsafe interface IRowLoop
{
    /// <summary>
    /// Computes output rows <paramref name="firstRow"/> up to <paramref name="endRow"/> of one image on the calling thread.
    /// </summary>
    /// <param name="image">The image's first float.</param>
    /// <param name="output">Where output row <paramref name="firstRow"/> begins.</param>
    /// <param name="outputPixelStride">Floats from one output pixel to the next; rows follow each other without a gap.</param>
    /// <param name="geometry">The sizes of the whole convolution.</param>
    /// <param name="firstRow">The first row.</param>
    /// <param name="endRow">One past the last row.</param>
    void RunRows(float* image, float* output, nint outputPixelStride, in ConvGeometry geometry, int firstRow, int endRow);
}

/// <summary>A vertical convolution, then a horizontal one, band by band: the rows between them stay in the second-level cache.</summary>
internal sealed unsafe class SpatialLoop
{
    private const int BandFloats = 64 * 1024;

    private readonly IRowLoop _vertical;
    private readonly IRowLoop _horizontal;

    public SpatialLoop(IRowLoop vertical, IRowLoop horizontal)
    {
        _vertical = vertical;
        _horizontal = horizontal;
    }

    /// <summary>Computes (N, outH, outW, O) from (N, inH, inW, C).</summary>
    /// <param name="input">(N, inH, inW, C).</param>
    /// <param name="output">(N, outH, outW, O).</param>
    /// <param name="geometry">The sizes of the whole.</param>
    /// <param name="rank">R, channels between the two steps.</param>
    /// <param name="threads">Threads to use at most.</param>
    public void Run(float* input, float* output, in ConvGeometry geometry, int rank, int threads)
    {
        var rowFloats = (long)geometry.Columns.In * rank;
        var rowsInBand = Math.Clamp(BandFloats / rowFloats, 1, geometry.Rows.Out);
        var bands = (int)((geometry.Rows.Out + rowsInBand - 1) / rowsInBand);
        if (threads > 1 && bands < 4 * threads)
            bands = Math.Min(geometry.Rows.Out, 4 * threads);
        var along = new AxisGeometry(geometry.Columns.In, geometry.Columns.In, 1, 1, 1, 0, 0);
        var down = new AxisGeometry(geometry.Rows.Out, geometry.Rows.Out, 1, 1, 1, 0, 0);
        var work = new Work
        {
            Loop = this,
            Input = input,
            Output = output,
            Vertical = geometry with { OutChannels = rank, Columns = along },
            Horizontal = geometry with { InChannels = rank, Rows = down },
            Bands = bands,
        };
        WorkerPool.Shared.Run(ref work, geometry.Batch * bands, threads);
    }

    private struct Work : IParallelWork
    {
        public SpatialLoop Loop;
        public float* Input;
        public float* Output;
        public ConvGeometry Vertical;
        public ConvGeometry Horizontal;
        public int Bands;

        public readonly void Execute(int part)
        {
            var (n, band) = (part / Bands, part % Bands);
            var rows = Vertical.Rows;
            var firstRow = (int)((long)rows.Out * band / Bands);
            var endRow = (int)((long)rows.Out * (band + 1) / Bands);
            var rowFloats = (nint)Horizontal.Columns.In * Horizontal.InChannels;
            var between = Scratch.Tile((endRow - firstRow) * rowFloats);
            Loop._vertical.RunRows(
                Input + ((nint)n * rows.In * Vertical.Columns.In * Vertical.InChannels), between, Horizontal.InChannels,
                Vertical, firstRow, endRow);

            // The horizontal step counts its rows from the top of the image: so does the pointer it is given.
            Loop._horizontal.RunRows(
                between - (firstRow * rowFloats),
                Output + ((((nint)n * rows.Out) + firstRow) * Horizontal.Columns.Out * Horizontal.OutChannels),
                Horizontal.OutChannels,
                Horizontal,
                firstRow,
                endRow);
        }
    }
}
