using SeparableConv.Networks.Formats.TFLite;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>Quantized functions of single elements, read from hand-made files, for each of the 256 bytes.</summary>
public class TFLiteQuantizedTableTests
{
    private const int Seeds = 12;

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
    [InlineData("EXP", true)]
    [InlineData("EXP", false)]
    [InlineData("LOG", true)]
    [InlineData("LOG", false)]
    [InlineData("ELU", true)]
    [InlineData("ELU", false)]
    public void Other_table_functions_are_the_rounded_real_ones(string code, bool isSigned)
    {
        var element = isSigned ? ElementType.Int8 : ElementType.UInt8;
        for (var seed = 0; seed < Seeds; seed++)
        {
            var numbers = new QuantizedNumbers(element, seed);
            var (input, output) = (numbers.Quantization(0.03f), numbers.Quantization(0.1f));
            var y = numbers.Values(Table(code, element, input, output));
            for (var raw = 0; raw < 256; raw++)
            {
                var x = (double)input.Scale * (numbers.Values([(byte)raw])[0] - input.ZeroPoint);
                var least = (double)output.Scale * (numbers.Least - output.ZeroPoint);
                var function = code switch
                {
                    "EXP" => Math.Exp(x),
                    "ELU" => x < 0 ? Math.Exp(x) - 1 : x,
                    _ => x <= 0 ? least : Math.Log(x),
                };
                var real = (function / output.Scale) + output.ZeroPoint;
                Assert.InRange(y[raw] - Math.Clamp(real, numbers.Least, numbers.Most), -0.5002, 0.5002);
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Magnitude_and_roots(bool isSigned)
    {
        var element = isSigned ? ElementType.Int8 : ElementType.UInt8;
        for (var seed = 0; seed < Seeds; seed++)
        {
            var numbers = new QuantizedNumbers(element, seed);
            var (input, output) = (numbers.Quantization(0.03f), numbers.Quantization(0.02f));
            if (seed % 3 == 0)
                output = (input.Scale, output.ZeroPoint);
            var magnitudes = numbers.Values(Table("ABS", element, input, output));
            var roots = numbers.Values(Table("SQRT", element, input, output));
            var inverses = numbers.Values(Table("RSQRT", element, input, output));
            for (var raw = 0; raw < 256; raw++)
            {
                var q = numbers.Values([(byte)raw])[0] - input.ZeroPoint;
                var magnitude = seed % 3 == 0 ? Math.Abs(q) : TFLiteReference.Rescale(Math.Abs(q), input.Scale / output.Scale);
                Assert.Equal(numbers.Clamp(magnitude + output.ZeroPoint), magnitudes[raw]);

                // A root is cut off, not rounded.
                var root = MathF.Sqrt(Math.Max(0, input.Scale * q)) / output.Scale;
                Assert.Equal(numbers.Clamp((long)root + output.ZeroPoint), roots[raw]);

                var inverse = q <= 0 ? double.PositiveInfinity : 1 / Math.Sqrt((double)input.Scale * q) / output.Scale;
                Assert.InRange(inverses[raw] - Math.Clamp(inverse + output.ZeroPoint, numbers.Least, numbers.Most), -0.51, 0.51);
            }
        }
    }

    [Fact]
    public void Negation_is_of_the_bytes_whatever_they_stand_for()
    {
        var y = Table("NEG", ElementType.Int8, (0.1f, 5), (0.2f, 7));
        Assert.Equal(AllBytes().Select(b => (byte)-b), y);
        var refused = Assert.Throws<NetworkException>(() => Table("NEG", ElementType.UInt8, (0.1f, 5), (0.2f, 7)));
        Assert.Contains("In operator 0 (NEG): the input is uint8", refused.Message);
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
}
