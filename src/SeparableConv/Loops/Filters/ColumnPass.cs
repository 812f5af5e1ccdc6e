using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace SeparableConv.Loops;

/// <summary>One call of a column pass: which rows of pixels become which lines of sums.</summary>
internal unsafe struct ColumnTaps
{
    /// <summary>
    /// Pointers to the first element of each row that is read. For four rows at a time: taps + 3 of them, of which sum r
    /// reads r .. r + taps - 1. For one row: one for each tap.
    /// </summary>
    public void** Rows;

    /// <summary>A weight for each tap.</summary>
    public float* Weights;

    /// <summary>The number of taps.</summary>
    public int Taps;

    /// <summary>The first line of sums.</summary>
    public float* Lines;

    /// <summary>Floats from one line to the next.</summary>
    public nint LineStride;

    /// <summary>The first element read in each row; its sum goes to the start of the line.</summary>
    public nint Start;

    /// <summary>Elements a line.</summary>
    public nint Count;

    /// <summary>
    /// How far from its beginning the next call will begin with a row that is new to this one: that is fetched meanwhile.
    /// </summary>
    public nint AheadBytes;
}

/// <summary>
/// The vertical half of a separable filter: line[x] = sum over taps t of weight[t] * row[t][x]. Channels need no notice
/// here; a row is width*channels elements. Four lines at a time share what they read: a column of 7 taps reads 10 rows
/// for 4 lines, not 28, and widens each integer pixel 10 times, not 28.
/// </summary>
internal static unsafe class ColumnPass
{
    private const int CacheLine = 64;

