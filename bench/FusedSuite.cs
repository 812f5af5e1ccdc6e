using SeparableConv.Loops;

namespace SeparableConv.Bench;

/// <summary>
/// MobileNetV1's thirteen blocks, depthwise 3x3 then pointwise, bias and ReLU6 after each: fused, beside the same two kernels
/// one after the other with the whole image between them.
/// </summary>
internal static unsafe class FusedSuite
{
    private static readonly (int Size, int In, int Out, int Stride)[] Blocks =
    [
        (112, 32, 64, 1), (112, 64, 128, 2), (56, 128, 128, 1), (56, 128, 256, 2), (28, 256, 256, 1), (28, 256, 512, 2),
        (14, 512, 512, 1), (14, 512, 1024, 2), (7, 1024, 1024, 1),
    ];

    public static int Run(string[] args)
    {
        var options = SuiteOptions.Parse(args);
        var table = new SideBySide($"separable block, {options.Width}", "fused", "two halves");
        foreach (var threads in options.Threads)
        {
            foreach (var (size, inChannels, outChannels, stride) in Blocks)
            {
                var name =
                    $"MobileNetV1_{size}x{size}_{inChannels}_{outChannels}{(stride > 1 ? "_s2" : "")}, {threads} "
                    + $"thread{(threads > 1 ? "s" : "")}";
                if (!options.Wants(name))
                    continue;
                var g = ConvGeometry.Create(1, size, inChannels, inChannels, 3, stride, 1, Padding.Same, inChannels);
                var pixels = (nint)g.Rows.Out * g.Columns.Out;
                var depthwise = new DepthwiseLoop(
                    BenchData.Floats(9 * inChannels, 2), 3, inChannels, 1, BenchData.Floats(inChannels, 3), Activation.ReLU6,
                    options.Width);
                var pointwise = new PointwiseLoop(
                    BenchData.Floats(inChannels * outChannels, 4), inChannels, outChannels, BenchData.Floats(outChannels, 5),
                    Activation.ReLU6, options.Width);
                var fused = new FusedSeparableLoop(depthwise, pointwise);
                var input = BenchData.Buffer((nint)size * size * inChannels);
                var between = BenchData.Buffer(pixels * inChannels);
                var (a, b) = (BenchData.Buffer(pixels * outChannels), BenchData.Buffer(pixels * outChannels));

                void Fused() => fused.Run(input.Pointer, a.Pointer, g, outChannels, threads);
                void Halves()
                {
                    depthwise.Run(input.Pointer, between.Pointer, g, threads);
                    pointwise.Run(between.Pointer, b.Pointer, pixels, threads);
                }

                Fused();
                Halves();
                if (!a.Span.SequenceEqual(b.Span))
                    throw new InvalidOperationException($"{name}: the fused block's bits differ from the two halves'.");
                var gigaflop = 2e-9 * pixels * inChannels * (9 + outChannels);
                var repeat = Math.Max(1, (int)(0.5 / gigaflop));
                table.Measure(name, () => SideBySide.Time(Fused, repeat), () => SideBySide.Time(Halves, repeat), options.Rounds, gigaflop);
            }
        }

        table.PrintSummary();
        table.SaveJson(options.Json);
        return 0;
    }
}
