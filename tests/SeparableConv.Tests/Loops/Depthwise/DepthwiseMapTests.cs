using SeparableConv.Loops;

namespace SeparableConv.Tests.Loops.Depthwise;

/// <summary>Depthwise loops whose output channels read the input channels that a map names.</summary>
public sealed unsafe class DepthwiseMapTests
{
    public static TheoryData<int> Widths => [.. SimdWidths.All.Select(w => (int)w)];

    // Kernels that slide and kernels that do not, strides beyond the kernel, dilations, borders that differ on all sides.
    private static readonly (Size2D Kernel, Size2D Stride, int Dilation, Padding Padding)[] Shapes =
    [
        (3, 1, 1, Padding.Same), (3, 1, 1, Padding.Explicit(2, 0, 1, 3)), (3, 2, 1, Padding.Same), (3, 2, 1, Padding.Explicit(0, 2, 3, 1)),
        (5, 1, 1, Padding.Same), (5, 2, 1, Padding.Explicit(1, 3, 0, 2)), (3, 3, 1, Padding.Valid), (3, 1, 2, Padding.Same),
        ((1, 3), 1, 1, Padding.Same), ((3, 1), (2, 1), 1, Padding.Explicit(0, 1, 0, 0)), (7, 1, 1, Padding.Same), (2, 3, 1, Padding.Valid),
    ];

