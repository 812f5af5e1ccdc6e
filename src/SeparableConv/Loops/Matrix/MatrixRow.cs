using System.Runtime.CompilerServices;

namespace SeparableConv.Loops;

/// <summary>
/// One row times some panels of two vectors at once: <see cref="MatrixTile"/>'s sums, in its order, where nothing but reading the weights
/// takes time.
/// </summary>
/// <remarks>
/// Each panel is a stream of its own. Beyond the caches four of them came at 39 to 53 GB/s where one came at 25 to 35, and eight sums hide
/// the latency of the multiply-add that two leave open. Nothing is fetched ahead: from the third-level cache the processor's own fetching
/// reached 100 GB/s, and 65 beside ours (Zen 5).
/// </remarks>
internal static unsafe class MatrixRow
{
    /// <summary>The most panels of one call.</summary>
    public const int MostPanels = 4;

    /// <summary>Computes a row: panels lie one behind the other, as their columns do.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TSimd, TVec, TPanels>(TileArguments* arguments)
        where TSimd : struct, ITileSimd<TVec>
        where TVec : struct
        where TPanels : unmanaged, IConstant
    {
        var v = TSimd.Count;
        var bias = arguments->Bias;
        var a0 = TSimd.Load(bias);
        var b0 = TSimd.Load(bias + v);
        var a1 = sizeof(TPanels) > 1 ? TSimd.Load(bias + (2 * v)) : TSimd.Zero;
        var b1 = sizeof(TPanels) > 1 ? TSimd.Load(bias + (3 * v)) : TSimd.Zero;
        var a2 = sizeof(TPanels) > 2 ? TSimd.Load(bias + (4 * v)) : TSimd.Zero;
        var b2 = sizeof(TPanels) > 2 ? TSimd.Load(bias + (5 * v)) : TSimd.Zero;
        var a3 = sizeof(TPanels) > 3 ? TSimd.Load(bias + (6 * v)) : TSimd.Zero;
        var b3 = sizeof(TPanels) > 3 ? TSimd.Load(bias + (7 * v)) : TSimd.Zero;

        var panelFloats = 2 * v * (nint)arguments->Segments * arguments->SegmentLength;
        var panel0 = arguments->Panel;
        var panel1 = panel0 + panelFloats;
        var panel2 = panel1 + panelFloats;
        var panel3 = panel2 + panelFloats;
        for (var s = 0; s < arguments->Segments; s++)
        {
            var left = arguments->Left + arguments->SegmentOffsets[s];
            for (var end = left + arguments->SegmentLength; left < end; left++)
            {
                var x = TSimd.Broadcast(*left);
                TSimd.MultiplyAddBoth(x, TSimd.Load(panel0), TSimd.Load(panel0 + v), ref a0, ref b0);
                panel0 += 2 * v;
                if (sizeof(TPanels) > 1)
                {
                    TSimd.MultiplyAddBoth(x, TSimd.Load(panel1), TSimd.Load(panel1 + v), ref a1, ref b1);
                    panel1 += 2 * v;
                }

                if (sizeof(TPanels) > 2)
                {
                    TSimd.MultiplyAddBoth(x, TSimd.Load(panel2), TSimd.Load(panel2 + v), ref a2, ref b2);
                    panel2 += 2 * v;
                }

                if (sizeof(TPanels) > 3)
                {
                    TSimd.MultiplyAddBoth(x, TSimd.Load(panel3), TSimd.Load(panel3 + v), ref a3, ref b3);
                    panel3 += 2 * v;
                }
            }
        }

        // The last vector may be moved over the one before: see TileArguments.LastVectorOffset.
        var output = arguments->Output;
        var last = output + ((sizeof(TPanels) - 1) * 2 * v) + arguments->LastVectorOffset;
        Store<TSimd, TVec>(a0, arguments, output);
        Store<TSimd, TVec>(b0, arguments, sizeof(TPanels) > 1 ? output + v : last);
        if (sizeof(TPanels) > 1)
        {
            Store<TSimd, TVec>(a1, arguments, output + (2 * v));
            Store<TSimd, TVec>(b1, arguments, sizeof(TPanels) > 2 ? output + (3 * v) : last);
        }

        if (sizeof(TPanels) > 2)
        {
            Store<TSimd, TVec>(a2, arguments, output + (4 * v));
            Store<TSimd, TVec>(b2, arguments, sizeof(TPanels) > 3 ? output + (5 * v) : last);
        }

        if (sizeof(TPanels) > 3)
        {
            Store<TSimd, TVec>(a3, arguments, output + (6 * v));
            Store<TSimd, TVec>(b3, arguments, last);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TSimd, TVec>(TVec sum, TileArguments* arguments, float* output)
        where TSimd : struct, ITileSimd<TVec>
        where TVec : struct
    {
        var (lower, upper) = (TSimd.Broadcast(arguments->LowerBound), TSimd.Broadcast(arguments->UpperBound));
        var shortcut = arguments->Shortcut + (output - arguments->Output);
        sum = arguments->End switch
        {
            TileEnd.Bounds => MatrixTile.Finish<TSimd, TVec, TileEnds.Bounds>(sum, lower, upper, shortcut),
            TileEnd.HardSwish => MatrixTile.Finish<TSimd, TVec, TileEnds.HardSwish>(sum, lower, upper, shortcut),
            _ => MatrixTile.Finish<TSimd, TVec, TileEnds.Shortcut>(sum, lower, upper, shortcut),
        };
        TSimd.Store(sum, output);
    }
}
