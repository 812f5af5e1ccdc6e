using SeparableConv.Loops;

namespace SeparableConv.Tests.Networks.Operators;

public unsafe class MatrixTests
{
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(1, 1024, 1001)]
    [InlineData(3, 7, 9)]
    [InlineData(5, 16, 17)]
    [InlineData(49, 33, 3)]
    public void Dense_matches_plain_loops(int rows, int inputs, int outputs)
    {
        var (x, w, b) = (OperatorRun.Floats(1, rows, inputs), OperatorRun.Floats(2, inputs, outputs), OperatorRun.Floats(3, outputs));
        var product = Product(x, w, rows, inputs, outputs);
        var expected = product.Select((v, i) => Math.Max(0, v + b.Span<float>()[i % outputs])).ToArray();
        foreach (var constants in new[] { 1, 3 })
            OperatorRun.Check(new DenseOperator(Activation.ReLU), constants, expected, [rows, outputs], _ => 2e-6 * inputs, x, w, b);
        OperatorRun.Check(new DenseOperator(Activation.None), 1, product, [rows, outputs], _ => 2e-6 * inputs, x, w);
        for (var r = 0; r < rows; r++)
        {
            var row = product.AsSpan(r * outputs, outputs);
            var sum = row.ToArray().Sum(Math.Exp);
            foreach (ref var v in row)
                v = Math.Exp(v) / sum;
        }

        OperatorRun.Check(new DenseOperator(Activation.Softmax), 1, product, [rows, outputs], _ => 1e-5, x, w);
    }

    [Theory]
    [InlineData(new[] { 4 }, new[] { 4 }, new int[0])]
    [InlineData(new[] { 4 }, new[] { 4, 5 }, new[] { 5 })]
    [InlineData(new[] { 3, 4 }, new[] { 4 }, new[] { 3 })]
    [InlineData(new[] { 3, 4 }, new[] { 4, 5 }, new[] { 3, 5 })]
    [InlineData(new[] { 2, 3, 4 }, new[] { 4, 5 }, new[] { 2, 3, 5 })]
    [InlineData(new[] { 3, 4 }, new[] { 2, 4, 17 }, new[] { 2, 3, 17 })]
    [InlineData(new[] { 6, 1, 40, 4 }, new[] { 5, 4, 9 }, new[] { 6, 5, 40, 9 })]
    [InlineData(new[] { 4 }, new[] { 2, 4, 5 }, new[] { 2, 5 })]
    [InlineData(new[] { 2, 2, 3, 4 }, new[] { 4 }, new[] { 2, 2, 3 })]
    [InlineData(new[] { 3, 0 }, new[] { 0, 2 }, new[] { 3, 2 })]
    public void MatMul_follows_numpy(int[] a, int[] b, int[] shape)
    {
        Check(OperatorRun.Floats(1, a), OperatorRun.Floats(2, b), 1e-6);
        Check(OperatorRun.Wholes<int>(1, -9, 9, a), OperatorRun.Wholes<int>(2, -9, 9, b), 0);
        Check(OperatorRun.Wholes<double>(1, -9, 9, a), OperatorRun.Wholes<double>(2, -9, 9, b), 0);
        Check(OperatorRun.Wholes<Half>(1, -9, 9, a), OperatorRun.Wholes<Half>(2, -9, 9, b), 0);

        void Check(TensorData x, TensorData w, double bound)
        {
            var expected = MatMul(x, w, a, b, shape);
            OperatorRun.Check(new MatMulOperator(), 1, expected, shape, _ => bound, x, w);
            OperatorRun.Check(new MatMulOperator(), 2, expected, shape, _ => bound, x, w);
        }
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Gemm_matches_plain_loops(bool transposeA, bool transposeB)
    {
        var random = new Random(3);
        for (var i = 0; i < 30; i++)
        {
            var (rows, depth, columns) = (random.Next(1, 40), random.Next(1, 20), random.Next(1, 36));
            var a = transposeA ? OperatorRun.Floats(i, depth, rows) : OperatorRun.Floats(i, rows, depth);
            var b = transposeB ? OperatorRun.Floats(i + 50, columns, depth) : OperatorRun.Floats(i + 50, depth, columns);
            int[]? shapeC = (i % 7) switch
            {
                0 => [],
                1 => [1],
                2 => [columns],
                3 => [rows, 1],
                4 => [1, columns],
                5 => [rows, columns],
                _ => null,
            };
            var c = shapeC is null ? null : OperatorRun.Floats(i + 90, shapeC);
            var (alpha, beta) = i % 2 == 0 ? (1f, 1f) : (0.5f, -2f);
            var expected = new double[rows * columns];
            for (var k = 0; k < expected.Length; k++)
            {
                var (m, n) = (k / columns, k % columns);
                var sum = 0.0;
                for (var d = 0; d < depth; d++)
                {
                    var (left, right) = (transposeA ? (d * rows) + m : (m * depth) + d, transposeB ? (n * depth) + d : (d * columns) + n);
                    sum += (double)a.Span<float>()[left] * b.Span<float>()[right];
                }

                expected[k] =
                    (alpha * sum) + (c is null ? 0 : beta * c.Span<float>()[OperatorRun.BroadcastIndex(k, [rows, columns], shapeC!)]);
            }

            foreach (var constants in new[] { 1, 3 })
                OperatorRun.Check(
                    new GemmOperator(alpha, beta, transposeA, transposeB), constants, expected, [rows, columns], _ => 1e-5, a, b, c);
        }
    }

    [Fact]
    public void Every_width_of_the_plain_product_is_right()
    {
        foreach (var width in SimdWidths.All)
        {
            foreach (var (rows, depth, columns) in new[]
            {
                (1, 1, 1), (4, 5, 8), (7, 3, 15), (5, 9, 16), (6, 2, 17), (9, 4, 31), (3, 8, 33),
            })
            {
                var (a, b) = (OperatorRun.Floats(1, rows, depth), OperatorRun.Floats(2, depth, columns));
                var (expected, y) = (Product(a, b, rows, depth, columns), new float[rows * columns]);
                fixed (float* x = a.Span<float>(), w = b.Span<float>(), to = y)
                    PlainProduct.Run(x, depth, 1, w, to, rows, depth, columns, width);
                for (var i = 0; i < y.Length; i++)
                    Assert.Equal(expected[i], y[i], 1e-5);
            }
        }
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        var (a, b) =
            (new TensorType(ElementType.Float32, new TensorShape(2, 3)), new TensorType(ElementType.Float32, new TensorShape(4, 5)));
        Assert.Equal(
            "The left matrix (2,3) has 3 columns but the right one (4,5) has 4 rows; both must be equal.",
            Assert.Throws<ArgumentException>(() => new MatMulOperator().Infer([a, b])).Message);
        Assert.Throws<ArgumentException>(() => new GemmOperator(1, 1, false, false).Infer([a, b]));
        Assert.Throws<ArgumentException>(() => new DenseOperator(Activation.None).Infer([a, b]));
        Assert.Throws<ArgumentException>(() => new GemmOperator(1, 1, true, false).Infer([a, a, b]));
        Assert.Equal(2 * 5 * 3, Macs(new MatMulOperator(), a, new TensorType(ElementType.Float32, new TensorShape(3, 5))));
        Assert.Equal(3 * 3 * 2, Macs(new GemmOperator(1, 1, true, false), a, a));
    }

    private static long Macs(Operator op, TensorType a, TensorType b)
    {
        var graph = new GraphBuilder();
        return graph.AddNode("op", op, graph.Input("a", a), graph.Input("b", b)).Cost.Macs;
    }

    private static double[] Product(TensorData x, TensorData w, int rows, int inputs, int outputs)
    {
        var y = new double[rows * outputs];
        for (var k = 0; k < y.Length; k++)
        {
            for (var i = 0; i < inputs; i++)
                y[k] += (double)x.Span<float>()[(k / outputs * inputs) + i] * w.Span<float>()[(i * outputs) + (k % outputs)];
        }

        return y;
    }

    private static double[] MatMul(TensorData x, TensorData w, int[] a, int[] b, int[] shape)
    {
        // Vectors become matrices, then leading dimensions broadcast.
        int[] fullA = a.Length == 1 ? [1, a[0]] : a;
        int[] fullB = b.Length == 1 ? [b[0], 1] : b;
        var (rows, depth, columns) = (fullA[^2], fullA[^1], fullB[^1]);
        var batch = shape[..(shape.Length - (a.Length > 1 ? 1 : 0) - (b.Length > 1 ? 1 : 0))];
        var (p, q) = (OperatorRun.Doubles(x), OperatorRun.Doubles(w));
        var y = new double[batch.Aggregate(1, (s, t) => s * t) * rows * columns];
        for (var k = 0; k < y.Length; k++)
        {
            var (n, m, pair) = (k % columns, k / columns % rows, k / columns / rows);
            var (left, right) =
                (OperatorRun.BroadcastIndex(pair, batch, fullA[..^2]), OperatorRun.BroadcastIndex(pair, batch, fullB[..^2]));
            for (var d = 0; d < depth; d++)
                y[k] += p[(((left * rows) + m) * depth) + d] * q[(((right * depth) + d) * columns) + n];
        }

        return y;
    }
}
