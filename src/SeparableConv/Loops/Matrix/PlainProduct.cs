using System.Runtime.CompilerServices;

namespace SeparableConv.Loops;

/// <summary>
/// y[r, n] = sum over k of a[r*rowStride + k*stepStride] * b[k, n] without packing anything: for right sides that are new in every
/// run. Weights that stay are packed once, for <see cref="MatrixProduct"/>.
/// </summary>
internal static unsafe class PlainProduct
{
    /// <summary>Computes <paramref name="rows"/> rows of <paramref name="columns"/> floats on the calling thread.</summary>
    /// <param name="a">The left side.</param>
    /// <param name="rowStride">Floats from one row of it to the next.</param>
    /// <param name="stepStride">Floats from one k to the next.</param>
    /// <param name="b">(depth, columns), without gaps.</param>
    /// <param name="y">(rows, columns), without gaps.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="depth">Steps of k; with none, the result is 0.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="width">The widest vectors to run with.</param>
    public static void Run(
        float* a, nint rowStride, nint stepStride, float* b, float* y, nint rows, nint depth, int columns, SimdWidth width)
    {
        var work = new Work(a, rowStride, stepStride, b, y, rows, depth, columns);
        SimdWidths.ForChannels(width, columns).Dispatch(ref work);
    }

    private readonly struct Work(float* a, nint rowStride, nint stepStride, float* b, float* y, nint rows, nint depth, int columns)
        : ISimdWork
    {
        public void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => PlainProduct.Run<TSimd, TVec>(a, rowStride, stepStride, b, y, rows, depth, columns);
    }

    // Four rows by two vectors. Rows and columns that do not fill a tile move back over their neighbours, which then are
    // computed twice, with the same result.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TSimd, TVec>(float* a, nint rowStride, nint stepStride, float* b, float* y, nint rows, nint depth, nint columns)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        nint v = TSimd.Count;
        var second = Math.Min(v, columns - v);
        for (nint column = 0; column < columns; column += 2 * v)
        {
            var first = Math.Min(column, columns - v - second);
            for (nint row = 0; row < rows; row += 4)
            {
                var (r1, r2, r3) = (Math.Min(row + 1, rows - 1), Math.Min(row + 2, rows - 1), Math.Min(row + 3, rows - 1));
                var x0 = a + (row * rowStride);
                var x1 = a + (r1 * rowStride);
                var x2 = a + (r2 * rowStride);
                var x3 = a + (r3 * rowStride);
                var (s00, s01, s10, s11) = (TSimd.Zero, TSimd.Zero, TSimd.Zero, TSimd.Zero);
                var (s20, s21, s30, s31) = (TSimd.Zero, TSimd.Zero, TSimd.Zero, TSimd.Zero);
                var w = b + first;
                for (nint k = 0; k < depth; k++, w += columns)
                {
                    var (w0, w1) = (TSimd.Load(w), TSimd.Load(w + second));
                    var at = k * stepStride;
                    var x = TSimd.Broadcast(x0[at]);
                    s00 = TSimd.MultiplyAdd(x, w0, s00);
                    s01 = TSimd.MultiplyAdd(x, w1, s01);
                    x = TSimd.Broadcast(x1[at]);
                    s10 = TSimd.MultiplyAdd(x, w0, s10);
                    s11 = TSimd.MultiplyAdd(x, w1, s11);
                    x = TSimd.Broadcast(x2[at]);
                    s20 = TSimd.MultiplyAdd(x, w0, s20);
                    s21 = TSimd.MultiplyAdd(x, w1, s21);
                    x = TSimd.Broadcast(x3[at]);
                    s30 = TSimd.MultiplyAdd(x, w0, s30);
                    s31 = TSimd.MultiplyAdd(x, w1, s31);
                }

                Store<TSimd, TVec>(y + (row * columns) + first, s00, s01, second);
                Store<TSimd, TVec>(y + (r1 * columns) + first, s10, s11, second);
                Store<TSimd, TVec>(y + (r2 * columns) + first, s20, s21, second);
                Store<TSimd, TVec>(y + (r3 * columns) + first, s30, s31, second);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TSimd, TVec>(float* target, TVec first, TVec second, nint secondOffset)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        TSimd.Store(first, target);
        TSimd.Store(second, target + secondOffset);
    }
}
