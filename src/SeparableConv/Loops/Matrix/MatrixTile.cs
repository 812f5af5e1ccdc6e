using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace SeparableConv.Loops;

/// <summary>What one call of <see cref="MatrixTile"/> works on.</summary>
internal unsafe struct TileArguments
{
    /// <summary>Row 0 of the left operand; row r begins r*RowStride floats later.</summary>
    public float* Left;

    /// <summary>Floats from one row of the left operand to the next; rows may overlap.</summary>
    public nint RowStride;

    /// <summary>
    /// Where each segment of a row begins, in floats from the row's begin: one for a matrix product, one a kernel row or tap for a
    /// convolution.
    /// </summary>
    public nint* SegmentOffsets;

    public int Segments;

    /// <summary>Floats in a segment.</summary>
    public int SegmentLength;

    /// <summary>The packed panel: for each k of each segment the weights of its columns, vectors next to each other.</summary>
    public float* Panel;

    /// <summary>One bias a column of the panel.</summary>
    public float* Bias;

    /// <summary>The output at row 0 and the panel's first column.</summary>
    public float* Output;

    public nint OutputStride;

    /// <summary>
    /// Where the panel's last vector is stored, in floats from <see cref="Output"/>: it overlaps the one before where the columns do not
    /// fill it.
    /// </summary>
    public nint LastVectorOffset;

    public float LowerBound;

    public float UpperBound;

    /// <summary>What follows the bounds.</summary>
    public TileEnd End;

    /// <summary>
    /// What <see cref="TileEnd.Shortcut"/> adds: its row 0 at the panel's first column, its rows as far apart as the output's. Null for
    /// any other end.
    /// </summary>
    public float* Shortcut;

    /// <summary>
    /// What to fetch into the second-level cache meanwhile: one line every step of k, <see cref="PrefetchStep"/> floats further each time.
    /// </summary>
    public float* Prefetch;

    public nint PrefetchStep;

    /// <summary>The same for output that will soon be written.</summary>
    public float* PrefetchOutput;

    public nint PrefetchOutputStep;
}

