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
    private const int TapsTogether = 4;
    private const int VectorsTogether = 4;

    /// <summary>
    /// Computes every vector of every pixel, eight pixels at a time so that a tap is looked up once for eight. Four taps that lie a pixel
    /// apart read eleven pixels for eight, where each tap by itself would read eight. Fewer pixels, such as those in the border, take four
    /// vectors at a time: one sum alone waits for each of its additions.
    /// </summary>
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

            if (run.EndVector - vector >= VectorsTogether)
            {
                for (; pixel < run.Pixels; pixel++)
                    RunPixelVectors<TSimd, TVec, TReads>(run, vector, pixel);
                vector += VectorsTogether - 1;
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
            if (tap <= taps - TapsTogether && AreNeighbours(inputs + tap, numbers + tap, step))
            {
                var (w1, w2, w3) = (
                    TSimd.Load(weights + ((numbers[tap] + 1) * TSimd.Count)),
                    TSimd.Load(weights + ((numbers[tap] + 2) * TSimd.Count)),
                    TSimd.Load(weights + ((numbers[tap] + 3) * TSimd.Count)));
                Slide<TSimd, TVec, TReads>(x, lanes, w, ref a);
                x += step;
                Slide<TSimd, TVec, TReads>(x, lanes, w1, ref a, w, ref b);
                x += step;
                Slide<TSimd, TVec, TReads>(x, lanes, w2, ref a, w1, ref b, w, ref c);
                x += step;
                Slide<TSimd, TVec, TReads>(x, lanes, w3, ref a, w2, ref b, w1, ref c, w, ref d);
                x += step;
                Slide<TSimd, TVec, TReads>(x, lanes, w3, ref b, w2, ref c, w1, ref d, w, ref e);
                x += step;
                Slide<TSimd, TVec, TReads>(x, lanes, w3, ref c, w2, ref d, w1, ref e, w, ref f);
                x += step;
                Slide<TSimd, TVec, TReads>(x, lanes, w3, ref d, w2, ref e, w1, ref f, w, ref g);
                x += step;
                Slide<TSimd, TVec, TReads>(x, lanes, w3, ref e, w2, ref f, w1, ref g, w, ref h);
                x += step;
                Slide<TSimd, TVec, TReads>(x, lanes, w3, ref f, w2, ref g, w1, ref h);
                x += step;
                Slide<TSimd, TVec, TReads>(x, lanes, w3, ref g, w2, ref h);
                x += step;
                Slide<TSimd, TVec, TReads>(x, lanes, w3, ref h);
                tap += TapsTogether - 1;
                continue;
            }

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

    // Whether four taps lie a pixel of the output apart, and so do their weights.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool AreNeighbours(float** inputs, int* numbers, nint step) =>
        numbers[3] - numbers[0] == 3 && inputs[1] - inputs[0] == step && inputs[2] - inputs[1] == step && inputs[3] - inputs[2] == step;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Slide<TSimd, TVec, TReads>(float* source, TVec lanes, TVec w, ref TVec a)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TReads : struct, IDepthwiseReads => a = TSimd.MultiplyAdd(TReads.Load<TSimd, TVec>(source, lanes), w, a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Slide<TSimd, TVec, TReads>(float* source, TVec lanes, TVec w, ref TVec a, TVec w1, ref TVec b)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TReads : struct, IDepthwiseReads
    {
        var x = TReads.Load<TSimd, TVec>(source, lanes);
        a = TSimd.MultiplyAdd(x, w, a);
        b = TSimd.MultiplyAdd(x, w1, b);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Slide<TSimd, TVec, TReads>(
        float* source, TVec lanes, TVec w, ref TVec a, TVec w1, ref TVec b, TVec w2, ref TVec c)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TReads : struct, IDepthwiseReads
    {
        var x = TReads.Load<TSimd, TVec>(source, lanes);
        a = TSimd.MultiplyAdd(x, w, a);
        b = TSimd.MultiplyAdd(x, w1, b);
        c = TSimd.MultiplyAdd(x, w2, c);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Slide<TSimd, TVec, TReads>(
        float* source, TVec lanes, TVec w, ref TVec a, TVec w1, ref TVec b, TVec w2, ref TVec c, TVec w3, ref TVec d)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TReads : struct, IDepthwiseReads
    {
        var x = TReads.Load<TSimd, TVec>(source, lanes);
        a = TSimd.MultiplyAdd(x, w, a);
        b = TSimd.MultiplyAdd(x, w1, b);
        c = TSimd.MultiplyAdd(x, w2, c);
        d = TSimd.MultiplyAdd(x, w3, d);
    }

    // Four vectors of one pixel.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void RunPixelVectors<TSimd, TVec, TReads>(in DepthwiseRun run, int vector, nint pixel)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TReads : struct, IDepthwiseReads
    {
        var v = TSimd.Count;
        var kernel = (nint)run.KernelTaps * v;
        var weights = run.Weights + (vector * kernel);
        var at = pixel * run.InputStep;
        var (x0, x1) = (at + First<TSimd, TVec, TReads>(run, vector), at + First<TSimd, TVec, TReads>(run, vector + 1));
        var (x2, x3) = (at + First<TSimd, TVec, TReads>(run, vector + 2), at + First<TSimd, TVec, TReads>(run, vector + 3));
        var numbers = run.Lanes + (vector * v);
        var (lanes0, lanes1) = (TReads.Lanes<TSimd, TVec>(numbers), TReads.Lanes<TSimd, TVec>(numbers + v));
        var (lanes2, lanes3) = (TReads.Lanes<TSimd, TVec>(numbers + (2 * v)), TReads.Lanes<TSimd, TVec>(numbers + (3 * v)));
        var bias = run.Bias + (vector * v);
        var (a, b, c, d) = (TSimd.Load(bias), TSimd.Load(bias + v), TSimd.Load(bias + (2 * v)), TSimd.Load(bias + (3 * v)));
        for (var tap = 0; tap < run.Taps; tap++)
        {
            var x = run.Inputs[tap];
            var w = weights + (run.Numbers[tap] * v);
            a = TSimd.MultiplyAdd(TReads.Load<TSimd, TVec>(x + x0, lanes0), TSimd.Load(w), a);
            b = TSimd.MultiplyAdd(TReads.Load<TSimd, TVec>(x + x1, lanes1), TSimd.Load(w + kernel), b);
            c = TSimd.MultiplyAdd(TReads.Load<TSimd, TVec>(x + x2, lanes2), TSimd.Load(w + (2 * kernel)), c);
            d = TSimd.MultiplyAdd(TReads.Load<TSimd, TVec>(x + x3, lanes3), TSimd.Load(w + (3 * kernel)), d);
        }

        var output = run.Output + (pixel * run.OutputStep);
        Store<TSimd, TVec>(run, a, output + ((nint)vector * v));
        Store<TSimd, TVec>(run, b, output + ((nint)(vector + 1) * v));
        Store<TSimd, TVec>(run, c, output + ((nint)(vector + 2) * v));
        Store<TSimd, TVec>(run, d, output + Math.Min((nint)(vector + 3) * v, run.Channels - v));
    }

    // The first input channel that a vector reads.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nint First<TSimd, TVec, TReads>(in DepthwiseRun run, int vector)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TReads : struct, IDepthwiseReads =>
        TReads.IsMapped ? run.Sources[vector].First : Math.Min(vector * TSimd.Count, run.Channels - TSimd.Count);

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
