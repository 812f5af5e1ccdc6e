using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace SeparableConv.Loops;

/// <summary>
/// One call of a dense pass: two rows of sums over a window of float lines. The taps come in three groups, in this order:
/// read by the upper row alone, by both, by the lower row alone. Taps of weight zero are in none.
/// </summary>
internal unsafe struct DenseTaps
{
    /// <summary>The window that the offsets count from.</summary>
    public float* Window;

    /// <summary>For each tap of the three groups, its distance in floats from the window's start.</summary>
    public nint* Offsets;

    /// <summary>The upper row's weights: of the first two groups.</summary>
    public float* UpperWeights;

    /// <summary>The lower row's weights: of the last two groups.</summary>
    public float* LowerWeights;

    /// <summary>Taps of the first group.</summary>
    public int Upper;

    /// <summary>Taps of the second group.</summary>
    public int Both;

    /// <summary>Taps of the third group.</summary>
    public int Lower;

    /// <summary>Added to every sum before it is rounded.</summary>
    public float Offset;

    /// <summary>The first pixel element of the upper row.</summary>
    public void* UpperTarget;

    /// <summary>The first pixel element of the lower row.</summary>
    public void* LowerTarget;

    /// <summary>Elements a row; at least <see cref="DensePass.Vectors"/> vectors.</summary>
    public nint Count;
}

/// <summary>
/// Direct two-dimensional sums. Two output rows share what they read, since all but the first and last row of taps serve
/// both: a load for every two multiplications. Six vectors of each row are twelve sums in flight, which hides the latency of
/// multiply-add and still fits the sixteen registers of AVX2.
/// </summary>
internal static unsafe class DensePass
{
    /// <summary>Vectors of each row in a block.</summary>
    public const int Vectors = 6;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void TwoRows<TSimd, TVec, TOut>(DenseTaps* call)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TOut : unmanaged
    {
        nint block = Vectors * TSimd.Count;
        Debug.Assert(call->Count >= block, "The driver gives rows shorter than a block to a narrower width.");
        var last = call->Count - block;

        // The last block is moved back to end with the row: what overlaps is computed again, to the same bits.
        for (nint x = 0; ; x = Math.Min(x + block, last))
        {
            var window = call->Window + x;
            var offsets = call->Offsets;
            var upper0 = TSimd.Broadcast(call->Offset);
            var upper1 = upper0;
            var upper2 = upper0;
            var upper3 = upper0;
            var upper4 = upper0;
            var upper5 = upper0;
            for (var i = 0; i < call->Upper; i++)
            {
                var tap = window + offsets[i];
                var weight = TSimd.Broadcast(call->UpperWeights[i]);
                upper0 = TSimd.MultiplyAdd(TSimd.Load(tap), weight, upper0);
                upper1 = TSimd.MultiplyAdd(TSimd.Load(tap + TSimd.Count), weight, upper1);
                upper2 = TSimd.MultiplyAdd(TSimd.Load(tap + (2 * TSimd.Count)), weight, upper2);
                upper3 = TSimd.MultiplyAdd(TSimd.Load(tap + (3 * TSimd.Count)), weight, upper3);
                upper4 = TSimd.MultiplyAdd(TSimd.Load(tap + (4 * TSimd.Count)), weight, upper4);
                upper5 = TSimd.MultiplyAdd(TSimd.Load(tap + (5 * TSimd.Count)), weight, upper5);
            }

            var lower0 = TSimd.Broadcast(call->Offset);
            var lower1 = lower0;
            var lower2 = lower0;
            var lower3 = lower0;
            var lower4 = lower0;
            var lower5 = lower0;
            offsets += call->Upper;
            var upperWeights = call->UpperWeights + call->Upper;
            var lowerWeights = call->LowerWeights;
            var both = call->Both;
            for (var i = 0; i < both; i++)
            {
                var tap = window + offsets[i];
                var weightUpper = TSimd.Broadcast(upperWeights[i]);
                var weightLower = TSimd.Broadcast(lowerWeights[i]);
                var line = TSimd.Load(tap);
                upper0 = TSimd.MultiplyAdd(line, weightUpper, upper0);
                lower0 = TSimd.MultiplyAdd(line, weightLower, lower0);
                line = TSimd.Load(tap + TSimd.Count);
                upper1 = TSimd.MultiplyAdd(line, weightUpper, upper1);
                lower1 = TSimd.MultiplyAdd(line, weightLower, lower1);
                line = TSimd.Load(tap + (2 * TSimd.Count));
                upper2 = TSimd.MultiplyAdd(line, weightUpper, upper2);
                lower2 = TSimd.MultiplyAdd(line, weightLower, lower2);
                line = TSimd.Load(tap + (3 * TSimd.Count));
                upper3 = TSimd.MultiplyAdd(line, weightUpper, upper3);
                lower3 = TSimd.MultiplyAdd(line, weightLower, lower3);
                line = TSimd.Load(tap + (4 * TSimd.Count));
                upper4 = TSimd.MultiplyAdd(line, weightUpper, upper4);
                lower4 = TSimd.MultiplyAdd(line, weightLower, lower4);
                line = TSimd.Load(tap + (5 * TSimd.Count));
                upper5 = TSimd.MultiplyAdd(line, weightUpper, upper5);
                lower5 = TSimd.MultiplyAdd(line, weightLower, lower5);
            }

            var upperTarget = (TOut*)call->UpperTarget + x;
            TSimd.StorePixels(upper0, upper1, upperTarget);
            TSimd.StorePixels(upper2, upper3, upperTarget + (2 * TSimd.Count));
            TSimd.StorePixels(upper4, upper5, upperTarget + (4 * TSimd.Count));
            offsets += both;
            lowerWeights += both;
            for (var i = 0; i < call->Lower; i++)
            {
                var tap = window + offsets[i];
                var weight = TSimd.Broadcast(lowerWeights[i]);
                lower0 = TSimd.MultiplyAdd(TSimd.Load(tap), weight, lower0);
                lower1 = TSimd.MultiplyAdd(TSimd.Load(tap + TSimd.Count), weight, lower1);
                lower2 = TSimd.MultiplyAdd(TSimd.Load(tap + (2 * TSimd.Count)), weight, lower2);
                lower3 = TSimd.MultiplyAdd(TSimd.Load(tap + (3 * TSimd.Count)), weight, lower3);
                lower4 = TSimd.MultiplyAdd(TSimd.Load(tap + (4 * TSimd.Count)), weight, lower4);
                lower5 = TSimd.MultiplyAdd(TSimd.Load(tap + (5 * TSimd.Count)), weight, lower5);
            }

            var lowerTarget = (TOut*)call->LowerTarget + x;
            TSimd.StorePixels(lower0, lower1, lowerTarget);
            TSimd.StorePixels(lower2, lower3, lowerTarget + (2 * TSimd.Count));
            TSimd.StorePixels(lower4, lower5, lowerTarget + (4 * TSimd.Count));
            if (x == last)
                return;
        }
    }

    /// <summary>line[x] = pixels[x], widened to float.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Widen<TSimd, TVec, TIn>(void* pixels, float* line, nint count)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TIn : unmanaged
    {
        var source = (TIn*)pixels;
        nint x = 0;
        for (; x <= count - TSimd.Count; x += TSimd.Count)
            TSimd.Store(TSimd.LoadPixels(source + x), line + x);
        for (; x < count; x++)
            line[x] = SimdScalar.LoadPixels(source + x);
    }
}
