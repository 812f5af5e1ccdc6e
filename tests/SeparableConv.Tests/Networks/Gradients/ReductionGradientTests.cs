using SeparableConv.Networks.Gradients;
using SeparableConv.Tests.Networks.Operators;

namespace SeparableConv.Tests.Networks.Gradients;

/// <summary>Gradients of sums, means, largest and least numbers along axes.</summary>
public sealed class ReductionGradientTests
{
    private static readonly (int[] Shape, int[] Axes)[] Cases =
    [
        ([], []), ([1], [0]), ([5], [0]), ([5], []), ([2, 3], [1]), ([2, 3], [0]), ([2, 3], [-1, 0]), ([2, 3, 4], [1]), ([2, 3, 4], [0, 2]),
        ([2, 3, 4], [-1]), ([2, 1, 3, 4, 2], [1, 3]), ([2, 1, 3, 4, 2], [0, 2, 4]), ([3, 90, 101], [1]), ([3, 90, 101], [0, 2]),
    ];

    [Theory]
    [InlineData("Sum")]
    [InlineData("Mean")]
    [InlineData("Max")]
    [InlineData("Min")]
    public void Reductions_have_the_gradients_of_central_differences(string name)
    {
        foreach (var (shape, axes) in Cases)
        {
            foreach (var keeps in new[] { false, true })
                GradientCheck.Run(new ReduceOperator(Enum.Parse<ReduceKind>(name), axes, keeps), [GradientCheck.Distinct(1, shape)]);
        }
    }

    [Fact]
    public void An_empty_sum_has_a_gradient_for_nobody() =>
        GradientCheck.Run(new ReduceOperator(ReduceKind.Sum, [1], false), [OperatorRun.Floats(1, 3, 0)]);

    [Fact]
    public void Equal_numbers_share_the_gradient_of_the_largest_and_the_least()
    {
        var x = TensorData.Create([3f, 1, 3, 2, 1, 1, 1, 1], 2, 4);
        Assert.Equal(
            [1, 0, 1, 0, 1, 1, 1, 1],
            GradientCheck.Of(new ReduceOperator(ReduceKind.Max, [1], false), 0, [2, 4], x));
        Assert.Equal(
            [0, 2, 0, 0, 1, 1, 1, 1],
            GradientCheck.Of(new ReduceOperator(ReduceKind.Min, [1], true), 0, [2, 4], x));
    }

    [Fact]
    public void A_product_is_named_as_lacking_a_gradient()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", new(ElementType.Float32, new TensorShape(3)));
        var y = graph.Add("product", new ReduceOperator(ReduceKind.Prod, [0], false), x);
        var error = Assert.Throws<NetworkException>(() => GradientGraph.Add(graph, [(y, graph.Input("seed", y.Type))], [x]));
        Assert.Contains("'product' (ReduceProd)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Sums_of_another_length_are_refused()
    {
        var op = new AxisSumsOperator(1, new AxisTaps(3, 2, [new(0, 2, 1), new(1, 0, 0.5f), new(0, 1, -1)]));
        Assert.Equal([2f, 2], Evaluator.Run(op, TensorData.Create([4f, 1, 3], 1, 3))[0].Span<float>());
        var error = Assert.Throws<ArgumentException>(() => op.Infer([new(ElementType.Float32, new TensorShape(1, 4))]));
        Assert.Contains("has 4 positions; the sums read 3", error.Message, StringComparison.Ordinal);
    }
}
