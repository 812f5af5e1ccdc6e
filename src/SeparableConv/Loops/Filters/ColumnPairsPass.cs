using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace SeparableConv.Loops;

/// <summary>
/// <see cref="ColumnPass"/> for mirrored taps: line[x] = sum over pairs t of weight[t] * (row[t][x] +- row[taps-1-t][x]), and the middle.
/// That is half the multiplications, and the additions have ports of their own on some machines.
/// </summary>
internal static unsafe class ColumnPairsPass
{
    /// <summary>
    /// Four lines from taps + 3 rows: at each pair the lines read four rows from above and four from below, of which two are new.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void FourLines<TSimd, TVec, TIn, TMirror>(ColumnTaps* call)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TIn : unmanaged
        where TMirror : struct, IMirror
    {
        Debug.Assert(call->Taps >= 4, "The first four rows and the last four are within taps + 3.");
        if (call->Count < TSimd.Count)
        {
            FourLines<SimdScalar, float, TIn, TMirror>(call);
            return;
        }

        var rows = (TIn**)call->Rows;
        var weights = call->Weights;
        var taps = call->Taps;
        var pairs = taps / 2;
        var ahead0 = (TIn*)((byte*)rows[taps - 1] + call->AheadBytes);
        var ahead1 = (TIn*)((byte*)rows[taps] + call->AheadBytes);
        var ahead2 = (TIn*)((byte*)rows[taps + 1] + call->AheadBytes);
        var ahead3 = (TIn*)((byte*)rows[taps + 2] + call->AheadBytes);
        var last = call->Count - TSimd.Count;
        var next = ColumnPass.FirstStep(rows[0] + call->Start, TSimd.Count);
        for (nint x = 0; ; x = Math.Min(next, last), next += TSimd.Count)
        {
            if (Sse.IsSupported && ColumnPass.IsNewLine(ahead0 + x, TSimd.Count))
            {
                Sse.Prefetch0(ahead0 + x);
                Sse.Prefetch0(ahead1 + x);
                Sse.Prefetch0(ahead2 + x);
                Sse.Prefetch0(ahead3 + x);
            }

            var offset = call->Start + x;
            TVec sum0 = TSimd.Zero, sum1 = TSimd.Zero, sum2 = TSimd.Zero, sum3 = TSimd.Zero;
            var (upper0, upper1) = (TSimd.LoadPixels(rows[0] + offset), TSimd.LoadPixels(rows[1] + offset));
            var (upper2, upper3) = (TSimd.LoadPixels(rows[2] + offset), TSimd.LoadPixels(rows[3] + offset));
            var (lower0, lower1) = (TSimd.LoadPixels(rows[taps - 1] + offset), TSimd.LoadPixels(rows[taps] + offset));
            var (lower2, lower3) = (TSimd.LoadPixels(rows[taps + 1] + offset), TSimd.LoadPixels(rows[taps + 2] + offset));
            for (var i = 0; ;)
            {
                var weight = TSimd.Broadcast(weights[i]);
                sum0 = TSimd.MultiplyAdd(Mirrors.Join<TSimd, TVec, TMirror>(upper0, lower0), weight, sum0);
                sum1 = TSimd.MultiplyAdd(Mirrors.Join<TSimd, TVec, TMirror>(upper1, lower1), weight, sum1);
                sum2 = TSimd.MultiplyAdd(Mirrors.Join<TSimd, TVec, TMirror>(upper2, lower2), weight, sum2);
                sum3 = TSimd.MultiplyAdd(Mirrors.Join<TSimd, TVec, TMirror>(upper3, lower3), weight, sum3);
                if (++i == pairs)
                    break;
                (upper0, upper1, upper2) = (upper1, upper2, upper3);
                (lower3, lower2, lower1) = (lower2, lower1, lower0);
                upper3 = TSimd.LoadPixels(rows[i + 3] + offset);
                lower0 = TSimd.LoadPixels(rows[taps - 1 - i] + offset);
            }

            // An odd mirror has nothing in the middle.
            if (!TMirror.IsOdd && taps % 2 != 0)
            {
                var weight = TSimd.Broadcast(weights[pairs]);
                sum0 = TSimd.MultiplyAdd(upper1, weight, sum0);
                sum1 = TSimd.MultiplyAdd(upper2, weight, sum1);
                sum2 = TSimd.MultiplyAdd(upper3, weight, sum2);
                sum3 = TSimd.MultiplyAdd(TSimd.LoadPixels(rows[pairs + 3] + offset), weight, sum3);
            }

            var line = call->Lines + x;
            TSimd.Store(sum0, line);
            TSimd.Store(sum1, line + call->LineStride);
            TSimd.Store(sum2, line + (2 * call->LineStride));
            TSimd.Store(sum3, line + (3 * call->LineStride));
            if (x == last)
                return;
        }
    }

    /// <summary>One line from any rows, which mirror as their weights do.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void OneLine<TSimd, TVec, TIn, TMirror>(ColumnTaps* call)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TIn : unmanaged
        where TMirror : struct, IMirror
    {
        if (call->Count < 2 * TSimd.Count)
        {
            if (TSimd.Count > 1)
                OneLine<SimdScalar, float, TIn, TMirror>(call);
            else
                *call->Lines = Sum<SimdScalar, float, TIn, TMirror>(call, call->Start);
            return;
        }

        var last = call->Count - (2 * TSimd.Count);
        for (nint x = 0; ; x = Math.Min(x + (2 * TSimd.Count), last))
        {
            TSimd.Store(Sum<TSimd, TVec, TIn, TMirror>(call, call->Start + x), call->Lines + x);
            TSimd.Store(Sum<TSimd, TVec, TIn, TMirror>(call, call->Start + x + TSimd.Count), call->Lines + x + TSimd.Count);
            if (x == last)
                return;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVec Sum<TSimd, TVec, TIn, TMirror>(ColumnTaps* call, nint offset)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TIn : unmanaged
        where TMirror : struct, IMirror
    {
        var rows = (TIn**)call->Rows;
        var taps = call->Taps;
        var sum = TSimd.Zero;
        for (var i = 0; i < taps / 2; i++)
        {
            var pair = Mirrors.Join<TSimd, TVec, TMirror>(
                TSimd.LoadPixels(rows[i] + offset), TSimd.LoadPixels(rows[taps - 1 - i] + offset));
            sum = TSimd.MultiplyAdd(pair, TSimd.Broadcast(call->Weights[i]), sum);
        }

        return taps % 2 == 0
            ? sum
            : TSimd.MultiplyAdd(TSimd.LoadPixels(rows[taps / 2] + offset), TSimd.Broadcast(call->Weights[taps / 2]), sum);
    }
}