    [Theory]
    [MemberData(nameof(Widths))]
    public void Mapped_depthwise_matches_reference(int width)
    {
        foreach (var channels in new[] { 1, 3, 7, 16, 17, 33, 64 })
        {
            foreach (var map in Maps(channels))
            {
                foreach (var (kernel, stride, dilation, padding) in Shapes)
                {
                    var g = Geometry(map, 1, (8, 11), kernel, stride, dilation, padding);
                    var (input, weights, bias) = RandomData.Convolution(g);
                    var (own, gathered) = Gathered(g, map, input);
                    var magnitudes = new double[g.Rows.Out * g.Columns.Out * g.OutChannels];
                    var expected = ConvolutionReference.Run(own, gathered, weights, bias, magnitudes);
                    var actual = Run(g, map, (SimdWidth)width, 1, Activation.None);
                    ErrorBound.Check(expected, magnitudes, actual, kernel.Height * kernel.Width, $"{width} {g} {Text(map)}");
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void A_map_gives_the_bits_that_a_copy_of_its_channels_gives(int width)
    {
        // Where a map in no order spreads rows, sums of kernels that slide go in another order.
        foreach (var (kernel, stride, size, channels) in new[] { (3, 1, 61, 83), (3, 2, 14, 64), (5, 2, 59, 79), (4, 1, 17, 40) })
        {
            foreach (var map in Maps(channels).Where(map => kernel == 4 || IsOrdered(map)))
            {
                var g = Geometry(map, 1, size, kernel, stride, 1, Padding.Same);
                var (input, weights, bias) = RandomData.Convolution(g);
                var (own, gathered) = Gathered(g, map, input);
                var loop = new DepthwiseLoop(weights, kernel, map.OutChannels, 1, bias, Activation.ReLU6, (SimdWidth)width);
                Assert.Equal(Run(loop, own, gathered, 1), Run(g, map, (SimdWidth)width, 1, Activation.ReLU6));
            }
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(7)]
    public void Mapped_depthwise_gives_the_same_bits_on_any_number_of_threads(int threads)
    {
        foreach (var width in SimdWidths.All)
        {
            foreach (var (kernel, stride, size, channels, batch) in new[]
                { (3, 1, 7, 150, 1), (5, 2, 14, 67, 2), (3, 2, 61, 83, 1), (4, 1, 9, 35, 3) })
            {
                foreach (var map in Maps(channels))
                {
                    var g = Geometry(map, batch, size, kernel, stride, 1, Padding.Same);
                    Assert.Equal(Run(g, map, width, 1, Activation.Sigmoid), Run(g, map, width, threads, Activation.Sigmoid));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Bands_of_rows_with_gaps_between_pixels_give_the_same_bits(int width)
    {
        foreach (var (kernel, channels) in new[] { (3, 40), (5, 17), (4, 20), (3, 5) })
        {
            foreach (var map in Maps(channels))
            {
                var g = Geometry(map, 1, (9, 11), kernel, 1, 1, Padding.Same);
                var expected = Run(g, map, (SimdWidth)width, 1, Activation.ReLU6);
                var (input, weights, bias) = RandomData.Convolution(g);
                var loop = new DepthwiseLoop(weights, kernel, map, bias, Activation.ReLU6, (SimdWidth)width);
                var stride = g.OutChannels + 3;
                var band = Enumerable.Repeat(-7f, 3 * g.Columns.Out * stride).ToArray();
                fixed (float* x = input, y = band)
                    loop.RunRows(x, y, stride, g, 2, 5);
                for (var i = 0; i < band.Length; i++)
                {
                    var (pixel, e) = Math.DivRem(i, stride);
                    var value = e < g.OutChannels ? expected[(((2 * g.Columns.Out) + pixel) * g.OutChannels) + e] : -7f;
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
            foreach (var (kernel, stride, channels) in new[] { (3, 1, 35), (3, 2, 17), (5, 1, 64), (5, 2, 33), (4, 3, 20), (3, 1, 3) })
            {
                foreach (var map in Maps(channels))
                {
                    var g = Geometry(map, 1, 9, kernel, stride, 1, Padding.Same);
                    var (input, weights, bias) = RandomData.Convolution(g);
                    using var from = new GuardedMemory((nint)input.Length * sizeof(float), atEnd);
                    using var to = new GuardedMemory((nint)g.Rows.Out * g.Columns.Out * g.OutChannels * sizeof(float), atEnd);
                    input.CopyTo(from.Span<float>());
                    var loop = new DepthwiseLoop(weights, kernel, map, bias, Activation.None, (SimdWidth)width);
                    loop.Run((float*)from.Start, (float*)to.Start, g, 1);
                    Assert.Equal(Run(g, map, (SimdWidth)width, 1, Activation.None), to.Span<float>().ToArray());
                }
            }
        }
    }

    [Fact]
    public void A_map_knows_a_depth_multiplier_and_refuses_channels_that_are_not_there()
    {
        Assert.Equal(3, DepthwiseMap.Uniform(5, 3).Multiplier);
        Assert.Equal(1, new DepthwiseMap(3, [0, 1, 2]).Multiplier);
        Assert.Equal(0, new DepthwiseMap(3, [0, 1]).Multiplier);
        Assert.Equal(0, new DepthwiseMap(2, [0, 1, 1, 1]).Multiplier);
        Assert.Equal(
            "The channel map reads channel 3 of 3; expected 0 to 2.",
            Assert.Throws<ArgumentException>(() => new DepthwiseMap(3, [0, 3])).Message);
        Assert.Throws<ArgumentException>(() => new DepthwiseMap(3, [-1]));
        Assert.Throws<ArgumentException>(() => new DepthwiseMap(3, []));
    }

    /// <summary>
    /// Two multipliers, channels that are read up to three times or not at all, a hole that no two vectors reach across, channels in any
    /// order, and one channel alone.
    /// </summary>
    private static IEnumerable<DepthwiseMap> Maps(int channels)
    {
        var random = new Random(channels);
        yield return DepthwiseMap.Uniform(channels, 2);
        yield return DepthwiseMap.Uniform(channels, 3);
        yield return new(channels, [.. Enumerable.Range(0, channels).SelectMany(c => Enumerable.Repeat(c, c == 0 ? 1 : random.Next(4)))]);
        yield return new(channels, [.. Enumerable.Range(0, channels).Where(c => c <= channels / 4 || c >= channels * 3 / 4)]);
        yield return new(channels, [.. Enumerable.Range(0, channels + 5).Select(_ => random.Next(channels))]);
        yield return new(channels, [channels - 1]);
    }

    private static ConvGeometry Geometry(
        DepthwiseMap map, int batch, Size2D input, Size2D kernel, Size2D stride, int dilation, Padding padding) =>
        ConvGeometry.Create(batch, input, map.InChannels, map.OutChannels, kernel, stride, dilation, padding) with
        {
            Groups = map.InChannels,
        };

    private static (ConvGeometry Geometry, float[] Input) Gathered(ConvGeometry g, DepthwiseMap map, float[] input)
    {
        var gathered = new float[input.Length / map.InChannels * map.OutChannels];
        for (var i = 0; i < gathered.Length; i++)
            gathered[i] = input[(i / map.OutChannels * map.InChannels) + map.Sources[i % map.OutChannels]];
        return (g with { InChannels = map.OutChannels, Groups = map.OutChannels }, gathered);
    }

    private static float[] Run(ConvGeometry g, DepthwiseMap map, SimdWidth width, int threads, Activation activation)
    {
        var (input, weights, bias) = RandomData.Convolution(g);
        return Run(new DepthwiseLoop(weights, g.Kernel, map, bias, activation, width), g, input, threads);
    }

    private static float[] Run(DepthwiseLoop loop, ConvGeometry g, float[] input, int threads)
    {
        var output = RandomData.Unwritten(g.Batch * g.Rows.Out * g.Columns.Out * g.OutChannels);
        fixed (float* x = input, y = output)
            loop.Run(x, y, g, threads);
        return output;
    }

    private static bool IsOrdered(DepthwiseMap map) =>
        map.OutChannels > 1 && map.Sources.ToArray().Order().SequenceEqual(map.Sources.ToArray());

    private static string Text(DepthwiseMap map) => string.Join(',', map.Sources.ToArray());
}
