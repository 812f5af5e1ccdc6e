using System.Runtime.CompilerServices;

namespace SeparableConv.Loops;

/// <summary>
/// <see cref="RowPass"/> for mirrored taps: pixel[x] = round(offset + sum over pairs t of weight[t] * (line[x + offset[t]] +-
/// line[x + offset[taps-1-t]]), and the middle).
/// </summary>
internal static unsafe class RowPairsPass
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TSimd, TVec, TOut, TMirror>(RowTaps* call)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TOut : unmanaged
        where TMirror : struct, IMirror
    {
        if (call->Count < 2 * TSimd.Count)
        {
            RunNarrow<TOut, TMirror>(call);
            return;
        }

        var offsets = call->Offsets;
        var weights = call->Weights;
        var taps = call->Taps;
        var target = (TOut*)call->Target;
        var last = call->Count - (2 * TSimd.Count);
        for (nint x = 0; ; x = Math.Min(x + (2 * TSimd.Count), last))
        {
            var line = call->Line + x;
            var low = TSimd.Broadcast(call->Offset);
            var high = low;
            for (var i = 0; i < taps / 2; i++)
            {
                var first = line + offsets[i];
                var second = line + offsets[taps - 1 - i];
                var weight = TSimd.Broadcast(weights[i]);
                var pair = Mirrors.Join<TSimd, TVec, TMirror>(TSimd.Load(first), TSimd.Load(second));
                low = TSimd.MultiplyAdd(pair, weight, low);
                pair = Mirrors.Join<TSimd, TVec, TMirror>(TSimd.Load(first + TSimd.Count), TSimd.Load(second + TSimd.Count));
                high = TSimd.MultiplyAdd(pair, weight, high);
            }

            if (taps % 2 != 0)
            {
                var middle = line + offsets[taps / 2];
                var weight = TSimd.Broadcast(weights[taps / 2]);
                low = TSimd.MultiplyAdd(TSimd.Load(middle), weight, low);
                high = TSimd.MultiplyAdd(TSimd.Load(middle + TSimd.Count), weight, high);
            }

            TSimd.StorePixels(low, high, target + x);
            if (x == last)
                return;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunNarrow<TOut, TMirror>(RowTaps* call)
        where TOut : unmanaged
        where TMirror : struct, IMirror
    {
        var taps = call->Taps;
        for (nint x = 0; x < call->Count; x++)
        {
            var line = call->Line + x;
            var sum = call->Offset;
            for (var i = 0; i < taps / 2; i++)
            {
                var pair = Mirrors.Join<SimdScalar, float, TMirror>(line[call->Offsets[i]], line[call->Offsets[taps - 1 - i]]);
                sum = SimdScalar.MultiplyAdd(pair, call->Weights[i], sum);
            }

            if (taps % 2 != 0)
                sum = SimdScalar.MultiplyAdd(line[call->Offsets[taps / 2]], call->Weights[taps / 2], sum);
            SimdScalar.StorePixel(sum, (TOut*)call->Target + x);
        }
    }
}
