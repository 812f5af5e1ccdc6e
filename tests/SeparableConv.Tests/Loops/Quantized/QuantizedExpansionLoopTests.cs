using SeparableConv.Loops;

namespace SeparableConv.Tests.Loops.Quantized;

/// <summary>Compares quantized blocks in one piece with the plain loops of their steps.</summary>
public sealed unsafe class QuantizedExpansionLoopTests
{
    private sealed record Block(
        int Batch, Size2D Input, int Channels, int Expanded, int OutChannels, Size2D Kernel, Size2D Stride, Padding Padding,
        Size2D FirstKernel = default);

    // Windows one and many; rows that two windows share, skip or lie in the border; few rows, whose channels are cut evenly (64, 96), not
    // at all (40), and with a first convolution that can not be cut; strided first convolutions.
    private static readonly Block[] Blocks =
    [
        new(1, (40, 33), 8, 160, 12, 3, 1, Padding.Same),
        new(1, (41, 40), 5, 200, 16, 3, 2, Padding.Same),
        new(2, (30, 30), 4, 144, 33, (2, 3), (4, 3), Padding.Valid),
        new(1, (23, 61), 12, 320, 7, 5, 1, Padding.SameLower),
        new(1, (7, 7), 24, 96, 40, 3, 1, Padding.Same),
        new(2, (8, 6), 20, 64, 72, 5, 2, Padding.Same),
        new(1, (5, 11), 16, 40, 16, 3, 1, Padding.Same),
        new(1, (14, 14), 32, 192, 160, 3, 1, Padding.Same),
        new(1, (70, 61), 3, 32, 24, 3, 1, Padding.Explicit(1, 1, 1, 1), (3, 3)),
        new(1, (9, 9), 3, 64, 20, 3, 1, Padding.Same, (3, 2)),
    ];

    public static TheoryData<int> Widths => [.. SimdWidths.All.Select(w => (int)w)];

    [Theory]
    [MemberData(nameof(Widths))]
    public void The_block_gives_the_bytes_of_its_steps(int width)
    {
        foreach (var (block, seed) in Blocks.Select((block, i) => (block, 100 * i)))
        {
            var isPointwise = block.FirstKernel == default;
            var kernel = isPointwise ? 1 : block.FirstKernel;
            var first = ConvGeometry.Create(
                block.Batch, block.Input, block.Channels, block.Expanded, kernel, isPointwise ? 1 : 2, 1,
                isPointwise ? Padding.Valid : block.Padding);
            Check(block, first, first.Output, (SimdWidth)width, seed);

            // The last two steps alone.
            Check(block, null, block.Input, (SimdWidth)width, seed + 10);
        }
    }

    private static void Check(Block block, ConvGeometry? first, Size2D size, SimdWidth width, int seed)
    {
        var depthwise = ConvGeometry.Create(
            block.Batch, size, block.Expanded, block.Expanded, block.Kernel, block.Stride, 1, block.Padding, block.Expanded);
        var last = ConvGeometry.Create(block.Batch, depthwise.Output, block.Expanded, block.OutChannels, 1, 1, 1, Padding.Valid);
        Assert.False(QuantizedDepthwiseLoop.Spreads(depthwise, width));

        var expand = first is { } sizes ? new QuantizedCase(sizes, isDepthwise: false, seed) : null;
        var middle = new QuantizedCase(depthwise, isDepthwise: true, seed + 1);
        if (expand is not null)
            middle = new QuantizedCase(depthwise, isDepthwise: true, seed + 1) { Input = expand.Expected() };
        var project = new QuantizedCase(last, isDepthwise: false, seed + 2) { Input = middle.Expected() };
        var loop = Create(null);
        foreach (var threads in new[] { 1, 2, 3, 7 })
        {
            var output = new byte[project.OutputLength];
            fixed (byte* x = (expand ?? middle).Input, y = output)
                loop.Run(x, null, y, threads);
            Assert.Equal(project.Expected(), output);
        }

        // An end that is no sum of anything: every byte meets its own of the shortcut, once.
        var shortcut = new byte[project.OutputLength];
        new Random(seed).NextBytes(shortcut);
        var expected = project.Expected().Zip(shortcut, (a, b) => (byte)((3 * a) + b)).ToArray();
        var ended = Create((first, second, target, count) =>
        {
            for (nint i = 0; i < count; i++)
                target[i] = (byte)((3 * first[i]) + second[i]);
        });
        foreach (var threads in new[] { 1, 2, 5 })
        {
            var output = new byte[project.OutputLength];
            fixed (byte* x = (expand ?? middle).Input, s = shortcut, y = output)
                ended.Run(x, s, y, threads);
            Assert.Equal(expected, output);
        }

        QuantizedExpansionLoop Create(ByteCombination? ending) => new(
            expand is null ? null : Loop(expand),
            new QuantizedDepthwiseLoop(middle.Layer, depthwise, width),
            Loop(project),
            new ExpansionSizes(first ?? default, depthwise, block.OutChannels),
            ending);

        QuantizedConvLoop Loop(QuantizedCase step)
        {
            var g = step.Geometry;
            return new(step.Layer, g.Kernel, g.InChannels, g.OutChannels, 1, width);
        }
    }
}
