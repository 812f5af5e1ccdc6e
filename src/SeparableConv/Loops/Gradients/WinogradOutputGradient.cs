using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SeparableConv.Loops;

/// <summary>
/// The output gradient's side of <see cref="WinogradWeightGradient"/>: Z = AgA' for each tile's 2x2 gradients g, channel by channel, with
/// A = [1 0; 1 1; 1 -1; 0 -1]. Each lane is one channel.
/// </summary>
internal static unsafe class WinogradOutputGradient
{
    /// <summary>Transforms tiles <paramref name="first"/> to <paramref name="end"/> - 1 into their rows of the block's output.</summary>
    public static void Run(in WinogradTiles tiles, float* gradient, in WinogradBlock block, long first, long end, SimdWidth width)
    {
        var work = new Work(in tiles, in block) { Gradient = gradient, First = first, End = end };
        width.Dispatch(ref work);
    }

    private readonly ref struct Work(ref readonly WinogradTiles tiles, ref readonly WinogradBlock block) : ISimdWork
    {
        private readonly ref readonly WinogradTiles _tiles = ref tiles;
        private readonly ref readonly WinogradBlock _block = ref block;

        public float* Gradient { get; init; }

        public long First { get; init; }

        public long End { get; init; }

        public void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => WinogradOutputGradient.Run<TSimd, TVec>(_tiles, Gradient, _block, First, End);
    }

    private static void Run<TSimd, TVec>(in WinogradTiles tiles, float* gradient, in WinogradBlock block, long first, long end)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var (rows, columns, channels) = (tiles.Geometry.Rows, tiles.Geometry.Columns, tiles.Geometry.OutChannels);
        var zeros = Scratch.Floats(channels);
        NativeMemory.Clear(zeros, (nuint)channels * sizeof(float));
        var target = block.Output + ((nint)(first - block.First) * block.OutputStride);
        while (first < end)
        {
            var run = tiles.RunAt(first, end);
            var row = run.Row * WinogradTiles.Side;
            var line = gradient + ((((nint)run.Image * rows.Out) + row) * columns.Out * channels);
            var below = row + 1 < rows.Out ? line + ((nint)columns.Out * channels) : null;
            for (var tile = run.First; tile < run.End; tile++)
            {
                // The last tile of a row or column may be cut.
                var x = tile * WinogradTiles.Side;
                var isWhole = x + 1 < columns.Out;
                var a = line + ((nint)x * channels);
                var c = below == null ? zeros : below + ((nint)x * channels);
                var b = isWhole ? a + channels : zeros;
                var d = isWhole && below != null ? c + channels : zeros;
                Transform<TSimd, TVec>(a, b, c, d, channels, target, block.OutputPlane);
                target += block.OutputStride;
            }

            first += run.Count;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transform<TSimd, TVec>(float* a, float* b, float* c, float* d, nint channels, float* target, nint plane)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        for (nint next = 0; next < channels; next += TSimd.Count)
        {
            // The last vector is moved left over its neighbour: it computes the same numbers again.
            var at = Math.Min(next, channels - TSimd.Count);
            var (ga, gb, gc, gd) = (TSimd.Load(a + at), TSimd.Load(b + at), TSimd.Load(c + at), TSimd.Load(d + at));
            var to = target + at;
            StoreRow<TSimd, TVec>(to, plane, ga, gb);
            StoreRow<TSimd, TVec>(to + (4 * plane), plane, TSimd.Add(ga, gc), TSimd.Add(gb, gd));
            StoreRow<TSimd, TVec>(to + (8 * plane), plane, TSimd.Subtract(ga, gc), TSimd.Subtract(gb, gd));
            StoreRow<TSimd, TVec>(to + (12 * plane), plane, TSimd.Subtract(TSimd.Zero, gc), TSimd.Subtract(TSimd.Zero, gd));
        }
    }

    /// <summary>Two numbers of a row times A', each into its plane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreRow<TSimd, TVec>(float* to, nint plane, TVec left, TVec right)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        TSimd.Store(left, to);
        TSimd.Store(TSimd.Add(left, right), to + plane);
        TSimd.Store(TSimd.Subtract(left, right), to + (2 * plane));
        TSimd.Store(TSimd.Subtract(TSimd.Zero, right), to + (3 * plane));
    }
}