    /// <summary>Four lines from taps + 3 rows, for a number of taps known to the JIT.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void FourLines<TSimd, TVec, TIn, TTaps>(ColumnTaps* call)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TIn : unmanaged
        where TTaps : struct, ITapCount
    {
        Debug.Assert(call->Taps == TTaps.Count, "The body is compiled for another number of taps.");
        if (call->Count < TSimd.Count)
        {
            FourLines<SimdScalar, float, TIn, TTaps>(call);
            return;
        }

        var rows = (TIn**)call->Rows;
        var start = call->Start;
        var row0 = rows[0] + start;
        var row1 = rows[1] + start;
        var row2 = rows[2] + start;
        var row3 = rows[3] + start;
        var row4 = TTaps.Count > 1 ? rows[4] + start : null;
        var row5 = TTaps.Count > 2 ? rows[5] + start : null;
        var row6 = TTaps.Count > 3 ? rows[6] + start : null;
        var row7 = TTaps.Count > 4 ? rows[7] + start : null;
        var row8 = TTaps.Count > 5 ? rows[8] + start : null;
        var row9 = TTaps.Count > 6 ? rows[9] + start : null;
        var ahead0 = (TIn*)((byte*)rows[TTaps.Count - 1] + call->AheadBytes);
        var ahead1 = (TIn*)((byte*)rows[TTaps.Count] + call->AheadBytes);
        var ahead2 = (TIn*)((byte*)rows[TTaps.Count + 1] + call->AheadBytes);
        var ahead3 = (TIn*)((byte*)rows[TTaps.Count + 2] + call->AheadBytes);
        var w0 = TSimd.Broadcast(call->Weights[0]);
        var w1 = TTaps.Count > 1 ? TSimd.Broadcast(call->Weights[1]) : TSimd.Zero;
        var w2 = TTaps.Count > 2 ? TSimd.Broadcast(call->Weights[2]) : TSimd.Zero;
        var w3 = TTaps.Count > 3 ? TSimd.Broadcast(call->Weights[3]) : TSimd.Zero;
        var w4 = TTaps.Count > 4 ? TSimd.Broadcast(call->Weights[4]) : TSimd.Zero;
        var w5 = TTaps.Count > 5 ? TSimd.Broadcast(call->Weights[5]) : TSimd.Zero;
        var w6 = TTaps.Count > 6 ? TSimd.Broadcast(call->Weights[6]) : TSimd.Zero;
        var line0 = call->Lines;
        var line1 = line0 + call->LineStride;
        var line2 = line1 + call->LineStride;
        var line3 = line2 + call->LineStride;
        var last = call->Count - TSimd.Count;
        var next = FirstStep<TIn>(row0, TSimd.Count);

        // A first block as it comes, then blocks that begin where a vector of the rows does. The last block is moved back to end with
        // the row. What overlaps is computed again, to the same bits.
        for (nint x = 0; ; x = Math.Min(next, last), next += TSimd.Count)
        {
            if (Sse.IsSupported && IsNewLine(ahead0 + x, TSimd.Count))
            {
                Sse.Prefetch0(ahead0 + x);
                Sse.Prefetch0(ahead1 + x);
                Sse.Prefetch0(ahead2 + x);
                Sse.Prefetch0(ahead3 + x);
            }

            TVec sum0 = TSimd.Zero, sum1 = TSimd.Zero, sum2 = TSimd.Zero, sum3 = TSimd.Zero;
            var in0 = TSimd.LoadPixels(row0 + x);
            sum0 = Tap<TSimd, TVec, TTaps>(0, in0, w0, sum0);

            var in1 = TSimd.LoadPixels(row1 + x);
            sum0 = Tap<TSimd, TVec, TTaps>(1, in1, w1, sum0);
            sum1 = Tap<TSimd, TVec, TTaps>(0, in1, w0, sum1);

            var in2 = TSimd.LoadPixels(row2 + x);
            sum0 = Tap<TSimd, TVec, TTaps>(2, in2, w2, sum0);
            sum1 = Tap<TSimd, TVec, TTaps>(1, in2, w1, sum1);
            sum2 = Tap<TSimd, TVec, TTaps>(0, in2, w0, sum2);

            var in3 = TSimd.LoadPixels(row3 + x);
            sum0 = Tap<TSimd, TVec, TTaps>(3, in3, w3, sum0);
            sum1 = Tap<TSimd, TVec, TTaps>(2, in3, w2, sum1);
            sum2 = Tap<TSimd, TVec, TTaps>(1, in3, w1, sum2);
            sum3 = Tap<TSimd, TVec, TTaps>(0, in3, w0, sum3);

            if (TTaps.Count > 1)
            {
                var in4 = TSimd.LoadPixels(row4 + x);
                sum0 = Tap<TSimd, TVec, TTaps>(4, in4, w4, sum0);
                sum1 = Tap<TSimd, TVec, TTaps>(3, in4, w3, sum1);
                sum2 = Tap<TSimd, TVec, TTaps>(2, in4, w2, sum2);
                sum3 = Tap<TSimd, TVec, TTaps>(1, in4, w1, sum3);
            }

            if (TTaps.Count > 2)
            {
                var in5 = TSimd.LoadPixels(row5 + x);
                sum0 = Tap<TSimd, TVec, TTaps>(5, in5, w5, sum0);
                sum1 = Tap<TSimd, TVec, TTaps>(4, in5, w4, sum1);
                sum2 = Tap<TSimd, TVec, TTaps>(3, in5, w3, sum2);
                sum3 = Tap<TSimd, TVec, TTaps>(2, in5, w2, sum3);
            }

            if (TTaps.Count > 3)
            {
                var in6 = TSimd.LoadPixels(row6 + x);
                sum0 = Tap<TSimd, TVec, TTaps>(6, in6, w6, sum0);
                sum1 = Tap<TSimd, TVec, TTaps>(5, in6, w5, sum1);
                sum2 = Tap<TSimd, TVec, TTaps>(4, in6, w4, sum2);
                sum3 = Tap<TSimd, TVec, TTaps>(3, in6, w3, sum3);
            }

            if (TTaps.Count > 4)
            {
                var in7 = TSimd.LoadPixels(row7 + x);
                sum1 = Tap<TSimd, TVec, TTaps>(6, in7, w6, sum1);
                sum2 = Tap<TSimd, TVec, TTaps>(5, in7, w5, sum2);
                sum3 = Tap<TSimd, TVec, TTaps>(4, in7, w4, sum3);
            }

            if (TTaps.Count > 5)
            {
                var in8 = TSimd.LoadPixels(row8 + x);
                sum2 = Tap<TSimd, TVec, TTaps>(6, in8, w6, sum2);
                sum3 = Tap<TSimd, TVec, TTaps>(5, in8, w5, sum3);
            }

            if (TTaps.Count > 6)
            {
                var in9 = TSimd.LoadPixels(row9 + x);
                sum3 = Tap<TSimd, TVec, TTaps>(6, in9, w6, sum3);
            }
            TSimd.Store(sum0, line0 + x);
            TSimd.Store(sum1, line1 + x);
            TSimd.Store(sum2, line2 + x);
            TSimd.Store(sum3, line3 + x);
            if (x == last)
                return;
        }
    }