/// <summary>
/// The inner loop of every product with weights: a few rows by one, two or three vectors of columns,
/// output[r, j] = clamp(bias[j] + sum over s, k of left[r*RowStride + offset[s] + k] * panel[s, k, j]).
/// </summary>
/// <remarks>
/// Each accumulator is one vector of output columns of one row; 28 of them (12 where there are 16 registers) hide the latency
/// of the multiply-add. Measured on an AVX-512 server core (Emerald Rapids): 14x2 99 % of the multiply-add peak, 7x4 97 %,
/// 8x3 95 %; on 256 bits 6x2 95 %. Sums run over s and k in order, whatever the tile's shape: so results do not depend on
/// how rows were cut. Clamping is Max, then Min, with NaN passed through.
/// </remarks>
internal static unsafe class MatrixTile
{
    /// <summary>The most rows a tile can have.</summary>
    public const int MostRows = 14;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TSimd, TVec, TRows, TVectors, TEnd>(TileArguments* arguments)
        where TSimd : struct, ITileSimd<TVec>
        where TVec : struct
        where TRows : unmanaged, IConstant
        where TVectors : unmanaged, IConstant
        where TEnd : struct
    {
        var v = TSimd.Count;
        var vectors = TVectors.Value;
        var bias = arguments->Bias;
        var a0 = TSimd.Load(bias);
        var b0 = sizeof(TVectors) > 1 ? TSimd.Load(bias + v) : TSimd.Zero;
        var c0 = sizeof(TVectors) > 2 ? TSimd.Load(bias + (2 * v)) : TSimd.Zero;
        TVec a1 = a0, b1 = b0, c1 = c0;
        TVec a2 = a0, b2 = b0, c2 = c0;
        TVec a3 = a0, b3 = b0, c3 = c0;
        TVec a4 = a0, b4 = b0, c4 = c0;
        TVec a5 = a0, b5 = b0, c5 = c0;
        TVec a6 = a0, b6 = b0, c6 = c0;
        TVec a7 = a0, b7 = b0, c7 = c0;
        TVec a8 = a0, b8 = b0, c8 = c0;
        TVec a9 = a0, b9 = b0, c9 = c0;
        TVec a10 = a0, b10 = b0, c10 = c0;
        TVec a11 = a0, b11 = b0, c11 = c0;
        TVec a12 = a0, b12 = b0, c12 = c0;
        TVec a13 = a0, b13 = b0, c13 = c0;

        // Rows r, r+1 and r+2 share a pointer: the address is base, base + stride or base + 2*stride.
        var stride = arguments->RowStride;
        var stride2 = stride * 2;
        var panel = arguments->Panel;
        var prefetch = arguments->Prefetch;
        var prefetchStep = arguments->PrefetchStep;
        var prefetchOutput = arguments->PrefetchOutput;
        var prefetchOutputStep = arguments->PrefetchOutputStep;
        for (var s = 0; s < arguments->Segments; s++)
        {
            var p0 = arguments->Left + arguments->SegmentOffsets[s];
            var p1 = p0 + stride + stride2;
            var p2 = p1 + stride + stride2;
            var p3 = p2 + stride + stride2;
            var p4 = p3 + stride + stride2;
            var end = panel + ((nint)arguments->SegmentLength * vectors * v);
            while (panel < end)
            {
                var wa = TSimd.Load(panel);
                var wb = sizeof(TVectors) > 1 ? TSimd.Load(panel + v) : TSimd.Zero;
                var wc = sizeof(TVectors) > 2 ? TSimd.Load(panel + (2 * v)) : TSimd.Zero;
                TVec x;
                if (Sse.IsSupported)
                {
                    Sse.Prefetch1(prefetch);

                    // One vector a row needs a load for each multiply-add: there is no slot left for this one.
                    if (sizeof(TVectors) > 1)
                        Sse.Prefetch1(prefetchOutput);
                }


                x = TSimd.Broadcast(*p0);
                if (sizeof(TVectors) > 1)
                    TSimd.MultiplyAddBoth(x, wa, wb, ref a0, ref b0);
                else
                    a0 = TSimd.MultiplyAdd(x, wa, a0);
                if (sizeof(TVectors) > 2)
                    c0 = TSimd.MultiplyAdd(x, wc, c0);

                if (sizeof(TRows) > 1)
                {
                    x = TSimd.Broadcast(*(p0 + stride));
                    if (sizeof(TVectors) > 1)
                        TSimd.MultiplyAddBoth(x, wa, wb, ref a1, ref b1);
                    else
                        a1 = TSimd.MultiplyAdd(x, wa, a1);
                    if (sizeof(TVectors) > 2)
                        c1 = TSimd.MultiplyAdd(x, wc, c1);
                }

                if (sizeof(TRows) > 2)
                {
                    x = TSimd.Broadcast(*(p0 + stride2));
                    if (sizeof(TVectors) > 1)
                        TSimd.MultiplyAddBoth(x, wa, wb, ref a2, ref b2);
                    else
                        a2 = TSimd.MultiplyAdd(x, wa, a2);
                    if (sizeof(TVectors) > 2)
                        c2 = TSimd.MultiplyAdd(x, wc, c2);
                }

                if (sizeof(TRows) > 3)
                {
                    x = TSimd.Broadcast(*p1);
                    if (sizeof(TVectors) > 1)
                        TSimd.MultiplyAddBoth(x, wa, wb, ref a3, ref b3);
                    else
                        a3 = TSimd.MultiplyAdd(x, wa, a3);
                    if (sizeof(TVectors) > 2)
                        c3 = TSimd.MultiplyAdd(x, wc, c3);
                }

                if (sizeof(TRows) > 4)
                {
                    x = TSimd.Broadcast(*(p1 + stride));
                    if (sizeof(TVectors) > 1)
                        TSimd.MultiplyAddBoth(x, wa, wb, ref a4, ref b4);
                    else
                        a4 = TSimd.MultiplyAdd(x, wa, a4);
                    if (sizeof(TVectors) > 2)
                        c4 = TSimd.MultiplyAdd(x, wc, c4);
                }

                if (sizeof(TRows) > 5)
                {
                    x = TSimd.Broadcast(*(p1 + stride2));
                    if (sizeof(TVectors) > 1)
                        TSimd.MultiplyAddBoth(x, wa, wb, ref a5, ref b5);
                    else
                        a5 = TSimd.MultiplyAdd(x, wa, a5);
                    if (sizeof(TVectors) > 2)
                        c5 = TSimd.MultiplyAdd(x, wc, c5);
                }

                if (sizeof(TRows) > 6)
                {
                    x = TSimd.Broadcast(*p2);
                    if (sizeof(TVectors) > 1)
                        TSimd.MultiplyAddBoth(x, wa, wb, ref a6, ref b6);
                    else
                        a6 = TSimd.MultiplyAdd(x, wa, a6);
                    if (sizeof(TVectors) > 2)
                        c6 = TSimd.MultiplyAdd(x, wc, c6);
                }

                if (sizeof(TRows) > 7)
                {
                    x = TSimd.Broadcast(*(p2 + stride));
                    if (sizeof(TVectors) > 1)
                        TSimd.MultiplyAddBoth(x, wa, wb, ref a7, ref b7);
                    else
                        a7 = TSimd.MultiplyAdd(x, wa, a7);
                    if (sizeof(TVectors) > 2)
                        c7 = TSimd.MultiplyAdd(x, wc, c7);
                }

                if (sizeof(TRows) > 8)
                {
                    x = TSimd.Broadcast(*(p2 + stride2));
                    if (sizeof(TVectors) > 1)
                        TSimd.MultiplyAddBoth(x, wa, wb, ref a8, ref b8);
                    else
                        a8 = TSimd.MultiplyAdd(x, wa, a8);
                    if (sizeof(TVectors) > 2)
                        c8 = TSimd.MultiplyAdd(x, wc, c8);
                }

                if (sizeof(TRows) > 9)
                {
                    x = TSimd.Broadcast(*p3);
                    if (sizeof(TVectors) > 1)
                        TSimd.MultiplyAddBoth(x, wa, wb, ref a9, ref b9);
                    else
                        a9 = TSimd.MultiplyAdd(x, wa, a9);
                    if (sizeof(TVectors) > 2)
                        c9 = TSimd.MultiplyAdd(x, wc, c9);
                }

                if (sizeof(TRows) > 10)
                {
                    x = TSimd.Broadcast(*(p3 + stride));
                    if (sizeof(TVectors) > 1)
                        TSimd.MultiplyAddBoth(x, wa, wb, ref a10, ref b10);
                    else
                        a10 = TSimd.MultiplyAdd(x, wa, a10);
                    if (sizeof(TVectors) > 2)
                        c10 = TSimd.MultiplyAdd(x, wc, c10);
                }

                if (sizeof(TRows) > 11)
                {
                    x = TSimd.Broadcast(*(p3 + stride2));
                    if (sizeof(TVectors) > 1)
                        TSimd.MultiplyAddBoth(x, wa, wb, ref a11, ref b11);
                    else
                        a11 = TSimd.MultiplyAdd(x, wa, a11);
                    if (sizeof(TVectors) > 2)
                        c11 = TSimd.MultiplyAdd(x, wc, c11);
                }

                if (sizeof(TRows) > 12)
                {
                    x = TSimd.Broadcast(*p4);
                    if (sizeof(TVectors) > 1)
                        TSimd.MultiplyAddBoth(x, wa, wb, ref a12, ref b12);
                    else
                        a12 = TSimd.MultiplyAdd(x, wa, a12);
                    if (sizeof(TVectors) > 2)
                        c12 = TSimd.MultiplyAdd(x, wc, c12);
                }

                if (sizeof(TRows) > 13)
                {
                    x = TSimd.Broadcast(*(p4 + stride));
                    if (sizeof(TVectors) > 1)
                        TSimd.MultiplyAddBoth(x, wa, wb, ref a13, ref b13);
                    else
                        a13 = TSimd.MultiplyAdd(x, wa, a13);
                    if (sizeof(TVectors) > 2)
                        c13 = TSimd.MultiplyAdd(x, wc, c13);
                }

                panel += vectors * v;
                prefetch += prefetchStep;
                prefetchOutput += prefetchOutputStep;
                p0++;
                p1++;
                p2++;
                p3++;
                p4++;
            }
        }

        var lower = TSimd.Broadcast(arguments->LowerBound);
        var upper = TSimd.Broadcast(arguments->UpperBound);
        var output = arguments->Output;
        var outputStride = arguments->OutputStride;
        var last = arguments->LastVectorOffset;
        var shortcut = (nint)(arguments->Shortcut - output);
        Store<TSimd, TVec, TVectors, TEnd>(a0, b0, c0, lower, upper, output, shortcut, last);
        if (sizeof(TRows) > 1)
            Store<TSimd, TVec, TVectors, TEnd>(a1, b1, c1, lower, upper, output + outputStride, shortcut, last);
        if (sizeof(TRows) > 2)
            Store<TSimd, TVec, TVectors, TEnd>(a2, b2, c2, lower, upper, output + (2 * outputStride), shortcut, last);
        if (sizeof(TRows) > 3)
            Store<TSimd, TVec, TVectors, TEnd>(a3, b3, c3, lower, upper, output + (3 * outputStride), shortcut, last);
        if (sizeof(TRows) > 4)
            Store<TSimd, TVec, TVectors, TEnd>(a4, b4, c4, lower, upper, output + (4 * outputStride), shortcut, last);
        if (sizeof(TRows) > 5)
            Store<TSimd, TVec, TVectors, TEnd>(a5, b5, c5, lower, upper, output + (5 * outputStride), shortcut, last);
        if (sizeof(TRows) > 6)
            Store<TSimd, TVec, TVectors, TEnd>(a6, b6, c6, lower, upper, output + (6 * outputStride), shortcut, last);
        if (sizeof(TRows) > 7)
            Store<TSimd, TVec, TVectors, TEnd>(a7, b7, c7, lower, upper, output + (7 * outputStride), shortcut, last);
        if (sizeof(TRows) > 8)
            Store<TSimd, TVec, TVectors, TEnd>(a8, b8, c8, lower, upper, output + (8 * outputStride), shortcut, last);
        if (sizeof(TRows) > 9)
            Store<TSimd, TVec, TVectors, TEnd>(a9, b9, c9, lower, upper, output + (9 * outputStride), shortcut, last);
        if (sizeof(TRows) > 10)
            Store<TSimd, TVec, TVectors, TEnd>(a10, b10, c10, lower, upper, output + (10 * outputStride), shortcut, last);
        if (sizeof(TRows) > 11)
            Store<TSimd, TVec, TVectors, TEnd>(a11, b11, c11, lower, upper, output + (11 * outputStride), shortcut, last);
        if (sizeof(TRows) > 12)
            Store<TSimd, TVec, TVectors, TEnd>(a12, b12, c12, lower, upper, output + (12 * outputStride), shortcut, last);
        if (sizeof(TRows) > 13)
            Store<TSimd, TVec, TVectors, TEnd>(a13, b13, c13, lower, upper, output + (13 * outputStride), shortcut, last);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TSimd, TVec, TVectors, TEnd>(
        TVec a, TVec b, TVec c, TVec lower, TVec upper, float* output, nint shortcut, nint last)
        where TSimd : struct, ITileSimd<TVec>
        where TVec : struct
        where TVectors : unmanaged, IConstant
        where TEnd : struct
    {
        TSimd.Store(Finish<TSimd, TVec, TEnd>(a, lower, upper, output + shortcut), output);
        if (sizeof(TVectors) == 2)
            TSimd.Store(Finish<TSimd, TVec, TEnd>(b, lower, upper, output + last + shortcut), output + last);
        if (sizeof(TVectors) < 3)
            return;
        TSimd.Store(Finish<TSimd, TVec, TEnd>(b, lower, upper, output + TSimd.Count + shortcut), output + TSimd.Count);
        TSimd.Store(Finish<TSimd, TVec, TEnd>(c, lower, upper, output + last + shortcut), output + last);
    }

    /// <summary>What becomes of a sum: the bounds, through which a NaN passes as the second operand, and the end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVec Finish<TSimd, TVec, TEnd>(TVec sum, TVec lower, TVec upper, float* shortcut)
        where TSimd : struct, ITileSimd<TVec>
        where TVec : struct
        where TEnd : struct
    {
        sum = TSimd.Min(upper, TSimd.Max(lower, sum));
        if (typeof(TEnd) == typeof(TileEnds.HardSwish))
            return TSimd.HardSwish(sum);
        return typeof(TEnd) == typeof(TileEnds.Shortcut) ? TSimd.Add(sum, TSimd.Load(shortcut)) : sum;
    }
}
