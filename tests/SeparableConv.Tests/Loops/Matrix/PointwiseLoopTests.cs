using SeparableConv.Loops;

namespace SeparableConv.Tests.Loops.Matrix;

public sealed unsafe class PointwiseLoopTests
{
    public static TheoryData<int> Widths => [.. SimdWidths.All.Select(w => (int)w)];

    [Theory]
    [MemberData(nameof(Widths))]
    public void Pointwise_matches_reference(int width)
    {
        // Rows around every tile height and columns around every vector length, alone and with a remainder.
        int[] pixels = [1, 2, 5, 6, 7, 13, 14, 15, 27, 28, 29, 49];
        int[] columns = [1, 3, 4, 5, 8, 12, 15, 16, 17, 24, 31, 32, 33, 40, 48, 56, 64, 72, 96, 99];
        foreach (var p in pixels)
        {
            foreach (var o in columns)
            {
                foreach (var c in new[] { 1, 2, 3, 8, 37 })
                {
                    var g = ConvGeometry.Create(1, (1, p), c, o, 1, 1, 1, Padding.Valid);
                    var magnitudes = new double[p * o];
                    var expected = ConvolutionReference.Run(
                        g, RandomData.Floats(p * c, 1), RandomData.Floats(c * o, 2), RandomData.Floats(o, 3), magnitudes);
                    ErrorBound.Check(
                        expected, magnitudes, Run(p, c, o, (SimdWidth)width, 1, Activation.None), c, $"{(SimdWidth)width} {p}x{c}x{o}");
                }
            }
        }
    }

    /// <summary>
    /// Few columns of many k, whose vectors are neighbouring k: every height and number of columns, with rests and without.
    /// </summary>
    [Theory]
    [MemberData(nameof(Widths))]
    public void Few_columns_match_reference(int width)
    {
        foreach (var p in new[] { 1, 2, 3, 4, 5, 6, 7, 8, 9, 17, 31 })
        {
            for (var o = 1; o <= 9; o++)
            {
                foreach (var c in new[] { 4, 7, 15, 16, 17, 31, 32, 35, 64, 100, 259 })
                {
                    var g = ConvGeometry.Create(1, (1, p), c, o, 1, 1, 1, Padding.Valid);
                    var magnitudes = new double[p * o];
                    var expected = ConvolutionReference.Run(
                        g, RandomData.Floats(p * c, 1), RandomData.Floats(c * o, 2), RandomData.Floats(o, 3), magnitudes);
                    ErrorBound.Check(
                        expected, magnitudes, Run(p, c, o, (SimdWidth)width, 1, Activation.None), c, $"{(SimdWidth)width} {p}x{c}x{o}");
                }
            }
        }
    }

