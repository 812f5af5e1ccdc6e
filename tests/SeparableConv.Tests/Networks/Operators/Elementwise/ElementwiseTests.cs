namespace SeparableConv.Tests.Networks.Operators;

public class ElementwiseTests
{
    public static TheoryData<int[], int[], int[]> Broadcasts => new()
    {
        { [], [], [] },
        { [5], [], [5] },
        { [], [7], [7] },
        { [1], [1], [1] },
        { [3, 1], [1, 4], [3, 4] },
        { [2, 5, 6, 3], [3], [2, 5, 6, 3] },
        { [3], [2, 5, 6, 3], [2, 5, 6, 3] },
        { [2, 9, 5, 67], [67], [2, 9, 5, 67] },
        { [2, 40, 30, 17], [2, 1, 1, 17], [2, 40, 30, 17] },
        { [2, 1, 1, 17], [2, 40, 30, 17], [2, 40, 30, 17] },
        { [1, 3, 20, 20], [3, 1, 1], [1, 3, 20, 20] },
        { [4, 1, 5, 1], [1, 3, 1, 6], [4, 3, 5, 6] },
        { [2, 100, 200], [2, 100, 200], [2, 100, 200] },
        { [2, 0, 3], [3], [2, 0, 3] },
        { [1, 70000], [1], [1, 70000] },
        { [2, 1, 300, 2], [3, 1, 2], [2, 3, 300, 2] },
        { [2, 90, 30, 3], [2, 90, 30, 1], [2, 90, 30, 3] },
        { [3, 7, 16], [7, 1], [3, 7, 16] },
    };

    [Theory]
    [MemberData(nameof(Broadcasts))]
    public void Arithmetic_broadcasts_as_numpy_does(int[] a, int[] b, int[] shape)
    {
        foreach (var kind in new[] { BinaryKind.Add, BinaryKind.Sub, BinaryKind.Mul, BinaryKind.Div, BinaryKind.Min, BinaryKind.Max })
        {
            var (x, y) = (OperatorRun.Floats(1, a), OperatorRun.Floats(2, b));
            var expected = Expected(x, y, shape, (p, q) => Apply(kind, p, q));
            OperatorRun.Check(new BinaryOperator(kind, Activation.None), 1, expected, shape, i => 1e-7 * Math.Abs(expected[i]), x, y);
            var clamped = Array.ConvertAll(expected, v => Math.Max(0, v));
            OperatorRun.Check(new BinaryOperator(kind, Activation.ReLU), 2, clamped, shape, i => 1e-7 * clamped[i], x, y);
        }

        var (m, n) = (OperatorRun.Wholes<sbyte>(1, -128, 127, a), OperatorRun.Wholes<sbyte>(2, -128, 127, b));
        OperatorRun.Check(
            new BinaryOperator(BinaryKind.Add, Activation.None),
            1,
            Expected(m, n, shape, (p, q) => (sbyte)(int)(p + q)),
            shape,
            _ => 0,
            m,
            n);
        OperatorRun.Check(
            new BinaryOperator(BinaryKind.Less, Activation.None), 1, Expected(m, n, shape, (p, q) => p < q ? 1 : 0), shape, _ => 0, m, n);
    }

    [Fact]
    public void An_activation_with_channels_is_fused_too()
    {
        var (x, y) = (OperatorRun.Floats(1, 2, 3, 5), OperatorRun.Floats(2, 5));
        var sum = Expected(x, y, [2, 3, 5], (p, q) => p + q);
        float[] slopes = [1, 2, 3, 4, 5];
        var expected = sum.Select((v, i) => v < 0 ? v * slopes[i % 5] : v).ToArray();
        OperatorRun.Check(new BinaryOperator(BinaryKind.Add, Activation.PReLU(slopes)), 1, expected, [2, 3, 5], _ => 1e-6, x, y);
    }

    [Fact]
    public void Integers_divide_as_machines_do_but_never_fail()
    {
        int[] a = [7, -7, 7, -7, 5, int.MinValue, int.MinValue, 0];
        int[] b = [2, 2, -2, -2, 0, -1, 3, 5];
        Check(BinaryKind.Div, [3, -3, -3, 3, 0, int.MinValue, int.MinValue / 3, 0]);
        Check(BinaryKind.FMod, [1, -1, 1, -1, 0, 0, int.MinValue % 3, 0]);
        Check(BinaryKind.Mod, [1, 1, -1, -1, 0, 0, (int.MinValue % 3) + 3, 0]);
        Check(BinaryKind.Mul, [14, -14, -14, 14, 0, int.MinValue, unchecked(int.MinValue * 3), 0]);

        void Check(BinaryKind kind, int[] expected) => Assert.Equal(
            expected,
            (int[])Evaluator.Run(new BinaryOperator(kind, Activation.None), TensorData.Create(a, 8), TensorData.Create(b, 8))[0].Values);
    }

