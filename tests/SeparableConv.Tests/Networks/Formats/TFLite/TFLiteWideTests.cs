using System.Numerics;
using System.Runtime.InteropServices;
using SeparableConv.Networks.Formats.TFLite;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>16-bit activations with 8-bit weights, read from hand-made files, against the reference's arithmetic in plain loops.</summary>
public class TFLiteWideTests
{
    private const int Seeds = 8;

    [Theory]
    [InlineData(0.0003f, 1f, 10)]
    [InlineData(0.001f, 1f, 1)]
    [InlineData(0.0001f, 2.5f, 300)]
    [InlineData(0.00002f, 1f, 7)]
    public void Softmax(float scale, float beta, int classes)
    {
        var file = new TFLiteFile { Inputs = [0], Outputs = [1] };
        file.Tensor(ElementType.Int16, [4, classes], (scale, 0));
        file.Tensor(ElementType.Int16, [4, classes], (1f / 32768, 0));
        file.Operator(BuiltinOperator.SOFTMAX, [0], [1], 9, new() { [0] = beta });
        var x = Shorts(new Random(classes), [4, classes]);
        var y = MemoryMarshal.Cast<byte, short>(file.Run(MemoryMarshal.AsBytes<short>(x).ToArray())).ToArray();
        for (var row = 0; row < 4; row++)
        {
            // What is further than 10 from the largest counts as 10.
            var scores = x[(row * classes)..((row + 1) * classes)].Select(q => q * (double)scale * beta).ToArray();
            var powers = scores.Select(score => Math.Exp(Math.Max(score - scores.Max(), -10))).ToArray();
            var sum = powers.Sum();
            for (var c = 0; c < classes; c++)
            {
                // Two tables, each rounded to 1/32768; all roundings of a row are in its sum.
                var expected = powers[c] / sum * 32768;
                var tolerance = 3 + (expected / 32768 * 0.5 * classes);
                Assert.InRange(y[(row * classes) + c], expected - tolerance, expected + tolerance);
            }
        }
    }

    [Fact]
    public void Leaky_relu()
    {
        var (input, output, alpha) = (0.0007f, 0.0004f, 0.2f);
        var file = new TFLiteFile { Inputs = [0], Outputs = [1] };
        file.Tensor(ElementType.Int16, [500], (input, 0));
        file.Tensor(ElementType.Int16, [500], (output, 0));
        file.Operator(BuiltinOperator.LEAKY_RELU, [0], [1], 75, new() { [0] = alpha });
        var x = Shorts(new Random(2), [500]);
        var y = MemoryMarshal.Cast<byte, short>(file.Run(MemoryMarshal.AsBytes<short>(x).ToArray())).ToArray();
        for (var i = 0; i < x.Length; i++)
        {
            var factor = x[i] >= 0 ? input / output : input * alpha / output;
            Assert.Equal(Math.Clamp(TFLiteReference.Rescale(x[i], factor), short.MinValue, short.MaxValue), y[i]);
        }
    }

    [Theory]
    [InlineData("CONV_2D", true)]
    [InlineData("CONV_2D", false)]
    [InlineData("DEPTHWISE_CONV_2D", true)]
    [InlineData("FULLY_CONNECTED", true)]
    [InlineData("FULLY_CONNECTED", false)]
    public void Layers(string code, bool isWide)
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var random = new Random(seed);
            var (isDense, isDepthwise) = (code == "FULLY_CONNECTED", code == "DEPTHWISE_CONV_2D");
            var (side, kernel, channels) = isDense ? (1, 1, 7) : (5, 3, 3);
            var filters = isDepthwise ? 6 : 4;
            int[] shape = isDense ? [3, channels] : [2, side, side, channels];
            int[] weightShape = isDense ? [filters, channels] : isDepthwise ? [1, 3, 3, filters] : [filters, 3, 3, channels];
            var x = Shorts(random, shape);
            var weights = new sbyte[weightShape.Aggregate(1, (a, b) => a * b)];
            random.NextBytes(MemoryMarshal.AsBytes(weights.AsSpan()));
            var bias = Enumerable.Range(0, filters).Select(_ => (long)random.Next(-100_000, 100_000)).ToArray();
            var (input, output) = (0.0005f + (random.NextSingle() * 0.001f), 0.01f + (random.NextSingle() * 0.02f));
            var scales = Enumerable.Range(0, filters).Select(_ => (0.005f + (random.NextSingle() * 0.01f), 0)).ToArray();
            if (isDense && seed % 2 == 0)
                scales = [scales[0]];
            var activation = seed % 4;
            var (stride, dilation) = (1 + (seed % 2), 1);

