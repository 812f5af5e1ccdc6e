using SeparableConv.Loops;

namespace SeparableConv.Tests.Loops.Gradients;

public sealed class DepthwiseGradientLoopTests
{
    public static TheoryData<int> Widths => [.. SimdWidths.All.Select(w => (int)w)];

    [Theory]
    [MemberData(nameof(Widths))]
    public void Gradients_match_reference_on_random_geometries(int width) =>
        Geometries.Check(Geometries.Depthwise, 300, g => new GradientCase(g, false).CheckDepthwise((SimdWidth)width, 1));

    [Theory]
    [MemberData(nameof(Widths))]
    public void Normalizations_on_both_sides_match_reference(int width) =>
        Geometries.Check(Geometries.Depthwise, 200, g => new GradientCase(g, true).CheckDepthwise((SimdWidth)width, 2));

    [Theory]
    [InlineData(1, 3, 1, 24, 64)]
    [InlineData(19, 3, 2, 11, 35)]
    [InlineData(5, 5, 1, 9, 24)]
    public void The_bits_are_the_same_on_any_number_of_threads(int batch, int kernel, int stride, int size, int channels)
    {
        var g = ConvGeometry.Create(batch, size, channels, channels, kernel, stride, 1, Padding.Same, channels);
        foreach (var width in SimdWidths.All)
        {
            var test = new GradientCase(g, true);
            test.CheckDepthwise(width, 1);
            var alone = test.Depthwise(width, 1);
            foreach (var threads in new[] { 2, 7 })
            {
                var together = test.Depthwise(width, threads);
                Assert.Equal(alone.Input, together.Input);
                Assert.Equal(alone.Weights, together.Weights);
                Assert.Equal(alone.Sums, together.Sums);
            }
        }
    }

    [Theory]
    [InlineData(1, 112)]
    [InlineData(2, 113)]
    public void Tensors_that_no_cache_holds_match_reference(int stride, int channels)
    {
        var g = ConvGeometry.Create(2, 96, channels, channels, 3, stride, 1, Padding.Same, channels);
        Assert.True(LargeMemory.Holds((long)g.Batch * g.Rows.In * g.Columns.In * g.InChannels));
        var test = new GradientCase(g, true);
        foreach (var width in SimdWidths.All)
            test.CheckDepthwise(width, 2);
    }
}
