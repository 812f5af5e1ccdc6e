using SeparableConv.Loops;

namespace SeparableConv.Tests.Loops.Gradients;

public sealed class StandardGradientLoopTests
{
    public static TheoryData<int> Widths => [.. SimdWidths.All.Select(w => (int)w)];

    [Theory]
    [MemberData(nameof(Widths))]
    public void Gradients_match_reference_on_random_geometries(int width) =>
        Geometries.Check(Geometries.Any, 150, g => new GradientCase(g, false).CheckStandard((SimdWidth)width, 1 + (g.Batch % 2)));

    [Theory]
    [MemberData(nameof(Widths))]
    public void Winograd_s_weight_gradients_match_reference(int width)
    {
        foreach (var (batch, size, channels, filters) in new[]
        {
            (1, new Size2D(5, 5), 32, 32), (3, new Size2D(7, 9), 16, 67), (2, new Size2D(13, 6), 35, 40), (5, new Size2D(16, 16), 64, 17),
        })
        {
            foreach (var padding in new[] { Padding.Same, Padding.Valid, Padding.Explicit(2, 0, 1, 2) })
            {
                var g = ConvGeometry.Create(batch, size, channels, filters, 3, 1, 1, padding);
                new GradientCase(g, false).CheckStandard((SimdWidth)width, 2);
            }
        }
    }

    [Theory]
    [InlineData(17, 3, 1, 12, 16, 64)]
    [InlineData(2, 3, 2, 13, 8, 24)]
    [InlineData(1, 5, 1, 9, 3, 7)]
    public void The_bits_are_the_same_on_any_number_of_threads(int batch, int kernel, int stride, int size, int channels, int filters)
    {
        var g = ConvGeometry.Create(batch, size, channels, filters, kernel, stride, 1, Padding.Same);
        var test = new GradientCase(g, false);
        test.CheckStandard(SimdWidths.Best, 1);
        var alone = test.Standard(SimdWidths.Best, 1);
        foreach (var threads in new[] { 2, 7 })
        {
            var together = test.Standard(SimdWidths.Best, threads);
            Assert.Equal(alone.Input, together.Input);
            Assert.Equal(alone.Weights, together.Weights);
        }
    }
}
