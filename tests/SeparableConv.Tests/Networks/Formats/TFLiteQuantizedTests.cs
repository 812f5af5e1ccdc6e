using SeparableConv.Networks;
using SeparableConv.Networks.Formats.TFLite;
using SeparableConv.Tests.Support;
using Xunit;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>Every quantized operator, read from a hand-made file, against the reference's arithmetic in plain loops.</summary>
public class TFLiteQuantizedTests
{
    private const int Seeds = 12;

    [Theory]
    [InlineData("ADD", false)]
    [InlineData("ADD", true)]
    [InlineData("SUB", false)]
    [InlineData("SUB", true)]
    [InlineData("MUL", false)]
    [InlineData("MUL", true)]
    public void Arithmetic_with_broadcasting_and_a_clamp(string code, bool isSigned)
    {
        var element = isSigned ? ElementType.Int8 : ElementType.UInt8;
        int[][] seconds = [[2, 3, 4, 5], [5], [1, 3, 1, 5], [1], [2, 1, 1, 1], [4, 1]];
        for (var seed = 0; seed < Seeds; seed++)
        {
            var numbers = new QuantizedNumbers(element, seed);
            var (first, second, output) = (numbers.Quantization(0.05f), numbers.Quantization(0.03f), numbers.Quantization(code == "MUL" ? 0.1f : 0.06f));
            int[] shape = [2, 3, 4, 5];
            var other = seconds[seed % seconds.Length];
            var (a, b) = (numbers.Bytes(120), numbers.Bytes(other.Aggregate(1, (x, y) => x * y)));
            var activation = seed % 4;
            var file = new TFLiteFile { Inputs = [0, 1], Outputs = [2] };
            file.Tensor(element, shape, first);
            file.Tensor(element, other, second);
            file.Tensor(element, shape, output);
            file.Operator(Enum.Parse<BuiltinOperator>(code), [0, 1], [2], code == "ADD" ? 11 : code == "MUL" ? 21 : 28, new() { [0] = (byte)activation });
            var y = numbers.Values(file.Run(a, b));

            var (min, max) = numbers.Clamp(activation, output);
            var (x1, x2) = (numbers.Values(a), Broadcast(numbers.Values(b), other, shape));
            for (var i = 0; i < y.Length; i++)
            {
                var (p, q) = (x1[i] - first.ZeroPoint, x2[i] - second.ZeroPoint);
                var expected = code == "MUL"
                    ? TFLiteReference.Rescale(p * q, first.Scale * second.Scale / output.Scale)
                    : Sum(p, q, first.Scale, second.Scale, output.Scale, code == "SUB");
                Assert.Equal(Math.Clamp(expected + output.ZeroPoint, min, max), y[i]);
            }
        }
    }

