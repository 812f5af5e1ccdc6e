using SeparableConv.Loops;

namespace SeparableConv.Tests.Loops;

/// <summary>Compares MobileNetV2's block in one piece with its three steps.</summary>
public sealed unsafe class FusedExpansionLoopTests
{
    private sealed record Block(
        int Batch,
        Size2D Input,
        int Channels,
        int Expanded,
        int Multiplier,
        int OutChannels,
        Size2D Kernel,
        Size2D Stride,
        Size2D Dilation,
        Padding Padding);

    // Images of one window and of many; rows that two windows share, skip (stride above the kernel) or lie in the border.
    private static readonly Block[] Blocks =
    [
        new(1, (7, 9), 4, 24, 1, 8, 3, 1, 1, Padding.Same),
        new(2, (40, 33), 3, 256, 1, 5, 3, 1, 1, Padding.Same),
        new(1, (41, 40), 5, 200, 1, 16, 3, 2, 1, Padding.Same),
        new(1, (23, 30), 2, 300, 2, 9, 5, 1, 1, Padding.Same),
        new(1, (30, 30), 2, 280, 1, 3, (2, 3), (4, 3), 1, Padding.Valid),
        new(1, (29, 31), 6, 290, 1, 7, 3, (1, 2), (3, 2), Padding.SameLower),
        new(1, (12, 30), 2, 300, 1, 4, 3, 1, 1, Padding.Explicit(7, 1, 9, 0)),
        new(3, (1, 50), 8, 96, 1, 24, 3, 1, 1, Padding.Same),
    ];

    public static TheoryData<int> Widths => [.. SimdWidths.All.Select(w => (int)w)];

    [Theory]
    [MemberData(nameof(Widths))]
    public void The_block_gives_the_bits_of_its_three_steps(int width)
    {
        foreach (var block in Blocks)
        {
            var (fused, steps) = Create(block, (SimdWidth)width);
            var expected = steps();
            foreach (var threads in new[] { 1, 2, 7 })
                Assert.Equal(expected, fused(threads));
        }
    }

    private static (Func<int, float[]> Fused, Func<float[]> Steps) Create(Block b, SimdWidth width)
    {
        var g = ConvGeometry.Create(
            b.Batch, b.Input, b.Expanded, b.Expanded * b.Multiplier, b.Kernel, b.Stride, b.Dilation, b.Padding, b.Expanded);
        var expand = new PointwiseLoop(
            RandomData.Floats(b.Channels * b.Expanded, 1), b.Channels, b.Expanded, RandomData.Floats(b.Expanded, 2), Activation.ReLU6,
            width);
        var depthwise = new DepthwiseLoop(
            RandomData.Floats(b.Kernel.Height * b.Kernel.Width * g.OutChannels, 3), b.Kernel, b.Expanded, b.Multiplier,
            RandomData.Floats(g.OutChannels, 4), Activation.HardSwish, width);
        var project = new PointwiseLoop(
            RandomData.Floats(g.OutChannels * b.OutChannels, 5), g.OutChannels, b.OutChannels, [], Activation.None, width);
        var input = RandomData.Floats(b.Batch * b.Input.Height * b.Input.Width * b.Channels, 6);
        var pixels = (nint)b.Batch * g.Rows.Out * g.Columns.Out;

        float[] Fused(int threads)
        {
            var output = RandomData.Unwritten((int)pixels * b.OutChannels);
            fixed (float* x = input, y = output)
                new FusedExpansionLoop(expand, depthwise, project).Run(x, y, g, b.Channels, b.OutChannels, threads);
            return output;
        }

        float[] Steps()
        {
            var inPixels = (nint)b.Batch * b.Input.Height * b.Input.Width;
            var (expanded, between, output) =
                (new float[inPixels * b.Expanded], new float[pixels * g.OutChannels], new float[pixels * b.OutChannels]);
            fixed (float* x = input, e = expanded, d = between, y = output)
            {
                expand.Run(x, e, inPixels, 1);
                depthwise.Run(e, d, g, 1);
                project.Run(d, y, pixels, 1);
            }

            return output;
        }

        return (Fused, Steps);
    }
}