            var file = new TFLiteFile { Inputs = [0], Outputs = [3] };
            file.Tensor(ElementType.Int16, shape, (input, 0));
            file.Constant(weights, weightShape, isDepthwise ? 3 : 0, scales);
            if (isWide)
                file.Constant(bias, [filters], (1e-5f, 0));
            else
                file.Constant(Array.ConvertAll(bias, b => (int)b), [filters], (1e-5f, 0));
            var outSide = isDense ? 1 : (side + stride - 1) / stride;
            int[] outShape = isDense ? [3, filters] : [2, outSide, outSide, filters];
            file.Tensor(ElementType.Int16, outShape, (output, 0));
            FlatRecord options = isDense ? new() { [0] = (byte)activation }
                : isDepthwise ? new() { [0] = (byte)0, [1] = stride, [2] = stride, [3] = 2, [4] = (byte)activation }
                : new() { [0] = (byte)0, [1] = stride, [2] = stride, [3] = (byte)activation };
            file.Operator(Enum.Parse<BuiltinOperator>(code), [0, 1, 2], [3], isDense ? 8 : isDepthwise ? 2 : 1, options);
            var y = MemoryMarshal.Cast<byte, short>(file.Run(MemoryMarshal.AsBytes<short>(x).ToArray())).ToArray();

