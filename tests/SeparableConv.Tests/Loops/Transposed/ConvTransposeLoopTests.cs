using System.Diagnostics;
using SeparableConv.Loops;

namespace SeparableConv.Tests.Loops.Transposed;

public sealed unsafe class ConvTransposeLoopTests
{
    public static TheoryData<int> Widths => [.. SimdWidths.All.Select(w => (int)w)];

    [Theory]
    [MemberData(nameof(Widths))]
    public void Transposed_convolution_matches_scattering(int width)
    {
        var random = new Random(5);
        for (var i = 0; i < 150; i++)
            Check(Random(random), (SimdWidth)width);
    }

    /// <summary>
    /// Kernels that tile the output, kernels of twice the stride and others, images large enough for a frame, a single pixel, a group a
    /// channel; few filters and many.
    /// </summary>
    [Theory]
    [MemberData(nameof(Widths))]
    public void The_usual_sizes_match_scattering(int width)
    {
        foreach (var (kernel, stride, pad, outputPadding) in new[]
        {
            (2, 2, 0, 0), (4, 2, 1, 0), (3, 2, 1, 1), (3, 3, 0, 0), (2, 3, 0, 1), (3, 1, 1, 0),
        })
        {
            foreach (var (size, channels, filters, groups) in new[]
            {
                (33, 5, 1, 1), (5, 16, 2, 1), (4, 7, 3, 1), (3, 9, 17, 1), (6, 8, 32, 1), (5, 6, 6, 6), (9, 17, 17, 17), (3, 4, 8, 4),
                (4, 8, 6, 2), (1, 12, 35, 1),
            })
            {
                Check(
                    ConvTransposeGeometry.Create(
                        2, (size, size + 1), kernel, stride, 1, (pad, pad, pad, pad), outputPadding, channels, filters, groups),
                    (SimdWidth)width);
            }
        }

        Check(ConvTransposeGeometry.Create(3, 1, 4, 1, 1, default, 0, 40, 24, 1), (SimdWidth)width);
    }

    [Fact]
    public void Threads_do_not_show_in_the_bits()
    {
        foreach (var g in new[]
        {
            ConvTransposeGeometry.Create(2, (9, 7), (4, 3), (2, 3), 1, (1, 1, 0, 2), 1, 12, 20, 2),
            ConvTransposeGeometry.Create(2, (31, 30), 2, 2, 1, default, 0, 12, 3, 1),
            ConvTransposeGeometry.Create(1, (3, 4), 2, 2, 1, default, 0, 300, 80, 1),
            ConvTransposeGeometry.Create(1, (9, 7), 3, 2, 1, (1, 1, 1, 1), 1, 19, 19, 19),
        })
        {
            foreach (var activation in new[] { Activation.ReLU6, Activation.Softmax, Activation.Sigmoid })
            {
                var alone = Run(g, SimdWidths.Best, 1, activation);
                Assert.Equal(alone, Run(g, SimdWidths.Best, 2, activation));
                Assert.Equal(alone, Run(g, SimdWidths.Best, 7, activation));
            }

            Assert.All(Run(g, SimdWidths.Best, 1, Activation.ReLU6), value => Assert.InRange(value, 0, 6));
        }
    }

    [Theory]
    [InlineData(2, 2, 0)]
    [InlineData(3, 2, 1)]
    public void An_activation_is_applied_to_what_it_would_be_given_alone(int kernel, int stride, int pad)
    {
        var g = ConvTransposeGeometry.Create(1, (6, 5), kernel, stride, 1, (pad, pad, pad, pad), 0, 7, 4, 1);
        foreach (var activation in new[] { Activation.ReLU, Activation.Sigmoid, Activation.Softmax, Activation.PReLU([0.5f, 2, -1, 0]) })
        {
            var expected = Run(g, SimdWidths.Best, 1, Activation.None);
            fixed (float* y = expected)
                activation.Apply(y, expected.Length / g.OutChannels, g.OutChannels, SimdWidths.Best);
            Assert.Equal(expected, Run(g, SimdWidths.Best, 1, activation));
        }
    }

    [Fact]
    public void Other_weights_take_the_place_of_those_before()
    {
        foreach (var g in new[]
        {
            ConvTransposeGeometry.Create(1, (5, 4), 2, 2, 1, default, 0, 6, 4, 1),
            ConvTransposeGeometry.Create(1, (5, 4), 3, 2, 1, (1, 1, 1, 1), 0, 6, 4, 2),
            ConvTransposeGeometry.Create(1, (1, 1), (1, 40), (1, 20), 1, default, 0, 3, 4, 1),
        })
        {
            var (input, weights, bias) = Data(g);
            var loop = new ConvTransposeLoop(new float[weights.Length], bias, g, Activation.None, SimdWidths.Best);
            loop.Refill(weights, bias, new float[loop.RefillFloats], 1);
            var output = RandomData.Unwritten(g.Batch * g.Output.Height * g.Output.Width * g.OutChannels);
            fixed (float* x = input, y = output)
                loop.Run(x, y, 1);
            Assert.Equal(Run(g, SimdWidths.Best, 1, Activation.None), output);
        }
    }

