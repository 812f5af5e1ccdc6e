namespace SeparableConv.Tests.Networks.Operators;

/// <summary>Pixels read where grids and regions say, and put where positions say, against loops in double precision.</summary>
public class SamplingTests
{
    [Theory]
    [InlineData("Nearest")]
    [InlineData("Linear")]
    [InlineData("Cubic")]
    public void A_grid_is_read_as_PyTorch_does(string name)
    {
        var mode = Enum.Parse<ResizeMode>(name);
        foreach (var (height, width, channels) in new[] { (6, 7, 3), (1, 4, 1), (5, 1, 19) })
        {
            int[] shape = [2, height, width, channels];
            var x = OperatorRun.Floats(1, shape);
            var places = Array.ConvertAll((float[])OperatorRun.Floats(2, 2, 40, 5, 2).Values, v => 1.8f * v);
            foreach (var padding in Enum.GetValues<GridPadding>())
            {
                foreach (var align in new[] { false, true })
                {
                    var expected = new double[2 * 40 * 5 * channels];
                    for (var i = 0; i < expected.Length; i++)
                    {
                        var (pixel, c) = Math.DivRem(i, channels);
                        var column = Taps(places[2 * pixel], width, mode, padding, align);
                        var row = Taps(places[(2 * pixel) + 1], height, mode, padding, align);
                        expected[i] = row.Sum(r => column.Sum(k => r.Weight * k.Weight * (r.Pixel < 0 || k.Pixel < 0 ? 0
                            : x.Span<float>()[(((((pixel / 200 * height) + r.Pixel) * width) + k.Pixel) * channels) + c])));
                    }

                    OperatorRun.Check(
                        new GridSampleOperator(mode, padding, align),
                        1,
                        expected,
                        [2, 40, 5, channels],
                        _ => 2e-5,
                        x,
                        TensorData.Create(places, 2, 40, 5, 2));
                }
            }
        }
    }

    [Fact]
    public void Places_that_are_no_numbers_are_outside()
    {
        var x = OperatorRun.Floats(1, 1, 3, 3, 2);
        float[] places = [float.NaN, 0, float.PositiveInfinity, 0, 1e30f, -1e30f, float.NegativeInfinity, float.NaN];
        foreach (var mode in Enum.GetValues<ResizeMode>())
        {
            foreach (var padding in Enum.GetValues<GridPadding>())
            {
                var y = Evaluator.Run(new GridSampleOperator(mode, padding, false), x, TensorData.Create(places, 1, 1, 4, 2))[0];
                Assert.True(padding != GridPadding.Zeros || Array.TrueForAll((float[])y.Values, v => v == 0 || float.IsNaN(v)));
            }
        }
    }

    [Theory]
    [InlineData(0, true, false)]
    [InlineData(2, true, false)]
    [InlineData(0, false, false)]
    [InlineData(3, false, true)]
    [InlineData(0, true, true)]
    public void Regions_are_means_or_maxima_of_samples(int samples, bool halfPixel, bool largest)
    {
        const int Height = 6;
        const int Width = 7;
        const int Channels = 5;
        const float Scale = 0.75f;
        var x = OperatorRun.Floats(1, 2, Height, Width, Channels);
        float[] regions = [0, 0, 5, 4, 1.5f, 0.5f, 6.5f, 5.5f, -2, -1, 3, 2, 2, 2, 2.2f, 2.1f, 3, 3, 20, 30, 4, 4, 1, 1];
        long[] images = [0, 1, 0, 1, 1, 0];
        Size2D size = (3, 2);
        var expected = new double[6 * 6 * Channels];
        for (var i = 0; i < expected.Length; i++)
        {
            var (pixel, c) = Math.DivRem(i, Channels);
            var (region, part) = Math.DivRem(pixel, 6);
            var (top, tall, rows) = Part(regions[(4 * region) + 1], regions[(4 * region) + 3], 3, part / 2);
            var (left, wide, columns) = Part(regions[4 * region], regions[(4 * region) + 2], 2, part % 2);
            var terms = new List<double>();
            var sum = 0.0;
            for (var k = 0; k < rows * columns; k++)
            {
                var (v, u) = (top + (((k / columns) + 0.5) * tall / rows), left + (((k % columns) + 0.5) * wide / columns));
                if (v < -1 || v > Height || u < -1 || u > Width)
                {
                    terms.Add(0);
                    continue;
                }

                var (r, down) = Corner(v, Height);
                var (q, across) = Corner(u, Width);
                foreach (var (row, column, weight) in new[]
                {
                    (r, q, (1 - down) * (1 - across)), (r, q + 1, (1 - down) * across), (r + 1, q, down * (1 - across)),
                    (r + 1, q + 1, down * across),
                })
                {
                    var line = ((int)images[region] * Height) + Math.Min(row, Height - 1);
                    var at = (line * Width) + Math.Min(column, Width - 1);
                    terms.Add(weight * x.Span<float>()[(at * Channels) + c]);
                    sum += terms[^1];
                }
            }

            expected[i] = terms.Count == 0 ? 0 : largest ? terms.Max() : sum / (rows * columns);
        }

        OperatorRun.Check(
            new RoiAlignOperator(size, samples, Scale, halfPixel, largest),
            3,
            expected,
            [6, 3, 2, Channels],
            _ => 2e-5,
            x,
            TensorData.Create(regions, 6, 4),
            TensorData.Create(images, 6));

        (double Begin, double Length, int Samples) Part(float from, float to, int parts, int part)
        {
            var offset = halfPixel ? 0.5 : 0;
            var (begin, length) = ((from * Scale) - offset, (double)(to * Scale) - (from * Scale));
            length = halfPixel ? length : Math.Max(length, 1);
            var count = samples > 0 ? samples : Math.Max(0, (int)Math.Ceiling(length / parts));
            return (begin + (part * length / parts), length / parts, count);
        }

        static (int Low, double Fraction) Corner(double at, int length)
        {
            at = Math.Max(0, at);
            return at >= length - 1 ? (length - 1, 0) : ((int)at, at - (int)at);
        }
    }

