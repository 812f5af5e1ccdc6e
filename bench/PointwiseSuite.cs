using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SeparableConv.Loops;

namespace SeparableConv.Bench;

/// <summary>
/// Pointwise convolutions of MobileNetV1's and V2's shapes beside the machine's limits: the time that their multiply-adds take
/// in registers alone, and the time that their input and output take to be read and written with no arithmetic at all.
/// </summary>
internal static unsafe class PointwiseSuite
{
    private static readonly (string Name, int Pixels, int In, int Out)[] Shapes =
    [
        ("MobileNetV1_112x112_32_64", 112 * 112, 32, 64), ("MobileNetV1_56x56_64_128", 56 * 56, 64, 128),
        ("MobileNetV1_56x56_128_128", 56 * 56, 128, 128), ("MobileNetV1_28x28_128_256", 28 * 28, 128, 256),
        ("MobileNetV1_28x28_256_256", 28 * 28, 256, 256), ("MobileNetV1_14x14_256_512", 14 * 14, 256, 512),
        ("MobileNetV1_14x14_512_512", 14 * 14, 512, 512), ("MobileNetV1_7x7_512_1024", 7 * 7, 512, 1024),
        ("MobileNetV1_7x7_1024_1024", 7 * 7, 1024, 1024), ("MobileNetV2_112x112_32_16", 112 * 112, 32, 16),
        ("MobileNetV2_112x112_16_96", 112 * 112, 16, 96), ("MobileNetV2_56x56_96_24", 56 * 56, 96, 24),
        ("MobileNetV2_56x56_24_144", 56 * 56, 24, 144), ("MobileNetV2_56x56_144_24", 56 * 56, 144, 24),
        ("MobileNetV2_28x28_144_32", 28 * 28, 144, 32), ("MobileNetV2_28x28_32_192", 28 * 28, 32, 192),
        ("MobileNetV2_28x28_192_32", 28 * 28, 192, 32), ("MobileNetV2_14x14_192_64", 14 * 14, 192, 64),
        ("MobileNetV2_14x14_64_384", 14 * 14, 64, 384), ("MobileNetV2_14x14_384_64", 14 * 14, 384, 64),
        ("MobileNetV2_14x14_384_96", 14 * 14, 384, 96), ("MobileNetV2_14x14_96_576", 14 * 14, 96, 576),
        ("MobileNetV2_14x14_576_96", 14 * 14, 576, 96), ("MobileNetV2_7x7_576_160", 7 * 7, 576, 160),
        ("MobileNetV2_7x7_160_960", 7 * 7, 160, 960), ("MobileNetV2_7x7_960_160", 7 * 7, 960, 160),
        ("MobileNetV2_7x7_960_320", 7 * 7, 960, 320), ("MobileNetV2_7x7_320_1280", 7 * 7, 320, 1280),
    ];

    /// <summary>Also: --limit memory, to compare with the input and output being moved in place of the multiply-adds.</summary>
    public static int Run(string[] args)
    {
        var options = SuiteOptions.Parse(args, defaultThreads: "1");
        var memory = SuiteOptions.Value(args, "--limit") == "memory";
        var table = new SideBySide($"pointwise, {options.Width}", "ours", memory ? "moving the bytes" : "multiply-add peak");
        foreach (var shape in Shapes.Where(shape => options.Wants(shape.Name)))
        {
            var (input, output) = (BenchData.Buffer((nint)shape.Pixels * shape.In), BenchData.Buffer((nint)shape.Pixels * shape.Out));
            var weights = BenchData.Floats(shape.In * shape.Out, 2);
            var loop = new PointwiseLoop(weights, shape.In, shape.Out, BenchData.Floats(shape.Out, 3), Activation.ReLU6, options.Width);
            Check(shape, loop, input, output, weights);
            var gigaflop = 2e-9 * shape.Pixels * shape.In * shape.Out;
            var repeat = Math.Max(1, (int)(0.3 / gigaflop));
            table.Measure(
                shape.Name,
                () => SideBySide.Time(() => loop.Run(input.Pointer, output.Pointer, shape.Pixels, options.Threads[0]), repeat),
                memory
                    ? () => SideBySide.Time(() => Move(input, output), repeat)
                    : () => gigaflop / MachineLimits.PeakGflops(options.Width, 1) * 1000 / options.Threads[0],
                options.Rounds,
                gigaflop);
        }

        table.PrintSummary();
        table.SaveJson(options.Json);
        return 0;
    }

    // Read all of the input and write all of the output, the pixels of a tile at a time, as the product does.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Move(PackedBuffer input, PackedBuffer output)
    {
        const int tiles = 64;
        var sum = Vector512<float>.Zero;
        for (var tile = 0; tile < tiles; tile++)
        {
            var (first, end) = (input.Length * tile / tiles, input.Length * (tile + 1) / tiles);
            for (var i = first; i + 16 <= end; i += 16)
                sum += Vector512.Load(input.Pointer + i);
            (first, end) = (output.Length * tile / tiles, output.Length * (tile + 1) / tiles);
            for (var i = first; i + 16 <= end; i += 16)
                sum.Store(output.Pointer + i);
        }
    }

    private static void Check(
        (string Name, int Pixels, int In, int Out) shape, PointwiseLoop loop, PackedBuffer input, PackedBuffer output, float[] weights)
    {
        loop.Run(input.Pointer, output.Pointer, shape.Pixels, 1);
        var g = ConvGeometry.Create(1, (1, 8), shape.In, shape.Out, 1, 1, 1, Padding.Valid);
        var expected = ConvolutionReference.Run(g, input.Span[..(8 * shape.In)], weights, BenchData.Floats(shape.Out, 3), []);
        for (var i = 0; i < expected.Length; i++)
        {
            if (Math.Abs(Math.Clamp(expected[i], 0, 6) - output.Pointer[i]) > 1e-4)
                throw new InvalidOperationException(
                    $"{shape.Name}: ours is {output.Pointer[i]} where the reference is {expected[i]} (element {i}).");
        }
    }
}
