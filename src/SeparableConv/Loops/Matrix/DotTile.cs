using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SeparableConv.Loops;

/// <summary>
/// The tile for few columns: a vector is neighbouring steps of k, not columns,
/// output[r, j] = clamp(bias[j] + sum over s, k of left[r*RowStride + offset[s] + k] * weights[s, k, j]).
/// </summary>
/// <remarks>
/// Four columns would fill a quarter of a vector of 16 lanes. Here each accumulator is one sum of one row, spread over the lanes, and the
/// lanes are added when it is complete. Weights lie [group of columns][segment][vector of k][column][lane], four columns to a group; the
/// last vector of a segment ends with the segment, and its lanes that the vector before has had count as 0. A sum runs over the same lanes
/// in the same order wherever its row lies in a tile.
/// </remarks>
internal static unsafe class DotTile
{
    // Columns that share a load of the left operand.
    private const int GroupColumns = 4;

    private const int MostColumns = 8;
    private const int MostRows = 8;
    private const int MostLanes = 16;

    // Of a tile, to the next multiple of the lanes.
    private const int MostSums = 32;

    // What a sum costs when it is complete, in multiply-adds.
    private const int FinishCost = 6;

    /// <summary>The width of the vectors for dots over segments of a length, or scalar where columns as lanes are as fast.</summary>
    public static SimdWidth Width(int depth, int columns, int segmentLength, SimdWidth width)
    {
        while (width > SimdWidth.Scalar && (int)width > segmentLength)
            width = width == SimdWidth.V128 ? SimdWidth.Scalar : (SimdWidth)((int)width / 2);
        if (columns > MostColumns || width == SimdWidth.Scalar)
            return SimdWidth.Scalar;
        var dots = ((long)Vectors(depth, segmentLength, (int)width) * (columns + 1)) + (FinishCost * columns);
        return dots < depth ? width : SimdWidth.Scalar;
    }

    /// <summary>Vectors that all segments of a row fill.</summary>
    public static int Vectors(int depth, int segmentLength, int lanes) => depth / segmentLength * ((segmentLength + lanes - 1) / lanes);

    /// <summary>Packs weights (K, N) whose rows lie <paramref name="stride"/> floats apart.</summary>
    public static void Pack(
        ReadOnlySpan<float> weights, int stride, int depth, int columns, int segmentLength, int lanes, float* target)
    {
        var groups = Groups(columns);
        for (var group = 0; group < groups; group++)
        {
            for (var segment = 0; segment < depth; segment += segmentLength)
            {
                for (var k = 0; k < segmentLength; k += lanes)
                {
                    var first = Math.Min(k, segmentLength - lanes);
                    for (var column = columns * group / groups; column < columns * (group + 1) / groups; column++)
                    {
                        for (var lane = first; lane < first + lanes; lane++)
                            *target++ = lane < k ? 0 : weights[checked((segment + lane) * stride) + column];
                    }
                }
            }
        }
    }

    /// <summary>Computes rows of all columns.</summary>
    /// <param name="arguments">Left operand, weights, output and bounds; the bias is one number a column.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="rows">Rows.</param>
    public static void Run<TSimd, TVec>(TileArguments arguments, int columns, nint rows)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var sums = stackalloc float[MostSums * MostLanes];
        var groups = Groups(columns);
        var most = RowsFor<TSimd, TVec>((columns + groups - 1) / groups);
        var biases = stackalloc float[2 * MostSums];
        for (var group = 0; group < groups; group++)
        {
            var (first, count) = (First(group), First(group + 1) - First(group));
            for (var i = 0; i < MostSums; i++)
                biases[(group * MostSums) + i] = arguments.Bias[first + (i % count)];
        }

        var vectors = (nint)arguments.Segments * ((arguments.SegmentLength + TSimd.Count - 1) / TSimd.Count);
        var panel = arguments.Panel;
        var output = arguments.Output;
        for (nint row = 0; row < rows; row += most)
        {
            var height = (int)Math.Min(most, rows - row);
            var left = arguments.Left;
            arguments.Panel = panel;
            for (var group = 0; group < groups; group++)
            {
                var count = First(group + 1) - First(group);
                arguments.Bias = biases + (group * MostSums);
                arguments.Output = output + First(group);
                for (var r = 0; r < height; r += MostRows, arguments.Left += MostRows * arguments.RowStride)
                    Sum<TSimd, TVec>(&arguments, Math.Min(MostRows, height - r), count, sums + (r * count * TSimd.Count));
                Finish<TSimd, TVec>(arguments, height, count, sums);
                arguments.Panel += vectors * count * TSimd.Count;
                arguments.Left = left;
            }

            arguments.Left += height * arguments.RowStride;
            output += height * arguments.OutputStride;
        }

