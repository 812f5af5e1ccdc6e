using SeparableConv.Loops;

namespace SeparableConv.Tests.Loops.Gradients;

public sealed class PointwiseGradientLoopTests
{
    public static TheoryData<int> Widths => [.. SimdWidths.All.Select(w => (int)w)];

    [Theory]
    [MemberData(nameof(Widths))]
    public void Gradients_match_reference(int width)
    {
        foreach (var pixels in new[] { 1, 2, 13, 57, 300 })
        {
            foreach (var inChannels in new[] { 1, 3, 8, 14, 17, 33 })
            {
                foreach (var outChannels in new[] { 1, 4, 5, 15, 16, 17, 24, 31, 33, 40, 48 })
                {
                    var g = ConvGeometry.Create(1, (1, pixels), inChannels, outChannels, 1, 1, 1, Padding.Valid);
                    new GradientCase(g, pixels % 2 == 1).CheckPointwise((SimdWidth)width, 1 + (pixels % 3));
                }
            }
        }
    }

    [Theory]
    [InlineData(4000, 16, 32)]
    [InlineData(700, 260, 130)]
    [InlineData(300, 512, 24)]
    public void The_bits_are_the_same_on_any_number_of_threads(int pixels, int inChannels, int outChannels)
    {
        var g = ConvGeometry.Create(1, (1, pixels), inChannels, outChannels, 1, 1, 1, Padding.Valid);
        var test = new GradientCase(g, true);
        test.CheckPointwise(SimdWidths.Best, 1);
        var alone = test.Pointwise(SimdWidths.Best, 1);
        foreach (var threads in new[] { 2, 7 })
        {
            var together = test.Pointwise(SimdWidths.Best, threads);
            Assert.Equal(alone.Input, together.Input);
            Assert.Equal(alone.Weights, together.Weights);
            Assert.Equal(alone.Sums, together.Sums);
        }
    }
}
