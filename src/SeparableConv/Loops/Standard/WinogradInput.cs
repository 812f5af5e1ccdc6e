using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SeparableConv.Loops;

/// <summary>
/// The input's side of <see cref="WinogradLoop"/>: V = B'dB for each tile's 4x4 input pixels d, channel by channel, with
/// B' = [1 0 -1 0; 0 1 1 0; 0 -1 1 0; 0 1 0 -1]. Each lane is one channel.
/// </summary>
internal static unsafe class WinogradInput
{
    /// <summary>Transforms tiles <paramref name="first"/> to <paramref name="end"/> - 1 into their rows of the block.</summary>
    /// <param name="tiles">The tiles of the convolution.</param>
    /// <param name="input">(N, inH, inW, C).</param>
    /// <param name="block">The block that they belong to.</param>
    /// <param name="first">The first tile.</param>
    /// <param name="end">One past the last tile.</param>
    /// <param name="width">At most C lanes.</param>
    public static void Run(in WinogradTiles tiles, float* input, in WinogradBlock block, long first, long end, SimdWidth width)
    {
        var work = new Work(in tiles, in block) { Input = input, First = first, End = end };
        width.Dispatch(ref work);
    }

    private readonly ref struct Work(ref readonly WinogradTiles tiles, ref readonly WinogradBlock block) : ISimdWork
    {
        private readonly ref readonly WinogradTiles _tiles = ref tiles;
        private readonly ref readonly WinogradBlock _block = ref block;

        public float* Input { get; init; }

        public long First { get; init; }

        public long End { get; init; }

        public void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => WinogradInput.Run<TSimd, TVec>(_tiles, Input, _block, First, End);
    }

    private static void Run<TSimd, TVec>(in WinogradTiles tiles, float* input, in WinogradBlock block, long first, long end)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var (rows, columns, channels) = (tiles.Geometry.Rows, tiles.Geometry.Columns, tiles.Geometry.InChannels);
        var imageRow = (nint)columns.In * channels;

        // Four pixels of zeros, and the four rows of a tile that the border cuts.
        var patchRow = (nint)WinogradTiles.InputSide * channels;
        var zeros = Scratch.Floats((1 + WinogradTiles.InputSide) * patchRow);
        NativeMemory.Clear(zeros, (nuint)patchRow * sizeof(float));
        var patch = zeros + patchRow;
        var lines = stackalloc float*[WinogradTiles.InputSide];
        var target = block.Input + ((nint)(first - block.First) * block.InputStride);
        while (first < end)
        {
            var run = tiles.RunAt(first, end);
            var top = rows.InputStart(run.Row * WinogradTiles.Side);
            var image = input + (run.Image * rows.In * imageRow);
            for (var tile = run.First; tile < run.End; tile++)
            {
                var left = columns.InputStart(tile * WinogradTiles.Side);
                var isInside = left >= 0 && left + WinogradTiles.InputSide <= columns.In;
                for (var r = 0; r < WinogradTiles.InputSide; r++)
                {
                    var y = top + r;
                    if (y < 0 || y >= rows.In)
                        lines[r] = zeros;
                    else if (isInside)
                        lines[r] = image + (y * imageRow) + ((nint)left * channels);
                    else
                        lines[r] = CopyCut(image + (y * imageRow), patch + (r * patchRow), left, columns.In, channels);
                }

                Transform<TSimd, TVec>(lines, channels, target, block.InputPlane);
                target += block.InputStride;
            }

            first += run.Count;
        }
    }

    /// <summary>Copies four pixels of a row, zeros for those outside it.</summary>
    private static float* CopyCut(float* row, float* target, int left, int pixels, int channels)
    {
        for (var i = 0; i < WinogradTiles.InputSide; i++)
        {
            var x = left + i;
            var to = target + ((nint)i * channels);
            if (x < 0 || x >= pixels)
                NativeMemory.Clear(to, (nuint)channels * sizeof(float));
            else
                NativeMemory.Copy(row + ((nint)x * channels), to, (nuint)channels * sizeof(float));
        }

        return target;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transform<TSimd, TVec>(float** lines, nint channels, float* target, nint plane)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var line0 = lines[0];
        var line1 = lines[1];
        var line2 = lines[2];
        var line3 = lines[3];
        for (nint next = 0; next < channels; next += TSimd.Count)
        {
            // The last vector is moved left over its neighbour: it computes the same numbers again.
            var c = Math.Min(next, channels - TSimd.Count);
            var d0 = line0 + c;
            var d1 = line1 + c;
            var d2 = line2 + c;
            var d3 = line3 + c;
            var to = target + c;

            // Lines first, then columns. Lines 1 and 2 are loaded once for their sum and their difference.
            StoreRow<TSimd, TVec>(
                to,
                plane,
                Difference<TSimd, TVec>(d0, d2),
                Difference<TSimd, TVec>(d0 + channels, d2 + channels),
                Difference<TSimd, TVec>(d0 + (2 * channels), d2 + (2 * channels)),
                Difference<TSimd, TVec>(d0 + (3 * channels), d2 + (3 * channels)));

            to += 4 * plane;
            var (a0, b0) = (TSimd.Load(d1), TSimd.Load(d2));
            var (a1, b1) = (TSimd.Load(d1 + channels), TSimd.Load(d2 + channels));
            var (a2, b2) = (TSimd.Load(d1 + (2 * channels)), TSimd.Load(d2 + (2 * channels)));
            var (a3, b3) = (TSimd.Load(d1 + (3 * channels)), TSimd.Load(d2 + (3 * channels)));
            StoreRow<TSimd, TVec>(to, plane, TSimd.Add(a0, b0), TSimd.Add(a1, b1), TSimd.Add(a2, b2), TSimd.Add(a3, b3));
            to += 4 * plane;
            StoreRow<TSimd, TVec>(
                to, plane, TSimd.Subtract(b0, a0), TSimd.Subtract(b1, a1), TSimd.Subtract(b2, a2), TSimd.Subtract(b3, a3));

            to += 4 * plane;
            StoreRow<TSimd, TVec>(
                to,
                plane,
                Difference<TSimd, TVec>(d1, d3),
                Difference<TSimd, TVec>(d1 + channels, d3 + channels),
                Difference<TSimd, TVec>(d1 + (2 * channels), d3 + (2 * channels)),
                Difference<TSimd, TVec>(d1 + (3 * channels), d3 + (3 * channels)));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVec Difference<TSimd, TVec>(float* a, float* b)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct => TSimd.Subtract(TSimd.Load(a), TSimd.Load(b));

    /// <summary>Four numbers of a row times B, each into its plane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreRow<TSimd, TVec>(float* to, nint plane, TVec t0, TVec t1, TVec t2, TVec t3)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        TSimd.Store(TSimd.Subtract(t0, t2), to);
        TSimd.Store(TSimd.Add(t1, t2), to + plane);
        TSimd.Store(TSimd.Subtract(t2, t1), to + (2 * plane));
        TSimd.Store(TSimd.Subtract(t1, t3), to + (3 * plane));
    }
}