    [Fact]
    public void Powers_take_any_exponent()
    {
        var op = new BinaryOperator(BinaryKind.Pow, Activation.None);
        Assert.Equal([4f, 9f], (float[])Evaluator.Run(op, TensorData.Create([-2f, 3f], 2), TensorData.Create([2f]))[0].Values);
        Assert.Equal([-8f, 27f], (float[])Evaluator.Run(op, TensorData.Create([-2f, 3f], 2), TensorData.Create([3L]))[0].Values);
        Assert.Equal([8, 81], (int[])Evaluator.Run(op, TensorData.Create([2, 3], 2), TensorData.Create([3, 4], 2))[0].Values);
        Assert.Equal([1L, 5L], (long[])Evaluator.Run(op, TensorData.Create([2L, 25L], 2), TensorData.Create([0f, 0.5f], 2))[0].Values);
        Assert.Equal([0, 1, -1], (int[])Evaluator.Run(op, TensorData.Create([2, 1, -1], 3), TensorData.Create([-3]))[0].Values);
    }

    [Fact]
    public void Truths_combine()
    {
        var (a, b) = (TensorData.Create([false, false, true, true], 4), TensorData.Create([false, true, false, true], 4));
        Assert.Equal([false, false, false, true], Run(BinaryKind.And));
        Assert.Equal([false, true, true, true], Run(BinaryKind.Or));
        Assert.Equal([false, true, true, false], Run(BinaryKind.Xor));
        Assert.Equal([true, false, false, true], Run(BinaryKind.Equal));
        Assert.Equal([true, true, false, false], (bool[])Evaluator.Run(new UnaryOperator(UnaryKind.Not), a)[0].Values);

        bool[] Run(BinaryKind kind) => (bool[])Evaluator.Run(new BinaryOperator(kind, Activation.None), a, b)[0].Values;
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        var (a, b) = (new TensorType(ElementType.Float32, new TensorShape(2, 3)), new TensorType(ElementType.Float32, new TensorShape(2)));
        var e = Assert.Throws<ArgumentException>(() => new BinaryOperator(BinaryKind.Add, Activation.None).Infer([a, b]));
        Assert.Equal("The shapes (2,3) and (2) do not broadcast: 3 meets 2; lengths must be equal, or one of them 1.", e.Message);
        Assert.Throws<ArgumentException>(() => new BinaryOperator(BinaryKind.And, Activation.None).Infer([a, a]));
        Assert.Throws<ArgumentException>(() => new BinaryOperator(BinaryKind.Equal, Activation.ReLU).Infer([a, a]));
        Assert.Throws<ArgumentException>(() => new UnaryOperator(UnaryKind.Exp).Infer([a with { Element = ElementType.Int32 }]));
        Assert.Throws<ArgumentException>(() => new PReluOperator().Infer([b, a]));
        Assert.Throws<ArgumentException>(() => new ActivationOperator(Activation.PReLU([1, 2])).Infer([a]));
        Assert.Throws<ArgumentException>(() => new ActivationOperator(Activation.ReLU).Infer([a with { Element = ElementType.Int8 }]));
    }

    [Theory]
    [InlineData(UnaryKind.Abs)]
    [InlineData(UnaryKind.Neg)]
    [InlineData(UnaryKind.Sign)]
    [InlineData(UnaryKind.Floor)]
    [InlineData(UnaryKind.Ceil)]
    [InlineData(UnaryKind.Round)]
    [InlineData(UnaryKind.Sqrt)]
    [InlineData(UnaryKind.Reciprocal)]
    [InlineData(UnaryKind.Exp)]
    [InlineData(UnaryKind.Log)]
    [InlineData(UnaryKind.Sin)]
    [InlineData(UnaryKind.Cos)]
    [InlineData(UnaryKind.Tan)]
    [InlineData(UnaryKind.Atan)]
    [InlineData(UnaryKind.Sinh)]
    [InlineData(UnaryKind.Cosh)]
    [InlineData(UnaryKind.Asinh)]
    [InlineData(UnaryKind.Asin)]
    [InlineData(UnaryKind.Acos)]
    [InlineData(UnaryKind.Acosh)]
    [InlineData(UnaryKind.Atanh)]
    [InlineData(UnaryKind.Softplus)]
    [InlineData(UnaryKind.Softsign)]
    internal void Functions_match_the_frameworks(UnaryKind kind)
    {
        var values = Array.ConvertAll(RandomData.Floats(20000, 4), x => x * 5);
        values[0] = 2.5f;
        values[1] = -0.5f;
        var expected = Array.ConvertAll(values, v => Apply(kind, v));
        OperatorRun.Check(
            new UnaryOperator(kind), 1, expected, [20000], i => 1e-6 * (1e-3 + Math.Abs(expected[i])), TensorData.Create(values, 20000));
    }

    [Fact]
    public void Erf_has_its_known_values()
    {
        // Abramowitz and Stegun, table 7.1.
        double[] x = [0, 0.1, 0.5, 1, 1.5, 2, 2.5, 3, 4, -1, 7, double.NaN];
        double[] y =
        [
            0, 0.1124629160182849, 0.5204998778130465, 0.8427007929497149, 0.9661051464753108, 0.9953222650189527, 0.9995930479825550,
            0.9999779095030014, 0.9999999845827421, -0.8427007929497149, 1, double.NaN,
        ];
        OperatorRun.Check(new UnaryOperator(UnaryKind.Erf), 1, y, [12], _ => 1e-14, TensorData.Create(x, 12));
    }

