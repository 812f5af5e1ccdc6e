using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace SeparableConv.Loops;

/// <summary>
/// One call of a dense pass: four rows of sums over a window of float lines. Its taps are what any of the rows reads, line by line.
/// </summary>
internal unsafe struct DenseTaps
{
    /// <summary>The window that the offsets count from.</summary>
    public float* Window;

    /// <summary>For each tap its distance in floats from the window's start.</summary>
    public nint* Offsets;

    /// <summary>For each tap its weight in each of the four rows; zero where a row does not read it.</summary>
    public float* Weights;

    /// <summary>The number of taps.</summary>
    public int Taps;

    /// <summary>Added to every sum before it is rounded.</summary>
    public float Offset;

    /// <summary>The first pixel element of the first row.</summary>
    public byte* Target;

    /// <summary>Bytes from one row of pixels to the next.</summary>
    public nint TargetRowBytes;

    /// <summary>Elements a row; at least <see cref="DensePass.Vectors"/> vectors.</summary>
    public nint Count;
}

/// <summary>
/// Direct two-dimensional sums. Four output rows share what they read: hardly one load begins on a cache line, and each then serves
/// four multiplications. Every row sums its taps in the kernel's order, so that it has the bits of a row that is summed alone.
/// </summary>
internal static unsafe class DensePass
{
    /// <summary>The most vectors of each row in a block: with 32 registers. With 16 it is half as many.</summary>
    public const int Vectors = 4;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void FourRows<TSimd, TVec, TOut>(DenseTaps* call)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TOut : unmanaged
    {
        nint block = (TSimd.ManyRegisters ? Vectors : Vectors / 2) * TSimd.Count;
        Debug.Assert(call->Count >= block, "The driver gives rows shorter than a block to a narrower width.");
        var last = call->Count - block;

        // The last block is moved back to end with the row: what overlaps is computed again, to the same bits.
        for (nint x = 0; ; x = Math.Min(x + block, last))
        {
            var row0 = new Sums<TSimd, TVec>(call->Offset);
            var row1 = row0;
            var row2 = row0;
            var row3 = row0;
            var window = call->Window + x;
            var weights = call->Weights;
            for (var i = 0; i < call->Taps; i++, weights += 4)
            {
                var tap = window + call->Offsets[i];
                var in0 = TSimd.Load(tap);
                var in1 = TSimd.Load(tap + TSimd.Count);
                var in2 = TSimd.ManyRegisters ? TSimd.Load(tap + (2 * TSimd.Count)) : TSimd.Zero;
                var in3 = TSimd.ManyRegisters ? TSimd.Load(tap + (3 * TSimd.Count)) : TSimd.Zero;
                if (weights[0] != 0)
                    row0.Add(weights[0], in0, in1, in2, in3);
                if (weights[1] != 0)
                    row1.Add(weights[1], in0, in1, in2, in3);
                if (weights[2] != 0)
                    row2.Add(weights[2], in0, in1, in2, in3);
                if (weights[3] != 0)
                    row3.Add(weights[3], in0, in1, in2, in3);
            }

            var target = call->Target + (x * sizeof(TOut));
            row0.StorePixels((TOut*)target);
            row1.StorePixels((TOut*)(target + call->TargetRowBytes));
            row2.StorePixels((TOut*)(target + (2 * call->TargetRowBytes)));
            row3.StorePixels((TOut*)(target + (3 * call->TargetRowBytes)));
            if (x == last)
                return;
        }
    }

    /// <summary>line[x] = pixels[x], widened to float. What lies so many bytes ahead of the pixels is fetched meanwhile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Widen<TSimd, TVec, TIn>(void* pixels, float* line, nint count, nint aheadBytes)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TIn : unmanaged
    {
        var source = (TIn*)pixels;
        nint x = 0;
        for (; x <= count - TSimd.Count; x += TSimd.Count)
        {
            if (Sse.IsSupported)
                Sse.Prefetch0((byte*)(source + x) + aheadBytes);
            TSimd.Store(TSimd.LoadPixels(source + x), line + x);
        }

        for (; x < count; x++)
            line[x] = SimdScalar.LoadPixels(source + x);
    }

    /// <summary>The sums of a row in a block.</summary>
    private struct Sums<TSimd, TVec>(float offset)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        private TVec _sum0 = TSimd.Broadcast(offset);
        private TVec _sum1 = TSimd.Broadcast(offset);
        private TVec _sum2 = TSimd.Broadcast(offset);
        private TVec _sum3 = TSimd.Broadcast(offset);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Add(float weight, TVec in0, TVec in1, TVec in2, TVec in3)
        {
            var w = TSimd.Broadcast(weight);
            _sum0 = TSimd.MultiplyAdd(in0, w, _sum0);
            _sum1 = TSimd.MultiplyAdd(in1, w, _sum1);
            if (!TSimd.ManyRegisters)
                return;
            _sum2 = TSimd.MultiplyAdd(in2, w, _sum2);
            _sum3 = TSimd.MultiplyAdd(in3, w, _sum3);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void StorePixels<TOut>(TOut* target)
            where TOut : unmanaged
        {
            TSimd.StorePixels(_sum0, _sum1, target);
            if (TSimd.ManyRegisters)
                TSimd.StorePixels(_sum2, _sum3, target + (2 * TSimd.Count));
        }
    }
}
