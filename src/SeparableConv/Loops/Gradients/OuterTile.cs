using System.Runtime.CompilerServices;

namespace SeparableConv.Loops;

/// <summary>What one call of <see cref="OuterTile"/> works on. Distances are in floats.</summary>
internal unsafe struct OuterArguments
{
    /// <summary>
    /// The left operand from the tile's first row, the other rows being its neighbours, and the right one from its first column.
    /// </summary>
    public OuterOperands Operands;

    /// <summary>The sums at the tile's first row and column.</summary>
    public float* Sums;

    /// <summary>From one row of sums to the next.</summary>
    public nint SumsStride;

    /// <summary>
    /// Where the last vector begins, counted from the tile's first column: it overlaps the one before where the columns do not fill it.
    /// </summary>
    public nint LastVectorOffset;
}

/// <summary>
/// The inner loop of every gradient of weights, a sum of outer products: a few rows by one, two or three vectors of columns,
/// sums[r, j] += sum over s, k of left[leftOffset[s] + k*LeftStep + r] * right[rightOffset[s] + k*RightStep + j].
/// </summary>
/// <remarks>
/// It has the shapes of <see cref="MatrixTile"/> and other operands: both are read where they lie, and the sums begin with
/// what is there. Columns that two vectors share are computed twice, with the same result. Each sum runs over s and k in order.
/// </remarks>
internal static unsafe class OuterTile
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TSimd, TVec, TRows, TVectors>(OuterArguments* arguments)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TRows : unmanaged, IConstant
        where TVectors : unmanaged, IConstant
    {
        var v = TSimd.Count;
        var last = arguments->LastVectorOffset;
        var second = sizeof(TVectors) == 2 ? last : v;
        var stride = arguments->SumsStride;
        var sums = arguments->Sums;
        TVec a0 = TSimd.Zero, b0 = a0, c0 = a0;
        TVec a1 = a0, b1 = a0, c1 = a0;
        TVec a2 = a0, b2 = a0, c2 = a0;
        TVec a3 = a0, b3 = a0, c3 = a0;
        TVec a4 = a0, b4 = a0, c4 = a0;
        TVec a5 = a0, b5 = a0, c5 = a0;
        TVec a6 = a0, b6 = a0, c6 = a0;
        TVec a7 = a0, b7 = a0, c7 = a0;
        TVec a8 = a0, b8 = a0, c8 = a0;
        TVec a9 = a0, b9 = a0, c9 = a0;
        TVec a10 = a0, b10 = a0, c10 = a0;
        TVec a11 = a0, b11 = a0, c11 = a0;
        TVec a12 = a0, b12 = a0, c12 = a0;
        TVec a13 = a0, b13 = a0, c13 = a0;
        Load<TSimd, TVec, TVectors>(sums, second, last, ref a0, ref b0, ref c0);
        if (sizeof(TRows) > 1)
            Load<TSimd, TVec, TVectors>(sums + (1 * stride), second, last, ref a1, ref b1, ref c1);
        if (sizeof(TRows) > 2)
            Load<TSimd, TVec, TVectors>(sums + (2 * stride), second, last, ref a2, ref b2, ref c2);
        if (sizeof(TRows) > 3)
            Load<TSimd, TVec, TVectors>(sums + (3 * stride), second, last, ref a3, ref b3, ref c3);
        if (sizeof(TRows) > 4)
            Load<TSimd, TVec, TVectors>(sums + (4 * stride), second, last, ref a4, ref b4, ref c4);
        if (sizeof(TRows) > 5)
            Load<TSimd, TVec, TVectors>(sums + (5 * stride), second, last, ref a5, ref b5, ref c5);
        if (sizeof(TRows) > 6)
            Load<TSimd, TVec, TVectors>(sums + (6 * stride), second, last, ref a6, ref b6, ref c6);
        if (sizeof(TRows) > 7)
            Load<TSimd, TVec, TVectors>(sums + (7 * stride), second, last, ref a7, ref b7, ref c7);
        if (sizeof(TRows) > 8)
            Load<TSimd, TVec, TVectors>(sums + (8 * stride), second, last, ref a8, ref b8, ref c8);
        if (sizeof(TRows) > 9)
            Load<TSimd, TVec, TVectors>(sums + (9 * stride), second, last, ref a9, ref b9, ref c9);
        if (sizeof(TRows) > 10)
            Load<TSimd, TVec, TVectors>(sums + (10 * stride), second, last, ref a10, ref b10, ref c10);
        if (sizeof(TRows) > 11)
            Load<TSimd, TVec, TVectors>(sums + (11 * stride), second, last, ref a11, ref b11, ref c11);
        if (sizeof(TRows) > 12)
            Load<TSimd, TVec, TVectors>(sums + (12 * stride), second, last, ref a12, ref b12, ref c12);
        if (sizeof(TRows) > 13)
            Load<TSimd, TVec, TVectors>(sums + (13 * stride), second, last, ref a13, ref b13, ref c13);

        var operands = &arguments->Operands;
        var (leftStep, rightStep) = (operands->LeftStep, operands->RightStep);
        for (var s = 0; s < operands->Segments; s++)
        {
            var left = operands->Left + operands->LeftOffsets[s];
            var right = operands->Right + operands->RightOffsets[s];
            for (var k = operands->Steps; k > 0; k--)
            {
                var wa = TSimd.Load(right);
                var wb = sizeof(TVectors) > 1 ? TSimd.Load(right + second) : TSimd.Zero;
                var wc = sizeof(TVectors) > 2 ? TSimd.Load(right + last) : TSimd.Zero;
                Step<TSimd, TVec, TVectors>(left, wa, wb, wc, ref a0, ref b0, ref c0);
                if (sizeof(TRows) > 1)
                    Step<TSimd, TVec, TVectors>(left + 1, wa, wb, wc, ref a1, ref b1, ref c1);
                if (sizeof(TRows) > 2)
                    Step<TSimd, TVec, TVectors>(left + 2, wa, wb, wc, ref a2, ref b2, ref c2);
                if (sizeof(TRows) > 3)
                    Step<TSimd, TVec, TVectors>(left + 3, wa, wb, wc, ref a3, ref b3, ref c3);
                if (sizeof(TRows) > 4)
                    Step<TSimd, TVec, TVectors>(left + 4, wa, wb, wc, ref a4, ref b4, ref c4);
                if (sizeof(TRows) > 5)
                    Step<TSimd, TVec, TVectors>(left + 5, wa, wb, wc, ref a5, ref b5, ref c5);
                if (sizeof(TRows) > 6)
                    Step<TSimd, TVec, TVectors>(left + 6, wa, wb, wc, ref a6, ref b6, ref c6);
                if (sizeof(TRows) > 7)
                    Step<TSimd, TVec, TVectors>(left + 7, wa, wb, wc, ref a7, ref b7, ref c7);
                if (sizeof(TRows) > 8)
                    Step<TSimd, TVec, TVectors>(left + 8, wa, wb, wc, ref a8, ref b8, ref c8);
                if (sizeof(TRows) > 9)
                    Step<TSimd, TVec, TVectors>(left + 9, wa, wb, wc, ref a9, ref b9, ref c9);
                if (sizeof(TRows) > 10)
                    Step<TSimd, TVec, TVectors>(left + 10, wa, wb, wc, ref a10, ref b10, ref c10);
                if (sizeof(TRows) > 11)
                    Step<TSimd, TVec, TVectors>(left + 11, wa, wb, wc, ref a11, ref b11, ref c11);
                if (sizeof(TRows) > 12)
                    Step<TSimd, TVec, TVectors>(left + 12, wa, wb, wc, ref a12, ref b12, ref c12);
                if (sizeof(TRows) > 13)
                    Step<TSimd, TVec, TVectors>(left + 13, wa, wb, wc, ref a13, ref b13, ref c13);
                left += leftStep;
                right += rightStep;
            }
        }

        Store<TSimd, TVec, TVectors>(sums, second, last, a0, b0, c0);
        if (sizeof(TRows) > 1)
            Store<TSimd, TVec, TVectors>(sums + (1 * stride), second, last, a1, b1, c1);
        if (sizeof(TRows) > 2)
            Store<TSimd, TVec, TVectors>(sums + (2 * stride), second, last, a2, b2, c2);
        if (sizeof(TRows) > 3)
            Store<TSimd, TVec, TVectors>(sums + (3 * stride), second, last, a3, b3, c3);
        if (sizeof(TRows) > 4)
            Store<TSimd, TVec, TVectors>(sums + (4 * stride), second, last, a4, b4, c4);
        if (sizeof(TRows) > 5)
            Store<TSimd, TVec, TVectors>(sums + (5 * stride), second, last, a5, b5, c5);
        if (sizeof(TRows) > 6)
            Store<TSimd, TVec, TVectors>(sums + (6 * stride), second, last, a6, b6, c6);
        if (sizeof(TRows) > 7)
            Store<TSimd, TVec, TVectors>(sums + (7 * stride), second, last, a7, b7, c7);
        if (sizeof(TRows) > 8)
            Store<TSimd, TVec, TVectors>(sums + (8 * stride), second, last, a8, b8, c8);
        if (sizeof(TRows) > 9)
            Store<TSimd, TVec, TVectors>(sums + (9 * stride), second, last, a9, b9, c9);
        if (sizeof(TRows) > 10)
            Store<TSimd, TVec, TVectors>(sums + (10 * stride), second, last, a10, b10, c10);
        if (sizeof(TRows) > 11)
            Store<TSimd, TVec, TVectors>(sums + (11 * stride), second, last, a11, b11, c11);
        if (sizeof(TRows) > 12)
            Store<TSimd, TVec, TVectors>(sums + (12 * stride), second, last, a12, b12, c12);
        if (sizeof(TRows) > 13)
            Store<TSimd, TVec, TVectors>(sums + (13 * stride), second, last, a13, b13, c13);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step<TSimd, TVec, TVectors>(float* left, TVec wa, TVec wb, TVec wc, ref TVec a, ref TVec b, ref TVec c)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TVectors : unmanaged, IConstant
    {
        var x = TSimd.Broadcast(*left);
        if (sizeof(TVectors) > 1)
            TSimd.MultiplyAddBoth(x, wa, wb, ref a, ref b);
        else
            a = TSimd.MultiplyAdd(x, wa, a);
        if (sizeof(TVectors) > 2)
            c = TSimd.MultiplyAdd(x, wc, c);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Load<TSimd, TVec, TVectors>(float* sums, nint second, nint last, ref TVec a, ref TVec b, ref TVec c)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TVectors : unmanaged, IConstant
    {
        a = TSimd.Load(sums);
        if (sizeof(TVectors) > 1)
            b = TSimd.Load(sums + second);
        if (sizeof(TVectors) > 2)
            c = TSimd.Load(sums + last);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TSimd, TVec, TVectors>(float* sums, nint second, nint last, TVec a, TVec b, TVec c)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TVectors : unmanaged, IConstant
    {
        TSimd.Store(a, sums);
        if (sizeof(TVectors) > 1)
            TSimd.Store(b, sums + second);
        if (sizeof(TVectors) > 2)
            TSimd.Store(c, sums + last);
    }
}
