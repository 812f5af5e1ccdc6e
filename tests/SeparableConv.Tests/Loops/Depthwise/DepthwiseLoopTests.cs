using FsCheck;
using FsCheck.Fluent;
using SeparableConv.Loops;

namespace SeparableConv.Tests.Loops.Depthwise;

public sealed unsafe class DepthwiseLoopTests
{
    public static TheoryData<int> Widths => [.. SimdWidths.All.Select(w => (int)w)];

    /// <summary>What the sliding bodies take: 3x3 and 5x5, stride 1 and 2, any padding, images smaller than the kernel.</summary>
    private static Gen<ConvGeometry> Sliding =>
        from kernel in Gen.Elements(3, 5)
        from stride in Gen.Choose(1, 2)
        from height in Gen.Choose(1, 12)
        from width in Gen.Choose(1, 24)
        from channels in Gen.Elements(1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 35, 67, 100, 131)
        from batch in Gen.Choose(1, 2)
        from pads in Gen.Choose(0, 6).Four()
        from same in Gen.Elements(true, false)
        let top = Math.Max(pads.Item1, kernel - height - pads.Item2)
        let left = Math.Max(pads.Item3, kernel - width - pads.Item4)
        let padding = same ? Padding.Same : Padding.Explicit(top, pads.Item2, left, pads.Item4)
        select ConvGeometry.Create(batch, (height, width), channels, channels, kernel, stride, 1, padding, channels);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Depthwise_matches_reference_on_random_geometries(int width) =>
        Geometries.Check(Geometries.Depthwise, 300, g => CheckGeometry(g, (SimdWidth)width));

    [Theory]
    [MemberData(nameof(Widths))]
    public void Sliding_depthwise_matches_reference_on_random_geometries(int width) =>
        Geometries.Check(Sliding, 300, g => CheckGeometry(g, (SimdWidth)width));

