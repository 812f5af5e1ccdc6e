using SeparableConv.Loops;

namespace SeparableConv.Tests.Loops;

/// <summary>Compares a depthwise and a pointwise convolution in one piece with the two.</summary>
public sealed unsafe class FusedSeparableLoopTests
{
    public static TheoryData<int> Widths => [.. SimdWidths.All.Select(w => (int)w)];

    [Theory]
    [MemberData(nameof(Widths))]
    public void The_pair_gives_the_bits_of_its_two_steps(int width)
    {
        // Many pixels in tiles; few with many filters, whose channels are cut (64, 96) or not (40, 3, a multiplier).
        foreach (var (batch, size, channels, multiplier, filters, kernel, stride) in new[]
        {
            (1, 50, 96, 1, 24, 3, 1), (2, 33, 40, 1, 17, 5, 2), (1, 7, 64, 1, 256, 3, 1), (2, 9, 96, 1, 300, 3, 2),
            (1, 4, 40, 1, 100, 3, 1), (1, 3, 32, 2, 64, 3, 1), (3, 1, 64, 1, 48, 3, 1), (1, 2, 3, 1, 70, 3, 1), (1, 5, 512, 1, 128, 5, 1),
        })
        {
            var outChannels = channels * multiplier;
            var g = ConvGeometry.Create(batch, size, channels, outChannels, kernel, stride, 1, Padding.Same, channels);
            var depthwise = new DepthwiseLoop(
                RandomData.Floats(kernel * kernel * outChannels, 1), kernel, channels, multiplier, RandomData.Floats(outChannels, 2),
                Activation.HardSwish, (SimdWidth)width);
            var pointwise = new PointwiseLoop(
                RandomData.Floats(outChannels * filters, 3), outChannels, filters, RandomData.Floats(filters, 4), Activation.ReLU6,
                (SimdWidth)width);
            var input = RandomData.Floats(batch * size * size * channels, 5);
            var pixels = batch * g.Rows.Out * g.Columns.Out;
            var (between, expected) = (new float[pixels * outChannels], RandomData.Unwritten(pixels * filters));
            fixed (float* x = input, d = between, y = expected)
            {
                depthwise.Run(x, d, g, 1);
                pointwise.Run(d, y, pixels, 1);
            }

            var shortcut = RandomData.Floats(expected.Length, 6);
            float[] sums = [.. expected.Zip(shortcut, (a, b) => a + b)];
            foreach (var threads in new[] { 1, 2, 3, 7 })
            {
                var actual = RandomData.Unwritten(pixels * filters);
                fixed (float* x = input, add = shortcut, y = actual)
                {
                    var fused = new FusedSeparableLoop(depthwise, pointwise);
                    fused.Run(x, y, g, filters, threads);
                    Assert.Equal(expected, actual);
                    fused.Run(x, y, g, filters, threads, add);
                    Assert.Equal(sums, actual);
                }
            }
        }
    }
}
