using System.Runtime.CompilerServices;
using static SeparableConv.Loops.DepthwiseStrip;

namespace SeparableConv.Loops;

/// <summary>
/// 3x3, stride 1: one or two output rows at a time, a vector of channels, from left to right. Each input pixel is
/// loaded once and goes into every output pixel that it reaches: 3 sums a row are under way, the newest first (a0, b0).
/// </summary>
internal static unsafe class Depthwise3x3Stride1
{
    private const int Lead = 2;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TSimd, TVec, TOptions>(in DepthwiseStrip strip)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TOptions : struct, IDepthwiseOptions
    {
        var (pixelStride, outPixelStride, padBefore, endStep) = (strip.PixelStride, strip.OutPixelStride, strip.PadBefore, strip.EndStep);
        var inColumns = (uint)strip.InColumns;
        var lower = TSimd.Broadcast(strip.Lower);
        var upper = TSimd.Broadcast(strip.Upper);
        for (var vector = strip.FirstVector; vector < strip.EndVector; vector++)
        {
            nint channel = strip.FirstChannel(vector, TSimd.Count);
            var weights = strip.Weights + ((nint)vector * 9 * TSimd.Count);
            var bias = TSimd.Load(strip.Bias + (vector * TSimd.Count));
            var row0 = strip.Rows[0] + channel;
            var row1 = strip.Rows[1] + channel;
            var row2 = strip.Rows[2] + channel;
            var row3 = strip.Rows[3] + channel;
            var outA = strip.OutA + channel;
            var outB = strip.OutB + channel;
            TVec a0 = bias, a1 = bias, a2 = bias;
            TVec b0 = bias, b1 = bias, b2 = bias;
            var state = strip.State + ((vector - strip.FirstVector) * 4 * TSimd.Count);
            if (strip.Resume)
            {
                a1 = TSimd.Load(state + (0 * TSimd.Count));
                b1 = TSimd.Load(state + (1 * TSimd.Count));
                a2 = TSimd.Load(state + (2 * TSimd.Count));
                b2 = TSimd.Load(state + (3 * TSimd.Count));
            }

            var w00 = TSimd.Load(weights + (0 * TSimd.Count));
            var w01 = TSimd.Load(weights + (1 * TSimd.Count));
            var w02 = TSimd.Load(weights + (2 * TSimd.Count));
            var w10 = TSimd.Load(weights + (3 * TSimd.Count));
            var w11 = TSimd.Load(weights + (4 * TSimd.Count));
            var w12 = TSimd.Load(weights + (5 * TSimd.Count));
            var w20 = TSimd.Load(weights + (6 * TSimd.Count));
            var w21 = TSimd.Load(weights + (7 * TSimd.Count));
            var w22 = TSimd.Load(weights + (8 * TSimd.Count));
            var offset = strip.Offset;
            for (var step = strip.FirstStep; step < endStep; step++)
            {
                // Outside the image there is nothing to add.
                if ((uint)(step - padBefore) < inColumns)
                {
                    var x0 = TSimd.Load(row0 + offset);
                    var x1 = TSimd.Load(row1 + offset);
                    var x2 = TSimd.Load(row2 + offset);
                    var x3 = TOptions.TwoRows ? TSimd.Load(row3 + offset) : x2;
                    Tap<TSimd, TVec, TOptions>(w00, weights, 0, x0, x1, ref a0, ref b0);
                    Tap<TSimd, TVec, TOptions>(w01, weights, 1, x0, x1, ref a1, ref b1);
                    Tap<TSimd, TVec, TOptions>(w02, weights, 2, x0, x1, ref a2, ref b2);
                    Tap<TSimd, TVec, TOptions>(w10, weights, 3, x1, x2, ref a0, ref b0);
                    Tap<TSimd, TVec, TOptions>(w11, weights, 4, x1, x2, ref a1, ref b1);
                    Tap<TSimd, TVec, TOptions>(w12, weights, 5, x1, x2, ref a2, ref b2);
                    Tap<TSimd, TVec, TOptions>(w20, weights, 6, x2, x3, ref a0, ref b0);
                    Tap<TSimd, TVec, TOptions>(w21, weights, 7, x2, x3, ref a1, ref b1);
                    Tap<TSimd, TVec, TOptions>(w22, weights, 8, x2, x3, ref a2, ref b2);
                    offset += pixelStride;
                }

                if (step >= Lead)
                {
                    TSimd.Store(TOptions.Clamp ? TSimd.Min(upper, TSimd.Max(lower, a2)) : a2, outA);
                    outA += outPixelStride;
                    if (TOptions.TwoRows)
                    {
                        TSimd.Store(TOptions.Clamp ? TSimd.Min(upper, TSimd.Max(lower, b2)) : b2, outB);
                        outB += outPixelStride;
                    }
                }

                (a2, a1, a0) = (a1, a0, bias);
                if (TOptions.TwoRows)
                    (b2, b1, b0) = (b1, b0, bias);
            }

            if (strip.Suspend)
            {
                TSimd.Store(a1, state + (0 * TSimd.Count));
                TSimd.Store(b1, state + (1 * TSimd.Count));
                TSimd.Store(a2, state + (2 * TSimd.Count));
                TSimd.Store(b2, state + (3 * TSimd.Count));
            }
        }
    }
}
