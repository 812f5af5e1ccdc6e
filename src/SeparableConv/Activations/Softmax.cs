using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SeparableConv.Kernels;

namespace SeparableConv;

/// <summary>y_c = e^(x_c - m) / sum over k of e^(x_k - m), m the largest of the row.</summary>
internal static unsafe class SoftmaxRows
{
    public static void Apply(ActivationRows rows, SimdWidth width)
    {
        for (nint pixel = 0; pixel < rows.Pixels; pixel++)
        {
            var row = rows.Data + (pixel * rows.PixelStride);
            switch (width)
            {
                case SimdWidth.V512:
                    Run<Simd512, Vector512<float>>(row, rows.Channels);
                    break;
                case SimdWidth.V256:
                    Run<Simd256, Vector256<float>>(row, rows.Channels);
                    break;
                case SimdWidth.V128:
                    Run<Simd128, Vector128<float>>(row, rows.Channels);
                    break;
                default:
                    Run<SimdScalar, float>(row, rows.Channels);
                    break;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TSimd, TVec>(float* row, int channels)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var tail = stackalloc float[TSimd.Count];
        var whole = channels - (channels % TSimd.Count);
        var inTail = channels - whole;

        // The remainder sits in a vector of its own that is filled up with minus infinity: its exponential is 0.
        new Span<float>(tail, TSimd.Count).Fill(float.NegativeInfinity);
        new Span<float>(row + whole, inTail).CopyTo(new Span<float>(tail, TSimd.Count));
        var largest = TSimd.Broadcast(Largest<TSimd, TVec>(row, whole, tail));

        var sums = TSimd.Zero;
        for (var c = 0; c < whole; c += TSimd.Count)
        {
            var e = Exponential.Exp<TSimd, TVec>(TSimd.Subtract(TSimd.Load(row + c), largest));
            sums = TSimd.Add(sums, e);
            TSimd.Store(e, row + c);
        }

        var last = Exponential.Exp<TSimd, TVec>(TSimd.Subtract(TSimd.Load(tail), largest));
        var sum = TSimd.Broadcast(Sum<TSimd, TVec>(TSimd.Add(sums, last)));
        for (var c = 0; c < whole; c += TSimd.Count)
            TSimd.Store(TSimd.Divide(TSimd.Load(row + c), sum), row + c);
        TSimd.Store(TSimd.Divide(last, sum), tail);
        new Span<float>(tail, inTail).CopyTo(new Span<float>(row + whole, inTail));
    }

    // A NaN may be lost here; the sum of the exponentials brings it back.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Largest<TSimd, TVec>(float* row, int whole, float* tail)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var largest = TSimd.Load(tail);
        for (var c = 0; c < whole; c += TSimd.Count)
            largest = TSimd.Max(largest, TSimd.Load(row + c));
        var lanes = stackalloc float[TSimd.Count];
        TSimd.Store(largest, lanes);
        var result = lanes[0];
        for (var i = 1; i < TSimd.Count; i++)
            result = Math.Max(result, lanes[i]);
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Sum<TSimd, TVec>(TVec value)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var lanes = stackalloc float[TSimd.Count];
        TSimd.Store(value, lanes);
        var result = 0f;
        for (var i = 0; i < TSimd.Count; i++)
            result += lanes[i];
        return result;
    }
}