    [Fact]
    public void Taps_that_reach_a_position_are_found_without_trying_all()
    {
        var random = new Random(6);
        for (var i = 0; i < 300; i++)
        {
            var (input, taps, stride, dilation, before) =
                (random.Next(1, 6), random.Next(1, 9), random.Next(1, 7), random.Next(1, 7), random.Next(-5, 9));
            var found = new ConvTransposeTaps(input, taps, stride, dilation, before);
            for (var y = 0; y < 40; y++)
            {
                for (var more = 0; more < 4; more++)
                {
                    var expected = Enumerable.Range(0, taps).Where(tap =>
                        (y + before - (tap * dilation)) % stride == 0
                            && (y + before - (tap * dilation)) / stride is var j
                            && j < input
                            && j >= -more).ToArray();
                    var actual = new List<int>();
                    var (first, last) = found.Reaching(y, found.First(y), more);
                    for (var tap = first; tap <= last; tap += found.Step)
                        actual.Add(tap);
                    Assert.Equal(expected, actual);
                    Assert.All(actual, tap => Assert.Equal((y + before - (tap * dilation)) / stride, found.Input(y, tap)));
                }
            }
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 100_000)]
    [InlineData(int.MaxValue / 2, 1)]
    [InlineData(3, int.MaxValue / 200_000)]
    public void A_long_kernel_takes_no_longer_than_its_products(int stride, int dilation)
    {
        // 1 input pixel and 100,000 taps are 100,000 products; trying every tap for every output would be 10 billion.
        var taps = dilation == 1 ? 100_000 : 2;
        var g = ConvTransposeGeometry.Create(1, (1, 1), (1, taps), stride, dilation, default, 0, 1, 1, 1);
        var watch = Stopwatch.StartNew();
        Check(g, SimdWidths.Best);
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(10));
    }

    private static ConvTransposeGeometry Random(Random random)
    {
        while (true)
        {
            var groups = random.Next(1, 4);
            try
            {
                return ConvTransposeGeometry.Create(
                    random.Next(1, 3),
                    (random.Next(1, 8), random.Next(1, 8)),
                    (random.Next(1, 5), random.Next(1, 5)),
                    (random.Next(1, 4), random.Next(1, 4)),
                    (random.Next(1, 4), random.Next(1, 4)),
                    (random.Next(-2, 4), random.Next(-2, 4), random.Next(-2, 4), random.Next(-2, 4)),
                    (random.Next(3), random.Next(3)),
                    groups * random.Next(1, 6),
                    groups * random.Next(1, 40),
                    groups);
            }
            catch (ArgumentException)
            {
                // Cropped to nothing: another.
            }
        }
    }

    // The definition: every input pixel adds its kernel to the output around its place.
    private static void Check(ConvTransposeGeometry g, SimdWidth width)
    {
        var (input, weights, bias) = Data(g);
        var (channels, filters) = (g.InChannels / g.Groups, g.OutChannels / g.Groups);
        var expected = new double[g.Batch * g.Output.Height * g.Output.Width * g.OutChannels];
        var magnitudes = new double[expected.Length];
        for (var i = 0; i < expected.Length; i++)
            (expected[i], magnitudes[i]) = (bias[i % g.OutChannels], Math.Abs(bias[i % g.OutChannels]));
        for (var pixel = 0; pixel < g.Batch * g.Input.Height * g.Input.Width; pixel++)
        {
            var (n, i, j) = (pixel / (g.Input.Height * g.Input.Width), pixel / g.Input.Width % g.Input.Height, pixel % g.Input.Width);
            for (var tap = 0; tap < g.Kernel.Height * g.Kernel.Width; tap++)
            {
                var y = (i * g.Stride.Height) + (tap / g.Kernel.Width * g.Dilation.Height) - g.Top;
                var x = (j * g.Stride.Width) + (tap % g.Kernel.Width * g.Dilation.Width) - g.Left;
                if (y < 0 || y >= g.Output.Height || x < 0 || x >= g.Output.Width)
                    continue;
                for (var c = 0; c < g.InChannels; c++)
                {
                    for (var f = 0; f < filters; f++)
                    {
                        var product = (double)input[(pixel * g.InChannels) + c] * weights[(((tap * g.InChannels) + c) * filters) + f];
                        var at = (((((n * g.Output.Height) + y) * g.Output.Width) + x) * g.OutChannels) + (c / channels * filters) + f;
                        expected[at] += product;
                        magnitudes[at] += Math.Abs(product);
                    }
                }
            }
        }

        ErrorBound.Check(
            expected, magnitudes, Run(g, width, 1, Activation.None), g.Kernel.Height * g.Kernel.Width * channels, $"{width} {g}");
    }

    private static float[] Run(ConvTransposeGeometry g, SimdWidth width, int threads, Activation activation)
    {
        var (input, weights, bias) = Data(g);
        var loop = new ConvTransposeLoop(weights, bias, g, activation, width);
        var output = RandomData.Unwritten(g.Batch * g.Output.Height * g.Output.Width * g.OutChannels);
        fixed (float* x = input, y = output)
            loop.Run(x, y, threads);
        return output;
    }

    private static (float[] Input, float[] Weights, float[] Bias) Data(ConvTransposeGeometry g) => (
        RandomData.Floats(g.Batch * g.Input.Height * g.Input.Width * g.InChannels, 1),
        RandomData.Floats(g.Kernel.Height * g.Kernel.Width * g.InChannels * (g.OutChannels / g.Groups), 2),
        RandomData.Floats(g.OutChannels, 3));
}