    /// <summary>Four lines from taps + 3 rows, for four taps or more.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void FourLinesOfMany<TSimd, TVec, TIn>(ColumnTaps* call)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TIn : unmanaged
    {
        Debug.Assert(call->Taps >= 4, "The first three and the last three rows must be different ones.");
        if (call->Count < 2 * TSimd.Count)
        {
            FourLinesOfManyNarrow<TIn>(call);
            return;
        }

        var rows = (TIn**)call->Rows;
        var weights = call->Weights;
        var taps = call->Taps;
        var last = call->Count - (2 * TSimd.Count);
        for (nint x = 0; ; x = Math.Min(x + (2 * TSimd.Count), last))
        {
            TVec low0 = TSimd.Zero, low1 = TSimd.Zero, low2 = TSimd.Zero, low3 = TSimd.Zero;
            TVec high0 = TSimd.Zero, high1 = TSimd.Zero, high2 = TSimd.Zero, high3 = TSimd.Zero;
            var offset = call->Start + x;

            // Rows 0 to 2 lie above the later lines' kernels, the last three below the earlier ones'. Their weights there
            // are not zero but absent: 0 * infinity would be NaN.
            for (var i = 0; i < taps + 3; i++)
            {
                var low = TSimd.LoadPixels(rows[i] + offset);
                var high = TSimd.LoadPixels(rows[i] + offset + TSimd.Count);
                if (i < taps)
                {
                    var weight = TSimd.Broadcast(weights[i]);
                    low0 = TSimd.MultiplyAdd(low, weight, low0);
                    high0 = TSimd.MultiplyAdd(high, weight, high0);
                }

                if (i >= 1 && i <= taps)
                {
                    var weight = TSimd.Broadcast(weights[i - 1]);
                    low1 = TSimd.MultiplyAdd(low, weight, low1);
                    high1 = TSimd.MultiplyAdd(high, weight, high1);
                }

                if (i >= 2 && i <= taps + 1)
                {
                    var weight = TSimd.Broadcast(weights[i - 2]);
                    low2 = TSimd.MultiplyAdd(low, weight, low2);
                    high2 = TSimd.MultiplyAdd(high, weight, high2);
                }

                if (i >= 3)
                {
                    var weight = TSimd.Broadcast(weights[i - 3]);
                    low3 = TSimd.MultiplyAdd(low, weight, low3);
                    high3 = TSimd.MultiplyAdd(high, weight, high3);
                }
            }

            Store2<TSimd, TVec>(low0, high0, call->Lines + x);
            Store2<TSimd, TVec>(low1, high1, call->Lines + call->LineStride + x);
            Store2<TSimd, TVec>(low2, high2, call->Lines + (2 * call->LineStride) + x);
            Store2<TSimd, TVec>(low3, high3, call->Lines + (3 * call->LineStride) + x);
            if (x == last)
                return;
        }
    }

    /// <summary>One line from any rows: what is left below the last four, and columns with zeros between their taps.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void OneLine<TSimd, TVec, TIn>(ColumnTaps* call)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TIn : unmanaged
    {
        if (call->Count < 4 * TSimd.Count)
        {
            OneLineNarrow<TIn>(call, 0);
            return;
        }

        var rows = (TIn**)call->Rows;
        var weights = call->Weights;
        var last = call->Count - (4 * TSimd.Count);
        for (nint x = 0; ; x = Math.Min(x + (4 * TSimd.Count), last))
        {
            TVec sum0 = TSimd.Zero, sum1 = TSimd.Zero, sum2 = TSimd.Zero, sum3 = TSimd.Zero;
            for (var i = 0; i < call->Taps; i++)
            {
                var row = rows[i] + call->Start + x;
                var weight = TSimd.Broadcast(weights[i]);
                sum0 = TSimd.MultiplyAdd(TSimd.LoadPixels(row), weight, sum0);
                sum1 = TSimd.MultiplyAdd(TSimd.LoadPixels(row + TSimd.Count), weight, sum1);
                sum2 = TSimd.MultiplyAdd(TSimd.LoadPixels(row + (2 * TSimd.Count)), weight, sum2);
                sum3 = TSimd.MultiplyAdd(TSimd.LoadPixels(row + (3 * TSimd.Count)), weight, sum3);
            }

            Store2<TSimd, TVec>(sum0, sum1, call->Lines + x);
            Store2<TSimd, TVec>(sum2, sum3, call->Lines + x + (2 * TSimd.Count));
            if (x == last)
                return;
        }
    }

    /// <summary>Elements to the first that begins a vector of floats in memory; a whole vector where there is none to look for.</summary>
    public static nint FirstStep<TIn>(TIn* row, int count)
        where TIn : unmanaged => typeof(TIn) == typeof(float) ? count - ((nint)row / sizeof(float) % count) : count;

    /// <summary>Whether the next elements are the first in a cache line: what is ahead is not fetched more than once.</summary>
    public static bool IsNewLine<TIn>(TIn* ahead, int count)
        where TIn : unmanaged => typeof(TIn) == typeof(float) || (nint)ahead % CacheLine < count * sizeof(TIn);

    private static void FourLinesOfManyNarrow<TIn>(ColumnTaps* call)
        where TIn : unmanaged
    {
        var one = *call;
        for (var line = 0; line < 4; line++)
        {
            OneLineNarrow<TIn>(&one, line);
            one.Lines += one.LineStride;
        }
    }

    private static void OneLineNarrow<TIn>(ColumnTaps* call, int firstRow)
        where TIn : unmanaged
    {
        var rows = (TIn**)call->Rows + firstRow;
        for (nint x = 0; x < call->Count; x++)
        {
            var sum = 0f;
            for (var i = 0; i < call->Taps; i++)
                sum = SimdScalar.MultiplyAdd(SimdScalar.LoadPixels(rows[i] + call->Start + x), call->Weights[i], sum);
            call->Lines[x] = sum;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVec Tap<TSimd, TVec, TTaps>(int tap, TVec pixels, TVec weight, TVec sum)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TTaps : struct, ITapCount =>
        tap < TTaps.Count && !(TTaps.Hollow && tap == TTaps.Count / 2) ? TSimd.MultiplyAdd(pixels, weight, sum) : sum;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store2<TSimd, TVec>(TVec low, TVec high, float* target)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        TSimd.Store(low, target);
        TSimd.Store(high, target + TSimd.Count);
    }
}
