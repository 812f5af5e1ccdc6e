using SeparableConv.Loops;

namespace SeparableConv.Tests.Loops;

/// <summary>Compares a block that squeezes and excites in one piece with its steps.</summary>
public sealed unsafe class GatedBlockLoopTests
{
    private sealed record Block(
        int Batch,
        Size2D Input,
        int Channels,
        int Expanded,
        int Squeezed,
        int OutChannels,
        int Kernel,
        int Stride,
        int Multiplier = 1,
        bool Expands = true,
        bool HasShortcut = false);

    private static readonly Block[] Blocks =
    [
        new(1, (7, 9), 4, 24, 6, 8, 3, 1),
        new(2, (14, 14), 40, 120, 32, 40, 5, 1, HasShortcut: true),
        new(1, (41, 40), 5, 200, 8, 16, 3, 2),
        new(3, (1, 5), 3, 7, 1, 2, 3, 1),
        new(1, (30, 31), 6, 90, 24, 33, 5, 1, Multiplier: 2),

        // Nothing before the depthwise step.
        new(1, (33, 20), 16, 16, 8, 16, 3, 2, Expands: false),
        new(2, (13, 13), 24, 24, 8, 24, 3, 1, Expands: false, HasShortcut: true),

        // Fewer rows than threads want: channels are cut, unevenly.
        new(1, (14, 13), 48, 288, 72, 96, 5, 2),
        new(2, (7, 7), 96, 336, 16, 96, 5, 1, HasShortcut: true),
        new(1, (5, 11), 16, 208, 52, 16, 3, 1, HasShortcut: true),
    ];

    public static TheoryData<int> Widths => [.. SimdWidths.All.Select(w => (int)w)];

    [Theory]
    [MemberData(nameof(Widths))]
    public void The_block_gives_the_bits_of_its_steps(int width)
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
        var first = ConvGeometry.Create(b.Batch, b.Input, b.Channels, b.Expanded, 1, 1, 1, Padding.Valid, 1);
        var channels = b.Expanded * b.Multiplier;
        var g = ConvGeometry.Create(b.Batch, b.Input, b.Expanded, channels, b.Kernel, b.Stride, 1, Padding.Same, b.Expanded);
        var expand = b.Expands ? Pointwise(b.Channels, b.Expanded, Activation.ReLU, 1, width) : null;
        var depthwise = new DepthwiseLoop(
            RandomData.Floats(b.Kernel * b.Kernel * channels, 2), b.Kernel, b.Expanded, b.Multiplier, RandomData.Floats(channels, 3),
            Activation.HardSwish, width);
        var squeeze = Pointwise(channels, b.Squeezed, Activation.ReLU, 4, width);
        var excite = Pointwise(b.Squeezed, channels, Activation.HardSigmoid(1f / 6), 5, width);
        var project = Pointwise(channels, b.OutChannels, Activation.None, 6, width);
        var input = RandomData.Floats(b.Batch * b.Input.Height * b.Input.Width * b.Channels, 7);
        var rows = (nint)g.Rows.Out;
        var pixels = rows * g.Columns.Out;
        var outputs = checked((int)(b.Batch * pixels * b.OutChannels));
        var shortcut = b.HasShortcut ? RandomData.Floats(outputs, 8) : null;

        float[] Fused(int threads)
        {
            var output = RandomData.Unwritten(outputs);
            var loop = new GatedBlockLoop(expand, depthwise, squeeze, excite, project, new ExpansionSizes(first, g, b.OutChannels));
            fixed (float* x = input, s = shortcut, y = output, scratch = RandomData.Unwritten((int)loop.ScratchFloats))
                loop.Run(x, s, y, scratch, threads);
            return output;
        }

        float[] Steps()
        {
            var expanded = expand is null ? input : new float[b.Batch * b.Input.Height * b.Input.Width * b.Expanded];
            var image = new float[b.Batch * pixels * channels];
            var (means, squeezed, gates) = (new float[b.Batch * channels], new float[b.Batch * b.Squeezed], new float[b.Batch * channels]);
            var output = new float[outputs];
            var rowSums = new float[b.Batch * rows * channels];
            fixed (float* x = input, e = expanded, d = image, r = rowSums, m = means, q = squeezed, a = gates, y = output)
            {
                expand?.Run(x, e, (nint)b.Batch * b.Input.Height * b.Input.Width, 1);
                depthwise.Run(e, d, g, 1);
                PixelReduction.Run<Reduction.Sum>(d, r, b.Batch * rows, g.Columns.Out, channels, 1, width, 1);
                PixelReduction.Run<Reduction.Sum>(r, m, b.Batch, rows, channels, pixels, width, 1);
                squeeze.Run(m, q, b.Batch, 1);
                excite.Run(q, a, b.Batch, 1);
                for (nint i = 0; i < image.Length; i++)
                    image[i] *= gates[(i / (pixels * channels) * channels) + (i % channels)];
                project.Run(d, y, b.Batch * pixels, 1);
            }

            for (var i = 0; shortcut is not null && i < output.Length; i++)
                output[i] += shortcut[i];
            return output;
        }

        return (Fused, Steps);
    }

    private static PointwiseLoop Pointwise(int inChannels, int outChannels, Activation activation, int seed, SimdWidth width) => new(
        RandomData.Floats(inChannels * outChannels, seed), inChannels, outChannels, RandomData.Floats(outChannels, seed + 10), activation,
        width);
}
