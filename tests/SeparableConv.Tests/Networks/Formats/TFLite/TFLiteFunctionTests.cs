namespace SeparableConv.Tests.Networks.Formats;

/// <summary>Functions, comparisons, choices and reductions of numbers that are not quantized, read from hand-made files.</summary>
public class TFLiteFunctionTests
{
    [Theory]
    [InlineData("ABS")]
    [InlineData("NEG")]
    [InlineData("EXP")]
    [InlineData("LOG")]
    [InlineData("SQRT")]
    [InlineData("RSQRT")]
    [InlineData("SQUARE")]
    [InlineData("SIN")]
    [InlineData("COS")]
    [InlineData("FLOOR")]
    [InlineData("CEIL")]
    [InlineData("ROUND")]
    [InlineData("SIGN")]
    [InlineData("ZEROS_LIKE")]
    [InlineData("RELU_0_TO_1")]
    public void Functions_of_floats(string code)
    {
        var isPositive = code is "LOG" or "SQRT" or "RSQRT";
        float[] x = [.. RandomData.Floats(57, 1).Select(f => isPositive ? Math.Abs(f * 3) + 0.01f : f * 3), 0.5f, 1.5f, 2.5f];
        var y = new TFLiteCall(code).Input(x, [3, 4, 5]).Run<float>([3, 4, 5]);
        for (var i = 0; i < x.Length; i++)
        {
            double v = x[i];
            var expected = code switch
            {
                "ABS" => Math.Abs(v),
                "NEG" => -v,
                "EXP" => Math.Exp(v),
                "LOG" => Math.Log(v),
                "SQRT" => Math.Sqrt(v),
                "RSQRT" => 1 / Math.Sqrt(v),
                "SQUARE" => v * v,
                "SIN" => Math.Sin(v),
                "COS" => Math.Cos(v),
                "FLOOR" => Math.Floor(v),
                "CEIL" => Math.Ceiling(v),
                "ROUND" => Math.Round(v, MidpointRounding.ToEven),
                "SIGN" => Math.Sign(v),
                "RELU_0_TO_1" => Math.Clamp(v, 0, 1),
                _ => 0,
            };
            Assert.InRange(y[i], expected - (2e-6 * (1 + Math.Abs(expected))), expected + (2e-6 * (1 + Math.Abs(expected))));
        }
    }

    [Theory]
    [InlineData("POW", new[] { 3, 0, -2, 7 }, new[] { 2, 5, 3, 1 }, new[] { 9, 0, -8, 7 })]
    [InlineData("FLOOR_DIV", new[] { 7, -7, 7, -7 }, new[] { 2, 2, -2, -2 }, new[] { 3, -4, -4, 3 })]
    [InlineData("FLOOR_MOD", new[] { 7, -7, 7, -7 }, new[] { 3, 3, -3, -3 }, new[] { 1, 2, -2, -1 })]
    [InlineData("SQUARED_DIFFERENCE", new[] { 7, -7, 0, 3 }, new[] { 2, 2, 5, 3 }, new[] { 25, 81, 25, 0 })]
    [InlineData("ADD_N", new[] { 7, -7, 0, 3 }, new[] { 2, 2, 5, 3 }, new[] { 9, -5, 5, 6 })]
    [InlineData("MAXIMUM", new[] { 7, -7, 0, 3 }, new[] { 2, 2, 5, 3 }, new[] { 7, 2, 5, 3 })]
    public void Arithmetic_of_integers_and_floats(string code, int[] a, int[] b, int[] expected)
    {
        Assert.Equal(expected, new TFLiteCall(code).Input(a, [4]).Input(b, [4]).Run<int>([4]));
        float[] Floats(int[] numbers) => Array.ConvertAll(numbers, n => (float)n);
        var y = new TFLiteCall(code).Input(Floats(a), [2, 2]).Input(Floats(b), [2, 2]).Run<float>([2, 2]);
        Assert.Equal(Floats(expected), y);
    }