    [Fact]
    public void Arithmetic_cut_into_parts_is_the_same_and_allocates_nothing()
    {
        // 41*31*23 elements are more than one part, and the cut lies within a row.
        var numbers = new QuantizedNumbers(ElementType.Int8, 1);
        var (first, second, output) = (numbers.Quantization(0.05f), numbers.Quantization(0.03f), numbers.Quantization(0.06f));
        var (a, b) = (numbers.Bytes(41 * 31 * 23), numbers.Bytes(31 * 23));
        var file = new TFLiteFile { Inputs = [0, 1], Outputs = [3] };
        file.Tensor(ElementType.Int8, [41, 31, 23], first);
        file.Tensor(ElementType.Int8, [31, 23], second);
        file.Tensor(ElementType.Int8, [41, 31, 23], output);
        file.Tensor(ElementType.Int8, [41, 31, 23], output);
        file.Operator(BuiltinOperator.ADD, [0, 1], [2], 11, []);
        file.Operator(BuiltinOperator.RELU, [2], [3]);
        using var session = new InferenceSession(file.Read(), new() { Threads = 2 });
        a.CopyTo(session.InputBytes(0));
        b.CopyTo(session.InputBytes(1));
        session.Run();
        var y = numbers.Values(session.OutputBytes(0).ToArray());
        var (x1, x2) = (numbers.Values(a), numbers.Values(b));
        for (var i = 0; i < y.Length; i++)
        {
            var sum = Sum(x1[i] - first.ZeroPoint, x2[i % x2.Length] - second.ZeroPoint, first.Scale, second.Scale, output.Scale, subtract: false);
            Assert.Equal(Math.Max(numbers.Clamp(sum + output.ZeroPoint), output.ZeroPoint), y[i]);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Mean_over_any_axes(bool isSigned)
    {
        var element = isSigned ? ElementType.Int8 : ElementType.UInt8;
        int[][] axes = [[1, 2], [3], [0], [-1, 1], [0, 1, 2, 3], [2]];
        for (var seed = 0; seed < Seeds; seed++)
        {
            var numbers = new QuantizedNumbers(element, seed);
            var (input, output) = (numbers.Quantization(0.05f), numbers.Quantization(0.05f));
            int[] shape = [2, 5, 7, 3];
            var reduced = axes[seed % axes.Length];
            var x = numbers.Bytes(210);
            var file = new TFLiteFile { Inputs = [0], Outputs = [2] };
            file.Tensor(element, shape, input);
            file.Constant(reduced, [reduced.Length]);
            file.Tensor(element, [1], output);
            file.Operator(BuiltinOperator.MEAN, [0, 1], [2], 27, new() { [0] = (byte)(seed % 2) });
            var y = numbers.Values(file.Run(x));

            var (sums, count) = (new SortedDictionary<int, int>(), 210 / y.Length);
            var values = numbers.Values(x);
            for (var i = 0; i < values.Length; i++)
            {
                int[] index = [i / 105, i / 21 % 5, i / 3 % 7, i % 3];
                foreach (var axis in reduced)
                    index[axis < 0 ? axis + 4 : axis] = 0;
                var key = (index[0] * 105) + (index[1] * 21) + (index[2] * 3) + index[3];
                sums[key] = sums.GetValueOrDefault(key) + values[i] - input.ZeroPoint;
            }

            var (mantissa, shift) = TFLiteReference.Multiplier((double)input.Scale / output.Scale);
            var bits = (int)Math.Floor(Math.Log2(count));
            Assert.Equal(
                sums.Values.Select(sum => numbers.Clamp(TFLiteReference.Rescale(sum, (mantissa << bits) / count, shift - bits) + output.ZeroPoint)),
                y);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Average_pool(bool isSigned)
    {
        var element = isSigned ? ElementType.Int8 : ElementType.UInt8;
        for (var seed = 0; seed < Seeds; seed++)
        {
            var numbers = new QuantizedNumbers(element, seed);
            var quantization = numbers.Quantization(0.05f);
            var (kernel, stride, isSame, activation) = (1 + (seed % 4), 1 + (seed % 3), seed % 2 == 0, seed % 4);
            var x = numbers.Bytes(2 * 7 * 6 * 3);
            var file = new TFLiteFile { Inputs = [0], Outputs = [1] };
            file.Tensor(element, [2, 7, 6, 3], quantization);
            file.Tensor(element, [1], quantization);
            file.Operator(BuiltinOperator.AVERAGE_POOL_2D, [0], [1], 5, new()
            {
                [0] = (byte)(isSame ? 0 : 1),
                [1] = stride,
                [2] = stride,
                [3] = kernel,
                [4] = kernel,
                [5] = (byte)activation,
            });
            var y = numbers.Values(file.Run(x));

            int Out(int length) => isSame ? (length + stride - 1) / stride : (length - kernel) / stride + 1;
            int Before(int length) => isSame ? Math.Max(0, ((Out(length) - 1) * stride) + kernel - length) / 2 : 0;
            var (values, expected) = (numbers.Values(x), new List<int>());
            var (min, max) = numbers.Clamp(activation, quantization);
            for (var i = 0; i < 2 * Out(7) * Out(6) * 3; i++)
            {
                var (n, outY, outX, c) = (i / 3 / Out(6) / Out(7), i / 3 / Out(6) % Out(7), i / 3 % Out(6), i % 3);
                var (sum, count) = (0, 0);
                for (var t = 0; t < kernel * kernel; t++)
                {
                    var (inY, inX) = ((outY * stride) - Before(7) + (t / kernel), (outX * stride) - Before(6) + (t % kernel));
                    if (inY is < 0 or >= 7 || inX is < 0 or >= 6)
                        continue;
                    sum += values[(((((n * 7) + inY) * 6) + inX) * 3) + c];
                    count++;
                }

                expected.Add(Math.Clamp((int)Math.Round((decimal)sum / count, MidpointRounding.AwayFromZero), min, max));
            }

            Assert.Equal(expected, y);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Softmax_in_fixed_point(bool isSigned)
    {
        var element = isSigned ? ElementType.Int8 : ElementType.UInt8;
        for (var seed = 0; seed < 40; seed++)
        {
            var numbers = new QuantizedNumbers(element, seed);
            var (input, beta, depth) = (numbers.Quantization(0.002f * (1 << (seed % 10))), seed % 3 == 0 ? 0.5f : 1f, 1 + (seed * 7 % 60));
            var x = numbers.Bytes(3 * depth);
            var file = new TFLiteFile { Inputs = [0], Outputs = [1] };
            file.Tensor(element, [3, depth], input);
            file.Tensor(element, [3, depth], (1f / 256, numbers.Least));
            file.Operator(BuiltinOperator.SOFTMAX, [0], [1], 9, new() { [0] = beta });
            var y = Array.ConvertAll(numbers.Values(file.Run(x)), q => q - numbers.Least);
            for (var row = 0; row < 3; row++)
            {
                var values = numbers.Values(x)[(row * depth)..((row + 1) * depth)];
                Assert.Equal(TFLiteReference.Softmax(values, input.Scale, beta), y[(row * depth)..((row + 1) * depth)]);

                var powers = Array.ConvertAll(values, q => Math.Exp((double)beta * input.Scale * (q - values.Max())));
                for (var i = 0; i < depth; i++)
                    Assert.InRange(y[(row * depth) + i] - Math.Min(255, 256 * powers[i] / powers.Sum()), -0.51, 0.51);
            }
        }
    }

    [Theory]
    [InlineData("LOGISTIC", true)]
    [InlineData("LOGISTIC", false)]
    [InlineData("TANH", true)]
    [InlineData("TANH", false)]
    public void Table_functions_are_the_rounded_real_ones(string code, bool isSigned)
    {
        var element = isSigned ? ElementType.Int8 : ElementType.UInt8;
        for (var seed = 0; seed < Seeds; seed++)
        {
            var numbers = new QuantizedNumbers(element, seed);
            var input = numbers.Quantization(0.04f);
            (float Scale, int ZeroPoint) output = code == "TANH" ? (1f / 128, numbers.Least + 128) : (1f / 256, numbers.Least);
            var y = numbers.Values(Table(code, element, input, output));
            for (var raw = 0; raw < 256; raw++)
            {
                var x = (double)input.Scale * (numbers.Values([(byte)raw])[0] - input.ZeroPoint);
                var real = ((code == "TANH" ? Math.Tanh(x) : 1 / (1 + Math.Exp(-x))) / output.Scale) + output.ZeroPoint;
                Assert.InRange(y[raw] - Math.Clamp(real, numbers.Least, numbers.Most), -0.50001, 0.50001);
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Hard_swish_in_16_bits(bool isSigned)
    {
        var element = isSigned ? ElementType.Int8 : ElementType.UInt8;
        for (var seed = 0; seed < 30; seed++)
        {
            var numbers = new QuantizedNumbers(element, seed);
            var (input, output) = (numbers.Quantization(0.01f * (1 << (seed % 6))), numbers.Quantization(0.02f * (1 << (seed % 5))));
            var y = numbers.Values(Table("HARD_SWISH", element, input, output));
            for (var raw = 0; raw < 256; raw++)
            {
                var q = numbers.Values([(byte)raw])[0] - input.ZeroPoint;
                Assert.Equal(numbers.Clamp(HardSwish(q, input.Scale, output.Scale) + output.ZeroPoint), y[raw]);
            }
        }
    }

    [Theory]
    [InlineData("RELU", true)]
    [InlineData("RELU", false)]
    [InlineData("RELU6", true)]
    [InlineData("RELU6", false)]
    [InlineData("RELU_N1_TO_1", true)]
    [InlineData("LEAKY_RELU", true)]
    [InlineData("LEAKY_RELU", false)]
    [InlineData("QUANTIZE", true)]
    [InlineData("QUANTIZE", false)]
    public void Rescaling_functions(string code, bool isSigned)
    {
        var element = isSigned ? ElementType.Int8 : ElementType.UInt8;
        for (var seed = 0; seed < Seeds; seed++)
        {
            var numbers = new QuantizedNumbers(element, seed);
            var (input, output) = (numbers.Quantization(0.05f), numbers.Quantization(0.06f));
            var y = numbers.Values(Table(code, element, input, output));
            var (min, max) = numbers.Clamp(code switch { "RELU" => 1, "RELU_N1_TO_1" => 2, "RELU6" => 3, _ => 0 }, output);
            for (var raw = 0; raw < 256; raw++)
            {
                var q = numbers.Values([(byte)raw])[0] - input.ZeroPoint;
                double factor = code switch
                {
                    "QUANTIZE" => (double)input.Scale / output.Scale,
                    "LEAKY_RELU" when q < 0 => input.Scale * 0.3f / output.Scale,
                    _ => input.Scale / output.Scale,
                };
                Assert.Equal(Math.Clamp(TFLiteReference.Rescale(q, factor) + output.ZeroPoint, min, max), y[raw]);
            }
        }
    }

    [Fact]
    public void Quantize_turns_int8_and_uint8_into_each_other()
    {
        var file = new TFLiteFile { Inputs = [0], Outputs = [2] };
        file.Tensor(ElementType.UInt8, [256], (0.1f, 128));
        file.Tensor(ElementType.Int8, [256], (0.1f, 0));
        file.Tensor(ElementType.UInt8, [256], (0.1f, 128));
        file.Operator(BuiltinOperator.QUANTIZE, [0], [1]);
        file.Operator(BuiltinOperator.QUANTIZE, [1], [2]);
        var all = AllBytes();
        Assert.Equal(all, file.Run(all));
        file.Outputs = [1];
        Assert.Equal(Array.ConvertAll(all, b => (byte)(b ^ 0x80)), file.Run(all));
    }

    [Fact]
    public void Quantize_rounds_half_away_from_zero_and_saturates()
    {
        var file = new TFLiteFile { Inputs = [0], Outputs = [1] };
        file.Tensor(ElementType.Float32, [9]);
        file.Tensor(ElementType.Int8, [9], (0.5f, 3));
        file.Operator(BuiltinOperator.QUANTIZE, [0], [1]);
        float[] x = [0, 0.25f, -0.25f, 0.74f, 1e30f, float.NegativeInfinity, float.NaN, -61.75f, 61.75f];
        var y = file.Run(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(x).ToArray());
        Assert.Equal([3, 4, 2, 4, 127, -128, 3, -121, 127], Array.ConvertAll(y, b => (int)(sbyte)b));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void PRelu_with_slopes_of_a_channel(bool isSigned)
    {
        var element = isSigned ? ElementType.Int8 : ElementType.UInt8;
        for (var seed = 0; seed < Seeds; seed++)
        {
            var numbers = new QuantizedNumbers(element, seed);
            var (input, slope, output) = (numbers.Quantization(0.05f), numbers.Quantization(0.01f), numbers.Quantization(0.05f));
            var (x, slopes) = (numbers.Bytes(60), numbers.Bytes(5));
            var file = new TFLiteFile { Inputs = [0, 1], Outputs = [2] };
            file.Tensor(element, [1, 3, 4, 5], input);
            file.Tensor(element, [1, 1, 5], slope);
            file.Tensor(element, [1, 3, 4, 5], output);
            file.Operator(BuiltinOperator.PRELU, [0, 1], [2]);
            var y = numbers.Values(file.Run(x, slopes));
            for (var i = 0; i < y.Length; i++)
            {
                var (q, s) = (numbers.Values(x)[i] - input.ZeroPoint, numbers.Values(slopes)[i % 5] - slope.ZeroPoint);
                var expected = q >= 0
                    ? TFLiteReference.Rescale(q, input.Scale / output.Scale)
                    : TFLiteReference.Rescale(q * s, input.Scale * slope.Scale / output.Scale);
                Assert.Equal(numbers.Clamp(expected + output.ZeroPoint), y[i]);
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Concatenation_brings_all_to_one_scale(bool isSigned)
    {
        var element = isSigned ? ElementType.Int8 : ElementType.UInt8;
        for (var seed = 0; seed < Seeds; seed++)
        {
            var numbers = new QuantizedNumbers(element, seed);
            var (first, second) = (numbers.Quantization(0.05f), numbers.Quantization(0.03f));
            var (a, b) = (numbers.Bytes(2 * 3 * 4), numbers.Bytes(2 * 5 * 4));
            var file = new TFLiteFile { Inputs = [0, 1], Outputs = [2] };
            file.Tensor(element, [2, 3, 4], first);
            file.Tensor(element, [2, 5, 4], second);
            file.Tensor(element, [2, 8, 4], second);
            file.Operator(BuiltinOperator.CONCATENATION, [0, 1], [2], 10, new() { [0] = -2 });
            var y = numbers.Values(file.Run(a, b));
            for (var i = 0; i < y.Length; i++)
            {
                var (n, row) = (i / 32, i / 4 % 8);
                if (row >= 3)
                {
                    Assert.Equal(numbers.Values(b)[(n * 20) + ((row - 3) * 4) + (i % 4)], y[i]);
                    continue;
                }

                var scale = first.Scale * (1 / second.Scale);
                var q = numbers.Values(a)[(n * 12) + (row * 4) + (i % 4)];
                var rounded = MathF.Round((q * scale) + (-first.ZeroPoint * scale), MidpointRounding.AwayFromZero);
                Assert.Equal(numbers.Clamp((int)rounded + second.ZeroPoint), y[i]);
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Bilinear_resizing(bool isSigned)
    {
        var element = isSigned ? ElementType.Int8 : ElementType.UInt8;
        for (var seed = 0; seed < 18; seed++)
        {
            var numbers = new QuantizedNumbers(element, seed);
            var quantization = numbers.Quantization(0.05f);
            var (align, half) = (seed % 3 == 1, seed % 3 == 2);
            var (outY, outX) = (1 + (seed * 5 % 13), 1 + (seed * 7 % 11));
            var x = numbers.Bytes(2 * 5 * 4 * 3);
            var file = new TFLiteFile { Inputs = [0], Outputs = [2] };
            file.Tensor(element, [2, 5, 4, 3], quantization);
            file.Constant([outY, outX], [2]);
            file.Tensor(element, [1], quantization);
            file.Operator(BuiltinOperator.RESIZE_BILINEAR, [0, 1], [2], 15, new() { [2] = (byte)(align ? 1 : 0), [3] = (byte)(half ? 1 : 0) });
            var (y, values) = (numbers.Values(file.Run(x)), numbers.Values(x));
            Assert.Equal(2 * outY * outX * 3, y.Length);
            for (var i = 0; i < y.Length; i++)
            {
                var (n, r, c, channel) = (i / 3 / outX / outY, i / 3 / outX % outY, i / 3 % outX, i % 3);
                int At(int row, int column) => values[(((((n * 5) + row) * 4) + column) * 3) + channel];
                Assert.Equal(isSigned ? Fixed(At, r, c, outY, outX, align, half) : Single(At, r, c, outY, outX, align, half), y[i]);
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Transposed_convolution(bool isSigned)
    {
        var element = isSigned ? ElementType.Int8 : ElementType.UInt8;
        for (var seed = 0; seed < Seeds; seed++)
        {
            var numbers = new QuantizedNumbers(element, seed);
            var (input, output) = (numbers.Quantization(0.05f), numbers.Quantization(0.2f));
            var (kernel, stride, isSame, activation) = (1 + (seed % 4), 1 + (seed % 3), seed % 2 == 0, seed % 4);
            var (inY, inX, channels, filters) = (4, 3, 3, 5);
            int Out(int length) => isSame ? length * stride : ((length - 1) * stride) + kernel;
            int Before(int length) => isSame ? Math.Max(0, ((length - 1) * stride) + kernel - Out(length)) / 2 : 0;
            var (x, w) = (numbers.Bytes(inY * inX * channels), numbers.Bytes(filters * kernel * kernel * channels));
            int[] bias = seed % 5 == 0 ? new int[filters] : [.. Enumerable.Range(0, filters).Select(_ => numbers.Next(-500, 500))];
            var scales = Enumerable.Range(0, isSigned ? filters : 1).Select(_ => isSigned ? (numbers.Quantization(0.02f).Scale, 0) : numbers.Quantization(0.02f)).ToArray();
            var file = new TFLiteFile { Inputs = [2], Outputs = [4] };
            file.Constant([1, Out(inY), Out(inX), filters], [4]);
            if (isSigned)
                file.Constant(Array.ConvertAll(w, b => (sbyte)b), [filters, kernel, kernel, channels], 0, scales);
            else
                file.Constant(w, [filters, kernel, kernel, channels], 0, scales);
            file.Tensor(element, [1, inY, inX, channels], input);
            file.Constant(bias, [filters]);
            file.Tensor(element, [1, 1, 1, 1], output);
            file.Operator(BuiltinOperator.TRANSPOSE_CONV, seed % 5 > 0 ? [0, 1, 2, 3] : seed % 2 > 0 ? [0, 1, 2] : [0, 1, 2, -1], [4], 49, new() { [0] = (byte)(isSame ? 0 : 1), [1] = stride, [2] = stride, [3] = (byte)activation });
            var y = numbers.Values(file.Run(x));

            var sums = new int[Out(inY), Out(inX), filters];
            for (var i = 0; i < x.Length * kernel * kernel * filters; i++)
            {
                var (position, tap, o) = (i / filters / kernel / kernel, i / filters % (kernel * kernel), i % filters);
                var (row, column, c) = (position / channels / inX, position / channels % inX, position % channels);
                var (atY, atX) = ((row * stride) - Before(inY) + (tap / kernel), (column * stride) - Before(inX) + (tap % kernel));
                if (atY >= 0 && atY < Out(inY) && atX >= 0 && atX < Out(inX))
                    sums[atY, atX, o] += (numbers.Values(x)[position] - input.ZeroPoint) * (numbers.Values(w)[(((o * kernel * kernel) + tap) * channels) + c] - scales[0].Item2);
            }

            var (min, max) = numbers.Clamp(activation, output);
            var expected = sums.Cast<int>().Select((sum, i) => Math.Clamp(
                TFLiteReference.Rescale(sum + bias[i % filters], (double)input.Scale * scales[isSigned ? i % filters : 0].Item1 / output.Scale) + output.ZeroPoint, min, max));
            Assert.Equal(expected, y);
        }
    }

    private static byte[] AllBytes() => [.. Enumerable.Range(0, 256).Select(i => (byte)i)];

    // What an operator of one input makes of each byte.
    private static byte[] Table(string code, ElementType element, (float, int) input, (float, int) output)
    {
        var file = new TFLiteFile { Inputs = [0], Outputs = [1] };
        file.Tensor(element, [4, 64], input);
        file.Tensor(element, [4, 64], output);
        file.Operator(Enum.Parse<BuiltinOperator>(code), [0], [1], 75, new() { [0] = 0.3f });
        return file.Run(AllBytes());
    }

    private static int[] Broadcast(int[] values, int[] shape, int[] target)
    {
        var result = new int[target.Aggregate(1, (a, b) => a * b)];
        for (var i = 0; i < result.Length; i++)
        {
            var (rest, index, step) = (i, 0, 1);
            for (var d = 1; d <= target.Length; d++)
            {
                var at = rest % target[^d];
                rest /= target[^d];
                var length = d <= shape.Length ? shape[^d] : 1;
                index += length == 1 ? 0 : at * step;
                step *= length;
            }

            result[i] = values[index];
        }

        return result;
    }

    private static int Sum(int p, int q, float first, float second, float output, bool subtract)
    {
        double unit = 2 * Math.Max(first, second);
        var a = TFLiteReference.Rescale(p << 20, first / unit);
        var b = TFLiteReference.Rescale(q << 20, second / unit, subtract);
        return TFLiteReference.Rescale(a + b, unit / (1048576.0 * output));
    }

    private static int HardSwish(int q, float inputScale, float outputScale)
    {
        static (int Mantissa, int Shift) Short(float factor)
        {
            var (mantissa, shift) = TFLiteReference.Multiplier(factor);
            return ((int)Math.Min(32767, (mantissa + 32768) / 65536), shift);
        }

        static int Multiply(int a, int b) => (int)(((long)a * b) + ((long)a * b >= 0 ? 16384 : 1 - 16384)) / 32768;
        static int Saturate(long x) => (int)Math.Clamp(x, -32768, 32767);

        var fine = 1f / 128 * inputScale;
        var (outMantissa, outShift) = Short(fine / outputScale);
        var (mantissa, shift) = Short(fine / (3f / 32768));
        var x = q * 128;
        var relu = shift > 0 ? Saturate((long)x << (shift - 1)) : x;
        relu = Multiply(relu, mantissa);
        relu = shift > 0 ? Saturate(2L * relu) : TFLiteReference.DividePower(relu, -shift);
        relu = (relu + 32768) / 2;
        return TFLiteReference.DividePower((int)((long)relu * Multiply(x, outMantissa) / 32768), -outShift);
    }

    private static int Fixed(Func<int, int, int> at, int row, int column, int outY, int outX, bool align, bool half)
    {
        (int Lower, int Upper, int Far) Axis(int i, int input, int output)
        {
            var (from, to) = align && output > 1 ? (input - 1, output - 1) : (input, output);
            var scale = ((1024 * from) + (to / 2)) / to;
            var position = half ? (i * scale) + (scale / 2) - 512 : i * scale;
            var lower = Math.Max(position / 1024, 0);
            return (lower, Math.Min((position + 1023) / 1024, input - 1), position - (1024 * lower));
        }

        var (top, bottom, dy) = Axis(row, 5, outY);
        var (left, right, dx) = Axis(column, 4, outX);
        var sum = ((long)at(top, left) * (1024 - dy) * (1024 - dx)) + ((long)at(bottom, left) * dy * (1024 - dx))
            + ((long)at(top, right) * (1024 - dy) * dx) + ((long)at(bottom, right) * dy * dx);
        return (int)Math.Round(sum / 1048576m, MidpointRounding.AwayFromZero);
    }

    private static int Single(Func<int, int, int> at, int row, int column, int outY, int outX, bool align, bool half)
    {
        (int Lower, int Upper, float Far) Axis(int i, int input, int output)
        {
            var scale = align && output > 1 ? (float)(input - 1) / (output - 1) : (float)input / output;
            var position = half ? ((i + 0.5f) * scale) - 0.5f : i * scale;
            var lower = Math.Max((int)MathF.Floor(position), 0);
            return (lower, Math.Min((int)MathF.Ceiling(position), input - 1), position - lower);
        }

        var (top, bottom, dy) = Axis(row, 5, outY);
        var (left, right, dx) = Axis(column, 4, outX);
        return (int)((at(top, left) * (1 - dy) * (1 - dx)) + (at(bottom, left) * dy * (1 - dx)) + (at(top, right) * (1 - dy) * dx) + (at(bottom, right) * dy * dx));
    }
}
