using SeparableConv.Loops;

namespace SeparableConv.Tests.Loops;

/// <summary>Compares MobileNetV2's block, and a network's first layers, in one piece with their steps.</summary>
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
        Padding Padding,
        Size2D FirstKernel = default,
        bool HasShortcut = false,
        bool AddsExpanded = false);

    // Images of one window and of many; rows that two windows share, skip (stride above the kernel) or lie in the border.
    private static readonly Block[] Blocks =
    [
        new(1, (7, 9), 4, 24, 1, 8, 3, 1, 1, Padding.Same),
        new(2, (40, 33), 3, 256, 1, 5, 3, 1, 1, Padding.Same, HasShortcut: true),
        new(1, (41, 40), 5, 200, 1, 16, 3, 2, 1, Padding.Same),
        new(1, (23, 30), 2, 300, 2, 9, 5, 1, 1, Padding.Same),
        new(1, (30, 30), 2, 280, 1, 3, (2, 3), (4, 3), 1, Padding.Valid),
        new(1, (29, 31), 6, 290, 1, 7, 3, (1, 2), (3, 2), Padding.SameLower),
        new(1, (12, 30), 2, 300, 1, 4, 3, 1, 1, Padding.Explicit(7, 1, 9, 0)),
        new(3, (1, 50), 8, 96, 1, 24, 3, 1, 1, Padding.Same),

        // Fewer rows than threads want: channels are cut, then filters; with 40 and 72 of them, unevenly.
        new(1, (7, 7), 24, 192, 1, 40, 3, 1, 1, Padding.Same, HasShortcut: true),
        new(2, (8, 6), 20, 160, 1, 72, 5, 2, 1, Padding.Same),
        new(1, (5, 11), 16, 208, 1, 16, 3, 1, 2, Padding.Same, HasShortcut: true),
        new(1, (14, 14), 64, 384, 1, 64, 3, 1, 1, Padding.Same, HasShortcut: true),

        // A first convolution with a stride: its windows read rows that overlap.
        new(1, (33, 37), 3, 32, 1, 16, 3, 1, 1, Padding.Same, (3, 3)),
        new(2, (70, 61), 3, 24, 1, 24, 3, 2, 1, Padding.Explicit(1, 1, 1, 1), (3, 3), HasShortcut: true),
        new(1, (150, 160), 3, 40, 2, 20, 3, 1, 1, Padding.SameLower, (5, 4)),

        // What it gives is the shortcut too.
        new(1, (151, 160), 3, 48, 1, 48, 5, 1, 1, Padding.Same, (3, 3), AddsExpanded: true),
        new(2, (9, 40), 4, 200, 1, 200, 3, 1, 1, Padding.Same, AddsExpanded: true),
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
        var isPointwise = b.FirstKernel == default;
        var kernel = isPointwise ? 1 : b.FirstKernel;
        var first = ConvGeometry.Create(
            b.Batch, b.Input, b.Channels, b.Expanded, kernel, isPointwise ? 1 : 2, 1, isPointwise ? Padding.Valid : b.Padding, 1);
        var g = ConvGeometry.Create(
            b.Batch, (first.Rows.Out, first.Columns.Out), b.Expanded, b.Expanded * b.Multiplier, b.Kernel, b.Stride, b.Dilation, b.Padding,
            b.Expanded);
        var sizes = new ExpansionSizes(first, g, b.OutChannels);
        var weights = RandomData.Floats(kernel.Height * kernel.Width * b.Channels * b.Expanded, 1);
        var bias = RandomData.Floats(b.Expanded, 2);
        IRowLoop expand = isPointwise
            ? new PointwiseLoop(weights, b.Channels, b.Expanded, bias, Activation.ReLU6, width)
            : new StandardLoop(weights, kernel, b.Channels, b.Expanded, 1, 1, bias, Activation.HardSwish, width);
        var depthwise = new DepthwiseLoop(
            RandomData.Floats(b.Kernel.Height * b.Kernel.Width * g.OutChannels, 3), b.Kernel, b.Expanded, b.Multiplier,
            RandomData.Floats(g.OutChannels, 4), Activation.HardSwish, width);
        var project = new PointwiseLoop(
            RandomData.Floats(g.OutChannels * b.OutChannels, 5), g.OutChannels, b.OutChannels, [], Activation.None, width);
        var input = RandomData.Floats(b.Batch * b.Input.Height * b.Input.Width * b.Channels, 6);
        var pixels = (nint)b.Batch * g.Rows.Out * g.Columns.Out;
        var shortcut = b.HasShortcut ? RandomData.Floats((int)pixels * b.OutChannels, 7) : null;

        float[] Fused(int threads)
        {
            var output = RandomData.Unwritten((int)pixels * b.OutChannels);
            fixed (float* x = input, s = shortcut, y = output)
                new FusedExpansionLoop(expand, depthwise, project, b.AddsExpanded).Run(x, s, y, sizes, threads);
            return output;
        }

        float[] Steps()
        {
            var inPixels = (nint)b.Batch * g.Rows.In * g.Columns.In;
            var (expanded, between, output) =
                (new float[inPixels * b.Expanded], new float[pixels * g.OutChannels], new float[pixels * b.OutChannels]);
            fixed (float* x = input, e = expanded, d = between, y = output)
            {
                if (expand is PointwiseLoop pointwise)
                    pointwise.Run(x, e, inPixels, 1);
                else
                    ((StandardLoop)expand).Run(x, e, first, 1);
                depthwise.Run(e, d, g, 1);
                project.Run(d, y, pixels, 1);
            }

            var added = b.AddsExpanded ? expanded : shortcut;
            for (var i = 0; added is not null && i < output.Length; i++)
                output[i] += added[i];
            return output;
        }

        return (Fused, Steps);
    }
}
