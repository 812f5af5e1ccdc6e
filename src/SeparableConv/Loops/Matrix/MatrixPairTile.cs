using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SeparableConv.Loops;

/// <summary>
/// The tile for 24 columns on 512 bits: one vector of columns and a half. The half would waste half of its multiply-adds, so
/// its lanes hold two steps of k side by side (k in the even lanes, k+1 in the odd ones), times a pair of neighbouring floats
/// of the left row; the two sums are added at the end.
/// </summary>
/// <remarks>
/// The panel holds, for each pair of steps, the full vector of k, the full vector of k+1 and the pair vector; segments are of
/// even length. Measured on MobileNetV2_56x56_144_24: 65 % of the multiply-add peak with the half vector wasted, see
/// docs/performance.md for what this one reaches. Only 512 bits need it, so it is written for them alone.
/// </remarks>
internal static unsafe class MatrixPairTile
{
    private const int V = 16;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TRows, TEnd>(TileArguments* arguments)
        where TRows : unmanaged, IConstant
        where TEnd : struct
    {
        var a0 = Vector512.Load(arguments->Bias);
        var h0 = Vector512.Load(arguments->Bias + V);
        Vector512<float> a1 = a0, h1 = h0;
        Vector512<float> a2 = a0, h2 = h0;
        Vector512<float> a3 = a0, h3 = h0;
        Vector512<float> a4 = a0, h4 = h0;
        Vector512<float> a5 = a0, h5 = h0;
        Vector512<float> a6 = a0, h6 = h0;
        Vector512<float> a7 = a0, h7 = h0;
        Vector512<float> a8 = a0, h8 = h0;
        Vector512<float> a9 = a0, h9 = h0;
        Vector512<float> a10 = a0, h10 = h0;
        Vector512<float> a11 = a0, h11 = h0;
        Vector512<float> a12 = a0, h12 = h0;
        Vector512<float> a13 = a0, h13 = h0;

        // Rows r, r+1 and r+2 share a pointer: the address is base, base + stride or base + 2*stride.
        var stride = arguments->RowStride;
        var stride2 = stride * 2;
        var panel = arguments->Panel;
        for (var s = 0; s < arguments->Segments; s++)
        {
            var p0 = arguments->Left + arguments->SegmentOffsets[s];
            var p1 = p0 + stride + stride2;
            var p2 = p1 + stride + stride2;
            var p3 = p2 + stride + stride2;
            var p4 = p3 + stride + stride2;
            var end = panel + ((nint)arguments->SegmentLength / 2 * (3 * V));
            while (panel < end)
            {
                var even = Vector512.Load(panel);
                var odd = Vector512.Load(panel + V);
                var pair = Vector512.Load(panel + (2 * V));
                Step(p0, even, odd, pair, ref a0, ref h0);
                if (sizeof(TRows) > 1)
                    Step(p0 + stride, even, odd, pair, ref a1, ref h1);
                if (sizeof(TRows) > 2)
                    Step(p0 + stride2, even, odd, pair, ref a2, ref h2);
                if (sizeof(TRows) > 3)
                    Step(p1, even, odd, pair, ref a3, ref h3);
                if (sizeof(TRows) > 4)
                    Step(p1 + stride, even, odd, pair, ref a4, ref h4);
                if (sizeof(TRows) > 5)
                    Step(p1 + stride2, even, odd, pair, ref a5, ref h5);
                if (sizeof(TRows) > 6)
                    Step(p2, even, odd, pair, ref a6, ref h6);
                if (sizeof(TRows) > 7)
                    Step(p2 + stride, even, odd, pair, ref a7, ref h7);
                if (sizeof(TRows) > 8)
                    Step(p2 + stride2, even, odd, pair, ref a8, ref h8);
                if (sizeof(TRows) > 9)
                    Step(p3, even, odd, pair, ref a9, ref h9);
                if (sizeof(TRows) > 10)
                    Step(p3 + stride, even, odd, pair, ref a10, ref h10);
                if (sizeof(TRows) > 11)
                    Step(p3 + stride2, even, odd, pair, ref a11, ref h11);
                if (sizeof(TRows) > 12)
                    Step(p4, even, odd, pair, ref a12, ref h12);
                if (sizeof(TRows) > 13)
                    Step(p4 + stride, even, odd, pair, ref a13, ref h13);

                panel += 3 * V;
                p0 += 2;
                p1 += 2;
                p2 += 2;
                p3 += 2;
                p4 += 2;
            }
        }

        var lower = Vector512.Create(arguments->LowerBound);
        var upper = Vector512.Create(arguments->UpperBound);
        var output = arguments->Output;
        var outputStride = arguments->OutputStride;
        var shortcut = (nint)(arguments->Shortcut - output);
        Store<TEnd>(a0, h0, lower, upper, output, shortcut);
        if (sizeof(TRows) > 1)
            Store<TEnd>(a1, h1, lower, upper, output + outputStride, shortcut);
        if (sizeof(TRows) > 2)
            Store<TEnd>(a2, h2, lower, upper, output + (2 * outputStride), shortcut);
        if (sizeof(TRows) > 3)
            Store<TEnd>(a3, h3, lower, upper, output + (3 * outputStride), shortcut);
        if (sizeof(TRows) > 4)
            Store<TEnd>(a4, h4, lower, upper, output + (4 * outputStride), shortcut);
        if (sizeof(TRows) > 5)
            Store<TEnd>(a5, h5, lower, upper, output + (5 * outputStride), shortcut);
        if (sizeof(TRows) > 6)
            Store<TEnd>(a6, h6, lower, upper, output + (6 * outputStride), shortcut);
        if (sizeof(TRows) > 7)
            Store<TEnd>(a7, h7, lower, upper, output + (7 * outputStride), shortcut);
        if (sizeof(TRows) > 8)
            Store<TEnd>(a8, h8, lower, upper, output + (8 * outputStride), shortcut);
        if (sizeof(TRows) > 9)
            Store<TEnd>(a9, h9, lower, upper, output + (9 * outputStride), shortcut);
        if (sizeof(TRows) > 10)
            Store<TEnd>(a10, h10, lower, upper, output + (10 * outputStride), shortcut);
        if (sizeof(TRows) > 11)
            Store<TEnd>(a11, h11, lower, upper, output + (11 * outputStride), shortcut);
        if (sizeof(TRows) > 12)
            Store<TEnd>(a12, h12, lower, upper, output + (12 * outputStride), shortcut);
        if (sizeof(TRows) > 13)
            Store<TEnd>(a13, h13, lower, upper, output + (13 * outputStride), shortcut);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step(
        float* left, Vector512<float> even, Vector512<float> odd, Vector512<float> pair, ref Vector512<float> a, ref Vector512<float> h)
    {
        a = Vector512.MultiplyAddEstimate(Vector512.Create(left[0]), even, a);
        h = Vector512.MultiplyAddEstimate(Vector512.Create(*(double*)left).AsSingle(), pair, h);
        a = Vector512.MultiplyAddEstimate(Vector512.Create(left[1]), odd, a);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TEnd>(
        Vector512<float> a, Vector512<float> h, Vector512<float> lower, Vector512<float> upper, float* output, nint shortcut)
        where TEnd : struct
    {
        MatrixTile.Finish<Simd512, Vector512<float>, TEnd>(a, lower, upper, output + shortcut).Store(output);
        var evens = Vector512.Shuffle(h, Vector512.Create(0, 2, 4, 6, 8, 10, 12, 14, 0, 2, 4, 6, 8, 10, 12, 14));
        var odds = Vector512.Shuffle(h, Vector512.Create(1, 3, 5, 7, 9, 11, 13, 15, 1, 3, 5, 7, 9, 11, 13, 15));
        var half = (evens + odds).GetLower();
        var end = MatrixTile.Finish<Simd256, Vector256<float>, TEnd>(
            half, lower.GetLower(), upper.GetLower(), output + V + shortcut);
        end.Store(output + V);
    }
}