    [Theory]
    [MemberData(nameof(Widths))]
    public void Depthwise_matches_reference_where_rows_are_streamed(int width)
    {
        foreach (var (kernel, stride, size, channels) in new[] { (3, 1, 61, 83), (3, 2, 67, 61), (5, 1, 37, 200), (5, 2, 59, 79) })
        {
            var g = ConvGeometry.Create(1, size, channels, channels, kernel, stride, 1, Padding.Same, channels);
            Assert.True(DepthwiseParts.StreamsRows(g));
            CheckGeometry(g, (SimdWidth)width);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Awkward_sizes_match_reference(int width)
    {
        foreach (var channels in new[] { 1, width - 1, width, width + 1, (2 * width) + 3 })
        {
            if (channels == 0)
                continue;
            foreach (var multiplier in new[] { 1, 2, 8 })
            {
                void CheckCase(int batch, Size2D input, Size2D kernel, int stride, Padding padding) => CheckGeometry(
                    ConvGeometry.Create(batch, input, channels, channels * multiplier, kernel, stride, 1, padding, channels),
                    (SimdWidth)width);

                // The kernel larger than the image, the stride larger than the kernel, a person detector's first layer, a wide kernel.
                CheckCase(1, (2, 3), 5, 1, Padding.Same);
                CheckCase(1, (11, 9), 2, 3, Padding.Valid);
                CheckCase(2, (12, 13), 3, 2, Padding.Same);
                CheckCase(1, (1, 40), (1, 31), 1, Padding.Same);
            }
        }
    }

    /// <summary>
    /// Kernels whose taps are read four at a time, across images that cut them off on one side and on both, with strides and dilations that
    /// put taps as far apart as pixels; and of as many vectors of channels as border pixels take together, one less and one more.
    /// </summary>
    [Theory]
    [MemberData(nameof(Widths))]
    public void Large_kernels_match_reference(int width)
    {
        foreach (var (kernel, stride, dilation, size) in new[]
        {
            (new Size2D(7, 7), new Size2D(1, 1), new Size2D(1, 1), new Size2D(9, 21)),
            ((9, 13), (1, 1), (1, 1), (4, 17)),
            ((2, 9), (2, 2), (1, 2), (6, 30)),
            ((6, 2), (1, 2), (1, 1), (9, 5)),
            ((5, 8), (2, 1), (1, 2), (7, 40)),
            ((31, 31), (1, 1), (1, 1), (12, 19)),
            ((7, 1), (1, 1), (1, 1), (15, 1)),
            ((3, 3), (1, 1), (3, 1), (9, 11)),
        })
        {
            foreach (var channels in new[] { 3 * width, 4 * width, (4 * width) + 1, (5 * width) - 1 })
            {
                var g = ConvGeometry.Create(1, size, channels, channels, kernel, stride, dilation, Padding.Same, channels);
                CheckGeometry(g, (SimdWidth)width);
            }
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(7)]
    public void Depthwise_gives_the_same_bits_on_any_number_of_threads(int threads)
    {
        foreach (var width in SimdWidths.All)
        {
            foreach (var (kernel, stride, size, channels, batch) in new[]
                { (3, 1, 7, 200, 1), (5, 1, 14, 147, 1), (3, 2, 28, 67, 2), (3, 1, 61, 83, 1), (5, 2, 42, 79, 1), (4, 1, 17, 35, 3) })
            {
                var g = ConvGeometry.Create(batch, size, channels, channels, kernel, stride, 1, Padding.Same, channels);
                Assert.Equal(Run(g, width, 1, Activation.Sigmoid), Run(g, width, threads, Activation.Sigmoid));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Bands_of_rows_with_gaps_between_pixels_give_the_same_bits(int width)
    {
        foreach (var (kernel, channels, multiplier) in new[] { (3, 40, 1), (5, 17, 1), (4, 20, 1), (3, 5, 3), (3, 1, 8) })
        {
            var g = ConvGeometry.Create(1, (9, 11), channels, channels * multiplier, kernel, 1, 1, Padding.Same, channels);
            var expected = Run(g, (SimdWidth)width, 1, Activation.ReLU6);
            var (input, weights, bias) = RandomData.Convolution(g);
            var depthwise = new DepthwiseLoop(weights, g.Kernel, channels, multiplier, bias, Activation.ReLU6, (SimdWidth)width);
            var stride = g.OutChannels + 3;
            foreach (var (first, end) in new[] { (0, 9), (0, 1), (2, 5), (8, 9) })
            {
                var band = Enumerable.Repeat(-7f, (end - first) * g.Columns.Out * stride).ToArray();
                fixed (float* x = input, y = band)
                    depthwise.RunRows(x, y, stride, g, first, end);
                for (var i = 0; i < band.Length; i++)
                {
                    var (pixel, c) = Math.DivRem(i, stride);
                    var value = c < g.OutChannels ? expected[(((first * g.Columns.Out) + pixel) * g.OutChannels) + c] : -7f;
                    Assert.Equal(value, band[i]);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Nothing_beyond_input_or_output_is_touched(int width)
    {
        foreach (var atEnd in new[] { true, false })
        {
            foreach (var (kernel, stride, size, channels, multiplier) in new[]
            {
                (3, 1, 7, 35, 1), (3, 2, 8, 17, 1), (5, 1, 7, 19, 1), (5, 2, 9, 33, 1), (3, 1, 61, 83, 1), (4, 3, 10, 20, 1),
                (3, 1, 9, 3, 1), (3, 2, 10, 1, 8),
            })
            {
                var g = ConvGeometry.Create(1, size, channels, channels * multiplier, kernel, stride, 1, Padding.Same, channels);
                var (input, weights, bias) = RandomData.Convolution(g);
                using var from = new GuardedMemory((nint)input.Length * sizeof(float), atEnd);
                using var to = new GuardedMemory((nint)g.Rows.Out * g.Columns.Out * g.OutChannels * sizeof(float), atEnd);
                input.CopyTo(from.Span<float>());
                var depthwise = new DepthwiseLoop(weights, kernel, channels, multiplier, bias, Activation.None, (SimdWidth)width);
                depthwise.Run((float*)from.Start, (float*)to.Start, g, 1);
                Assert.Equal(Run(g, (SimdWidth)width, 1, Activation.None), to.Span<float>().ToArray());
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Activations_are_applied_to_every_value_once(int width)
    {
        foreach (var (kernel, stride, channels, multiplier) in new[]
        {
            (3, 1, 200, 1), (3, 2, 40, 1), (5, 1, 37, 1), (5, 2, 24, 2), (4, 1, 37, 1), (3, 1, 3, 5),
        })
        {
            var g = ConvGeometry.Create(1, (7, 9), channels, channels * multiplier, kernel, stride, 1, Padding.Same, channels);
            var slopes = Enumerable.Range(0, g.OutChannels).Select(c => 0.01f * c).ToArray();
            var plain = Run(g, (SimdWidth)width, 1, Activation.None);
            Assert.Equal(plain.Select(x => Math.Clamp(x, -0.5f, 0.25f)), Run(g, (SimdWidth)width, 3, Activation.Clip(-0.5f, 0.25f)));
            Assert.Equal(
                plain.Select((x, i) => x < 0 ? slopes[i % g.OutChannels] * x : x), Run(g, (SimdWidth)width, 3, Activation.PReLU(slopes)));
            var swish = plain.ToArray();
            fixed (float* y = swish)
                Activation.HardSwish.Apply(y, swish.Length / g.OutChannels, g.OutChannels, (SimdWidth)width);
            Assert.Equal(swish, Run(g, (SimdWidth)width, 3, Activation.HardSwish));
            var softmax = Run(g, (SimdWidth)width, 3, Activation.Softmax);
            for (var pixel = 0; pixel < softmax.Length; pixel += g.OutChannels)
                Assert.Equal(1.0, softmax.AsSpan(pixel, g.OutChannels).ToArray().Sum(), 4);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void A_NaN_in_the_input_reaches_every_output_that_reads_it(int width)
    {
        var g = ConvGeometry.Create(1, (9, 9), 20, 20, 3, 1, 1, Padding.Same, 20);
        var (input, weights, bias) = RandomData.Convolution(g);
        input[(((4 * 9) + 4) * 20) + 6] = float.NaN;
        var depthwise = new DepthwiseLoop(weights, 3, 20, 1, bias, Activation.ReLU6, (SimdWidth)width);
        var output = new float[input.Length];
        fixed (float* x = input, y = output)
            depthwise.Run(x, y, g, 1);
        for (var i = 0; i < output.Length; i++)
        {
            var (row, column, channel) = (i / 20 / 9, i / 20 % 9, i % 20);
            Assert.Equal(channel == 6 && Math.Abs(row - 4) <= 1 && Math.Abs(column - 4) <= 1, float.IsNaN(output[i]));
        }
    }

    private static void CheckGeometry(ConvGeometry g, SimdWidth width)
    {
        var (input, weights, bias) = RandomData.Convolution(g);
        var magnitudes = new double[g.Batch * g.Rows.Out * g.Columns.Out * g.OutChannels];
        var expected = ConvolutionReference.Run(g, input, weights, bias, magnitudes);
        ErrorBound.Check(expected, magnitudes, Run(g, width, 1, Activation.None), g.Rows.Kernel * g.Columns.Kernel, $"{width} {g}");
    }

    private static float[] Run(ConvGeometry g, SimdWidth width, int threads, Activation activation)
    {
        var (input, weights, bias) = RandomData.Convolution(g);
        var depthwise = new DepthwiseLoop(weights, g.Kernel, g.InChannels, g.OutChannels / g.InChannels, bias, activation, width);
        var output = RandomData.Unwritten(g.Batch * g.Rows.Out * g.Columns.Out * g.OutChannels);
        fixed (float* x = input, y = output)
            depthwise.Run(x, y, g, threads);
        return output;
    }
}
