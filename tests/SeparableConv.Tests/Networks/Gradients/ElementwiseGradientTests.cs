using SeparableConv.Networks.Gradients;
using SeparableConv.Tests.Networks.Operators;

namespace SeparableConv.Tests.Networks.Gradients;

/// <summary>Gradients of element-wise arithmetic with broadcasting, of functions, bounds, choices and casts.</summary>
public sealed class ElementwiseGradientTests
{
    // Both ways, of rank 0 to 5, and long enough to be cut into parts.
    private static readonly (int[] A, int[] B)[] Shapes =
    [
        ([], []), ([1], []), ([], [3]), ([5], [5]), ([2, 3], [3]), ([3], [2, 3]), ([2, 3], [2, 1]), ([2, 1], [1, 3]), ([1, 1], [1]),
        ([2, 3, 2, 4], [2, 1, 1, 4]), ([1, 3, 1, 4], [2, 3, 2, 1]), ([2, 1, 3, 1, 2], [3, 1, 2, 1]), ([0, 3], [3]), ([2, 90, 211], [211]),
        ([2, 90, 211], [2, 90, 1]), ([], [2, 90, 211]),
    ];

    [Theory]
    [InlineData("Add")]
    [InlineData("Sub")]
    [InlineData("Mul")]
    [InlineData("Div")]
    [InlineData("Min")]
    [InlineData("Max")]
    public void Arithmetic_has_the_gradients_of_central_differences(string name)
    {
        var op = new BinaryOperator(Enum.Parse<BinaryKind>(name), Activation.None);
        foreach (var (a, b) in Shapes)
        {
            var first = OperatorRun.Floats(1, a);

            // None near 0, which divides, and for Min and Max half of them above any of the first, half below.
            var distance = op.BinaryKind is BinaryKind.Min or BinaryKind.Max ? 1.1f : 0.4f;
            var second = Apart(OperatorRun.Floats(2, b), distance);

            // A sum of many terms in single precision is worth as much as they are.
            var isLong = second.Type.Shape.ElementCount + first.Type.Shape.ElementCount > 10000;
            var tolerance = isLong ? 2e-3 : 5e-5;
            GradientCheck.Run(op, [first, second], tolerance: tolerance);
            if (isLong)
                continue;
            Assert.Single(GradientCheck.Run(op, [first, second], constant: [1], tolerance: tolerance));
            Assert.Single(GradientCheck.Run(op, [first, second], constant: [0], tolerance: tolerance));
        }

        static TensorData Apart(TensorData data, float distance) => TensorData.Create(
            Array.ConvertAll(data.Span<float>().ToArray(), x => x < 0 ? x - distance : x + distance), data.Type.Shape.Lengths);
    }

