using System.Runtime.CompilerServices;

namespace SeparableConv.Loops;

/// <summary>Rows times a gate, y[p, c] = x[p, c] * gate[c]: what a pointwise convolution behind squeeze and excite reads.</summary>
/// <param name="input">(pixels, channels), without gaps.</param>
/// <param name="gate">(channels).</param>
/// <param name="output">(pixels, channels), not the input.</param>
/// <param name="pixels">Rows.</param>
/// <param name="channels">Floats of a row.</param>
/// <param name="outputStride">Floats from one row of the output to the next.</param>
internal readonly unsafe struct GatedRows(
    float* input, float* gate, float* output, nint pixels, int channels, nint outputStride) : ISimdWork
{
    public void Run<TSimd, TVec>()
        where TSimd : struct, ISimd<TVec>
        where TVec : struct => Run<TSimd, TVec>(input, gate, output, pixels, channels, outputStride);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TSimd, TVec>(float* x, float* gate, float* y, nint pixels, int channels, nint outputStride)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        // The last vector is moved left over its neighbour.
        var last = channels - TSimd.Count;
        for (nint p = 0; p < pixels; p++, x += channels, y += outputStride)
        {
            for (var c = 0; c < last; c += TSimd.Count)
                TSimd.Store(TSimd.Multiply(TSimd.Load(x + c), TSimd.Load(gate + c)), y + c);
            TSimd.Store(TSimd.Multiply(TSimd.Load(x + last), TSimd.Load(gate + last)), y + last);
        }
    }
}
