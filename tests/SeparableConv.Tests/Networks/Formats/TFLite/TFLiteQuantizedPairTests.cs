using System.Numerics;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>Quantized operators of two operands that are looked up in tables, and the larger and lesser of bytes.</summary>
public class TFLiteQuantizedPairTests
{
    private const int Seeds = 10;

    private static readonly int[] Shape = [3, 4, 5];

    private static readonly int[][] Others = [[3, 4, 5], [5], [4, 1], [1]];

    [Theory]
    [InlineData("DIV", true)]
    [InlineData("DIV", false)]
    [InlineData("SQUARED_DIFFERENCE", true)]
    [InlineData("SQUARED_DIFFERENCE", false)]
    public void Arithmetic(string code, bool isSigned)
    {
        var element = isSigned ? ElementType.Int8 : ElementType.UInt8;
        for (var seed = 0; seed < Seeds; seed++)
        {
            var numbers = new QuantizedNumbers(element, seed);
            var (first, second) = (numbers.Quantization(0.05f), numbers.Quantization(0.03f));
            var output = numbers.Quantization(code == "DIV" ? 0.2f : 0.3f);
            var other = Others[seed % Others.Length];
            var (a, b) = (numbers.Bytes(60), numbers.Bytes(other.Aggregate(1, (x, y) => x * y)));
            var activation = code == "DIV" ? seed % 4 : 0;
            var y = numbers.Values(new TFLiteCall(code, 29, new() { [0] = (byte)activation })
                .Bytes(element, a, Shape, first).Bytes(element, b, other, second).Run(element, Shape, output));
            var (min, max) = numbers.Clamp(activation, output);
            for (var i = 0; i < y.Length; i++)
            {
                var p = numbers.Values(a)[i] - first.ZeroPoint;
                var q = numbers.Values(b)[OperatorRunIndex(i, other)] - second.ZeroPoint;
                var expected = code == "DIV"
                    ? Quotient(p, q, first.Scale, second.Scale, output.Scale)
                    : SquaredDifference(p, q, first.Scale, second.Scale, output.Scale);
                Assert.Equal(Math.Clamp(expected + output.ZeroPoint, min, max), y[i]);
            }
        }
    }

    [Theory]
    [InlineData("EQUAL", true)]
    [InlineData("NOT_EQUAL", false)]
    [InlineData("LESS", true)]
    [InlineData("LESS_EQUAL", false)]
    [InlineData("GREATER", false)]
    [InlineData("GREATER_EQUAL", true)]
    public void Comparisons_with_8_bits_after_the_point(string code, bool isSigned)
    {
        var element = isSigned ? ElementType.Int8 : ElementType.UInt8;
        for (var seed = 0; seed < Seeds; seed++)
        {
            var numbers = new QuantizedNumbers(element, seed);
            var first = numbers.Quantization(0.004f);
            var second = seed % 2 == 0 ? first : numbers.Quantization(0.003f);
            var other = Others[seed % Others.Length];
            var (a, b) = (numbers.Bytes(60), numbers.Bytes(other.Aggregate(1, (x, y) => x * y)));
            var y = new TFLiteCall(code).Bytes(element, a, Shape, first).Bytes(element, b, other, second).Run<bool>(Shape);
            for (var i = 0; i < y.Length; i++)
            {
                var p = TFLiteReference.Rescale((numbers.Values(a)[i] - first.ZeroPoint) * 256, first.Scale);
                var q = TFLiteReference.Rescale((numbers.Values(b)[OperatorRunIndex(i, other)] - second.ZeroPoint) * 256, second.Scale);
                Assert.Equal(
                    code switch
                    {
                        "EQUAL" => p == q,
                        "NOT_EQUAL" => p != q,
                        "LESS" => p < q,
                        "LESS_EQUAL" => p <= q,
                        "GREATER" => p > q,
                        _ => p >= q,
                    },
                    y[i]);
            }
        }
    }

    [Theory]
    [InlineData("MAXIMUM", true)]
    [InlineData("MAXIMUM", false)]
    [InlineData("MINIMUM", true)]
    [InlineData("MINIMUM", false)]
    public void Larger_and_lesser_are_those_of_the_bytes(string code, bool isSigned)
    {
        var element = isSigned ? ElementType.Int8 : ElementType.UInt8;
        var numbers = new QuantizedNumbers(element, 7);
        var quantization = numbers.Quantization(0.1f);
        var (a, b) = (numbers.Bytes(60), numbers.Bytes(5));
        var y = numbers.Values(new TFLiteCall(code).Bytes(element, a, Shape, quantization).Bytes(element, b, [5], quantization)
            .Run(element, Shape, quantization));
        var (x1, x2) = (numbers.Values(a), numbers.Values(b));
        Assert.Equal(x1.Select((v, i) => code == "MAXIMUM" ? Math.Max(v, x2[i % 5]) : Math.Min(v, x2[i % 5])), y);
    }

