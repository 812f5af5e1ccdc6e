using SeparableConv.Loops;

namespace SeparableConv.Tests.Loops.Standard;

public sealed unsafe class StandardLoopTests
{
    public static TheoryData<int> Widths => [.. SimdWidths.All.Select(w => (int)w)];

    [Theory]
    [MemberData(nameof(Widths))]
    public void Standard_matches_reference_on_random_geometries(int width) =>
        Geometries.Check(Geometries.Any, 150, g => CheckGeometry(g, (SimdWidth)width, threads: 1));

    [Theory]
    [InlineData(2)]
    [InlineData(7)]
    public void Standard_gives_the_same_bits_on_any_number_of_threads(int threads) =>
        Geometries.Check(Geometries.Any, 60, g =>
        {
            var alone = Run(g, SimdWidths.Best, 1, Activation.Sigmoid);
            var together = Run(g, SimdWidths.Best, threads, Activation.Sigmoid);
            Assert.Equal(alone, together);
        });

    [Theory]
    [MemberData(nameof(Widths))]
    public void A_large_image_is_read_in_place_inside_a_frame(int width)
    {
        ConvGeometry[] geometries =
        [
            ConvGeometry.Create(1, (33, 41), 5, 7, 3, 1, 1, Padding.Same),
            ConvGeometry.Create(2, (28, 30), 3, 18, (5, 4), 1, (1, 2), Padding.Explicit(3, 1, 0, 4)),
            ConvGeometry.Create(1, (61, 70), 4, 9, 3, 2, 1, Padding.Same),
            ConvGeometry.Create(1, (30, 90), 2, 33, (1, 7), (1, 3), 1, Padding.SameLower),
        ];
        foreach (var g in geometries)
            CheckGeometry(g, (SimdWidth)width, threads: 2);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void A_small_image_with_many_filters_is_unfolded(int width)
    {
        ConvGeometry[] geometries =
        [
            ConvGeometry.Create(2, (4, 3), 5, 70, 3, 1, 1, Padding.Same),
            ConvGeometry.Create(1, (7, 7), 6, 66, 3, 2, 1, Padding.Same),
            ConvGeometry.Create(1, (9, 4), 8, 140, (2, 3), (1, 1), (2, 1), Padding.Explicit(1, 0, 1, 1), 2),
            ConvGeometry.Create(1, (6, 6), 256, 65, 3, 1, 1, Padding.Valid),
        ];
        foreach (var g in geometries)
            CheckGeometry(g, (SimdWidth)width, threads: 2);
    }

    [Fact]
    public void Nothing_beside_input_and_output_is_touched() =>
        Geometries.Check(Geometries.Any, 60, g =>
        {
            var (values, weights, bias) = RandomData.Convolution(g);
            var expected = Run(g, SimdWidths.Best, 1, Activation.None);
            foreach (var endsAtGuard in new[] { false, true })
            {
                using var input = new GuardedMemory(values.Length * sizeof(float), endsAtGuard);
                using var output = new GuardedMemory(expected.Length * sizeof(float), endsAtGuard);
                values.CopyTo(input.Span<float>());
                var loop = new StandardLoop(
                    weights, g.Kernel, g.InChannels, g.OutChannels, g.Groups, g.Columns.Dilation, bias, Activation.None, SimdWidths.Best);
                loop.Run((float*)input.Start, (float*)output.Start, g, 2);
                Assert.Equal(expected, output.Span<float>().ToArray());
            }
        });

    [Fact]
    public void Large_weights_are_shared_out_among_threads_by_filters()
    {
        var g = ConvGeometry.Create(1, (7, 7), 96, 160, 3, 1, 1, Padding.Same);
        Assert.True(StandardCut.Create(g, 5, false, 2).PanelParts > 1);
        Assert.Equal(Run(g, SimdWidths.Best, 1, Activation.ReLU6), Run(g, SimdWidths.Best, 3, Activation.ReLU6));
    }

    [Fact]
    public void Softmax_runs_over_all_filters_of_all_groups()
    {
        var g = ConvGeometry.Create(2, (5, 6), 6, 9, (3, 3), 1, 1, Padding.Same, 3);
        var output = Run(g, SimdWidths.Best, 3, Activation.Softmax);
        for (var p = 0; p < output.Length; p += 9)
            Assert.Equal(1.0, output.AsSpan(p, 9).ToArray().Sum(), 5);
    }

    private static void CheckGeometry(ConvGeometry g, SimdWidth width, int threads)
    {
        var (input, weights, bias) = RandomData.Convolution(g);
        var magnitudes = new double[g.Batch * g.Rows.Out * g.Columns.Out * g.OutChannels];
        var expected = ConvolutionReference.Run(g, input, weights, bias, magnitudes);
        var actual = Run(g, width, threads, Activation.None);
        ErrorBound.Check(expected, magnitudes, actual, g.Rows.Kernel * g.Columns.Kernel * g.InChannels / g.Groups, $"{width} {g}");
    }

    private static float[] Run(ConvGeometry g, SimdWidth width, int threads, Activation activation)
    {
        var (input, weights, bias) = RandomData.Convolution(g);
        var loop = new StandardLoop(weights, g.Kernel, g.InChannels, g.OutChannels, g.Groups, g.Columns.Dilation, bias, activation, width);
        var output = RandomData.Unwritten(g.Batch * g.Rows.Out * g.Columns.Out * g.OutChannels);
        fixed (float* x = input, y = output)
            loop.Run(x, y, g, threads);
        return output;
    }
}