            var (min, max) = Clamp(activation, output);
            var before = isDense ? 0 : Math.Max(0, ((outSide - 1) * stride) + ((kernel - 1) * dilation) + 1 - side) / 2;
            for (var i = 0; i < y.Length; i++)
            {
                var (o, pixels) = (i % filters, i / filters);
                var (outX, outY, n) = (pixels % outSide, pixels / outSide % outSide, pixels / outSide / outSide);
                long sum = bias[o];
                for (var t = 0; t < kernel * kernel; t++)
                {
                    var (row, column) = ((outY * stride) - before + (t / kernel), (outX * stride) - before + (t % kernel));
                    if (row < 0 || row >= side || column < 0 || column >= side)
                        continue;
                    var pixel = ((((n * side) + row) * side) + column) * channels;
                    for (var c = 0; c < channels; c++)
                    {
                        if (isDepthwise && c == o / 2)
                            sum += x[pixel + c] * weights[(t * filters) + o];
                        else if (!isDepthwise)
                            sum += x[pixel + c] * weights[(((o * kernel * kernel) + t) * channels) + c];
                    }
                }

                var factor = (double)input * scales[scales.Length == 1 ? 0 : o].Item1 / output;
                var scaled = isWide ? RescaleWide(sum, factor) : TFLiteReference.Rescale((int)sum, factor);
                Assert.Equal(Math.Clamp(scaled, min, max), y[i]);
            }
        }
    }

    [Theory]
    [InlineData("ADD", 11)]
    [InlineData("SUB", 28)]
    [InlineData("MUL", 21)]
    public void Arithmetic(string code, int optionsType)
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var random = new Random(seed);
            var (a, b) = (Shorts(random, 3, 4, 5), Shorts(random, seed % 2 == 0 ? [3, 4, 5] : [4, 1]));
            var (first, second) = (0.0003f + (random.NextSingle() * 0.001f), 0.0004f);
            var output = code == "MUL" ? first * 9 : 0.001f;
            var activation = seed % 4;
            var y = new TFLiteCall(code, optionsType, new() { [0] = (byte)activation })
                .Input(a, [3, 4, 5], (first, 0))
                .Input(b, seed % 2 == 0 ? [3, 4, 5] : [4, 1], (second, 0))
                .Run<short>([3, 4, 5], (output, 0));
            var (min, max) = Clamp(activation, output);
            double unit = 2 * Math.Max(first, second);
            for (var i = 0; i < y.Length; i++)
            {
                var (p, q) = (a[i], b[seed % 2 == 0 ? i : i / 5 % 4]);
                var right = TFLiteReference.Rescale(q * 32768, second / unit);
                var sum = TFLiteReference.Rescale(p * 32768, first / unit) + (code == "SUB" ? -right : right);
                var expected = code == "MUL"
                    ? TFLiteReference.Rescale(p * q, first * second / output)
                    : TFLiteReference.Rescale(sum, unit / (32768 * output));
                Assert.Equal(Math.Clamp(expected, min, max), y[i]);
            }
        }
    }

    [Fact]
    public void Other_widths_and_scales()
    {
        var x = Shorts(new Random(1), 200);
        foreach (var element in new[] { ElementType.Int16, ElementType.Int8, ElementType.UInt8 })
        {
            var numbers = new QuantizedNumbers(element, 1);
            (float Scale, int ZeroPoint) output = element == ElementType.Int16 ? (0.002f, 0) : (0.3f, numbers.Least + 100);
            var y = new TFLiteCall("QUANTIZE").Input(x, [200], (0.001f, 0)).Run(element, [200], output);
            for (var i = 0; i < x.Length; i++)
            {
                var q = TFLiteReference.Rescale(x[i], (double)0.001f / output.Scale) + output.ZeroPoint;
                var actual = element == ElementType.Int16 ? MemoryMarshal.Cast<byte, short>(y)[i] : numbers.Values([y[i]])[0];
                Assert.Equal(element == ElementType.Int16 ? Math.Clamp(q, short.MinValue, short.MaxValue) : numbers.Clamp(q), actual);
            }
        }

        float[] floats = [0.00049f, 0.0005f, -0.0015f, 40f, -40f];
        Assert.Equal([(short)0, 1, -2, 32767, -32768], new TFLiteCall("QUANTIZE").Input(floats, [5]).Run<short>([5], (0.001f, 0)));
        Assert.Equal([0.5f, -1], new TFLiteCall("DEQUANTIZE").Input(new short[] { 1, -2 }, [2], (0.5f, 0)).Run<float>([2]));
        Assert.Equal([(short)64, -128], new TFLiteCall("QUANTIZE")
            .Bytes(ElementType.Int8, [0x41, 0x81], [2], (0.25f, 1)).Run<short>([2], (0.25f, 0)));
    }

    [Theory]
    [InlineData("LOGISTIC", 0.0002f)]
    [InlineData("LOGISTIC", 1f / 4096)]
    [InlineData("TANH", 0.0002f)]
    [InlineData("TANH", 1f / 2048)]
    public void Functions_are_the_real_ones_to_some_steps(string code, float scale)
    {
        var x = Enumerable.Range(0, 4096).Select(i => (short)((i * 16) - 32768)).ToArray();
        var y = new TFLiteCall(code).Input(x, [4096], (scale, 0)).Run<short>([4096], (1f / 32768, 0));
        for (var i = 0; i < x.Length; i++)
        {
            var real = code == "TANH" ? Math.Tanh((double)scale * x[i]) : 1 / (1 + Math.Exp(-(double)scale * x[i]));
            Assert.InRange(y[i] - Math.Clamp(32768 * real, -32768, 32767), -12, 12);
        }
    }

    [Fact]
    public void Pools_means_clamps_and_moves()
    {
        var x = Shorts(new Random(3), 1, 4, 4, 2);
        FlatRecord window = new() { [0] = (byte)1, [1] = 2, [2] = 2, [3] = 2, [4] = 2 };
        var average = new TFLiteCall("AVERAGE_POOL_2D", 5, window).Input(x, [1, 4, 4, 2], (0.1f, 0)).Run<short>([1, 2, 2, 2], (0.1f, 0));
        var most = new TFLiteCall("MAX_POOL_2D", 5, window).Input(x, [1, 4, 4, 2], (0.1f, 0)).Run<short>([1, 2, 2, 2], (0.1f, 0));
        for (var i = 0; i < 8; i++)
        {
            var (row, column, c) = (i / 4 * 2, i / 2 % 2 * 2, i % 2);
            var four = Enumerable.Range(0, 4).Select(t => (int)x[((((row + (t / 2)) * 4) + column + (t % 2)) * 2) + c]);
            Assert.Equal((int)Math.Round(four.Sum() / 4.0, MidpointRounding.AwayFromZero), average[i]);
            Assert.Equal(four.Max(), most[i]);
        }

        var sum = new TFLiteCall("SUM", 27).Input(x, [1, 4, 4, 2], (0.1f, 0)).Constant([1, 2], 2).Run<short>([1, 2], (0.7f, 0));
        for (var c = 0; c < 2; c++)
        {
            var all = TFLiteReference.Rescale(x.Where((_, i) => i % 2 == c).Sum(v => v), (double)0.1f / 0.7f);
            Assert.Equal(Math.Clamp(all, short.MinValue, short.MaxValue), sum[c]);
        }

        var relu = new TFLiteCall("RELU6").Input(x, [1, 4, 4, 2], (0.001f, 0)).Run<short>([1, 4, 4, 2], (0.001f, 0));
        Assert.Equal(x.Select(v => (short)Math.Clamp((int)v, 0, 6000)), relu);
        var padded = new TFLiteCall("PAD").Input(new short[] { 5, 6 }, [2], (0.1f, 0)).Constant([1, 1], 1, 2).Run<short>([4], (0.1f, 0));
        Assert.Equal([(short)0, 5, 6, 0], padded);
    }

    private static short[] Shorts(Random random, params int[] shape)
    {
        var values = new short[shape.Aggregate(1, (a, b) => a * b)];
        random.NextBytes(MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    private static (int Min, int Max) Clamp(int activation, float scale)
    {
        int Bound(float x) => (int)Math.Clamp(Math.Round(x / (double)scale, MidpointRounding.AwayFromZero), short.MinValue, short.MaxValue);
        return activation switch
        {
            1 => (0, short.MaxValue),
            2 => (Bound(-1), Bound(1)),
            3 => (0, Bound(6)),
            _ => (short.MinValue, short.MaxValue),
        };
    }

    // The multiplier's upper 15 bits, and one rounding.
    private static int RescaleWide(long sum, double factor)
    {
        var (mantissa, shift) = TFLiteReference.Multiplier(factor);
        var reduced = mantissa < 0x7FFF0000 ? (mantissa + 32768) / 65536 : 32767;
        var half = BigInteger.One << (14 - shift);
        var number = ((BigInteger)sum * reduced) + half;
        return (int)BigInteger.Divide(number - (((number % (2 * half)) + (2 * half)) % (2 * half)), 2 * half);
    }
}