    [Fact]
    public void A_region_beyond_everything_ends()
    {
        var op = new RoiAlignOperator((1, 1), 0, 1, halfPixel: true, largest: false);
        var x = OperatorRun.Floats(1, 1, 4, 4, 2);
        var images = TensorData.Create([0L, 0], 2);
        var y = Evaluator.Run(op, x, TensorData.Create([-1e9f, -1e9f, 1e9f, 1e9f, float.NaN, 0, 1, 1], 2, 4), images)[0];
        Assert.InRange(y.Span<float>()[0], -1e-3f, 1e-3f);
        var far = TensorData.Create([0L, 1], 2);
        Assert.Equal(
            "RoiAlign was given image 1 of 1 images.",
            Assert.Throws<NetworkException>(() => Evaluator.Run(op, x, TensorData.Create(new float[8], 2, 4), far)).Message);
    }

    [Fact]
    public void What_was_pooled_is_put_back()
    {
        var x = TensorData.Create([5f, 6, 7, 8], 1, 1, 2, 2);
        var positions = TensorData.Create([5L, 7, 13, 15], 1, 1, 2, 2);
        TensorShape four = new(1, 1, 4, 4), five = new(1, 1, 5, 5);
        float[] expected = [0, 0, 0, 0, 0, 5, 0, 6, 0, 0, 0, 0, 0, 7, 0, 8];
        Assert.Equal(expected, (float[])MovedElements.Run(new MaxUnpoolOperator(four, four), x, positions)[0].Values);
        float[] larger = [0, 0, 0, 0, 0, 0, 5, 0, 6, 0, 0, 0, 0, 0, 0, 0, 7, 0, 8, 0, 0, 0, 0, 0, 0];
        Assert.Equal(larger, (float[])MovedElements.Run(new MaxUnpoolOperator(four, five), x, positions)[0].Values);
        var small = new MaxUnpoolOperator(new TensorShape(1, 1, 3, 3), five);
        Assert.Equal(
            "MaxUnpool was given position 13 for 9 elements of (1,1,3,3).",
            Assert.Throws<NetworkException>(() => Evaluator.Run(small, x, positions)).Message);
        Assert.Contains("no dimension shorter", MovedElements.Refusal(new MaxUnpoolOperator(five, four), x, positions));
    }

    // The pixels and weights of a direction; -1 is no pixel.
    private static List<(int Pixel, double Weight)> Taps(float place, int length, ResizeMode mode, GridPadding padding, bool align)
    {
        var at = align ? (place + 1) / 2 * (length - 1) : (((place + 1) * length) - 1) / 2;
        if (mode == ResizeMode.Nearest)
            at = MathF.Round(at);
        double x = at;
        if (mode != ResizeMode.Cubic)
            x = padding == GridPadding.Border ? Math.Clamp(x, 0, length - 1) : padding == GridPadding.Reflection ? Mirrored(x) : x;
        var taps = new List<(int, double)>();
        for (var p = (int)Math.Floor(x) - 2; p <= (int)Math.Floor(x) + 2; p++)
        {
            var d = Math.Abs(p - x);
            var weight = mode switch
            {
                ResizeMode.Nearest => p == (int)Math.Floor(x) ? 1 : 0,
                ResizeMode.Linear => Math.Max(0, 1 - d),
                _ => d <= 1 ? (1.25 * d * d * d) - (2.25 * d * d) + 1
                    : d < 2 ? -0.75 * ((d * d * d) - (5 * d * d) + (8 * d) - 4) : 0,
            };
            var pixel = p >= 0 && p < length ? p
                : padding == GridPadding.Border ? Math.Clamp(p, 0, length - 1)
                : padding == GridPadding.Reflection ? Math.Clamp((int)Mirrored(p), 0, length - 1)
                : -1;
            taps.Add((pixel, weight));
        }

        return taps;

        // From edge to edge and back.
        double Mirrored(double v)
        {
            var (low, high) = align ? (0.0, length - 1.0) : (-0.5, length - 0.5);
            if (low == high)
                return low;
            for (; v < low || v > high;)
                v = v < low ? (2 * low) - v : (2 * high) - v;
            return v;
        }
    }
}