    [Theory]
    [InlineData("EQUAL")]
    [InlineData("NOT_EQUAL")]
    [InlineData("LESS")]
    [InlineData("LESS_EQUAL")]
    [InlineData("GREATER")]
    [InlineData("GREATER_EQUAL")]
    public void Comparisons(string code)
    {
        var random = new Random(3);
        int[] a = [.. Enumerable.Range(0, 24).Select(_ => random.Next(-2, 3))];
        int[] b = [.. Enumerable.Range(0, 4).Select(_ => random.Next(-2, 3))];
        bool Expected(int x, int y) => code switch
        {
            "EQUAL" => x == y,
            "NOT_EQUAL" => x != y,
            "LESS" => x < y,
            "LESS_EQUAL" => x <= y,
            "GREATER" => x > y,
            _ => x >= y,
        };
        var expected = a.Select((x, i) => Expected(x, b[i % 4])).ToArray();
        Assert.Equal(expected, new TFLiteCall(code).Input(a, [2, 3, 4]).Input(b, [4]).Run<bool>([2, 3, 4]));
        var (x, y) = (Array.ConvertAll(a, n => (float)n), Array.ConvertAll(b, n => (float)n));
        Assert.Equal(expected, new TFLiteCall(code).Input(x, [2, 3, 4]).Input(y, [4]).Run<bool>([2, 3, 4]));
        x[0] = float.NaN;
        Assert.Equal(code == "NOT_EQUAL", new TFLiteCall(code).Input(x, [2, 3, 4]).Input(y, [4]).Run<bool>([2, 3, 4])[0]);
    }

    [Fact]
    public void Logic()
    {
        bool[] a = [false, false, true, true], b = [false, true, false, true];
        Assert.Equal([false, false, false, true], new TFLiteCall("LOGICAL_AND").Input(a, [4]).Input(b, [4]).Run<bool>([4]));
        Assert.Equal([false, true, true, true], new TFLiteCall("LOGICAL_OR").Input(a, [4]).Input(b, [4]).Run<bool>([4]));
        Assert.Equal([true, true, false, false], new TFLiteCall("LOGICAL_NOT").Input(a, [4]).Run<bool>([4]));
    }

    [Fact]
    public void Select_by_elements_slices_and_broadcasting()
    {
        float[] a = [1, 2, 3, 4, 5, 6], b = [-1, -2, -3, -4, -5, -6];
        bool[] each = [true, false, true, false, true, false], rows = [false, true];
        Assert.Equal([1, -2, 3, -4, 5, -6], Select("SELECT", each, [2, 3]));
        Assert.Equal([-1, -2, -3, 4, 5, 6], Select("SELECT", rows, [2]));
        Assert.Equal([-1, -2, -3, 4, 5, 6], Select("SELECT_V2", rows, [2, 1]));
        Assert.Equal([-1, -2, -3, -4, -5, -6], Select("SELECT", [false], []));

        float[] Select(string code, bool[] condition, int[] shape) =>
            new TFLiteCall(code).Input(condition, shape).Input(a, [2, 3]).Input(b, [2, 3]).Run<float>([2, 3]);
    }

    [Theory]
    [InlineData("SUM", true)]
    [InlineData("REDUCE_MAX", false)]
    [InlineData("REDUCE_MIN", true)]
    [InlineData("REDUCE_PROD", false)]
    public void Reductions(string code, bool keeps)
    {
        var random = new Random(4);
        int[] x = [.. Enumerable.Range(0, 2 * 3 * 4 * 5).Select(_ => random.Next(-3, 4))];
        int[] shape = keeps ? [2, 1, 4, 1] : [2, 4];
        var expected = new int[8];
        for (var o = 0; o < 8; o++)
        {
            var numbers = Enumerable.Range(0, 15).Select(k => x[(((((o / 4 * 3) + (k / 5)) * 4) + (o % 4)) * 5) + (k % 5)]).ToArray();
            expected[o] = code switch
            {
                "SUM" => numbers.Sum(),
                "REDUCE_MAX" => numbers.Max(),
                "REDUCE_MIN" => numbers.Min(),
                _ => numbers.Aggregate(1, (p, n) => p * n),
            };
        }

        FlatRecord options = new() { [0] = (byte)(keeps ? 1 : 0) };
        Assert.Equal(expected, new TFLiteCall(code, 27, options).Input(x, [2, 3, 4, 5]).Constant([-1, 1], 2).Run<int>(shape));
        var floats = Array.ConvertAll(x, n => (float)n);
        var y = new TFLiteCall(code, 27, options).Input(floats, [2, 3, 4, 5]).Constant([3, 1], 2).Run<float>(shape);
        Assert.Equal(Array.ConvertAll(expected, n => (float)n), y);
    }

