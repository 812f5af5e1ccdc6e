using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using SeparableConv.Loops;

namespace SeparableConv.Bench;

/// <summary>
/// Both gradients of single layers, on MobileNetV1's shapes: depthwise beside a copy of as many bytes, pointwise beside the multiply-add
/// peak.
/// </summary>
internal static unsafe class GradientSuite
{
    private static readonly (int Size, int In, int Out)[] Shapes =
        [(112, 32, 64), (56, 128, 128), (28, 256, 256), (14, 512, 512), (7, 1024, 1024)];

    public static int Run(string[] args)
    {
        var options = SuiteOptions.Parse(args, defaultRounds: "21");
        var peak = MachineLimits.PeakGflops(options.Width);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"multiply-add peak of a core: {peak:0.0} GFLOP/s"));
        foreach (var threads in options.Threads)
        {
            foreach (var batch in new[] { 32, 8 })
            {
                foreach (var (size, channels, filters) in Shapes)
                {
                    foreach (var stride in new[] { 1, 2 })
                        Depthwise(options, batch, size, channels, stride, threads);
                    Pointwise(options, batch, size, channels, filters, threads, peak);
                }
            }
        }

        return 0;
    }

    private static void Depthwise(SuiteOptions options, int batch, int size, int channels, int stride, int threads)
    {
        var name = $"depthwise {size}x{size}x{channels} s{stride} b{batch}, {threads} thread(s)";
        if (!options.Wants(name))
            return;
        var g = ConvGeometry.Create(batch, size, channels, channels, 3, stride, 1, Padding.Explicit(1, 1, 1, 1), channels);
        var (ms, copy) = Time(options, g, threads);
        var bytes = Bytes(g);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{name,-48} {ms,9:0.000} ms  {bytes / ms / 1e6,6:0.0} GB/s  a copy {bytes / copy / 1e6,6:0.0} GB/s"));
    }

    private static void Pointwise(SuiteOptions options, int batch, int size, int channels, int filters, int threads, double peak)
    {
        var name = $"pointwise {size}x{size}x{channels}->{filters} b{batch}, {threads} thread(s)";
        if (!options.Wants(name))
            return;
        var g = ConvGeometry.Create(batch, size, channels, filters, 1, 1, 1, Padding.Valid);
        var (ms, _) = Time(options, g, threads);
        var gigaflops = 4.0 * batch * size * size * channels * filters / ms / 1e6;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{name,-48} {ms,9:0.000} ms  {gigaflops,6:0.0} GFLOP/s  {100 * gigaflops / (threads * peak),5:0.0} % of peak"));
    }

    // What is read and written: both inputs and a gradient.
    private static double Bytes(in ConvGeometry g) =>
        4.0 * g.Batch * ((2.0 * g.Rows.In * g.Columns.In * g.InChannels) + ((double)g.Rows.Out * g.Columns.Out * g.OutChannels));

    private static (double Milliseconds, double Copy) Time(SuiteOptions options, in ConvGeometry g, int threads)
    {
        var (input, output) = (
            (nint)g.Batch * g.Rows.In * g.Columns.In * g.InChannels, (nint)g.Batch * g.Rows.Out * g.Columns.Out * g.OutChannels);
        var weights = (nint)g.Rows.Kernel * g.Columns.Kernel * (g.InChannels / g.Groups) * g.OutChannels;
        var loop = ConvGradientLoop.Create(g, wantsInputGradient: true, options.Width);
        float* x = Create(input), dx = Create(input), dy = Create(output), w = Create(weights), dw = Create(weights);
        var scratch = Create(loop.ScratchFloats);
        var call = new ConvGradientCall { Input = x, InputGradient = dx, OutputGradient = dy, Weights = w, WeightGradient = dw };
        var (best, copy) = (double.MaxValue, double.MaxValue);
        var half = (nuint)(Bytes(g) / 2);
        float* from = Create((nint)(half / 4)), to = Create((nint)(half / 4));
        for (var round = 0; round < options.Rounds + 3; round++)
        {
            // Once before the clock starts, as a caller sees it who repeats: what fits into the caches is there.
            loop.Run(call, scratch, threads);
            var start = Stopwatch.GetTimestamp();
            loop.Run(call, scratch, threads);
            var between = Stopwatch.GetTimestamp();
            NativeMemory.Copy(from, to, half);
            var copying = Stopwatch.GetTimestamp();
            NativeMemory.Copy(from, to, half);
            var end = Stopwatch.GetTimestamp();
            if (round < 3)
                continue;
            best = Math.Min(best, (between - start) * 1e3 / Stopwatch.Frequency);
            copy = Math.Min(copy, (end - copying) * 1e3 / Stopwatch.Frequency);
        }

        foreach (var memory in new[] { (nint)x, (nint)dx, (nint)dy, (nint)w, (nint)dw, (nint)scratch, (nint)from, (nint)to })
            NativeMemory.AlignedFree((void*)memory);
        GC.KeepAlive(loop);
        return (best, copy);
    }

    private static float* Create(nint floats)
    {
        var memory = (float*)NativeMemory.AlignedAlloc((nuint)Math.Max(64, floats * sizeof(float)), 64);
        for (nint i = 0; i < floats; i++)
            memory[i] = ((i * 7919 % 2001) / 1000f) - 1;
        return memory;
    }
}
