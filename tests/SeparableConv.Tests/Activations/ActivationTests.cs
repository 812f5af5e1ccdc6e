using SeparableConv.Activations;
using SeparableConv.Loops;

namespace SeparableConv.Tests.Activations;

public sealed unsafe class ActivationTests
{
    private static readonly float[] Special =
    [
        0f, -0f, float.Epsilon, -float.Epsilon, 1e-40f, -1e-40f, 1e-30f, -1e-30f, 1e-8f, -1e-8f, 3f, -3f, 2.5f, -2.5f, 6f, 88.72f, -88.72f,
        88.73f, -103.9f, -104.5f, 1000f, -1000f, float.MaxValue, float.MinValue, float.PositiveInfinity, float.NegativeInfinity, float.NaN,
    ];

    public static TheoryData<int> Widths => [.. SimdWidths.All.Select(width => (int)width)];

    [Theory]
    [MemberData(nameof(Widths))]
    public void Sigmoid_is_within_4_ulps(int width) =>
        CheckUlps(Activation.Sigmoid, x => 1 / (1 + Math.Exp(-x)), 4, width);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Tanh_is_within_4_ulps(int width) => CheckUlps(Activation.Tanh, Math.Tanh, 4, width);

    [Theory]
    [MemberData(nameof(Widths))]
    public void ELU_is_within_4_ulps(int width)
    {
        CheckUlps(Activation.ELU(), x => x < 0 ? ExpMinusOne(x) : x, 4, width);
        CheckUlps(Activation.ELU(0.3f), x => x < 0 ? 0.3f * ExpMinusOne(x) : x, 4, width);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Erf_is_within_4_ulps(int width)
    {
        var values = new List<float>(Special) { 1f, -1f, 4f, -4f };
        for (var x = -4.5f; x <= 4.5f; x += 0.00173f)
            values.Add(x);
        var data = values.ToArray();
        fixed (float* pointer = data)
            new ActivationRows(pointer, 1, data.Length, data.Length).ForEach(default(ErfFunction), (SimdWidth)width);
        for (var i = 0; i < data.Length; i++)
            AssertUlps(ErrorFunction.Erf(values[i]), data[i], 4, 0, $"erf({values[i]:R})");
    }

    // Beside a gate near 0, which is a difference of numbers near 1, the units are those of x.
    [Theory]
    [MemberData(nameof(Widths))]
    public void GELU_is_within_2_units_of_its_argument(int width)
    {
        CheckGate(Activation.GELU, x => (1 + ErrorFunction.Erf(x * Math.Sqrt(0.5))) / 2, 2, width);
        CheckGate(Activation.GELUTanh, x => (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)))) / 2, 2, width);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Swish_and_Mish_are_within_6_ulps(int width)
    {
        // A gate that is denormal is rounded to a multiple of the least one.
        const double Denormal = 1e-42;
        CheckUlps(Activation.Swish(), x => Product(x, 1 / (1 + Math.Exp(-x))), 6, width, Denormal);
        CheckUlps(Activation.Swish(0.5f), x => Product(x, 1 / (1 + Math.Exp(-0.5 * x))), 6, width, Denormal);
        CheckUlps(Activation.Mish, x => Product(x, TanhOfSoftplus(x)), 6, width, Denormal);

        static double TanhOfSoftplus(double x)
        {
            var e = Math.Exp(Math.Min(x, 40));
            return e * (e + 2) / ((e * (e + 2)) + 2);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void LeakyReLU_is_within_1_ulp(int width) => CheckUlps(Activation.LeakyReLU(), x => x < 0 ? 0.01f * x : x, 1, width);

    [Theory]
    [MemberData(nameof(Widths))]
    public void HardSwish_is_within_3_ulps(int width) =>
        CheckUlps(Activation.HardSwish, x => x <= -3 ? 0 : x >= 3 ? x : x * (x + 3) / 6, 3, width, absolute: 1e-7);

    [Theory]
    [MemberData(nameof(Widths))]
    public void HardSigmoid_is_close(int width)
    {
        CheckUlps(Activation.HardSigmoid(), x => Math.Clamp((0.2f * x) + 0.5, 0, 1), 1, width, absolute: 1e-7);
        CheckUlps(Activation.HardSigmoid(1f / 6), x => Math.Clamp((1f / 6 * x) + 0.5, 0, 1), 1, width, absolute: 1e-7);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Exp_is_within_2_ulps_over_its_whole_range(int width) =>
        CheckPlain(default(ExpFunction), Math.Exp, 2, width, Enumerable.Range(0, 113_000).Select(i => -106 + (i * 0.00173f)));

    [Theory]
    [MemberData(nameof(Widths))]
    public void Log_is_within_2_ulps_over_its_whole_range(int width)
    {
        // Every 10007th float above 0, and the neighbours of 1 and of both ends of a mantissa.
        var values = Enumerable.Range(0, int.MaxValue / 10_007 * 7 / 8).Select(i => BitConverter.Int32BitsToSingle(i * 10_007))
            .Concat(Enumerable.Range(0, 4000).Select(i => 0.6f + (i * 0.0002f)))
            .Concat(Enumerable.Range(-500, 1000).Select(i => BitConverter.Int32BitsToSingle(0x3F800000 + i)));
        CheckPlain(default(LogFunction), Math.Log, 2, width, values);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Softplus_and_sinh_and_softsign_are_within_6_ulps(int width)
    {
        var values = Enumerable.Range(-60_000, 120_000).Select(i => i * 0.00173f).ToArray();
        CheckPlain(default(SoftplusFunction), Softplus, 4, width, values);
        CheckPlain(default(SinhFunction), Math.Sinh, 6, width, values);
        CheckPlain(default(CoshFunction), Math.Cosh, 6, width, values);
        CheckPlain(default(SoftsignFunction), x => x / (1 + Math.Abs(x)), 1.5, width, values);
        CheckPlain(default(SignFunction), x => double.IsNaN(x) ? x : Math.Sign(x), 0, width, values);

        static double Softplus(double x)
        {
            var z = Math.Exp(-Math.Abs(x));
            return Math.Max(x, 0) + (z < 1e-5 ? z - (z * z / 2) : Math.Log(1 + z));
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void PReLU_takes_the_slope_of_its_channel(int width)
    {
        const int Channels = 37, FirstChannel = 5, Used = 29, Stride = 40;
        var slopes = Enumerable.Range(0, Channels).Select(c => 0.125f * c).ToArray();
        var data = Enumerable.Range(0, 3 * Stride).Select(i => i % 2 == 0 ? -8f : 8f).ToArray();
        fixed (float* pointer = data)
            Activation.PReLU(slopes).ApplyRows(pointer, 3, Used, Stride, FirstChannel, (SimdWidth)width);
        for (var i = 0; i < data.Length; i++)
        {
            var c = i % Stride;
            Assert.Equal(i % 2 != 0 ? 8f : c < Used ? -8f * slopes[c + FirstChannel] : -8f, data[i]);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void PReLU_keeps_NaN(int width)
    {
        var data = Enumerable.Repeat(float.NaN, 21).ToArray();
        fixed (float* pointer = data)
            Activation.PReLU(new float[21]).ApplyRows(pointer, 1, 21, 21, 0, (SimdWidth)width);
        Assert.All(data, value => Assert.True(float.IsNaN(value)));
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Softmax_matches_double_precision_for_any_number_of_channels(int width)
    {
        var random = new Random(4);
        foreach (var channels in new[] { 1, 2, 3, 7, 8, 9, 15, 16, 17, 35, 1001 })
        {
            // Many short rows: several buffers full, where they share one.
            var pixels = channels < 16 ? 301 : 3;
            var stride = channels + 2;
            var data = new float[pixels * stride];
            for (var i = 0; i < data.Length; i++)
                data[i] = (random.NextSingle() * 40) - 20 + (i / stride % 3 * 1e4f);
            var before = (float[])data.Clone();
            fixed (float* pointer = data)
                Activation.Softmax.ApplyRows(pointer, pixels, channels, stride, 0, (SimdWidth)width);
            for (var pixel = 0; pixel < pixels; pixel++)
            {
                var row = before.AsSpan(pixel * stride, channels).ToArray();
                var largest = row.Max();
                var sum = row.Sum(x => Math.Exp((double)x - largest));
                for (var c = 0; c < channels; c++)
                {
                    // The difference is rounded before its exponential is taken: up to half a unit of it, so that many units of the result.
                    var ulps = 4 + (0.1 * channels) + largest - row[c];
                    AssertUlps(Math.Exp((double)row[c] - largest) / sum, data[(pixel * stride) + c], ulps, 0, "softmax");
                }

                Assert.Equal(before[(pixel * stride) + channels], data[(pixel * stride) + channels]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Softmax_of_unusable_pixels_is_NaN_in_every_channel(int width)
    {
        foreach (var bad in new[] { float.NaN, float.PositiveInfinity })
        {
            foreach (var channels in new[] { 2, 19 })
            {
                for (var position = 0; position < channels; position++)
                {
                    var data = new float[channels];
                    data[position] = bad;
                    fixed (float* pointer = data)
                        Activation.Softmax.ApplyRows(pointer, 1, channels, channels, 0, (SimdWidth)width);
                    Assert.All(data, value => Assert.True(float.IsNaN(value)));
                }
            }
        }
    }

    [Fact]
    public void Clamps_are_only_bounds()
    {
        Assert.True(Activation.None.IsClamp);
        Assert.Equal((float.NegativeInfinity, float.PositiveInfinity), (Activation.None.LowerBound, Activation.None.UpperBound));
        Assert.Equal((0f, float.PositiveInfinity), (Activation.ReLU.LowerBound, Activation.ReLU.UpperBound));
        Assert.Equal((0f, 6f), (Activation.ReLU6.LowerBound, Activation.ReLU6.UpperBound));
        Assert.Equal((-1f, 2f), (Activation.Clip(-1, 2).LowerBound, Activation.Clip(-1, 2).UpperBound));
        Assert.False(Activation.Sigmoid.IsClamp);
        Assert.True(Activation.Softmax.NeedsAllChannels);
        Assert.False(Activation.Tanh.NeedsAllChannels);
        Assert.Equal(3, Activation.PReLU([1, 2, 3]).RequiredChannels);
        Assert.Equal(0, Activation.PReLU([1]).RequiredChannels);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void The_clamp_of_the_kernels_keeps_NaN(int width)
    {
        var data = new[] { float.NaN, -1f, 0.5f, 7f, float.PositiveInfinity, float.NegativeInfinity, float.NaN, 6f, 0f };
        fixed (float* pointer = data)
            new ActivationRows(pointer, 1, data.Length, data.Length).ForEach(default(ReLU6AsKernelsDoIt), (SimdWidth)width);
        Assert.Equal([float.NaN, 0f, 0.5f, 6f, 6f, 0f, float.NaN, 6f, 0f], data);
    }

    [Fact]
    public void Impossible_parameters_are_refused_with_their_numbers()
    {
        var clip = Assert.Throws<ArgumentException>(() => Activation.Clip(2, 1));
        Assert.Contains("minimum 2 and maximum 1", clip.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Activation.Clip(float.NaN, 1));
        Assert.Contains("alpha NaN", Assert.Throws<ArgumentException>(() => Activation.ELU(float.NaN)).Message, StringComparison.Ordinal);
        Assert.Contains("0 slopes", Assert.Throws<ArgumentException>(() => Activation.PReLU([])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Activation.PReLU([1, float.PositiveInfinity]));
        Assert.Throws<ArgumentException>(() => Activation.Swish(float.PositiveInfinity));
    }

    [Fact]
    public void Names_tell_the_parameters()
    {
        Assert.Equal("relu6", Activation.ReLU6.ToString());
        Assert.Equal("none", Activation.None.ToString());
        Assert.Equal("clip(-0.5, 1)", Activation.Clip(-0.5f, 1).ToString());
        Assert.Equal("leaky_relu(0.01)", Activation.LeakyReLU().ToString());
        Assert.Equal("prelu(2 slopes)", Activation.PReLU([1, 2]).ToString());
        Assert.Equal("silu", Activation.Swish().ToString());
        Assert.Equal("swish(0.5)", Activation.Swish(0.5f).ToString());
    }

    // 0 beats an infinity.
    private static double Product(double x, double gate) => gate == 0 ? 0 : x * gate;

    private static void CheckGate(Activation activation, Func<double, double> gate, double units, int width)
    {
        var values = new List<float>(Special);
        for (var x = -20f; x <= 20f; x += 0.0037f)
            values.Add(x);
        var data = values.ToArray();
        fixed (float* pointer = data)
            activation.ApplyRows(pointer, 1, data.Length, data.Length, 0, (SimdWidth)width);
        for (var i = 0; i < data.Length; i++)
        {
            var x = values[i];
            AssertUlps(Product(x, gate(x)), data[i], 4, units * Math.Abs(x) * Math.Pow(2, -23), $"{activation}({x:R})");
        }
    }

    private static double ExpMinusOne(double x) => Math.Abs(x) < 1e-4 ? x + (x * x / 2) + (x * x * x / 6) : Math.Exp(x) - 1;

    private static void CheckUlps(Activation activation, Func<double, double> reference, double ulps, int width, double absolute = 0)
    {
        var values = new List<float>(Special);
        for (var x = -110f; x <= 110f; x += 0.0093f)
            values.Add(x);
        for (var x = 1e-42f; x < 1e5f; x *= 1.07f)
            values.AddRange([x, -x]);
        while (values.Count % 16 != 13)
            values.Add(0.25f);

        // Once as one long row and once as rows with gaps, which have a remainder each.
        var flat = values.ToArray();
        fixed (float* pointer = flat)
            activation.ApplyRows(pointer, 1, flat.Length, flat.Length, 0, (SimdWidth)width);
        var gaps = values.ToArray();
        fixed (float* pointer = gaps)
            activation.ApplyRows(pointer, gaps.Length / 29, 23, 29, 0, (SimdWidth)width);

        for (var i = 0; i < flat.Length; i++)
        {
            AssertUlps(reference(values[i]), flat[i], ulps, absolute, $"{activation}({values[i]:R})");
            var touched = i % 29 < 23 && i / 29 < gaps.Length / 29;
            Assert.Equal(touched ? flat[i] : values[i], gaps[i]);
        }
    }

    private static void AssertUlps(double expected, float actual, double ulps, double absolute, string what)
    {
        if (double.IsNaN(expected))
        {
            Assert.True(float.IsNaN(actual), $"{what} is {actual:R}, expected NaN");
            return;
        }

        var rounded = (float)expected;
        if (float.IsInfinity(rounded) || float.IsInfinity(actual))
        {
            Assert.True(rounded == actual, $"{what} is {actual:R}, expected {rounded:R}");
            return;
        }

        var unit = Math.Abs((double)MathF.BitIncrement(Math.Abs(rounded)) - Math.Abs(rounded));
        if (double.IsInfinity(unit))
            unit = rounded - (double)MathF.BitDecrement(rounded);
        Assert.True(
            Math.Abs(actual - expected) <= Math.Max(ulps * unit, absolute),
            $"{what} is {actual:R}, expected {expected:R}: {Math.Abs(actual - expected) / unit:F2} ulps");
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Sine_and_cosine_are_within_a_unit_of_1(int width)
    {
        float[] values = [.. Enumerable.Range(-80_000, 160_000).Select(i => i * 0.10237f), 0f, -0f, 1e-40f, 8192f, -8192f];
        Check(default(SinFunction), Math.Sin);
        Check(default(CosFunction), Math.Cos);

        void Check<TFunction>(TFunction function, Func<double, double> exact)
            where TFunction : struct, IElementFunction
        {
            var data = (float[])values.Clone();
            fixed (float* pointer = data)
                new ActivationRows(pointer, 1, data.Length, data.Length).ForEach(function, (SimdWidth)width);
            for (var i = 0; i < data.Length; i++)
                Assert.True(Math.Abs(exact(values[i]) - data[i]) <= 1.2e-7, $"{typeof(TFunction).Name}({values[i]:R}) is {data[i]:R}");
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Softmax_of_columns_and_its_logarithm_match_double_precision(int width)
    {
        foreach (var channels in new[] { 1, 2, 5, 16, 21, 64, 65, 100 })
        {
            foreach (var columns in new[] { 1, 3, 16, 17, 37 })
            {
                var before = Array.ConvertAll(RandomData.Floats(channels * columns, channels), v => v * 20);
                CheckColumns(before, channels, columns, isLogarithm: false, (SimdWidth)width);
                CheckColumns(before, channels, columns, isLogarithm: true, (SimdWidth)width);
            }
        }
    }

    private static void CheckColumns(float[] before, int channels, int columns, bool isLogarithm, SimdWidth width)
    {
        // Once as columns, once as rows of the turned matrix.
        var (data, rows) = ((float[])before.Clone(), new float[before.Length]);
        for (var i = 0; i < rows.Length; i++)
            rows[i] = before[(i % channels * columns) + (i / channels)];
        fixed (float* pointer = data, turned = rows)
        {
            SoftmaxRows.ApplyColumns(pointer, pointer, channels, columns, columns, isLogarithm, width);
            var all = new ActivationRows(turned, columns, channels, channels);
            if (isLogarithm)
                SoftmaxRows.ApplyLogarithm(all, width);
            else
                SoftmaxRows.Apply(all, width);
        }

        for (var i = 0; i < data.Length; i++)
        {
            var column = Enumerable.Range(0, channels).Select(k => (double)before[(k * columns) + (i % columns)]).ToArray();
            var distance = before[i] - column.Max();
            var sum = column.Sum(v => Math.Exp(v - column.Max()));
            var expected = isLogarithm ? distance - Math.Log(sum) : Math.Exp(distance) / sum;
            Assert.True(Math.Abs(expected - data[i]) <= 1e-5, $"{channels}: {data[i]:R}, expected {expected:R}");
            Assert.True(Math.Abs(expected - rows[(i % columns * channels) + (i / columns)]) <= 1e-5, $"{channels}, turned: {expected:R}");
        }
    }

    private static void CheckPlain<TFunction>(
        TFunction function, Func<double, double> exact, double ulps, int width, IEnumerable<float> more)
        where TFunction : struct, IElementFunction
    {
        float[] values = [.. Special, .. more];
        var data = (float[])values.Clone();
        fixed (float* pointer = data)
            new ActivationRows(pointer, 1, data.Length, data.Length).ForEach(function, (SimdWidth)width);
        for (var i = 0; i < data.Length; i++)
            AssertUlps(exact(values[i]), data[i], ulps, 0, $"{typeof(TFunction).Name}({values[i]:R})");
    }

    private readonly struct ReLU6AsKernelsDoIt : IElementFunction
    {
        public TVec Apply<TSimd, TVec>(TVec x)
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => TSimd.Min(TSimd.Broadcast(6f), TSimd.Max(TSimd.Zero, x));
    }
}
