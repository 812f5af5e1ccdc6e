using SeparableConv.Threading;

namespace SeparableConv.Loops;

/// <summary>
/// Depthwise then pointwise, tile by tile: a few rows of depthwise output stay in the second-level cache and the pointwise
/// product consumes them at once, so that the intermediate image never goes to memory.
/// </summary>
internal sealed unsafe class FusedSeparableLoop
{
    // 256 KB: measured best between 64 and 400 KB; much smaller tiles read the pointwise weights too often.
    private const int TileFloats = 64 * 1024;

    private readonly DepthwiseLoop _depthwise;
    private readonly PointwiseLoop _pointwise;

    public FusedSeparableLoop(DepthwiseLoop depthwise, PointwiseLoop pointwise)
    {
        _depthwise = depthwise;
        _pointwise = pointwise;
    }

    /// <summary>Computes (N, outH, outW, O) from (N, inH, inW, C).</summary>
    /// <param name="input">(N, inH, inW, C).</param>
    /// <param name="output">(N, outH, outW, O).</param>
    /// <param name="geometry">The sizes of the depthwise step; its output has C*M channels.</param>
    /// <param name="outChannels">O.</param>
    /// <param name="threads">Threads to use at most.</param>
    /// <param name="shortcut">(N, outH, outW, O), added to the last sums behind their activation; null for none.</param>
    public void Run(float* input, float* output, in ConvGeometry geometry, int outChannels, int threads, float* shortcut = null)
    {
        // The last layers of a network have few pixels and many weights. There each thread takes channels of its own, then filters: the
        // weights are read once. Where channels can not be cut it computes the depthwise step, a hundredth of the work, for itself.
        var sharesFilters = threads > 1 && _pointwise.CanShareFilters(threads)
            && outChannels > 4L * geometry.Batch * geometry.Rows.Out * geometry.Columns.Out;
        if (sharesFilters && _depthwise.CanSlice && geometry.OutChannels >= threads * _depthwise.Lanes)
        {
            RunSlices(input, output, geometry, threads, shortcut);
            return;
        }

        var tiles = TilesInImage(geometry, sharesFilters ? 1 : threads);
        var work = new Work
        {
            Loop = this,
            Input = input,
            Output = output,
            Shortcut = shortcut,
            Geometry = geometry,
            OutChannels = outChannels,
            Tiles = tiles,
            FilterParts = sharesFilters ? threads : 1,
        };
        WorkerPool.Shared.Run(ref work, geometry.Batch * tiles * work.FilterParts, threads);
    }

    private void RunSlices(float* input, float* output, in ConvGeometry geometry, int threads, float* shortcut)
    {
        var pixels = (nint)geometry.Rows.Out * geometry.Columns.Out;
        var stride = Scratch.RowStride(geometry.OutChannels);
        var work = new SliceWork
        {
            Depthwise = _depthwise,
            Input = input,
            Output = Scratch.Shared(checked(geometry.Batch * pixels * stride)),
            Stride = stride,
            Geometry = geometry,
            Slices = Math.Min(2 * threads, geometry.OutChannels / _depthwise.Lanes),
        };
        WorkerPool.Shared.Run(ref work, checked(geometry.Batch * work.Slices), threads);
        _pointwise.Run(work.Output, stride, output, geometry.Batch * pixels, threads, shortcut);
    }

    private static int TilesInImage(in ConvGeometry geometry, int threads)
    {
        var rowFloats = (long)geometry.Columns.Out * Scratch.RowStride(geometry.OutChannels);
        var rowsInTile = Math.Clamp(TileFloats / rowFloats, 1, geometry.Rows.Out);
        var tiles = (int)((geometry.Rows.Out + rowsInTile - 1) / rowsInTile);

        // Enough tiles to share out evenly, where the image has the rows.
        var wanted = threads > 1 ? (threads + geometry.Batch - 1) / geometry.Batch : 1;
        if (tiles * geometry.Batch < 4 * threads && threads > 1)
            tiles = (tiles + wanted - 1) / wanted * wanted;
        return Math.Min(tiles, geometry.Rows.Out);
    }

    private struct SliceWork : IParallelWork
    {
        public DepthwiseLoop Depthwise;
        public float* Input;
        public float* Output;
        public nint Stride;
        public ConvGeometry Geometry;
        public int Slices;

        public readonly void Execute(int part)
        {
            var (slice, n) = Math.DivRem(part, Geometry.Batch);
            var (rows, columns) = (Geometry.Rows, Geometry.Columns);
            var vectors = Geometry.OutChannels / Depthwise.Lanes;
            Depthwise.RunChannels(
                Input + ((nint)n * rows.In * columns.In * Geometry.InChannels),
                Output + ((nint)n * rows.Out * columns.Out * Stride),
                Stride,
                Geometry with { Batch = 1 },
                vectors * slice / Slices * Depthwise.Lanes,
                vectors * (slice + 1) / Slices * Depthwise.Lanes);
        }
    }

    private struct Work : IParallelWork
    {
        public FusedSeparableLoop Loop;
        public float* Input;
        public float* Output;
        public float* Shortcut;
        public ConvGeometry Geometry;
        public int OutChannels;
        public int Tiles;
        public int FilterParts;

        public readonly void Execute(int part)
        {
            var (filterPart, rest) = Math.DivRem(part, Geometry.Batch * Tiles);
            var (n, tile) = Math.DivRem(rest, Tiles);
            var (rows, columns) = (Geometry.Rows, Geometry.Columns);
            var firstRow = (int)((long)rows.Out * tile / Tiles);
            var endRow = (int)((long)rows.Out * (tile + 1) / Tiles);
            var pixels = (nint)(endRow - firstRow) * columns.Out;
            var stride = Scratch.RowStride(Geometry.OutChannels);
            var between = Scratch.Tile(pixels * stride);
            Loop._depthwise.RunRows(
                Input + ((nint)n * rows.In * columns.In * Geometry.InChannels), between, stride, Geometry, firstRow, endRow);
            var offset = (((nint)n * rows.Out) + firstRow) * columns.Out * OutChannels;
            var shortcut = Shortcut == null ? null : Shortcut + offset;
            Loop._pointwise.RunPixels(between, stride, pixels, Output + offset, OutChannels, filterPart, FilterParts, shortcut);
        }
    }
}