    [Fact]
    public void Any_and_all_of_bools()
    {
        bool[] x = [true, true, false, true, false, false];
        Assert.Equal([true, true, false], new TFLiteCall("REDUCE_ANY", 27).Input(x, [3, 2]).Constant([1], 1).Run<bool>([3]));
        Assert.Equal([true, false, false], new TFLiteCall("REDUCE_ALL", 27).Input(x, [3, 2]).Constant([1], 1).Run<bool>([3]));
    }

    [Fact]
    public void Position_of_the_least()
    {
        int[] x = [5, -3, int.MinValue, 4, 4, 7, 0, -1, -1];
        Assert.Equal([2, 0, 1], new TFLiteCall("ARG_MIN").Input(x, [3, 3]).Constant([1], 1).Run<int>([3]));
        var floats = Array.ConvertAll(x, n => (float)n);
        Assert.Equal([2L, 0, 1], new TFLiteCall("ARG_MIN").Input(floats, [3, 3]).Constant([-1], 1).Run<long>([3]));
        byte[] bytes = [5, 253, 128, 4, 4, 7, 0, 255, 255];
        Assert.Equal([2, 0, 1], new TFLiteCall("ARG_MIN").Bytes(ElementType.Int8, bytes, [3, 3], (0.5f, 3)).Constant([1], 1).Run<int>([3]));
        var unsigned = new TFLiteCall("ARG_MIN").Bytes(ElementType.UInt8, bytes, [3, 3], (0.5f, 3)).Constant([0], 1);
        Assert.Equal([2, 1, 1], unsigned.Run<int>([3]));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void Matrix_products_with_broadcasting(bool turnsA, bool turnsB)
    {
        // (2, 1, 3, 5) times (4, 5, 2), each turned round where asked for.
        var (a, b) = (RandomData.Floats(2 * 3 * 5, 1), RandomData.Floats(4 * 5 * 2, 2));
        FlatRecord options = new() { [0] = (byte)(turnsA ? 1 : 0), [1] = (byte)(turnsB ? 1 : 0) };
        var y = new TFLiteCall("BATCH_MATMUL", 101, options)
            .Input(a, turnsA ? [2, 1, 5, 3] : [2, 1, 3, 5])
            .Input(b, turnsB ? [4, 2, 5] : [4, 5, 2])
            .Run<float>([2, 4, 3, 2]);
        for (var i = 0; i < y.Length; i++)
        {
            var (n, m, row, column) = (i / 24, i / 6 % 4, i / 2 % 3, i % 2);
            var expected = 0.0;
            for (var k = 0; k < 5; k++)
            {
                var left = a[(n * 15) + (turnsA ? (k * 3) + row : (row * 5) + k)];
                expected += (double)left * b[(m * 10) + (turnsB ? (column * 5) + k : (k * 2) + column)];
            }

            Assert.InRange(y[i], expected - 1e-6, expected + 1e-6);
        }
    }

    [Fact]
    public void Normalizations_along_the_last_dimension()
    {
        float[] x = [.. RandomData.Floats(18, 5).Select(f => 4 * f), 0, 0];
        var unit = new TFLiteCall("L2_NORMALIZATION", 12).Input(x, [5, 4]).Run<float>([5, 4]);
        var log = new TFLiteCall("LOG_SOFTMAX", 36).Input(x, [5, 4]).Run<float>([5, 4]);
        for (var i = 0; i < x.Length; i++)
        {
            var row = x.Skip(i / 4 * 4).Take(4).Select(v => (double)v).ToArray();
            var norm = Math.Max(Math.Sqrt(row.Sum(v => v * v)), 1e-6);
            Assert.InRange(unit[i], (x[i] / norm) - 1e-6, (x[i] / norm) + 1e-6);
            var expected = x[i] - Math.Log(row.Sum(Math.Exp));
            Assert.InRange(log[i], expected - 1e-5, expected + 1e-5);
        }

        Assert.Equal([0f, 0], new TFLiteCall("L2_NORMALIZATION", 12).Input(new float[2], [1, 2]).Run<float>([1, 2]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Gelu(bool approximate)
    {
        var x = Array.ConvertAll(RandomData.Floats(60, 1), f => 4 * f);
        var y = new TFLiteCall("GELU", 116, new() { [0] = (byte)(approximate ? 1 : 0) }).Input(x, [60]).Run<float>([60]);
        for (var i = 0; i < x.Length; i++)
        {
            double v = x[i];
            var inner = approximate
                ? Math.Tanh(Math.Sqrt(2 / Math.PI) * (v + (0.044715 * v * v * v)))
                : ErrorFunction.Erf(v / Math.Sqrt(2));
            Assert.InRange(y[i], (v * (1 + inner) / 2) - 2e-6, (v * (1 + inner) / 2) + 2e-6);
        }
    }

    [Fact]
    public void Running_sums_largest_numbers_and_slices_by_tuples()
    {
        int[] x = [3, 1, 2, 5, 4, 6];
        Assert.Equal([3, 4, 6, 5, 9, 15], new TFLiteCall("CUMSUM", 102).Input(x, [2, 3]).Constant([1]).Run<int>([2, 3]));
        FlatRecord both = new() { [0] = (byte)1, [1] = (byte)1 };
        Assert.Equal([3, 2, 0, 10, 6, 0], new TFLiteCall("CUMSUM", 102, both).Input(x, [2, 3]).Constant([-1]).Run<int>([2, 3]));
        Assert.Equal([3, 2, 6, 5], new TFLiteCall("TOPK_V2").Input(x, [2, 3]).Constant([2]).Run<int>([2, 2]));
        Assert.Equal([4, 1], new TFLiteCall("GATHER_ND").Input(x, [2, 3]).Constant([1, 1, 0, 1], 2, 2).Run<int>([2]));
        Assert.Equal([2, 3, 5, 5], new TFLiteCall("GATHER", 23, new() { [0] = 1, [1] = 1 })
            .Input(x, [2, 3]).Constant([2, 0, 0, 0], 2, 2).Run<int>([2, 2]));
    }

    [Fact]
    public void Local_response_normalization()
    {
        var x = RandomData.Floats(2 * 7, 3);
        FlatRecord options = new() { [0] = 2, [1] = 1.5f, [2] = 0.7f, [3] = 0.6f };
        var y = new TFLiteCall("LOCAL_RESPONSE_NORMALIZATION", 13, options).Input(x, [1, 1, 2, 7]).Run<float>([1, 1, 2, 7]);
        for (var i = 0; i < x.Length; i++)
        {
            var sum = 0.0;
            for (var c = Math.Max(0, (i % 7) - 2); c <= Math.Min(6, (i % 7) + 2); c++)
                sum += Math.Pow(x[(i / 7 * 7) + c], 2);
            var expected = x[i] / Math.Pow(1.5 + (0.7 * sum), 0.6);
            Assert.InRange(y[i], expected - 1e-6, expected + 1e-6);
        }
    }

    [Fact]
    public void Root_of_the_mean_square_counts_only_what_is_inside()
    {
        var x = RandomData.Floats(5 * 5 * 2, 1);
        FlatRecord options = new() { [0] = (byte)0, [1] = 2, [2] = 2, [3] = 3, [4] = 3 };
        var y = new TFLiteCall("L2_POOL_2D", 5, options).Input(x, [1, 5, 5, 2]).Run<float>([1, 3, 3, 2]);
        for (var i = 0; i < y.Length; i++)
        {
            var window = new List<double>();
            for (var t = 0; t < 9; t++)
            {
                var (row, column) = ((i / 6 * 2) - 1 + (t / 3), (i / 2 % 3 * 2) - 1 + (t % 3));
                if (row is >= 0 and < 5 && column is >= 0 and < 5)
                    window.Add(x[(((row * 5) + column) * 2) + (i % 2)]);
            }

            var expected = Math.Sqrt(window.Average(v => v * v));
            Assert.InRange(y[i], expected - 1e-6, expected + 1e-6);
        }
    }
}
