using System.Runtime.Intrinsics;

namespace SeparableConv.Loops;

/// <summary>
/// The two sums of a resize by weights. Output pixel i of an axis is the sum over k of x[First[i] + k] * Weights[Begin[i] + k], with
/// Begin[i+1] - Begin[i] terms.
/// </summary>
/// <remarks>Each sum runs over its terms in order, in every width; only whether a product is rounded before it is added differs.</remarks>
internal static unsafe class ResizeRows
{
    /// <summary>One output row: sum of input rows, <paramref name="row"/> floats each, which lie behind each other.</summary>
    public static void SumRows(float* input, nint row, in Axis axis, int output, float* target, SimdWidth? width = null)
    {
        switch (width ?? SimdWidths.Best)
        {
            case SimdWidth.V512:
                SumRows<Simd512, Vector512<float>>(input, row, axis, output, target);
                break;
            case SimdWidth.V256:
                SumRows<Simd256, Vector256<float>>(input, row, axis, output, target);
                break;
            case SimdWidth.V128:
                SumRows<Simd128, Vector128<float>>(input, row, axis, output, target);
                break;
            default:
                SumRows<SimdScalar, float>(input, row, axis, output, target);
                break;
        }
    }

    /// <summary>One output row: each of its pixels the sum of pixels of <paramref name="source"/>.</summary>
    public static void SumPixels(float* source, int channels, in Axis axis, float* target, SimdWidth? width = null)
    {
        // No wider than a pixel: what is left over goes one channel at a time.
        var widest = width ?? SimdWidths.Best;
        if (channels >= 16 && widest == SimdWidth.V512)
            SumPixels<Simd512, Vector512<float>>(source, channels, axis, target);
        else if (channels >= 8 && widest >= SimdWidth.V256)
            SumPixels<Simd256, Vector256<float>>(source, channels, axis, target);
        else if (channels >= 4 && widest >= SimdWidth.V128)
            SumPixels<Simd128, Vector128<float>>(source, channels, axis, target);
        else
            SumPixels<SimdScalar, float>(source, channels, axis, target);
    }

    private static void SumRows<TSimd, TVec>(float* input, nint row, in Axis axis, int output, float* target)
        where TSimd : ISimd<TVec>
        where TVec : struct
    {
        var first = input + (axis.First[output] * row);
        var weights = axis.Weights + axis.Begin[output];
        Sum<TSimd, TVec>(first, row, weights, axis.Begin[output + 1] - axis.Begin[output], row, target);
    }

    private static void SumPixels<TSimd, TVec>(float* source, int channels, in Axis axis, float* target)
        where TSimd : ISimd<TVec>
        where TVec : struct
    {
        var first = axis.First;
        var begin = axis.Begin;
        var weights = axis.Weights;
        var length = axis.Length;
        for (var i = 0; i < length; i++, target += channels)
            Sum<TSimd, TVec>(source + ((nint)first[i] * channels), channels, weights + begin[i], begin[i + 1] - begin[i], channels, target);
    }

    // target[j] = sum over k of source[k*stride + j] * weights[k], for j below count.
    private static void Sum<TSimd, TVec>(float* source, nint stride, float* weights, int terms, nint count, float* target)
        where TSimd : ISimd<TVec>
        where TVec : struct
    {
        nint j = 0;
        for (; j <= count - TSimd.Count; j += TSimd.Count)
        {
            var sum = TSimd.Multiply(TSimd.Load(source + j), TSimd.Broadcast(weights[0]));
            for (var k = 1; k < terms; k++)
                sum = TSimd.MultiplyAdd(TSimd.Load(source + (k * stride) + j), TSimd.Broadcast(weights[k]), sum);
            TSimd.Store(sum, target + j);
        }

        for (; j < count; j++)
        {
            var sum = source[j] * weights[0];
            for (var k = 1; k < terms; k++)
                sum = SimdScalar.MultiplyAdd(source[(k * stride) + j], weights[k], sum);
            target[j] = sum;
        }
    }

    /// <summary>What the output pixels of one axis are made of; the tables belong to the caller.</summary>
    public struct Axis
    {
        /// <summary>Output pixels.</summary>
        public int Length;

        /// <summary>For each, the first input pixel.</summary>
        public int* First;

        /// <summary>For each and one more, where its weights begin.</summary>
        public int* Begin;

        /// <summary>The weights.</summary>
        public float* Weights;
    }
}