    [Fact]
    public void Few_columns_keep_infinities_and_are_clamped()
    {
        // 35 = two vectors of 16 and a rest that is read with lanes of the one before: these must not count twice, nor as 0 times infinity.
        var (weights, x) = (Enumerable.Repeat(1f, 35).ToArray(), new float[5 * 35]);
        (x[20], x[35 + 34], x[70 + 3], x[105 + 30]) = (float.PositiveInfinity, float.NegativeInfinity, float.NaN, 2);
        foreach (var (activation, expected) in new[]
        {
            (Activation.None, new[] { float.PositiveInfinity, float.NegativeInfinity, float.NaN, 3, 1 }),
            (Activation.ReLU6, new[] { 6, 0, float.NaN, 3, 1 }),
        })
        {
            foreach (var width in SimdWidths.All)
            {
                var loop = new PointwiseLoop(weights, 35, 1, [1], activation, width);
                var actual = new float[5];
                fixed (float* from = x, to = actual)
                    loop.Run(from, to, 5, 1);
                Assert.Equal(expected, actual);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void A_single_row_matches_reference(int width)
    {
        // Runs of one to four panels, with a last vector that is moved and without, a panel of three and half a vector behind them.
        foreach (var o in new[] { 32, 40, 63, 64, 96, 100, 128, 129, 144, 152, 168, 200, 264, 1000 })
        {
            foreach (var c in new[] { 1, 2, 37 })
            {
                var g = ConvGeometry.Create(1, (1, 1), c, o, 1, 1, 1, Padding.Valid);
                var magnitudes = new double[o];
                var expected = ConvolutionReference.Run(
                    g, RandomData.Floats(c, 1), RandomData.Floats(c * o, 2), RandomData.Floats(o, 3), magnitudes);
                ErrorBound.Check(
                    expected, magnitudes, Run(1, c, o, (SimdWidth)width, 2, Activation.None), c, $"{(SimdWidth)width} 1x{c}x{o}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void The_hard_swish_gives_the_bits_of_a_pass_of_its_own(int width)
    {
        foreach (var pixels in new[] { 1, 5, 14, 29 })
        {
            foreach (var o in new[] { 1, 3, 8, 16, 24, 33, 40, 72, 130 })
            {
                var expected = Run(pixels, 7, o, (SimdWidth)width, 1, Activation.None);
                fixed (float* y = expected)
                    Activation.HardSwish.Apply(y, pixels, o, (SimdWidth)width);
                Assert.Equal(expected, Run(pixels, 7, o, (SimdWidth)width, 1, Activation.HardSwish));
            }
        }
    }

    [Fact]
    public void The_hard_swish_of_what_is_not_finite_is_what_it_is_elsewhere()
    {
        float[] weights = [.. Enumerable.Repeat(1f, 40)];
        var loop = new PointwiseLoop(weights, 1, 40, default, Activation.HardSwish, SimdWidths.Best);
        float[] input = [float.NaN, float.NegativeInfinity, float.PositiveInfinity, -3, 3];
        var output = RandomData.Unwritten(5 * 40);
        fixed (float* x = input, y = output)
            loop.Run(x, y, 5, 1);
        float[] expected = [float.NaN, 0, float.PositiveInfinity, 0, 3];
        for (var i = 0; i < output.Length; i++)
            Assert.Equal(expected[i / 40], output[i]);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void A_gate_gives_the_bits_of_a_product_before(int width)
    {
        // Rows of one block and of several, cut by pixels and by filters.
        foreach (var (images, pixels, c, o) in new[] { (1, 1, 3, 5), (2, 49, 16, 24), (3, 7, 17, 33), (1, 300, 300, 40), (1, 49, 600, 96) })
        {
            var (x, gates) = (RandomData.Floats(images * pixels * c, 1), RandomData.Floats(images * c, 4));
            var product = x.Select((number, i) => number * gates[(i / (pixels * c) * c) + (i % c)]).ToArray();
            var loop = new PointwiseLoop(
                RandomData.Floats(c * o, 2), c, o, RandomData.Floats(o, 3), Activation.ReLU6, (SimdWidth)width);
            var expected = RandomData.Unwritten(images * pixels * o);
            fixed (float* from = product, to = expected)
                loop.Run(from, to, images * pixels, 1);
            var shortcut = RandomData.Floats(expected.Length, 5);
            float[] sums = [.. expected.Zip(shortcut, (a, b) => a + b)];
            foreach (var threads in new[] { 1, 2, 7 })
            {
                var actual = RandomData.Unwritten(images * pixels * o);
                fixed (float* from = x, gate = gates, add = shortcut, to = actual)
                {
                    loop.RunGated(from, gate, null, to, images, pixels, threads);
                    Assert.Equal(expected, actual);
                    loop.RunGated(from, gate, add, to, images, pixels, threads);
                    Assert.Equal(sums, actual);
                }
            }
        }
    }

    [Theory]
    [InlineData(49, 64, 256)]
    [InlineData(196, 40, 24)]
    [InlineData(3, 8, 1000)]
    [InlineData(5000, 3, 5)]
    [InlineData(500, 80, 3)]
    [InlineData(501, 80, 7)]
    public void Pointwise_gives_the_same_bits_on_any_number_of_threads(int pixels, int inChannels, int outChannels)
    {
        foreach (var activation in new[] { Activation.ReLU6, Activation.HardSwish, Activation.Softmax })
        {
            var alone = Run(pixels, inChannels, outChannels, SimdWidths.Best, 1, activation);
            Assert.Equal(alone, Run(pixels, inChannels, outChannels, SimdWidths.Best, 2, activation));
            Assert.Equal(alone, Run(pixels, inChannels, outChannels, SimdWidths.Best, 7, activation));
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Scores_of_many_classes_do_not_depend_on_their_places(int width)
    {
        // The same weights for all: what a column is summed to must not tell where it is, or a softmax of large scores would.
        foreach (var classes in new[] { 264, 1000, 1001 })
        {
            foreach (var pixels in new[] { 1, 3, 49 })
            {
                var column = RandomData.Floats(512, 7);
                var weights = new float[512 * classes];
                for (var i = 0; i < weights.Length; i++)
                    weights[i] = column[i / classes];
                var loop = new PointwiseLoop(weights, 512, classes, default, Activation.None, (SimdWidth)width);
                var (x, y) = (RandomData.Floats(pixels * 512, 8), new float[pixels * classes]);
                fixed (float* from = x, to = y)
                    loop.Run(from, to, pixels, 2);
                for (var i = 0; i < y.Length; i++)
                    Assert.Equal(y[i / classes * classes], y[i]);
            }
        }
    }

    [Theory]
    [InlineData(29, 6, 24)]
    [InlineData(13, 7, 33)]
    [InlineData(3, 5, 9)]
    [InlineData(11, 23, 1)]
    [InlineData(5, 37, 6)]
    public void Nothing_beside_input_and_output_is_touched(int pixels, int inChannels, int outChannels)
    {
        var expected = Run(pixels, inChannels, outChannels, SimdWidths.Best, 1, Activation.ReLU);
        var loop = new PointwiseLoop(
            RandomData.Floats(inChannels * outChannels, 2), inChannels, outChannels, RandomData.Floats(outChannels, 3), Activation.ReLU,
            SimdWidths.Best);
        foreach (var endsAtGuard in new[] { false, true })
        {
            using var input = new GuardedMemory(pixels * inChannels * sizeof(float), endsAtGuard);
            using var output = new GuardedMemory(pixels * outChannels * sizeof(float), endsAtGuard);
            RandomData.Floats(pixels * inChannels, 1).CopyTo(input.Span<float>());
            loop.Run((float*)input.Start, (float*)output.Start, pixels, 1);
            Assert.Equal(expected, output.Span<float>().ToArray());
        }
    }

    [Fact]
    public void A_NaN_passes_through_the_clamp_and_stays_in_its_pixel()
    {
        float[] input = [1, 2, float.NaN, 4, 5, 6];
        float[] weights = [1, -1, 0.5f, 2, 3, -2];
        var output = RandomData.Unwritten(9);
        var loop = new PointwiseLoop(weights, 2, 3, default, Activation.ReLU6, SimdWidths.Best);
        fixed (float* x = input, y = output)
            loop.Run(x, y, 3, 1);
        Assert.All(output[3..6], value => Assert.True(float.IsNaN(value)));
        Assert.All(output[..3].Concat(output[6..]), value => Assert.False(float.IsNaN(value)));
    }

    private static float[] Run(int pixels, int inChannels, int outChannels, SimdWidth width, int threads, Activation activation)
    {
        var loop = new PointwiseLoop(
            RandomData.Floats(inChannels * outChannels, 2), inChannels, outChannels, RandomData.Floats(outChannels, 3), activation, width);
        var output = RandomData.Unwritten(pixels * outChannels);
        fixed (float* x = RandomData.Floats(pixels * inChannels, 1), y = output)
            loop.Run(x, y, pixels, threads);
        return output;
    }
}
