using SeparableConv.Loops;

namespace SeparableConv.Bench;

/// <summary>
/// Transposed convolutions of networks that segment, color and draw, bias and ReLU fused, beside the machine's multiply-add peak.
/// </summary>
internal static class TransposedSuite
{
    private static readonly TransposedCase[] Shapes =
    [
        new("Hair", 128, 32, 8, 2, 2), new("Hair", 256, 8, 2, 2, 2), new("Selfie", 128, 16, 1, 2, 2), new("Color", 32, 128, 128, 2, 2),
        new("Color", 64, 64, 64, 2, 2), new("Color", 128, 32, 32, 2, 2), new("DCGAN", 4, 512, 256, 4, 2), new("DCGAN", 16, 128, 64, 4, 2),
        new("DCGAN", 32, 64, 3, 4, 2), new("UNet", 32, 128, 64, 3, 2), new("FCN", 28, 21, 21, 4, 2, 21),
    ];

    public static int Run(string[] args)
    {
        var options = SuiteOptions.Parse(args);
        var table = new SideBySide($"transposed, {options.Width}", "ours", "multiply-add peak");
        foreach (var threads in options.Threads)
        {
            foreach (var shape in Shapes)
            {
                var name = $"{shape.Name}, {threads} thread{(threads > 1 ? "s" : "")}";
                if (options.Wants(name))
                    Measure(table, name, shape, options, threads);
            }
        }

        table.PrintSummary();
        table.SaveJson(options.Json);
        return 0;
    }

    private static unsafe void Measure(SideBySide table, string name, TransposedCase shape, SuiteOptions options, int threads)
    {
        var g = shape.Geometry;
        var weights = BenchData.Floats(shape.Kernel * shape.Kernel * shape.In * (shape.Out / shape.Groups), 2);
        var loop = new ConvTransposeLoop(weights, BenchData.Floats(shape.Out, 3), g, Activation.ReLU, options.Width);
        var input = BenchData.Buffer((nint)shape.Size * shape.Size * shape.In);
        var output = new PackedBuffer((nint)g.Output.Height * g.Output.Width * shape.Out);
        var gigaflop = 2e-9 * weights.Length * shape.Size * shape.Size;
        var repeat = Math.Max(4, (int)(0.5 / gigaflop));
        table.Measure(
            name,
            () => SideBySide.Time(() => loop.Run(input.Pointer, output.Pointer, threads), repeat),
            () => gigaflop / MachineLimits.PeakGflops(options.Width, 1) * 1000 / threads,
            options.Rounds,
            gigaflop,
            SideBySide.PauseFor(threads));
    }
}

/// <summary>A layer of a network: a square image that becomes Stride times as large.</summary>
internal sealed record TransposedCase(string Network, int Size, int In, int Out, int Kernel, int Stride, int Groups = 1)
{
    public string Name =>
        $"{Network}_{Size}x{Size}_{In}_{Out}_k{Kernel}_s{Stride}" + (Groups > 1 ? $"_g{Groups}" : "");

    /// <summary>The sizes; an odd kernel has one more column of padding in front.</summary>
    public ConvTransposeGeometry Geometry
    {
        get
        {
            var (before, after) = ((Kernel - Stride + 1) / 2, (Kernel - Stride) / 2);
            return ConvTransposeGeometry.Create(1, Size, Kernel, Stride, 1, (before, after, before, after), 0, In, Out, Groups);
        }
    }
}
