using SeparableConv.Networks.Formats.TFLite;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>
/// Quantized operators of several elements, read from hand-made files, against the reference's arithmetic in plain loops.
/// </summary>
public class TFLiteQuantizedArithmeticTests
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
        for (var seed = 0; seed < 2 * Seeds; seed++)
        {
            // The second half is large enough to be fitted with factors in single precision.
            var (rows, columns) = seed < Seeds ? (3, 4) : (13, 31);
            int[][] seconds = [[2, rows, columns, 5], [5], [1, rows, 1, 5], [1], [2, 1, 1, 1], [columns, 1]];
            var numbers = new QuantizedNumbers(element, seed);
            var (first, second) = (numbers.Quantization(0.05f), numbers.Quantization(0.03f));
            var output = numbers.Quantization(code == "MUL" ? 0.1f : 0.06f);
            int[] shape = [2, rows, columns, 5];
            var other = seconds[seed % seconds.Length];
            var (a, b) = (numbers.Bytes(2 * rows * columns * 5), numbers.Bytes(other.Aggregate(1, (x, y) => x * y)));
            var activation = seed % 4;
            var file = new TFLiteFile { Inputs = [0, 1], Outputs = [2] };
            file.Tensor(element, shape, first);
            file.Tensor(element, other, second);
            file.Tensor(element, shape, output);
            var options = code switch { "ADD" => 11, "MUL" => 21, _ => 28 };
            file.Operator(Enum.Parse<BuiltinOperator>(code), [0, 1], [2], options, new() { [0] = (byte)activation });
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
            var sum = Sum(
                x1[i] - first.ZeroPoint, x2[i % x2.Length] - second.ZeroPoint, first.Scale, second.Scale, output.Scale, subtract: false);
            Assert.Equal(Math.Max(numbers.Clamp(sum + output.ZeroPoint), output.ZeroPoint), y[i]);
        }
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
            var (height, width) = seed % 2 == 0 ? (3, 4) : (17, 29);
            var (x, slopes) = (numbers.Bytes(height * width * 5), numbers.Bytes(5));
            var file = new TFLiteFile { Inputs = [0, 1], Outputs = [2] };
            file.Tensor(element, [1, height, width, 5], input);
            file.Tensor(element, [1, 1, 5], slope);
            file.Tensor(element, [1, height, width, 5], output);
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
            int Mean(int sum) => TFLiteReference.Rescale(sum, (mantissa << bits) / count, shift - bits);
            Assert.Equal(sums.Values.Select(sum => numbers.Clamp(Mean(sum) + output.ZeroPoint)), y);
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
            var (input, beta) = (numbers.Quantization(0.002f * (1 << (seed % 10))), seed % 3 == 0 ? 0.5f : 1f);
            var depth = seed % 4 == 0 ? 2 : seed % 7 == 0 ? 300 : 1 + (seed * 7 % 60);
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
}