    [Fact]
    public void A_choice_moves_bytes()
    {
        byte[] a = [1, 2, 3], b = [4, 5, 6];
        var y = new TFLiteCall("SELECT_V2").Input([true, false, true], [3]).Bytes(ElementType.Int8, a, [3], (0.5f, 1))
            .Bytes(ElementType.Int8, b, [3], (0.5f, 1)).Run(ElementType.Int8, [3], (0.5f, 1));
        Assert.Equal([1, 5, 3], y);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Matrix_products(bool isSigned)
    {
        var element = isSigned ? ElementType.Int8 : ElementType.UInt8;
        for (var seed = 0; seed < Seeds; seed++)
        {
            // (2, 1, 3, 5) times (4, 5, 300), whose columns are more than are summed together.
            var numbers = new QuantizedNumbers(element, seed);
            var (first, second, output) = (numbers.Quantization(0.05f), numbers.Quantization(0.03f), numbers.Quantization(0.3f));
            var (a, b) = (numbers.Bytes(2 * 3 * 5), numbers.Bytes(4 * 5 * 300));
            var isTurned = seed % 2 == 1;
            var y = numbers.Values(new TFLiteCall("BATCH_MATMUL", 101, new() { [1] = (byte)(isTurned ? 1 : 0) })
                .Bytes(element, a, [2, 1, 3, 5], first).Bytes(element, b, isTurned ? [4, 300, 5] : [4, 5, 300], second)
                .Run(element, [2, 4, 3, 300], output));
            var (x1, x2) = (numbers.Values(a), numbers.Values(b));
            for (var i = 0; i < y.Length; i++)
            {
                var (n, m, row, column) = (i / 3600, i / 900 % 4, i / 300 % 3, i % 300);
                var sum = 0;
                for (var k = 0; k < 5; k++)
                {
                    var right = x2[(m * 1500) + (isTurned ? (column * 5) + k : (k * 300) + column)];
                    sum += (x1[(n * 15) + (row * 5) + k] - first.ZeroPoint) * (right - second.ZeroPoint);
                }

                var expected = TFLiteReference.Rescale(sum, (double)(first.Scale * second.Scale) / output.Scale) + output.ZeroPoint;
                Assert.Equal(numbers.Clamp(expected), y[i]);
            }
        }
    }

    private static int OperatorRunIndex(int index, int[] shape) => Operators.OperatorRun.BroadcastIndex(index, Shape, shape);

    // The reciprocal by Newton's iteration in numbers of any length, then the quotient with the sign bits used up.
    private static long Quotient(int p, int q, float first, float second, float output)
    {
        if (q == 0)
            return p == 0 ? 0 : p > 0 ? 1000 : -1000;
        if (q < 0)
            (p, q) = (-p, -q);
        var leading = BitOperations.LeadingZeroCount((uint)q);
        var fraction = (int)(((long)q << leading) - (1L << 31));
        var half = (int)((fraction + (long)int.MaxValue + 1) / 2);
        var y = 1515870810 + TFLiteReference.HighMultiply(half, -1010580540);
        for (var i = 0; i < 3; i++)
            y += Saturate((long)TFLiteReference.HighMultiply(y, (1 << 29) - TFLiteReference.HighMultiply(half, y)) * 4);
        var reciprocal = Saturate((long)y * 2);
        var headroom = 0;
        while (headroom < 31 && Math.Abs(((long)p << (headroom + 1)) + (p < 0 ? 1 : 0)) <= int.MaxValue)
            headroom++;
        var quotient = TFLiteReference.HighMultiply((int)((long)p << headroom), reciprocal);
        var (mantissa, shift) = TFLiteReference.Multiplier(first / (second * output));
        var down = headroom + 31 - leading - shift;
        var scaled = TFLiteReference.HighMultiply(quotient, (int)mantissa);
        return down < 0 ? scaled * (1L << -down) : TFLiteReference.DividePower(scaled, Math.Min(31, down));
    }

    private static int SquaredDifference(int p, int q, float first, float second, float output)
    {
        double unit = 2 * Math.Max(first, second);
        var difference = TFLiteReference.Rescale(p * 128, first / unit) - TFLiteReference.Rescale(q * 128, second / unit);
        return TFLiteReference.Rescale(difference * difference, unit * unit / (16384 * output));
    }

    private static int Saturate(long x) => (int)Math.Clamp(x, int.MinValue, int.MaxValue);
}
