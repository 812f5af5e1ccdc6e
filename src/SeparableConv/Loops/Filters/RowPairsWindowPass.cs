using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SeparableConv.Loops;

/// <summary>
/// <see cref="RowPairsPass"/> for 512 bits and taps that lie equally far apart on either side of the middle: to the bit the same sums. As
/// in <see cref="RowWindowPass"/> a tap's vector is cut out of two neighbouring ones in registers: eight pairs out of eight vectors.
/// </summary>
internal static unsafe class RowPairsWindowPass
{
    private const int V = 16;
    private const int Chunk = 8;

    /// <summary>Whether there is a body for a step.</summary>
    public static bool Handles(int step) => Avx512F.IsSupported && step is >= 1 and <= 4;

    /// <summary>May read up to 16 floats past the last that a tap reaches.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TOut, TMirror, TStep>(RowTaps* call)
        where TOut : unmanaged
        where TMirror : struct, IMirror
        where TStep : struct, ITapStep
    {
        Debug.Assert(call->Taps >= Chunk && call->Step == TStep.Floats, "The body is compiled for other taps.");
        if (call->Count < 2 * V)
        {
            RowPairsPass.Run<Simd512, Vector512<float>, TOut, TMirror>(call);
            return;
        }

        var offsets = call->Offsets;
        var weights = call->Weights;
        var taps = call->Taps;
        var pairs = taps / 2;
        var offset = Vector512.Create(call->Offset);
        var target = (TOut*)call->Target;
        var last = call->Count - (2 * V);
        for (nint x = 0; ; x = Math.Min(x + (2 * V), last))
        {
            var line = call->Line + x;
            var low = offset;
            var high = offset;
            for (var first = 0; first < pairs; first += Chunk)
            {
                // Pair k of a chunk lies k steps right of the left window's beginning, and Chunk - 1 - k of the right one's.
                var left = line + offsets[first];
                var right = line + offsets[taps - 1 - first] - ((Chunk - 1) * TStep.Floats);
                var (l0, l1, l2) = (Vector512.Load(left), Vector512.Load(left + V), Vector512.Load(left + (2 * V)));
                var l3 = TStep.Floats > 2 ? Vector512.Load(left + (3 * V)) : default;
                var (r0, r1, r2) = (Vector512.Load(right), Vector512.Load(right + V), Vector512.Load(right + (2 * V)));
                var r3 = TStep.Floats > 2 ? Vector512.Load(right + (3 * V)) : default;
                var weight = weights + first;
                var count = pairs - first;
                Add<TMirror>(0, 7 * TStep.Floats, l0, l1, l2, l3, r0, r1, r2, r3, weight[0], ref low, ref high);
                if (count > 1)
                    Add<TMirror>(TStep.Floats, 6 * TStep.Floats, l0, l1, l2, l3, r0, r1, r2, r3, weight[1], ref low, ref high);
                if (count > 2)
                    Add<TMirror>(2 * TStep.Floats, 5 * TStep.Floats, l0, l1, l2, l3, r0, r1, r2, r3, weight[2], ref low, ref high);
                if (count > 3)
                    Add<TMirror>(3 * TStep.Floats, 4 * TStep.Floats, l0, l1, l2, l3, r0, r1, r2, r3, weight[3], ref low, ref high);
                if (count > 4)
                    Add<TMirror>(4 * TStep.Floats, 3 * TStep.Floats, l0, l1, l2, l3, r0, r1, r2, r3, weight[4], ref low, ref high);
                if (count > 5)
                    Add<TMirror>(5 * TStep.Floats, 2 * TStep.Floats, l0, l1, l2, l3, r0, r1, r2, r3, weight[5], ref low, ref high);
                if (count > 6)
                    Add<TMirror>(6 * TStep.Floats, TStep.Floats, l0, l1, l2, l3, r0, r1, r2, r3, weight[6], ref low, ref high);
                if (count > 7)
                    Add<TMirror>(7 * TStep.Floats, 0, l0, l1, l2, l3, r0, r1, r2, r3, weight[7], ref low, ref high);
            }

            if (taps % 2 != 0)
            {
                var middle = line + offsets[pairs];
                var weight = Vector512.Create(weights[pairs]);
                low = Vector512.FusedMultiplyAdd(Vector512.Load(middle), weight, low);
                high = Vector512.FusedMultiplyAdd(Vector512.Load(middle + V), weight, high);
            }

            Simd512.StorePixels(low, high, target + x);
            if (x == last)
                return;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TMirror>(
        int left, int right,
        Vector512<float> l0, Vector512<float> l1, Vector512<float> l2, Vector512<float> l3,
        Vector512<float> r0, Vector512<float> r1, Vector512<float> r2, Vector512<float> r3,
        float weight, ref Vector512<float> low, ref Vector512<float> high)
        where TMirror : struct, IMirror
    {
        var w = Vector512.Create(weight);
        var first = left < V ? VectorCut.At(l0, l1, left % V) : VectorCut.At(l1, l2, left % V);
        var last = right < V ? VectorCut.At(r0, r1, right % V) : VectorCut.At(r1, r2, right % V);
        low = Vector512.FusedMultiplyAdd(Mirrors.Join<Simd512, Vector512<float>, TMirror>(first, last), w, low);
        first = left < V ? VectorCut.At(l1, l2, left % V) : VectorCut.At(l2, l3, left % V);
        last = right < V ? VectorCut.At(r1, r2, right % V) : VectorCut.At(r2, r3, right % V);
        high = Vector512.FusedMultiplyAdd(Mirrors.Join<Simd512, Vector512<float>, TMirror>(first, last), w, high);
    }
}
