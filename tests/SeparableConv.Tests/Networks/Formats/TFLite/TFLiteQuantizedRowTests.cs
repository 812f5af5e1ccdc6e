namespace SeparableConv.Tests.Networks.Formats;

/// <summary>Quantized reductions and normalizations along axes.</summary>
public class TFLiteQuantizedRowTests
{
    private const int Seeds = 10;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Sums_over_axes(bool isSigned)
    {
        var element = isSigned ? ElementType.Int8 : ElementType.UInt8;
        for (var seed = 0; seed < Seeds; seed++)
        {
            var numbers = new QuantizedNumbers(element, seed);
            var (input, output) = (numbers.Quantization(0.05f), numbers.Quantization(0.2f));
            var x = numbers.Bytes(2 * 3 * 4 * 5);
            var y = numbers.Values(new TFLiteCall("SUM", 27).Bytes(element, x, [2, 3, 4, 5], input).Constant([1, -1], 2)
                .Run(element, [2, 4], output));
            for (var o = 0; o < 8; o++)
            {
                var sum = 0;
                for (var k = 0; k < 15; k++)
                    sum += numbers.Values(x)[(((((o / 4 * 3) + (k / 5)) * 4) + (o % 4)) * 5) + (k % 5)] - input.ZeroPoint;
                Assert.Equal(numbers.Clamp(TFLiteReference.Rescale(sum, (double)input.Scale / output.Scale) + output.ZeroPoint), y[o]);
            }
        }
    }

    [Theory]
    [InlineData("REDUCE_MAX")]
    [InlineData("REDUCE_MIN")]
    public void Largest_and_least_of_bytes(string code)
    {
        foreach (var element in new[] { ElementType.Int8, ElementType.UInt8 })
        {
            var numbers = new QuantizedNumbers(element, 2);
            var (quantization, x) = (numbers.Quantization(0.1f), numbers.Bytes(30));
            var y = numbers.Values(new TFLiteCall(code, 27).Bytes(element, x, [5, 6], quantization).Constant([1], 1)
                .Run(element, [5], quantization));
            var rows = numbers.Values(x).Chunk(6);
            Assert.Equal(rows.Select(row => code == "REDUCE_MAX" ? row.Max() : row.Min()), y);
        }

        var refused = Assert.Throws<NetworkException>(() => new TFLiteCall(code, 27)
            .Bytes(ElementType.Int8, new byte[4], [4], (0.1f, 0)).Constant([0], 1).Run(ElementType.Int8, [], (0.2f, 0)));
        Assert.Contains("both must have the same", refused.Message);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Unit_length_along_the_last_axis(bool isSigned)
    {
        var element = isSigned ? ElementType.Int8 : ElementType.UInt8;
        for (var seed = 0; seed < Seeds; seed++)
        {
            var numbers = new QuantizedNumbers(element, seed);
            var (input, middle) = (numbers.Quantization(0.1f), isSigned ? 0 : 128);
            var x = numbers.Bytes(7 * 9);
            var y = numbers.Values(new TFLiteCall("L2_NORMALIZATION", 12).Bytes(element, x, [7, 9], input)
                .Run(element, [7, 9], (1f / 128, middle)));
            for (var i = 0; i < y.Length; i++)
            {
                var row = numbers.Values(x).Skip(i / 9 * 9).Take(9).Select(v => (double)(v - input.ZeroPoint)).ToArray();
                var real = (128 * row[i % 9] / Math.Sqrt(row.Sum(v => v * v))) + middle;
                Assert.InRange(y[i] - Math.Clamp(real, numbers.Least, numbers.Most), -0.53, 0.53);
            }
        }
    }

    // Input and output of the reference's own tests, whose input has scale 20/255.
    [Theory]
    [InlineData(true, new[] { -1, -78, 25, 50, 37, -27, 126, 12 }, new[] { 61, -36, 93, 125, 15, -65, 127, -16 })]
    [InlineData(true, new[] { -127, -127, -1, -1, 98, -27, 25, 12 }, new[] { -42, -42, 116, 116, 127, -30, 35, 19 })]
    [InlineData(false, new[] { 127, 51, 153, 178, 165, 102, 255, 140 }, new[] { 189, 93, 221, 253, 142, 63, 255, 111 })]
    public void Logarithm_of_softmax_as_published(bool isSigned, int[] x, int[] expected)
    {
        var (element, most) = isSigned ? (ElementType.Int8, 127) : (ElementType.UInt8, 255);
        var y = new TFLiteCall("LOG_SOFTMAX").Bytes(element, Array.ConvertAll(x, v => (byte)v), [2, 4], (20f / 255, 0))
            .Run(element, [2, 4], (1f / 16, most));
        Assert.Equal(expected, new QuantizedNumbers(element, 0).Values(y));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Logarithm_of_softmax_is_the_real_one_to_a_step(bool isSigned)
    {
        var element = isSigned ? ElementType.Int8 : ElementType.UInt8;
        for (var seed = 0; seed < Seeds; seed++)
        {
            var numbers = new QuantizedNumbers(element, seed);
            var input = numbers.Quantization(0.08f);
            var x = numbers.Bytes(5 * 37);
            var y = numbers.Values(new TFLiteCall("LOG_SOFTMAX").Bytes(element, x, [5, 37], input)
                .Run(element, [5, 37], (1f / 16, numbers.Most)));
            for (var i = 0; i < y.Length; i++)
            {
                var row = numbers.Values(x).Skip(i / 37 * 37).Take(37).Select(v => (double)input.Scale * v).ToArray();
                var real = (16 * (row[i % 37] - Math.Log(row.Sum(Math.Exp)))) + numbers.Most;
                Assert.InRange(y[i] - Math.Clamp(real, numbers.Least, numbers.Most), -1, 1);
            }
        }
    }

    [Fact]
    public void Scales_of_the_output_are_fixed()
    {
        foreach (var code in new[] { "L2_NORMALIZATION", "LOG_SOFTMAX" })
        {
            var refused = Assert.Throws<NetworkException>(() => new TFLiteCall(code).Bytes(ElementType.Int8, new byte[4], [4], (0.1f, 0))
                .Run(ElementType.Int8, [4], (0.1f, 0)));
            Assert.Contains("has scale 1/", refused.Message);
        }
    }
}
