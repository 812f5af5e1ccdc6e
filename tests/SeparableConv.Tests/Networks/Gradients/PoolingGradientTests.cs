using SeparableConv.Networks.Gradients;
using SeparableConv.Tests.Networks.Operators;

namespace SeparableConv.Tests.Networks.Gradients;

/// <summary>Gradients of average and maximum pooling, of windows and of whole images.</summary>
public sealed class PoolingGradientTests
{
    private static readonly (int[] Shape, Size2D Kernel, Size2D Stride, Size2D Dilation, Padding Padding, bool Ceil)[] Windows =
    [
        ([1, 1, 1, 1], 1, 1, 1, Padding.Valid, false),
        ([1, 1, 1, 3], 3, 1, 1, Padding.Same, false),
        ([2, 5, 6, 3], 2, 2, 1, Padding.Valid, false),
        ([2, 5, 6, 3], 2, 2, 1, Padding.Valid, true),
        ([1, 7, 9, 2], 3, 2, 1, Padding.Same, false),
        ([1, 7, 9, 2], 3, 2, 1, Padding.SameLower, false),
        ([2, 6, 5, 1], (2, 3), (1, 2), 1, Padding.Explicit(1, 0, 1, 2), false),
        ([1, 6, 7, 2], 3, 2, 1, Padding.Explicit(1, 1, 1, 1), true),
        ([1, 9, 8, 2], (2, 3), (2, 1), (3, 2), Padding.Explicit(1, 2, 2, 0), false),
        ([1, 9, 8, 2], 2, 3, (2, 3), Padding.Valid, true),
        ([1, 4, 4, 2], 1, 3, 1, Padding.Valid, false),
        ([1, 3, 5, 17], (3, 5), 1, 1, Padding.Valid, false),
        ([1, 3, 3, 2], 4, 2, 1, Padding.Explicit(2, 2, 2, 2), false),
        ([3, 40, 30, 21], 3, 2, 1, Padding.Same, false),
    ];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Average_pooling_has_the_gradient_of_central_differences(bool countsBorder)
    {
        foreach (var (shape, kernel, stride, dilation, padding, ceil) in Windows)
        {
            var op = new Pool2DOperator(PoolKind.Average, kernel, stride, dilation, padding, ceil, countsBorder, Activation.None);
            GradientCheck.Run(op, [OperatorRun.Floats(1, shape)]);
        }
    }

    [Fact]
    public void Maximum_pooling_has_the_gradient_of_central_differences()
    {
        foreach (var (shape, kernel, stride, dilation, padding, ceil) in Windows)
        {
            var x = GradientCheck.Distinct(1, shape);
            GradientCheck.Run(new Pool2DOperator(PoolKind.Max, kernel, stride, dilation, padding, ceil, false, Activation.None), [x]);
            GradientCheck.Run(new MaxPoolWithIndicesOperator(kernel, stride, dilation, padding, ceil, columnMajor: false), [x]);
        }
    }

    // Bands of several windows, in one of which each window's largest lies.
    [Theory]
    [InlineData(3, 1, 1)]
    [InlineData(3, 2, 1)]
    [InlineData(2, 3, 1)]
    [InlineData(3, 1, 4)]
    public void Windows_that_lie_across_parts_count_once(int kernel, int stride, int dilation)
    {
        var g = PoolShapes.Geometry(new TensorShape(2, 61, 83, 33), kernel, stride, dilation, Padding.Valid, ceilMode: false);
        var x = OperatorRun.Floats(1, 2, 61, 83, 33);
        var op = new MaxPoolWithIndicesOperator(kernel, stride, dilation, Padding.Valid, ceilMode: false, columnMajor: false);
        var positions = Evaluator.Run(op, x)[1].Span<long>();
        var seed = OperatorRun.Floats(2, PoolShapes.Output(g).Lengths.ToArray()).Span<float>().ToArray();

        var expected = new double[2 * 61 * 83 * 33];
        for (var i = 0; i < positions.Length; i++)
        {
            var (plane, pixel) = Math.DivRem(positions[i], 61 * 83);
            expected[(((plane / 33 * 61 * 83) + pixel) * 33) + (plane % 33)] += seed[i];
        }

        var actual = GradientCheck.Of(op, 0, seed, x);
        for (var i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], 1e-5);
    }

    [Fact]
    public void Of_equal_numbers_the_first_in_reading_order_has_the_gradient()
    {
        foreach (var channels in new[] { 1, 16, 19 })
        {
            var x = TensorData.Create(new float[12 * channels], 1, 3, 4, channels);
            var ones = new float[6 * channels];
            Array.Fill(ones, 1f);
            var pool = new Pool2DOperator(PoolKind.Max, 2, 1, 1, Padding.Valid, false, false, Activation.None);
            Assert.Equal([1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 0, 0], OfChannel(GradientCheck.Of(pool, 0, ones, x)));
            var whole = new GlobalPoolOperator(PoolKind.Max);
            Assert.Equal([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], OfChannel(GradientCheck.Of(whole, 0, ones[..channels], x)));

            // All channels are alike; the last is one that no vector holds.
            float[] OfChannel(float[] gradient) => [.. gradient.Where((_, i) => i % channels == channels - 1)];
        }
    }

    [Theory]
    [InlineData(1, 1, 1, 1)]
    [InlineData(2, 3, 5, 4)]
    [InlineData(3, 7, 1, 19)]
    [InlineData(3, 40, 30, 21)]
    public void Pooling_of_whole_images_has_the_gradient_of_central_differences(int n, int h, int w, int c)
    {
        var x = GradientCheck.Distinct(1, n, h, w, c);
        GradientCheck.Run(new GlobalPoolOperator(PoolKind.Average), [x], numbers => [Whole(numbers[0], values => values.Average())]);
        GradientCheck.Run(new GlobalPoolOperator(PoolKind.Max), [x], numbers => [Whole(numbers[0], values => values.Max())]);

        double[] Whole(double[] numbers, Func<IEnumerable<double>, double> function) =>
        [
            .. Enumerable.Range(0, n * c).Select(i => function(
                Enumerable.Range(0, h * w).Select(pixel => numbers[(((i / c * h * w) + pixel) * c) + (i % c)]))),
        ];
    }

    [Fact]
    public void Positions_alone_have_no_gradient()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", new(ElementType.Float32, new TensorShape(1, 4, 4, 1)));
        var pool = graph.AddNode("pool", new MaxPoolWithIndicesOperator(2, 2, 1, Padding.Valid, false, false), x);
        Assert.Null(GradientGraph.Add(graph, [(pool.Outputs[1], graph.Input("seed", pool.Outputs[1].Type))], [x])[0]);
    }
}
