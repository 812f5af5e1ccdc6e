using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace SeparableConv.Loops;

/// <summary>One call of a row pass: weighted sums over a line of floats, rounded to pixels.</summary>
internal unsafe struct RowTaps
{
    /// <summary>The line that the offsets count from.</summary>
    public float* Line;

    /// <summary>For each tap, how many floats right of the output element it reads.</summary>
    public nint* Offsets;

    /// <summary>A weight for each tap.</summary>
    public float* Weights;

    /// <summary>The number of taps; none of them is zero.</summary>
    public int Taps;

    /// <summary>Whether the taps are summed in pairs.</summary>
    public Mirror Mirror;

    /// <summary>
    /// Floats from one tap to the next, where all lie equally far apart (of mirrored ones those on either side of the middle); else 0.
    /// </summary>
    public int Step;

    /// <summary>Added to every sum before it is rounded.</summary>
    public float Offset;

    /// <summary>The first pixel element written.</summary>
    public void* Target;

    /// <summary>Elements written.</summary>
    public nint Count;
}

/// <summary>
/// The horizontal half of a separable filter, and the end of every one: pixel[x] = round(offset + sum over taps t of
/// weight[t] * line[x + offset[t]]). A tap one pixel to the right is as many floats away as there are channels. The taps of
/// several terms, each with its own line, are one list: then the sum of a rank-r filter never leaves its register.
/// </summary>
internal static unsafe class RowPass
{
    /// <summary>The pass for a number of taps that the JIT knows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TSimd, TVec, TOut, TTaps>(RowTaps* call)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TOut : unmanaged
        where TTaps : struct, ITapCount
    {
        Debug.Assert(call->Taps == TTaps.Count, "The body is compiled for another number of taps.");
        if (call->Count < 2 * TSimd.Count)
        {
            RunNarrow<TOut>(call);
            return;
        }

        var line = call->Line;
        var tap0 = line + call->Offsets[0];
        var tap1 = TTaps.Count > 1 ? line + call->Offsets[1] : null;
        var tap2 = TTaps.Count > 2 ? line + call->Offsets[2] : null;
        var tap3 = TTaps.Count > 3 ? line + call->Offsets[3] : null;
        var tap4 = TTaps.Count > 4 ? line + call->Offsets[4] : null;
        var tap5 = TTaps.Count > 5 ? line + call->Offsets[5] : null;
        var tap6 = TTaps.Count > 6 ? line + call->Offsets[6] : null;
        var w0 = TSimd.Broadcast(call->Weights[0]);
        var w1 = TTaps.Count > 1 ? TSimd.Broadcast(call->Weights[1]) : TSimd.Zero;
        var w2 = TTaps.Count > 2 ? TSimd.Broadcast(call->Weights[2]) : TSimd.Zero;
        var w3 = TTaps.Count > 3 ? TSimd.Broadcast(call->Weights[3]) : TSimd.Zero;
        var w4 = TTaps.Count > 4 ? TSimd.Broadcast(call->Weights[4]) : TSimd.Zero;
        var w5 = TTaps.Count > 5 ? TSimd.Broadcast(call->Weights[5]) : TSimd.Zero;
        var w6 = TTaps.Count > 6 ? TSimd.Broadcast(call->Weights[6]) : TSimd.Zero;
        var offset = TSimd.Broadcast(call->Offset);
        var target = (TOut*)call->Target;
        var last = call->Count - (2 * TSimd.Count);

        // The last block is moved back to end with the row: what overlaps is computed again, to the same bits.
        for (nint x = 0; ; x = Math.Min(x + (2 * TSimd.Count), last))
        {
            var y = x + TSimd.Count;
            var low = TSimd.MultiplyAdd(TSimd.Load(tap0 + x), w0, offset);
            var high = TSimd.MultiplyAdd(TSimd.Load(tap0 + y), w0, offset);
            if (TTaps.Count > 1)
            {
                low = TSimd.MultiplyAdd(TSimd.Load(tap1 + x), w1, low);
                high = TSimd.MultiplyAdd(TSimd.Load(tap1 + y), w1, high);
            }

            if (TTaps.Count > 2)
            {
                low = TSimd.MultiplyAdd(TSimd.Load(tap2 + x), w2, low);
                high = TSimd.MultiplyAdd(TSimd.Load(tap2 + y), w2, high);
            }

            if (TTaps.Count > 3)
            {
                low = TSimd.MultiplyAdd(TSimd.Load(tap3 + x), w3, low);
                high = TSimd.MultiplyAdd(TSimd.Load(tap3 + y), w3, high);
            }

            if (TTaps.Count > 4)
            {
                low = TSimd.MultiplyAdd(TSimd.Load(tap4 + x), w4, low);
                high = TSimd.MultiplyAdd(TSimd.Load(tap4 + y), w4, high);
            }

            if (TTaps.Count > 5)
            {
                low = TSimd.MultiplyAdd(TSimd.Load(tap5 + x), w5, low);
                high = TSimd.MultiplyAdd(TSimd.Load(tap5 + y), w5, high);
            }

            if (TTaps.Count > 6)
            {
                low = TSimd.MultiplyAdd(TSimd.Load(tap6 + x), w6, low);
                high = TSimd.MultiplyAdd(TSimd.Load(tap6 + y), w6, high);
            }

            TSimd.StorePixels(low, high, target + x);
            if (x == last)
                return;
        }
    }

    /// <summary>The pass for any number of taps.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunMany<TSimd, TVec, TOut>(RowTaps* call)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TOut : unmanaged
    {
        if (call->Count < 4 * TSimd.Count)
        {
            RunNarrow<TOut>(call);
            return;
        }

        var offsets = call->Offsets;
        var weights = call->Weights;
        var target = (TOut*)call->Target;
        var last = call->Count - (4 * TSimd.Count);
        for (nint x = 0; ; x = Math.Min(x + (4 * TSimd.Count), last))
        {
            var line = call->Line + x;
            var sum0 = TSimd.Broadcast(call->Offset);
            var sum1 = sum0;
            var sum2 = sum0;
            var sum3 = sum0;
            for (var i = 0; i < call->Taps; i++)
            {
                var tap = line + offsets[i];
                var weight = TSimd.Broadcast(weights[i]);
                sum0 = TSimd.MultiplyAdd(TSimd.Load(tap), weight, sum0);
                sum1 = TSimd.MultiplyAdd(TSimd.Load(tap + TSimd.Count), weight, sum1);
                sum2 = TSimd.MultiplyAdd(TSimd.Load(tap + (2 * TSimd.Count)), weight, sum2);
                sum3 = TSimd.MultiplyAdd(TSimd.Load(tap + (3 * TSimd.Count)), weight, sum3);
            }

            TSimd.StorePixels(sum0, sum1, target + x);
            TSimd.StorePixels(sum2, sum3, target + x + (2 * TSimd.Count));
            if (x == last)
                return;
        }
    }

    /// <summary>The pass element by element, for rows that are shorter than a block of vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunNarrow<TOut>(RowTaps* call)
        where TOut : unmanaged
    {
        for (nint x = 0; x < call->Count; x++)
        {
            var sum = call->Offset;
            for (var i = 0; i < call->Taps; i++)
                sum = SimdScalar.MultiplyAdd(call->Line[x + call->Offsets[i]], call->Weights[i], sum);
            SimdScalar.StorePixel(sum, (TOut*)call->Target + x);
        }
    }
}
