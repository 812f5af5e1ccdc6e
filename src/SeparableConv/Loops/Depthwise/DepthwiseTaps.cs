using System.Runtime.CompilerServices;

namespace SeparableConv.Loops;

/// <summary>
/// A run of output pixels that all have the same taps inside the image: what one call of <see cref="DepthwiseTaps"/> works on. Strides are
/// in floats.
/// </summary>
internal unsafe struct DepthwiseRun
{
    /// <summary>For each tap, the input pixel that it reads for the first output pixel.</summary>
    public float** Inputs;

    /// <summary>For each tap, its number within the kernel: where its weights are.</summary>
    public int* Numbers;

    /// <summary>Taps inside the image.</summary>
    public int Taps;

    /// <summary>From an output pixel's input to the next one's.</summary>
    public nint InputStep;

    public float* Output;
    public nint OutputStep;
    public int Pixels;

    /// <summary>[vector][tap][lane].</summary>
    public float* Weights;

    /// <summary>Taps of the whole kernel.</summary>
    public int KernelTaps;

    /// <summary>[vector][lane].</summary>
    public float* Bias;

    /// <summary>What each vector reads, where channels are mapped.</summary>
    public DepthwiseSource* Sources;

    /// <summary>[vector][lane]: see <see cref="DepthwiseSources.Lanes"/>.</summary>
    public float* Lanes;

    public int FirstVector;
    public int EndVector;

    /// <summary>Channels of the output.</summary>
    public int Channels;

    public float Lower;
    public float Upper;
}

/// <summary>Depthwise sums over a list of taps, whatever the kernel, stride and dilation that they come from.</summary>
internal static unsafe class DepthwiseTaps
{
    private const int Block = 8;

    /// <summary>Computes every vector of every pixel, eight pixels at a time so that a tap is looked up once for eight.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TSimd, TVec, TReads>(in DepthwiseRun run)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TReads : struct, IDepthwiseReads
    {
        for (var vector = run.FirstVector; vector < run.EndVector; vector++)
        {
            nint channel = Math.Min(vector * TSimd.Count, run.Channels - TSimd.Count);
            nint pixel = 0;
            if (run.Pixels >= Block)
            {
                // The last block overlaps the one before: the same sums once more.
                for (; pixel < run.Pixels; pixel += Block)
                    RunBlock<TSimd, TVec, TReads>(run, vector, channel, Math.Min(pixel, run.Pixels - Block));
                continue;
            }

            for (; pixel < run.Pixels; pixel++)
                RunPixel<TSimd, TVec, TReads>(run, vector, channel, pixel);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void RunBlock<TSimd, TVec, TReads>(in DepthwiseRun run, int vector, nint channel, nint pixel)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TReads : struct, IDepthwiseReads
    {
        var weights = run.Weights + ((nint)vector * run.KernelTaps * TSimd.Count);
        var (step, taps) = (run.InputStep, run.Taps);
        var inputs = run.Inputs;
        var numbers = run.Numbers;
        var origin = (TReads.IsMapped ? run.Sources[vector].First : channel) + (pixel * step);
        var lanes = TReads.Lanes<TSimd, TVec>(run.Lanes + (vector * TSimd.Count));
        var a = TSimd.Load(run.Bias + (vector * TSimd.Count));
        TVec b = a, c = a, d = a, e = a, f = a, g = a, h = a;
        for (var tap = 0; tap < taps; tap++)
        {
            var x = inputs[tap] + origin;
            var w = TSimd.Load(weights + (numbers[tap] * TSimd.Count));
            a = TSimd.MultiplyAdd(TReads.Load<TSimd, TVec>(x, lanes), w, a);
            b = TSimd.MultiplyAdd(TReads.Load<TSimd, TVec>(x + step, lanes), w, b);
            c = TSimd.MultiplyAdd(TReads.Load<TSimd, TVec>(x + (2 * step), lanes), w, c);
            x += 3 * step;
            d = TSimd.MultiplyAdd(TReads.Load<TSimd, TVec>(x, lanes), w, d);
            e = TSimd.MultiplyAdd(TReads.Load<TSimd, TVec>(x + step, lanes), w, e);
            f = TSimd.MultiplyAdd(TReads.Load<TSimd, TVec>(x + (2 * step), lanes), w, f);
            x += 3 * step;
            g = TSimd.MultiplyAdd(TReads.Load<TSimd, TVec>(x, lanes), w, g);
            h = TSimd.MultiplyAdd(TReads.Load<TSimd, TVec>(x + step, lanes), w, h);
        }

        var output = run.Output + channel + (pixel * run.OutputStep);
        Store<TSimd, TVec>(run, a, output);
        Store<TSimd, TVec>(run, b, output += run.OutputStep);
        Store<TSimd, TVec>(run, c, output += run.OutputStep);
        Store<TSimd, TVec>(run, d, output += run.OutputStep);
        Store<TSimd, TVec>(run, e, output += run.OutputStep);
        Store<TSimd, TVec>(run, f, output += run.OutputStep);
        Store<TSimd, TVec>(run, g, output += run.OutputStep);
        Store<TSimd, TVec>(run, h, output + run.OutputStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void RunPixel<TSimd, TVec, TReads>(in DepthwiseRun run, int vector, nint channel, nint pixel)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TReads : struct, IDepthwiseReads
    {
        var weights = run.Weights + ((nint)vector * run.KernelTaps * TSimd.Count);
        var origin = (TReads.IsMapped ? run.Sources[vector].First : channel) + (pixel * run.InputStep);
        var lanes = TReads.Lanes<TSimd, TVec>(run.Lanes + (vector * TSimd.Count));
        var sum = TSimd.Load(run.Bias + (vector * TSimd.Count));
        for (var tap = 0; tap < run.Taps; tap++)
        {
            var x = TReads.Load<TSimd, TVec>(run.Inputs[tap] + origin, lanes);
            sum = TSimd.MultiplyAdd(x, TSimd.Load(weights + (run.Numbers[tap] * TSimd.Count)), sum);
        }

        Store<TSimd, TVec>(run, sum, run.Output + channel + (pixel * run.OutputStep));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TSimd, TVec>(in DepthwiseRun run, TVec value, float* output)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct =>
        TSimd.Store(TSimd.Min(TSimd.Broadcast(run.Upper), TSimd.Max(TSimd.Broadcast(run.Lower), value)), output);
}
