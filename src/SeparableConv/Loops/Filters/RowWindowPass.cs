using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SeparableConv.Loops;

/// <summary>
/// <see cref="RowPass"/> for 512 bits and taps that lie equally far apart: to the bit the same sums. A tap's vector is cut out of two
/// neighbouring ones that are in registers already, in place of being loaded.
/// </summary>
/// <remarks>
/// Of the loads of a row pass hardly one begins on a cache line, and with 512 bits every other one then takes two lines. Measured on Zen 5,
/// 7 taps over 3840x2160 floats: 0.8 ms in place of 1.5, loads and 256 bits alike. Two registers are cut in one instruction only where
/// there is AVX-512, so there is no body for other widths.
/// </remarks>
internal static unsafe class RowWindowPass
{
    private const int V = 16;

    /// <summary>Whether there is a body for a step; taps are from 2 to 7.</summary>
    public static bool Handles(int step) => Avx512F.IsSupported && step is 1 or 2 or 3 or 4 or 6 or 8;

    /// <summary>May read up to 16 floats past the last that a tap reaches.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TOut, TTaps, TStep>(RowTaps* call)
        where TOut : unmanaged
        where TTaps : struct, ITapCount
        where TStep : struct, ITapStep
    {
        Debug.Assert(call->Taps == TTaps.Count && call->Step == TStep.Floats, "The body is compiled for other taps.");
        if (call->Count < 2 * V)
        {
            RowPass.RunNarrow<TOut>(call);
            return;
        }

        var line = call->Line + call->Offsets[0];
        var weights = call->Weights;
        var w0 = Vector512.Create(weights[0]);
        var w1 = TTaps.Count > 1 ? Vector512.Create(weights[1]) : default;
        var w2 = TTaps.Count > 2 ? Vector512.Create(weights[2]) : default;
        var w3 = TTaps.Count > 3 ? Vector512.Create(weights[3]) : default;
        var w4 = TTaps.Count > 4 ? Vector512.Create(weights[4]) : default;
        var w5 = TTaps.Count > 5 ? Vector512.Create(weights[5]) : default;
        var w6 = TTaps.Count > 6 ? Vector512.Create(weights[6]) : default;
        var offset = Vector512.Create(call->Offset);
        var target = (TOut*)call->Target;
        var last = call->Count - (2 * V);
        var reach = (TTaps.Count - 1) * TStep.Floats;

        // The last block is moved back to end with the row: what overlaps is computed again, to the same bits.
        for (nint x = 0; ; x = Math.Min(x + (2 * V), last))
        {
            var window = new Window
            {
                V0 = Vector512.Load(line + x),
                V1 = Vector512.Load(line + x + V),
                V2 = Vector512.Load(line + x + (2 * V)),
                V3 = reach > V ? Vector512.Load(line + x + (3 * V)) : default,
                V4 = reach > 2 * V ? Vector512.Load(line + x + (4 * V)) : default,
            };
            var low = Vector512.FusedMultiplyAdd(window.V0, w0, offset);
            var high = Vector512.FusedMultiplyAdd(window.V1, w0, offset);
            if (TTaps.Count > 1)
            {
                low = Vector512.FusedMultiplyAdd(window.At(TStep.Floats), w1, low);
                high = Vector512.FusedMultiplyAdd(window.At(TStep.Floats + V), w1, high);
            }

            if (TTaps.Count > 2)
            {
                low = Vector512.FusedMultiplyAdd(window.At(2 * TStep.Floats), w2, low);
                high = Vector512.FusedMultiplyAdd(window.At((2 * TStep.Floats) + V), w2, high);
            }

            if (TTaps.Count > 3)
            {
                low = Vector512.FusedMultiplyAdd(window.At(3 * TStep.Floats), w3, low);
                high = Vector512.FusedMultiplyAdd(window.At((3 * TStep.Floats) + V), w3, high);
            }

            if (TTaps.Count > 4)
            {
                low = Vector512.FusedMultiplyAdd(window.At(4 * TStep.Floats), w4, low);
                high = Vector512.FusedMultiplyAdd(window.At((4 * TStep.Floats) + V), w4, high);
            }

            if (TTaps.Count > 5)
            {
                low = Vector512.FusedMultiplyAdd(window.At(5 * TStep.Floats), w5, low);
                high = Vector512.FusedMultiplyAdd(window.At((5 * TStep.Floats) + V), w5, high);
            }

            if (TTaps.Count > 6)
            {
                low = Vector512.FusedMultiplyAdd(window.At(6 * TStep.Floats), w6, low);
                high = Vector512.FusedMultiplyAdd(window.At((6 * TStep.Floats) + V), w6, high);
            }

            Simd512.StorePixels(low, high, target + x);
            if (x == last)
                return;
        }
    }

    /// <summary>Eighty floats side by side.</summary>
    private struct Window
    {
        public Vector512<float> V0;
        public Vector512<float> V1;
        public Vector512<float> V2;
        public Vector512<float> V3;
        public Vector512<float> V4;

        /// <summary>Sixteen of them. Every caller's <paramref name="first"/> is a constant, so that one case is left.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly Vector512<float> At(int first) => (first / V) switch
        {
            0 => VectorCut.At(V0, V1, first % V),
            1 => VectorCut.At(V1, V2, first % V),
            2 => VectorCut.At(V2, V3, first % V),
            3 => VectorCut.At(V3, V4, first % V),
            _ => V4,
        };
    }
}
