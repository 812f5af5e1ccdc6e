using System.Runtime.CompilerServices;

namespace SeparableConv.Loops;

/// <summary>
/// The output's side of <see cref="WinogradLoop"/>: y = activation(A'MA) for each tile's 16 products M, filter by filter,
/// with A' = [1 1 1 0; 0 1 -1 -1]. Each lane is one filter.
/// </summary>
internal static unsafe class WinogradOutput
{
    /// <summary>Transforms tiles <paramref name="first"/> to <paramref name="end"/> - 1 from their rows of the block.</summary>
    /// <param name="tiles">The tiles of the convolution.</param>
    /// <param name="block">The block that they belong to.</param>
    /// <param name="output">(N, outH, outW, O).</param>
    /// <param name="first">The first tile.</param>
    /// <param name="end">One past the last tile.</param>
    /// <param name="activation">Applied to the sums.</param>
    /// <param name="width">At most O lanes.</param>
    public static void Run(
        in WinogradTiles tiles, in WinogradBlock block, float* output, long first, long end, Activation activation, SimdWidth width)
    {
        var work = new Work(in tiles, in block) { Output = output, First = first, End = end, Activation = activation, Width = width };
        width.Dispatch(ref work);
    }

    private readonly ref struct Work(ref readonly WinogradTiles tiles, ref readonly WinogradBlock block) : ISimdWork
    {
        private readonly ref readonly WinogradTiles _tiles = ref tiles;
        private readonly ref readonly WinogradBlock _block = ref block;

        public float* Output { get; init; }

        public long First { get; init; }

        public long End { get; init; }

        public required Activation Activation { get; init; }

        public SimdWidth Width { get; init; }

        public void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct
        {
            var geometry = _tiles.Geometry;
            var filters = (nint)geometry.OutChannels;
            var imageRow = geometry.Columns.Out * filters;
            for (var first = First; first < End;)
            {
                var run = _tiles.RunAt(first, End);
                var firstRow = run.Row * WinogradTiles.Side;
                var firstColumn = run.First * WinogradTiles.Side;
                var rows = Math.Min(WinogradTiles.Side, geometry.Rows.Out - firstRow);
                var columns = Math.Min(run.Count * WinogradTiles.Side, geometry.Columns.Out - firstColumn);
                var source = _block.Output + ((nint)(first - _block.First) * _block.OutputStride);
                var target = Output + ((((nint)run.Image * geometry.Rows.Out) + firstRow) * imageRow) + (firstColumn * filters);
                RunRow<TSimd, TVec>(source, _block, target, rows > 1 ? imageRow : 0, columns, filters, Activation);
                for (var row = 0; row < rows && !Activation.IsClamp; row++)
                    Activation.ApplyRows(target + (row * imageRow), columns, (int)filters, filters, 0, Width);
                first += run.Count;
            }
        }
    }

    /// <summary>Neighbouring tiles; <paramref name="imageRow"/> is 0 where the tiles have one row, as the last of an odd image.</summary>
    private static void RunRow<TSimd, TVec>(
        float* source, in WinogradBlock block, float* target, nint imageRow, int columns, nint filters, Activation activation)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        for (var column = 0; column < columns; column += WinogradTiles.Side)
        {
            // Pixels outside the image are stored first, where the pixel inside is stored over them.
            var across = column + 1 < columns ? filters : 0;
            Transform<TSimd, TVec>(
                source, block.OutputPlane, target, across, imageRow, filters, activation.LowerBound, activation.UpperBound);
            source += block.OutputStride;
            target += WinogradTiles.Side * filters;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transform<TSimd, TVec>(
        float* source, nint plane, float* target, nint across, nint down, nint filters, float lowerBound, float upperBound)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var lower = TSimd.Broadcast(lowerBound);
        var upper = TSimd.Broadcast(upperBound);
        for (nint next = 0; next < filters; next += TSimd.Count)
        {
            var o = Math.Min(next, filters - TSimd.Count);
            var from = source + o;
            var (y00, y10) = Column<TSimd, TVec>(from, plane);
            var (s, r) = Column<TSimd, TVec>(from + plane, plane);
            y00 = TSimd.Add(y00, s);
            y10 = TSimd.Add(y10, r);
            var (y01, y11) = (s, r);
            (s, r) = Column<TSimd, TVec>(from + (2 * plane), plane);
            y00 = TSimd.Add(y00, s);
            y10 = TSimd.Add(y10, r);
            y01 = TSimd.Subtract(y01, s);
            y11 = TSimd.Subtract(y11, r);
            (s, r) = Column<TSimd, TVec>(from + (3 * plane), plane);
            y01 = TSimd.Subtract(y01, s);
            y11 = TSimd.Subtract(y11, r);

            // From the last pixel to the first: see RunRow. A NaN comes back as the second operand, so it survives both bounds.
            var to = target + o;
            TSimd.Store(TSimd.Min(upper, TSimd.Max(lower, y11)), to + down + across);
            TSimd.Store(TSimd.Min(upper, TSimd.Max(lower, y10)), to + down);
            TSimd.Store(TSimd.Min(upper, TSimd.Max(lower, y01)), to + across);
            TSimd.Store(TSimd.Min(upper, TSimd.Max(lower, y00)), to);
        }
    }

    /// <summary>A column of four products times A': the upper pixel's share and the lower one's.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (TVec Upper, TVec Lower) Column<TSimd, TVec>(float* from, nint plane)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var m1 = TSimd.Load(from + (4 * plane));
        var m2 = TSimd.Load(from + (8 * plane));
        return (
            TSimd.Add(TSimd.Add(TSimd.Load(from), m1), m2),
            TSimd.Subtract(TSimd.Subtract(m1, m2), TSimd.Load(from + (12 * plane))));
    }
}