    [Fact]
    public void Clip_saturates_its_bounds_to_the_type()
    {
        var x = TensorData.Create<sbyte>([-128, -3, 0, 3, 127], 5);
        Assert.Equal([-2, -2, 0, 3, 127], (sbyte[])Evaluator.Run(new ClipOperator(-2, double.PositiveInfinity), x)[0].Values);
        Assert.Equal([1, 1, 1, 1, 1], (sbyte[])Evaluator.Run(new ClipOperator(5, 1), x)[0].Values);
    }

    [Theory]
    [InlineData(3, 5)]
    [InlineData(200, 128)]
    [InlineData(1, 20000)]
    public void Activations_work_on_rows(int rows, int channels)
    {
        var x = OperatorRun.Floats(7, rows, channels);
        foreach (var activation in new[] { Activation.ReLU, Activation.Sigmoid, Activation.None, Activation.Softmax })
        {
            var expected = Array.ConvertAll(
                x.Span<float>().ToArray(),
                v => activation == Activation.ReLU ? Math.Max(0, v) : activation == Activation.Sigmoid ? 1 / (1 + Math.Exp(-v)) : v);
            for (var r = 0; r < rows && activation == Activation.Softmax; r++)
            {
                var row = expected.AsSpan(r * channels, channels);
                var sum = row.ToArray().Sum(Math.Exp);
                foreach (ref var v in row)
                    v = Math.Exp(v) / sum;
            }

            OperatorRun.Check(new ActivationOperator(activation), 1, expected, [rows, channels], i => 1e-6 * Math.Abs(expected[i]), x);
        }
    }

    [Theory]
    [InlineData(new[] { 2, 3, 4 }, new[] { 3, 1 })]
    [InlineData(new[] { 2, 3, 4 }, new[] { 4 })]
    [InlineData(new[] { 4 }, new[] { 1 })]
    public void PRelu_broadcasts_its_slopes(int[] shape, int[] slopes)
    {
        var (x, slope) = (OperatorRun.Floats(1, shape), OperatorRun.Floats(2, slopes));
        OperatorRun.Check(new PReluOperator(), 1, Expected(x, slope, shape, (p, q) => p < 0 ? p * q : p), shape, _ => 1e-7, x, slope);
    }

    [Fact]
    public void Dropout_changes_nothing()
    {
        var x = OperatorRun.Floats(1, 3, 4);
        Assert.Equal((float[])x.Values, (float[])Evaluator.Run(new DropoutOperator(0.5f), x)[0].Values);
    }

    private static double[] Expected(TensorData a, TensorData b, int[] shape, Func<double, double, double> function)
    {
        var (x, y) = (OperatorRun.Doubles(a), OperatorRun.Doubles(b));
        var (shapeA, shapeB) = (a.Type.Shape.Lengths.ToArray(), b.Type.Shape.Lengths.ToArray());
        var expected = new double[shape.Aggregate(1, (p, q) => p * q)];
        for (var i = 0; i < expected.Length; i++)
            expected[i] = function(x[OperatorRun.BroadcastIndex(i, shape, shapeA)], y[OperatorRun.BroadcastIndex(i, shape, shapeB)]);
        return expected;
    }

    private static double Apply(BinaryKind kind, double a, double b) => kind switch
    {
        BinaryKind.Add => a + b,
        BinaryKind.Sub => a - b,
        BinaryKind.Mul => a * b,
        BinaryKind.Div => a / b,
        BinaryKind.Min => Math.Min(a, b),
        _ => Math.Max(a, b),
    };

    private static double Apply(UnaryKind kind, double x) => kind switch
    {
        UnaryKind.Abs => Math.Abs(x),
        UnaryKind.Neg => -x,
        UnaryKind.Sign => Math.Sign(x),
        UnaryKind.Floor => Math.Floor(x),
        UnaryKind.Ceil => Math.Ceiling(x),
        UnaryKind.Round => Math.Round(x),
        UnaryKind.Sqrt => Math.Sqrt(x),
        UnaryKind.Reciprocal => 1 / x,
        UnaryKind.Exp => Math.Exp(x),
        UnaryKind.Log => Math.Log(x),
        UnaryKind.Sin => Math.Sin(x),
        UnaryKind.Cos => Math.Cos(x),
        UnaryKind.Tan => Math.Tan(x),
        UnaryKind.Asin => Math.Asin(x),
        UnaryKind.Acos => Math.Acos(x),
        UnaryKind.Atan => Math.Atan(x),
        UnaryKind.Sinh => Math.Sinh(x),
        UnaryKind.Cosh => Math.Cosh(x),
        UnaryKind.Asinh => Math.Asinh(x),
        UnaryKind.Acosh => Math.Acosh(x),
        UnaryKind.Atanh => Math.Atanh(x),
        UnaryKind.Softplus => Math.Log(1 + Math.Exp(x)),
        _ => x / (1 + Math.Abs(x)),
    };
}
