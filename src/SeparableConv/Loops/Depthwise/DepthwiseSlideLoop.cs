using System.Runtime.CompilerServices;
using static SeparableConv.Loops.DepthwiseStrip;

namespace SeparableConv.Loops;

/// <summary>
/// The loop of <see cref="DepthwiseSlide"/>: TSide is 3 or 5 (a kernel of 3x3 or 5x5), TStride 1 or 2. One or two output rows at a time, a
/// vector of channels, from left to right. Each input pixel is loaded once and goes into every output pixel that it reaches.
/// </summary>
/// <remarks>
/// (TSide + TStride - 1) / TStride sums a row are under way, the newest first (a0, b0); the JIT drops those, and the rows and taps, that a
/// kernel and stride do not have. Rows come before columns, so that neighbouring multiply-adds do not wait for each other.
/// </remarks>
internal static unsafe class DepthwiseSlideLoop
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TSimd, TVec, TOptions, TReads, TSide, TStride>(in DepthwiseStrip strip)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TOptions : struct, IDepthwiseOptions
        where TReads : struct, IDepthwiseReads
        where TSide : unmanaged, IConstant
        where TStride : unmanaged, IConstant
    {
        // Steps before the first pixel is finished, and so the sums that go from one run of steps to the next.
        var lead = (sizeof(TSide) - 1) / sizeof(TStride);
        var (pixelStride, outPixelStride, padBefore, endStep) = (strip.PixelStride, strip.OutPixelStride, strip.PadBefore, strip.EndStep);
        var inColumns = (uint)strip.InColumns;
        var lower = TSimd.Broadcast(strip.Lower);
        var upper = TSimd.Broadcast(strip.Upper);
        for (var vector = strip.FirstVector; vector < strip.EndVector; vector++)
        {
            nint channel = strip.FirstChannel(vector, TSimd.Count);
            nint source = TReads.IsMapped ? strip.Sources[vector].First : channel;
            var lanes = TReads.Lanes<TSimd, TVec>(strip.Lanes + (vector * TSimd.Count));
            var weights = strip.Weights + ((nint)vector * (sizeof(TSide) * sizeof(TSide)) * TSimd.Count);
            var bias = TSimd.Load(strip.Bias + (vector * TSimd.Count));
            var row0 = strip.Rows[0] + source;
            var row1 = strip.Rows[1] + source;
            var row2 = strip.Rows[2] + source;
            var row3 = strip.Rows[3] + source;
            var row4 = sizeof(TSide) + sizeof(TStride) > 4 ? strip.Rows[4] + source : null;
            var row5 = sizeof(TSide) + sizeof(TStride) > 5 ? strip.Rows[5] + source : null;
            var row6 = sizeof(TSide) + sizeof(TStride) > 6 ? strip.Rows[6] + source : null;
            var outA = strip.OutA + channel;
            var outB = strip.OutB + channel;
            TVec a0 = bias, a1 = bias, a2 = bias, a3 = bias, a4 = bias;
            TVec b0 = bias, b1 = bias, b2 = bias, b3 = bias, b4 = bias;
            var state = strip.State + ((vector - strip.FirstVector) * (2 * lead) * TSimd.Count);
            if (strip.Resume)
            {
                Resume<TSimd, TVec>(state, 1, ref a1, ref b1);
                if ((sizeof(TSide) - 1) / sizeof(TStride) > 1)
                    Resume<TSimd, TVec>(state, 2, ref a2, ref b2);
                if ((sizeof(TSide) - 1) / sizeof(TStride) > 2)
                {
                    Resume<TSimd, TVec>(state, 3, ref a3, ref b3);
                    Resume<TSimd, TVec>(state, 4, ref a4, ref b4);
                }
            }

            // Nine weights stay in registers where there are enough; 25 do not.
            TVec w00 = bias, w01 = bias, w02 = bias, w10 = bias, w11 = bias, w12 = bias, w20 = bias, w21 = bias, w22 = bias;
            if (sizeof(TSide) == 3)
            {
                w00 = TSimd.Load(weights + (0 * TSimd.Count));
                w01 = TSimd.Load(weights + (1 * TSimd.Count));
                w02 = TSimd.Load(weights + (2 * TSimd.Count));
                w10 = TSimd.Load(weights + (3 * TSimd.Count));
                w11 = TSimd.Load(weights + (4 * TSimd.Count));
                w12 = TSimd.Load(weights + (5 * TSimd.Count));
                w20 = TSimd.Load(weights + (6 * TSimd.Count));
                w21 = TSimd.Load(weights + (7 * TSimd.Count));
                w22 = TSimd.Load(weights + (8 * TSimd.Count));
            }

            var offset = strip.Offset;
            for (var step = strip.FirstStep; step < endStep; step++)
            {
                // Outside the image there is nothing to add.
                if (sizeof(TStride) == 1)
                {
                    if ((uint)(step - padBefore) < inColumns)
                    {
                        var x0 = TReads.Load<TSimd, TVec>(row0 + offset, lanes);
                        var x1 = TReads.Load<TSimd, TVec>(row1 + offset, lanes);
                        var x2 = TReads.Load<TSimd, TVec>(row2 + offset, lanes);
                        var x3 = sizeof(TSide) == 5 || TOptions.TwoRows ? TReads.Load<TSimd, TVec>(row3 + offset, lanes) : x2;
                        var x4 = sizeof(TSide) == 5 ? TReads.Load<TSimd, TVec>(row4 + offset, lanes) : x3;
                        var x5 = sizeof(TSide) == 5 && TOptions.TwoRows ? TReads.Load<TSimd, TVec>(row5 + offset, lanes) : x4;
                        if (sizeof(TSide) == 3)
                        {
                            Tap<TSimd, TVec, TOptions>(w00, weights, 0, x0, x1, ref a0, ref b0);
                            Tap<TSimd, TVec, TOptions>(w01, weights, 1, x0, x1, ref a1, ref b1);
                            Tap<TSimd, TVec, TOptions>(w02, weights, 2, x0, x1, ref a2, ref b2);
                            Tap<TSimd, TVec, TOptions>(w10, weights, 3, x1, x2, ref a0, ref b0);
                            Tap<TSimd, TVec, TOptions>(w11, weights, 4, x1, x2, ref a1, ref b1);
                            Tap<TSimd, TVec, TOptions>(w12, weights, 5, x1, x2, ref a2, ref b2);
                            Tap<TSimd, TVec, TOptions>(w20, weights, 6, x2, x3, ref a0, ref b0);
                            Tap<TSimd, TVec, TOptions>(w21, weights, 7, x2, x3, ref a1, ref b1);
                            Tap<TSimd, TVec, TOptions>(w22, weights, 8, x2, x3, ref a2, ref b2);
                        }
                        else
                        {
                            Tap<TSimd, TVec, TOptions>(weights, 0, x0, x1, ref a0, ref b0);
                            Tap<TSimd, TVec, TOptions>(weights, 1, x0, x1, ref a1, ref b1);
                            Tap<TSimd, TVec, TOptions>(weights, 2, x0, x1, ref a2, ref b2);
                            Tap<TSimd, TVec, TOptions>(weights, 3, x0, x1, ref a3, ref b3);
                            Tap<TSimd, TVec, TOptions>(weights, 4, x0, x1, ref a4, ref b4);
                            Tap<TSimd, TVec, TOptions>(weights, 5, x1, x2, ref a0, ref b0);
                            Tap<TSimd, TVec, TOptions>(weights, 6, x1, x2, ref a1, ref b1);
                            Tap<TSimd, TVec, TOptions>(weights, 7, x1, x2, ref a2, ref b2);
                            Tap<TSimd, TVec, TOptions>(weights, 8, x1, x2, ref a3, ref b3);
                            Tap<TSimd, TVec, TOptions>(weights, 9, x1, x2, ref a4, ref b4);
                            Tap<TSimd, TVec, TOptions>(weights, 10, x2, x3, ref a0, ref b0);
                            Tap<TSimd, TVec, TOptions>(weights, 11, x2, x3, ref a1, ref b1);
                            Tap<TSimd, TVec, TOptions>(weights, 12, x2, x3, ref a2, ref b2);
                            Tap<TSimd, TVec, TOptions>(weights, 13, x2, x3, ref a3, ref b3);
                            Tap<TSimd, TVec, TOptions>(weights, 14, x2, x3, ref a4, ref b4);
                            Tap<TSimd, TVec, TOptions>(weights, 15, x3, x4, ref a0, ref b0);
                            Tap<TSimd, TVec, TOptions>(weights, 16, x3, x4, ref a1, ref b1);
                            Tap<TSimd, TVec, TOptions>(weights, 17, x3, x4, ref a2, ref b2);
                            Tap<TSimd, TVec, TOptions>(weights, 18, x3, x4, ref a3, ref b3);
                            Tap<TSimd, TVec, TOptions>(weights, 19, x3, x4, ref a4, ref b4);
                            Tap<TSimd, TVec, TOptions>(weights, 20, x4, x5, ref a0, ref b0);
                            Tap<TSimd, TVec, TOptions>(weights, 21, x4, x5, ref a1, ref b1);
                            Tap<TSimd, TVec, TOptions>(weights, 22, x4, x5, ref a2, ref b2);
                            Tap<TSimd, TVec, TOptions>(weights, 23, x4, x5, ref a3, ref b3);
                            Tap<TSimd, TVec, TOptions>(weights, 24, x4, x5, ref a4, ref b4);
                        }

                        offset += pixelStride;
                    }
                }
                else
                {
                    var column = (2 * step) - 1 - padBefore;
                    if ((uint)column < inColumns)
                    {
                        var x0 = TReads.Load<TSimd, TVec>(row0 + offset, lanes);
                        var x1 = TReads.Load<TSimd, TVec>(row1 + offset, lanes);
                        var x2 = TReads.Load<TSimd, TVec>(row2 + offset, lanes);
                        var x3 = sizeof(TSide) == 5 || TOptions.TwoRows ? TReads.Load<TSimd, TVec>(row3 + offset, lanes) : x2;
                        var x4 = sizeof(TSide) == 5 || TOptions.TwoRows ? TReads.Load<TSimd, TVec>(row4 + offset, lanes) : x3;
                        var x5 = sizeof(TSide) == 5 && TOptions.TwoRows ? TReads.Load<TSimd, TVec>(row5 + offset, lanes) : x4;
                        var x6 = sizeof(TSide) == 5 && TOptions.TwoRows ? TReads.Load<TSimd, TVec>(row6 + offset, lanes) : x5;
                        if (sizeof(TSide) == 3)
                        {
                            Tap<TSimd, TVec, TOptions>(w01, weights, 1, x0, x2, ref a1, ref b1);
                            Tap<TSimd, TVec, TOptions>(w11, weights, 4, x1, x3, ref a1, ref b1);
                            Tap<TSimd, TVec, TOptions>(w21, weights, 7, x2, x4, ref a1, ref b1);
                        }
                        else
                        {
                            Tap<TSimd, TVec, TOptions>(weights, 1, x0, x2, ref a1, ref b1);
                            Tap<TSimd, TVec, TOptions>(weights, 3, x0, x2, ref a2, ref b2);
                            Tap<TSimd, TVec, TOptions>(weights, 6, x1, x3, ref a1, ref b1);
                            Tap<TSimd, TVec, TOptions>(weights, 8, x1, x3, ref a2, ref b2);
                            Tap<TSimd, TVec, TOptions>(weights, 11, x2, x4, ref a1, ref b1);
                            Tap<TSimd, TVec, TOptions>(weights, 13, x2, x4, ref a2, ref b2);
                            Tap<TSimd, TVec, TOptions>(weights, 16, x3, x5, ref a1, ref b1);
                            Tap<TSimd, TVec, TOptions>(weights, 18, x3, x5, ref a2, ref b2);
                            Tap<TSimd, TVec, TOptions>(weights, 21, x4, x6, ref a1, ref b1);
                            Tap<TSimd, TVec, TOptions>(weights, 23, x4, x6, ref a2, ref b2);
                        }

                        offset += pixelStride;
                    }

                    if ((uint)(column + 1) < inColumns)
                    {
                        var x0 = TReads.Load<TSimd, TVec>(row0 + offset, lanes);
                        var x1 = TReads.Load<TSimd, TVec>(row1 + offset, lanes);
                        var x2 = TReads.Load<TSimd, TVec>(row2 + offset, lanes);
                        var x3 = sizeof(TSide) == 5 || TOptions.TwoRows ? TReads.Load<TSimd, TVec>(row3 + offset, lanes) : x2;
                        var x4 = sizeof(TSide) == 5 || TOptions.TwoRows ? TReads.Load<TSimd, TVec>(row4 + offset, lanes) : x3;
                        var x5 = sizeof(TSide) == 5 && TOptions.TwoRows ? TReads.Load<TSimd, TVec>(row5 + offset, lanes) : x4;
                        var x6 = sizeof(TSide) == 5 && TOptions.TwoRows ? TReads.Load<TSimd, TVec>(row6 + offset, lanes) : x5;
                        if (sizeof(TSide) == 3)
                        {
                            Tap<TSimd, TVec, TOptions>(w00, weights, 0, x0, x2, ref a0, ref b0);
                            Tap<TSimd, TVec, TOptions>(w02, weights, 2, x0, x2, ref a1, ref b1);
                            Tap<TSimd, TVec, TOptions>(w10, weights, 3, x1, x3, ref a0, ref b0);
                            Tap<TSimd, TVec, TOptions>(w12, weights, 5, x1, x3, ref a1, ref b1);
                            Tap<TSimd, TVec, TOptions>(w20, weights, 6, x2, x4, ref a0, ref b0);
                            Tap<TSimd, TVec, TOptions>(w22, weights, 8, x2, x4, ref a1, ref b1);
                        }
                        else
                        {
                            Tap<TSimd, TVec, TOptions>(weights, 0, x0, x2, ref a0, ref b0);
                            Tap<TSimd, TVec, TOptions>(weights, 2, x0, x2, ref a1, ref b1);
                            Tap<TSimd, TVec, TOptions>(weights, 4, x0, x2, ref a2, ref b2);
                            Tap<TSimd, TVec, TOptions>(weights, 5, x1, x3, ref a0, ref b0);
                            Tap<TSimd, TVec, TOptions>(weights, 7, x1, x3, ref a1, ref b1);
                            Tap<TSimd, TVec, TOptions>(weights, 9, x1, x3, ref a2, ref b2);
                            Tap<TSimd, TVec, TOptions>(weights, 10, x2, x4, ref a0, ref b0);
                            Tap<TSimd, TVec, TOptions>(weights, 12, x2, x4, ref a1, ref b1);
                            Tap<TSimd, TVec, TOptions>(weights, 14, x2, x4, ref a2, ref b2);
                            Tap<TSimd, TVec, TOptions>(weights, 15, x3, x5, ref a0, ref b0);
                            Tap<TSimd, TVec, TOptions>(weights, 17, x3, x5, ref a1, ref b1);
                            Tap<TSimd, TVec, TOptions>(weights, 19, x3, x5, ref a2, ref b2);
                            Tap<TSimd, TVec, TOptions>(weights, 20, x4, x6, ref a0, ref b0);
                            Tap<TSimd, TVec, TOptions>(weights, 22, x4, x6, ref a1, ref b1);
                            Tap<TSimd, TVec, TOptions>(weights, 24, x4, x6, ref a2, ref b2);
                        }

                        offset += pixelStride;
                    }
                }

                if (step >= lead)
                {
                    var a = (sizeof(TSide) - 1) / sizeof(TStride) == 1 ? a1 : sizeof(TSide) / sizeof(TStride) < 5 ? a2 : a4;
                    var b = (sizeof(TSide) - 1) / sizeof(TStride) == 1 ? b1 : sizeof(TSide) / sizeof(TStride) < 5 ? b2 : b4;
                    TSimd.Store(Finish<TSimd, TVec, TOptions>(a, lower, upper), outA);
                    outA += outPixelStride;
                    if (TOptions.TwoRows)
                    {
                        TSimd.Store(Finish<TSimd, TVec, TOptions>(b, lower, upper), outB);
                        outB += outPixelStride;
                    }
                }

                (a4, a3, a2, a1, a0) = (a3, a2, a1, a0, bias);
                if (TOptions.TwoRows)
                    (b4, b3, b2, b1, b0) = (b3, b2, b1, b0, bias);
            }

            if (strip.Suspend)
            {
                Suspend<TSimd, TVec>(state, 1, a1, b1);
                if ((sizeof(TSide) - 1) / sizeof(TStride) > 1)
                    Suspend<TSimd, TVec>(state, 2, a2, b2);
                if ((sizeof(TSide) - 1) / sizeof(TStride) > 2)
                {
                    Suspend<TSimd, TVec>(state, 3, a3, b3);
                    Suspend<TSimd, TVec>(state, 4, a4, b4);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Resume<TSimd, TVec>(float* state, int sum, ref TVec a, ref TVec b)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        a = TSimd.Load(state + (((2 * sum) - 2) * TSimd.Count));
        b = TSimd.Load(state + (((2 * sum) - 1) * TSimd.Count));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Suspend<TSimd, TVec>(float* state, int sum, TVec a, TVec b)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        TSimd.Store(a, state + (((2 * sum) - 2) * TSimd.Count));
        TSimd.Store(b, state + (((2 * sum) - 1) * TSimd.Count));
    }
}