    [Fact]
    public void A_value_on_both_sides_gets_the_sum()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", new(ElementType.Float32, new TensorShape(5)));
        var y = graph.Add("square", new BinaryOperator(BinaryKind.Mul, Activation.None), x, x);
        var seed = graph.Input("seed", y.Type);
        var gradient = GradientGraph.Add(graph, [(y, seed)], [x])[0]!;
        var (data, weights) = (OperatorRun.Floats(1, 5), OperatorRun.Floats(2, 5));
        var actual = GradientCheck.Run(graph.Build("step", gradient), [data, weights])[0].Span<float>();
        for (var i = 0; i < 5; i++)
            Assert.Equal(2 * data.Span<float>()[i] * weights.Span<float>()[i], actual[i], 1e-6f);
    }

    [Fact]
    public void Of_equal_numbers_the_larger_and_the_lesser_are_half_each()
    {
        var (a, b) = (TensorData.Create([1f, 2, 3], 3), TensorData.Create([2f], 1));
        foreach (var (kind, first, second) in new[] { (BinaryKind.Max, new[] { 0, 1f, 2 }, 3f), (BinaryKind.Min, [2, 1f, 0], 3f) })
        {
            var op = new BinaryOperator(kind, Activation.None);
            Assert.Equal(first, GradientCheck.Of(op, 0, [2, 2, 2], a, b));
            Assert.Equal([second], GradientCheck.Of(op, 1, [2, 2, 2], a, b));
        }
    }

    [Theory]
    [InlineData(2f)]
    [InlineData(3f)]
    [InlineData(1f)]
    [InlineData(0f)]
    [InlineData(-1f)]
    [InlineData(0.5f)]
    [InlineData(-1.7f)]
    public void Powers_have_the_gradient_of_their_base(float exponent)
    {
        var op = new BinaryOperator(BinaryKind.Pow, Activation.None);
        foreach (var shape in new[] { Array.Empty<int>(), [1], [7], [2, 3, 5], [3, 90, 101] })
        {
            var x = TensorData.Create(
                Array.ConvertAll(OperatorRun.Floats(1, shape).Span<float>().ToArray(), value => value + 1.5f), shape);
            GradientCheck.Run(op, [x, TensorData.Create([exponent])], constant: [1], tolerance: 1e-4);
            if (float.IsInteger(exponent))
                GradientCheck.Run(op, [x, TensorData.Create([(long)exponent], 1)], tolerance: 1e-4);
        }

        // An exponent for each column, and a base that is broadcast.
        GradientCheck.Run(
            op,
            [TensorData.Create([1.5f, 0.5f], 2, 1), TensorData.Create([2f, exponent, 0.25f], 3)],
            constant: [1],
            tolerance: 1e-4);
    }

    [Fact]
    public void Powers_of_0_have_the_gradients_of_their_formula()
    {
        var op = new BinaryOperator(BinaryKind.Pow, Activation.None);
        var x = TensorData.Create([0f], 1);
        Assert.Equal([0f], GradientCheck.Of(op, 0, [1], x, TensorData.Create([0f], 1)));
        Assert.Equal([1f], GradientCheck.Of(op, 0, [1], x, TensorData.Create([1f], 1)));
        Assert.Equal([0f], GradientCheck.Of(op, 0, [1], x, TensorData.Create([2f], 1)));
        Assert.Equal([float.PositiveInfinity], GradientCheck.Of(op, 0, [1], x, TensorData.Create([0.5f], 1)));
    }

    [Theory]
    [InlineData("Abs", 2f, 0f)]
    [InlineData("Neg", 2f, 0f)]
    [InlineData("Sqrt", 1f, 1.5f)]
    [InlineData("Reciprocal", 1f, 1.5f)]
    [InlineData("Reciprocal", 1f, -1.5f)]
    [InlineData("Exp", 2f, 0f)]
    [InlineData("Log", 1f, 1.5f)]
    [InlineData("Sin", 4f, 0f)]
    [InlineData("Cos", 4f, 0f)]
    [InlineData("Erf", 3f, 0f)]
    [InlineData("Tan", 1.2f, 0f)]
    [InlineData("Asin", 0.8f, 0f)]
    [InlineData("Acos", 0.8f, 0f)]
    [InlineData("Atan", 3f, 0f)]
    [InlineData("Sinh", 2f, 0f)]
    [InlineData("Cosh", 2f, 0f)]
    [InlineData("Asinh", 3f, 0f)]
    [InlineData("Acosh", 1f, 2.5f)]
    [InlineData("Atanh", 0.8f, 0f)]
    [InlineData("Softplus", 6f, 0f)]
    [InlineData("Softsign", 4f, 0f)]
    public void Functions_have_the_gradients_of_central_differences(string name, float factor, float shift)
    {
        foreach (var shape in new[] { Array.Empty<int>(), [1], [7], [2, 0], [2, 3, 1, 2, 5], [3, 90, 101] })
        {
            var x = GradientCheck.Away(1, factor, [-shift], shape).Span<float>().ToArray();
            GradientCheck.Run(
                new UnaryOperator(Enum.Parse<UnaryKind>(name)), [TensorData.Create(Array.ConvertAll(x, value => value + shift), shape)]);
        }
    }

    [Fact]
    public void Functions_of_halves_have_gradients_too()
    {
        var (dy, x) = (TensorData.Create([(Half)2, (Half)3], 2), TensorData.Create([(Half)0.5, (Half)(-4)], 2));
        var dx = Evaluator.Run(new UnaryGradientOperator(UnaryKind.Softsign), dy, x)[0];
        Assert.Equal([2 / (1.5 * 1.5), 3 / 25.0], OperatorRun.Doubles(dx), (a, b) => Math.Abs(a - b) < 1e-3);
    }

    [Fact]
    public void The_absolute_value_has_no_gradient_at_0() => Assert.Equal(
        [0f, 2, -2],
        GradientCheck.Of(new UnaryOperator(UnaryKind.Abs), 0, [2, 2, 2], TensorData.Create([0f, 1, -1], 3)));

    [Theory]
    [InlineData("Sign")]
    [InlineData("Floor")]
    [InlineData("Ceil")]
    [InlineData("Round")]
    public void Steps_are_level_and_end_the_way_of_a_gradient(string name)
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", new(ElementType.Float32, new TensorShape(5)));
        var step = graph.Add("step", new UnaryOperator(Enum.Parse<UnaryKind>(name)), x);
        var y = graph.Add("y", new BinaryOperator(BinaryKind.Mul, Activation.None), step, x);
        var seed = graph.Input("seed", y.Type);
        Assert.Null(GradientGraph.Add(graph, [(step, seed)], [x])[0]);

        // Beside another way it adds nothing.
        var gradient = GradientGraph.Add(graph, [(y, seed)], [x])[0]!;
        var (data, ones) = (OperatorRun.Floats(1, 5), TensorData.Create([1f, 1, 1, 1, 1], 5));
        var expected = Evaluator.Run(step.Producer!.Operator, data)[0];
        Assert.Equal(expected.Span<float>().ToArray(), GradientCheck.Run(graph.Build("g", gradient), [data, ones])[0].Span<float>());
    }

    [Fact]
    public void Bounds_let_through_what_lies_between()
    {
        foreach (var shape in new[] { Array.Empty<int>(), [9], [3, 90, 101] })
            GradientCheck.Run(new ClipOperator(-0.5, 0.25), [GradientCheck.Away(1, 1, [-0.5f, 0.25f], shape)]);
        GradientCheck.Run(new ClipOperator(-1e300, 0.25), [GradientCheck.Away(1, 1, [0.25f], 9)]);
        GradientCheck.Run(new ClipOperator(0.5, -0.25), [GradientCheck.Away(1, 1, [], 9)]);
        Assert.Equal([0f, 0], GradientCheck.Of(new ClipOperator(-1, 2), 0, [3, 3], TensorData.Create([-1f, 2], 2)));
    }

    [Fact]
    public void Choices_have_the_gradient_where_they_were_chosen()
    {
        (int[] Condition, int[] A, int[] B)[] cases =
        [
            ([], [], []), ([3], [3], [3]), ([3], [], [2, 1]), ([2, 3, 1], [3, 4], [1]), ([1, 4], [2, 3, 1], [2, 1, 4]), ([2, 0], [1], []),
            ([90, 1], [3, 90, 101], [101]),
        ];
        foreach (var (condition, a, b) in cases)
        {
            var random = new Random(4);
            var truths = new bool[condition.Aggregate(1, (x, y) => x * y)];
            for (var i = 0; i < truths.Length; i++)
                truths[i] = random.Next(2) == 1;
            GradientCheck.Run(
                new WhereOperator(),
                [TensorData.Create(truths, condition), OperatorRun.Floats(1, a), OperatorRun.Floats(2, b)],
                tolerance: 1e-3);
        }

        // What was not chosen has 0, whatever the gradient is.
        var (yes, x) = (TensorData.Create([true, false], 2), TensorData.Create([1f, 1], 2));
        Assert.Equal([float.NaN, 0], GradientCheck.Of(new WhereOperator(), 1, [float.NaN, float.PositiveInfinity], yes, x, x));
    }

    [Fact]
    public void A_condition_ends_the_way_of_a_gradient()
    {
        // x where it is above 0.25, else its double.
        var graph = new GraphBuilder();
        var x = graph.Input("x", new(ElementType.Float32, new TensorShape(5)));
        var number = graph.Constant("number", TensorData.Create([0.25f]));
        var condition = graph.Add("above", new BinaryOperator(BinaryKind.Greater, Activation.None), x, number);
        var twice = graph.Add("twice", new BinaryOperator(BinaryKind.Add, Activation.None), x, x);
        var y = graph.Add("y", new WhereOperator(), condition, x, twice);
        var gradient = GradientGraph.Add(graph, [(y, graph.Input("seed", y.Type))], [x])[0]!;
        var step = graph.Build("step", gradient);
        var data = TensorData.Create([-1f, 0, 0.2f, 0.3f, 1], 5);
        Assert.Equal([2f, 2, 2, 1, 1], GradientCheck.Run(step, [data, TensorData.Create([1f, 1, 1, 1, 1], 5)])[0].Span<float>());
    }

    [Fact]
    public void A_cast_of_floats_casts_the_gradient_back()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", new(ElementType.Float32, new TensorShape(3)));
        var wide = graph.Add("wide", new CastOperator(ElementType.Float64), x);
        var square = graph.Add("square", new BinaryOperator(BinaryKind.Mul, Activation.None), wide, wide);
        var y = graph.Add("y", new CastOperator(ElementType.Float32), square);
        var gradient = GradientGraph.Add(graph, [(y, graph.Input("seed", y.Type))], [x])[0]!;
        Assert.Contains(graph.Nodes, node => node.Outputs[0].Type.Element == ElementType.Float64 && node.Name.Contains("/gradient/"));
        var (data, seed) = (TensorData.Create([1f, 2, 3], 3), TensorData.Create([1f, 10, 100], 3));
        Assert.Equal([2f, 40, 600], GradientCheck.Run(graph.Build("step", gradient), [data, seed])[0].Span<float>());
    }
}