        int First(int group) => columns * group / groups;
    }

    private static int Groups(int columns) => (columns + GroupColumns - 1) / GroupColumns;

    // As many sums as a vector has lanes, or a few less, are finished at once; and accumulators leave registers for the weights and for a
    // row. One column takes as many rows as two calls have.
    private static int RowsFor<TSimd, TVec>(int columns)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct => columns switch
        {
            1 => TSimd.Count == MostLanes ? 2 * MostRows : MostRows,
            2 => TSimd.ManyRegisters ? MostRows : 4,
            3 => TSimd.ManyRegisters ? 5 : 4,
            _ => TSimd.ManyRegisters ? 4 : 2,
        };

    private static void Sum<TSimd, TVec>(TileArguments* arguments, int rows, int columns, float* sums)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        switch (columns)
        {
            case 1:
                Sum<TSimd, TVec, Constant.Is1>(arguments, rows, sums);
                break;
            case 2:
                Sum<TSimd, TVec, Constant.Is2>(arguments, rows, sums);
                break;
            case 3:
                Sum<TSimd, TVec, Constant.Is3>(arguments, rows, sums);
                break;
            default:
                Sum<TSimd, TVec, Constant.Is4>(arguments, rows, sums);
                break;
        }
    }

    private static void Sum<TSimd, TVec, TColumns>(TileArguments* arguments, int rows, float* sums)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TColumns : unmanaged, IConstant
    {
        switch (rows)
        {
            case 1:
                Sum<TSimd, TVec, TColumns, Constant.Is1>(arguments, sums);
                break;
            case 2:
                Sum<TSimd, TVec, TColumns, Constant.Is2>(arguments, sums);
                break;
            case 3:
                Sum<TSimd, TVec, TColumns, Constant.Is3>(arguments, sums);
                break;
            case 4:
                Sum<TSimd, TVec, TColumns, Constant.Is4>(arguments, sums);
                break;
            case 5:
                Sum<TSimd, TVec, TColumns, Constant.Is5>(arguments, sums);
                break;
            case 6:
                Sum<TSimd, TVec, TColumns, Constant.Is6>(arguments, sums);
                break;
            case 7:
                Sum<TSimd, TVec, TColumns, Constant.Is7>(arguments, sums);
                break;
            default:
                Sum<TSimd, TVec, TColumns, Constant.Is8>(arguments, sums);
                break;
        }
    }

    // Leaves one vector a sum in memory, row after row.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sum<TSimd, TVec, TColumns, TRows>(TileArguments* arguments, float* sums)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TColumns : unmanaged, IConstant
        where TRows : unmanaged, IConstant
    {
        var v = TSimd.Count;
        var columns = TColumns.Value;
        TVec a0 = TSimd.Zero, b0 = a0, c0 = a0, d0 = a0;
        TVec a1 = a0, b1 = a0, c1 = a0, d1 = a0;
        TVec a2 = a0, b2 = a0, c2 = a0, d2 = a0;
        TVec a3 = a0, b3 = a0, c3 = a0, d3 = a0;
        TVec a4 = a0, b4 = a0, c4 = a0, d4 = a0;
        TVec a5 = a0, b5 = a0, c5 = a0, d5 = a0;
        TVec a6 = a0, b6 = a0, c6 = a0, d6 = a0;
        TVec a7 = a0, b7 = a0, c7 = a0, d7 = a0;
        var stride = arguments->RowStride;
        var stride2 = stride * 2;
        var panel = arguments->Panel;
        var rest = arguments->SegmentLength % v;
        for (var s = 0; s < arguments->Segments; s++)
        {
            var p0 = arguments->Left + arguments->SegmentOffsets[s];
            var p1 = p0 + stride + stride2;
            var p2 = p1 + stride + stride2;
            var end = p0 + (arguments->SegmentLength - rest);
            TVec wa, wb, wc, wd;
            while (p0 < end)
            {
                wa = TSimd.Load(panel);
                wb = columns > 1 ? TSimd.Load(panel + v) : wa;
                wc = columns > 2 ? TSimd.Load(panel + (2 * v)) : wa;
                wd = columns > 3 ? TSimd.Load(panel + (3 * v)) : wa;
                Add<TSimd, TVec, TColumns>(TSimd.Load(p0), wa, wb, wc, wd, ref a0, ref b0, ref c0, ref d0);
                if (sizeof(TRows) > 1)
                    Add<TSimd, TVec, TColumns>(TSimd.Load(p0 + stride), wa, wb, wc, wd, ref a1, ref b1, ref c1, ref d1);
                if (sizeof(TRows) > 2)
                    Add<TSimd, TVec, TColumns>(TSimd.Load(p0 + stride2), wa, wb, wc, wd, ref a2, ref b2, ref c2, ref d2);
                if (sizeof(TRows) > 3)
                    Add<TSimd, TVec, TColumns>(TSimd.Load(p1), wa, wb, wc, wd, ref a3, ref b3, ref c3, ref d3);
                if (sizeof(TRows) > 4)
                    Add<TSimd, TVec, TColumns>(TSimd.Load(p1 + stride), wa, wb, wc, wd, ref a4, ref b4, ref c4, ref d4);
                if (sizeof(TRows) > 5)
                    Add<TSimd, TVec, TColumns>(TSimd.Load(p1 + stride2), wa, wb, wc, wd, ref a5, ref b5, ref c5, ref d5);
                if (sizeof(TRows) > 6)
                    Add<TSimd, TVec, TColumns>(TSimd.Load(p2), wa, wb, wc, wd, ref a6, ref b6, ref c6, ref d6);
                if (sizeof(TRows) > 7)
                    Add<TSimd, TVec, TColumns>(TSimd.Load(p2 + stride), wa, wb, wc, wd, ref a7, ref b7, ref c7, ref d7);
                panel += columns * v;
                p0 += v;
                p1 += v;
                p2 += v;
            }

            if (rest == 0)
                continue;

            // The last vector begins where it ends with the segment.
            var back = v - rest;
            p0 -= back;
            p1 -= back;
            p2 -= back;
            var lanes = TSimd.Load(Constants(LaneNumbers));
            var fresh = TSimd.Broadcast(back);
            wa = TSimd.Load(panel);
            wb = columns > 1 ? TSimd.Load(panel + v) : wa;
            wc = columns > 2 ? TSimd.Load(panel + (2 * v)) : wa;
            wd = columns > 3 ? TSimd.Load(panel + (3 * v)) : wa;
            Add<TSimd, TVec, TColumns>(Rest<TSimd, TVec>(p0, lanes, fresh), wa, wb, wc, wd, ref a0, ref b0, ref c0, ref d0);
            if (sizeof(TRows) > 1)
                Add<TSimd, TVec, TColumns>(Rest<TSimd, TVec>(p0 + stride, lanes, fresh), wa, wb, wc, wd, ref a1, ref b1, ref c1, ref d1);
            if (sizeof(TRows) > 2)
                Add<TSimd, TVec, TColumns>(Rest<TSimd, TVec>(p0 + stride2, lanes, fresh), wa, wb, wc, wd, ref a2, ref b2, ref c2, ref d2);
            if (sizeof(TRows) > 3)
                Add<TSimd, TVec, TColumns>(Rest<TSimd, TVec>(p1, lanes, fresh), wa, wb, wc, wd, ref a3, ref b3, ref c3, ref d3);
            if (sizeof(TRows) > 4)
                Add<TSimd, TVec, TColumns>(Rest<TSimd, TVec>(p1 + stride, lanes, fresh), wa, wb, wc, wd, ref a4, ref b4, ref c4, ref d4);
            if (sizeof(TRows) > 5)
                Add<TSimd, TVec, TColumns>(Rest<TSimd, TVec>(p1 + stride2, lanes, fresh), wa, wb, wc, wd, ref a5, ref b5, ref c5, ref d5);
            if (sizeof(TRows) > 6)
                Add<TSimd, TVec, TColumns>(Rest<TSimd, TVec>(p2, lanes, fresh), wa, wb, wc, wd, ref a6, ref b6, ref c6, ref d6);
            if (sizeof(TRows) > 7)
                Add<TSimd, TVec, TColumns>(Rest<TSimd, TVec>(p2 + stride, lanes, fresh), wa, wb, wc, wd, ref a7, ref b7, ref c7, ref d7);
            panel += columns * v;
        }

        Put<TSimd, TVec, TColumns>(a0, b0, c0, d0, sums);
        if (sizeof(TRows) > 1)
            Put<TSimd, TVec, TColumns>(a1, b1, c1, d1, sums + (columns * v));
        if (sizeof(TRows) > 2)
            Put<TSimd, TVec, TColumns>(a2, b2, c2, d2, sums + (2 * columns * v));
        if (sizeof(TRows) > 3)
            Put<TSimd, TVec, TColumns>(a3, b3, c3, d3, sums + (3 * columns * v));
        if (sizeof(TRows) > 4)
            Put<TSimd, TVec, TColumns>(a4, b4, c4, d4, sums + (4 * columns * v));
        if (sizeof(TRows) > 5)
            Put<TSimd, TVec, TColumns>(a5, b5, c5, d5, sums + (5 * columns * v));
        if (sizeof(TRows) > 6)
            Put<TSimd, TVec, TColumns>(a6, b6, c6, d6, sums + (6 * columns * v));
        if (sizeof(TRows) > 7)
            Put<TSimd, TVec, TColumns>(a7, b7, c7, d7, sums + (7 * columns * v));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TSimd, TVec, TColumns>(
        TVec x, TVec wa, TVec wb, TVec wc, TVec wd, ref TVec a, ref TVec b, ref TVec c, ref TVec d)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TColumns : unmanaged, IConstant
    {
        a = TSimd.MultiplyAdd(x, wa, a);
        if (sizeof(TColumns) > 1)
            b = TSimd.MultiplyAdd(x, wb, b);
        if (sizeof(TColumns) > 2)
            c = TSimd.MultiplyAdd(x, wc, c);
        if (sizeof(TColumns) > 3)
            d = TSimd.MultiplyAdd(x, wd, d);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVec Rest<TSimd, TVec>(float* source, TVec lanes, TVec fresh)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct => TSimd.SelectLess(lanes, fresh, TSimd.Zero, TSimd.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<TSimd, TVec, TColumns>(TVec a, TVec b, TVec c, TVec d, float* sums)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TColumns : unmanaged, IConstant
    {
        TSimd.Store(a, sums);
        if (sizeof(TColumns) > 1)
            TSimd.Store(b, sums + TSimd.Count);
        if (sizeof(TColumns) > 2)
            TSimd.Store(c, sums + (2 * TSimd.Count));
        if (sizeof(TColumns) > 3)
            TSimd.Store(d, sums + (3 * TSimd.Count));
    }

    /// <summary>
    /// Adds the lanes of each sum, a pair of neighbours at a time: after log2(lanes) times a vector holds as many sums in their order.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Finish<TSimd, TVec>(in TileArguments arguments, int rows, int columns, float* sums)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var v = TSimd.Count;
        var (even, odd) = (TSimd.LoadLanes(Constants(EvenLanes)), TSimd.LoadLanes(Constants(OddLanes)));
        var (lower, upper) = (TSimd.Broadcast(arguments.LowerBound), TSimd.Broadcast(arguments.UpperBound));
        var isDense = arguments.OutputStride == columns;
        var count = rows * columns;
        var output = arguments.Output;
        for (var first = 0; first < count; first += v)
        {
            var sum = v == 16 ? Sixteen<TSimd, TVec>(sums + (first * v), even, odd)
                : v == 8 ? Eight<TSimd, TVec>(sums + (first * v), even, odd)
                : Four<TSimd, TVec>(sums + (first * v), even, odd);

            // A NaN comes back as the second operand, so it survives both bounds.
            sum = TSimd.Min(upper, TSimd.Max(lower, TSimd.Add(TSimd.Load(arguments.Bias + first), sum)));
            if (isDense && count - first >= v)
                TSimd.Store(sum, output + first);
            else
                TSimd.Store(sum, sums + first);
        }

        // What was not stored where it belongs lies before the sums of its own vectors.
        for (var i = isDense ? count / v * v : 0; i < count; i++)
        {
            var (r, j) = Math.DivRem(i, columns);
            output[(r * arguments.OutputStride) + j] = sums[i];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVec Two<TSimd, TVec>(TVec a, TVec b, TVec even, TVec odd)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct => TSimd.Add(TSimd.Permute(a, b, even), TSimd.Permute(a, b, odd));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVec Four<TSimd, TVec>(float* sums, TVec even, TVec odd)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct => Two<TSimd, TVec>(
        Two<TSimd, TVec>(TSimd.Load(sums), TSimd.Load(sums + TSimd.Count), even, odd),
        Two<TSimd, TVec>(TSimd.Load(sums + (2 * TSimd.Count)), TSimd.Load(sums + (3 * TSimd.Count)), even, odd),
        even,
        odd);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVec Eight<TSimd, TVec>(float* sums, TVec even, TVec odd)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct =>
        Two<TSimd, TVec>(Four<TSimd, TVec>(sums, even, odd), Four<TSimd, TVec>(sums + (4 * TSimd.Count), even, odd), even, odd);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVec Sixteen<TSimd, TVec>(float* sums, TVec even, TVec odd)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct =>
        Two<TSimd, TVec>(Eight<TSimd, TVec>(sums, even, odd), Eight<TSimd, TVec>(sums + (8 * TSimd.Count), even, odd), even, odd);

    private static ReadOnlySpan<float> LaneNumbers => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

    private static ReadOnlySpan<int> EvenLanes => [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30];

    private static ReadOnlySpan<int> OddLanes => [1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31];

    // Constants lie in the program's image, which never moves.
    private static float* Constants<T>(ReadOnlySpan<T> numbers)
        where T : unmanaged => (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(numbers));
}
