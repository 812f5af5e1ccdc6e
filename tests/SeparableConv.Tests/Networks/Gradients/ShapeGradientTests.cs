using SeparableConv.Networks.Gradients;
using SeparableConv.Tests.Networks.Operators;

namespace SeparableConv.Tests.Networks.Gradients;

/// <summary>Gradients of operators that move, repeat, cut or join.</summary>
public sealed class ShapeGradientTests
{
    [Theory]
    [InlineData(new int[0], new int[0])]
    [InlineData(new[] { 1 }, new int[0])]
    [InlineData(new[] { 2, 3, 4 }, new[] { 6, 4 })]
    [InlineData(new[] { 6 }, new[] { 1, 3, 1, 2, 1 })]
    [InlineData(new[] { 2, 0 }, new[] { 0, 7 })]
    public void Reshape_gives_the_gradient_in_the_shape_of_the_input(int[] from, int[] to) =>
        GradientCheck.Run(new ReshapeOperator(new TensorShape(to)), [OperatorRun.Floats(1, from)]);

    [Fact]
    public void What_only_shows_its_input_passes_the_gradient_on()
    {
        foreach (var op in new Operator[] { new IdentityOperator(), new CopyOperator(), new DropoutOperator(0.5f) })
        {
            GradientCheck.Run(op, [OperatorRun.Floats(1, 2, 3)]);
            GradientCheck.Run(op, [OperatorRun.Floats(1)]);
        }
    }

    [Theory]
    [InlineData(new int[0], new int[0])]
    [InlineData(new[] { 3 }, new[] { 0 })]
    [InlineData(new[] { 3, 4 }, new[] { 1, 0 })]
    [InlineData(new[] { 2, 3, 4 }, new[] { 2, 0, 1 })]
    [InlineData(new[] { 2, 3, 4 }, new[] { 1, 2, 0 })]
    [InlineData(new[] { 2, 1, 3, 2, 4 }, new[] { 3, 0, 4, 1, 2 })]
    [InlineData(new[] { 70, 3, 190 }, new[] { 2, 0, 1 })]
    public void Transpose_gives_the_gradient_transposed_back(int[] shape, int[] permutation) =>
        GradientCheck.Run(new TransposeOperator(permutation), [OperatorRun.Floats(1, shape)]);

    [Theory]
    [InlineData(new int[0], new[] { 2, 3 })]
    [InlineData(new[] { 3 }, new[] { 2, 3 })]
    [InlineData(new[] { 2, 1, 3 }, new[] { 4, 1 })]
    [InlineData(new[] { 1, 2, 1, 3, 1 }, new[] { 2, 2, 2, 1, 2 })]
    [InlineData(new[] { 3 }, new[] { 1 })]
    [InlineData(new[] { 1, 3 }, new[] { 0, 3 })]
    [InlineData(new[] { 90, 1, 8 }, new[] { 90, 50, 8 })]
    public void Expand_sums_over_the_repeats(int[] shape, int[] to) =>
        GradientCheck.Run(new ExpandOperator(new TensorShape(to)), [OperatorRun.Floats(1, shape)]);

    [Theory]
    [InlineData(new int[0], new int[0])]
    [InlineData(new[] { 3 }, new[] { 4 })]
    [InlineData(new[] { 2, 3 }, new[] { 1, 1 })]
    [InlineData(new[] { 2, 3 }, new[] { 3, 2 })]
    [InlineData(new[] { 2, 3 }, new[] { 1, 0 })]
    [InlineData(new[] { 2, 1, 3, 2 }, new[] { 2, 3, 1, 2 })]
    [InlineData(new[] { 30, 50 }, new[] { 3, 20 })]
    public void Tile_sums_over_the_repeats(int[] shape, int[] repeats) =>
        GradientCheck.Run(new TileOperator(repeats), [OperatorRun.Floats(1, shape)]);

    [Fact]
    public void Concatenate_gives_each_input_its_part()
    {
        (int Axis, int[][] Shapes)[] cases =
        [
            (0, [[3]]), (0, [[2], [1], [4]]), (-1, [[2, 3], [2, 1]]), (1, [[2, 3, 2], [2, 0, 2], [2, 4, 2]]), (2, [[1, 2, 1], [1, 2, 3]]),
            (1, [[60, 90, 3], [60, 30, 3]]),
        ];
        foreach (var (axis, shapes) in cases)
        {
            TensorData[] inputs = [.. shapes.Select((shape, i) => OperatorRun.Floats(i + 1, shape))];
            Assert.Equal(inputs.Length, GradientCheck.Run(new ConcatOperator(axis), inputs).Length);
        }

        Assert.Single(
            GradientCheck.Run(new ConcatOperator(0), [OperatorRun.Floats(1, 2), OperatorRun.Floats(2, 3)], constant: [0]));
    }

    [Fact]
    public void A_value_that_is_joined_to_itself_gets_the_sum_of_its_parts()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", new(ElementType.Float32, new TensorShape(2)));
        var y = graph.Add("twice", new ConcatOperator(0), x, x);
        var gradient = GradientGraph.Add(graph, [(y, graph.Input("seed", y.Type))], [x])[0]!;
        var data = new[] { OperatorRun.Floats(1, 2), TensorData.Create([1f, 2, 30, 40], 4) };
        Assert.Equal([31f, 42], GradientCheck.Run(graph.Build("step", gradient), data)[0].Span<float>());
    }

    [Fact]
    public void Split_joins_the_gradients_of_the_pieces_that_are_read()
    {
        var sizes = new[] { 2, 0, 1, 3, 1 };
        foreach (var (axis, shape) in new[] { (0, new[] { 7 }), (1, [2, 7, 3]), (-1, [2, 3, 7]), (1, [50, 7, 80]) })
        {
            foreach (var unread in new int[][] { [], [0], [4], [1, 2], [0, 1, 3], [0, 1, 2, 4], [0, 1, 2, 3], [1, 2, 3, 4] })
                GradientCheck.Run(new SplitOperator(axis, sizes), [OperatorRun.Floats(1, shape)], unseeded: unread);
        }

        GradientCheck.Run(new SplitOperator(0, [3]), [OperatorRun.Floats(1, 3)]);
    }

    [Theory]
    [InlineData(new int[0], new int[0], new int[0], new int[0])]
    [InlineData(new[] { 7 }, new[] { 0 }, new[] { 1 }, new[] { 7 })]
    [InlineData(new[] { 7 }, new[] { 2 }, new[] { 1 }, new[] { 3 })]
    [InlineData(new[] { 7 }, new[] { 1 }, new[] { 3 }, new[] { 2 })]
    [InlineData(new[] { 7 }, new[] { 6 }, new[] { -2 }, new[] { 4 })]
    [InlineData(new[] { 7 }, new[] { 5 }, new[] { 0 }, new[] { 1 })]
    [InlineData(new[] { 7 }, new[] { 0 }, new[] { 1 }, new[] { 0 })]
    [InlineData(new[] { 3, 5, 4 }, new[] { 2, 1, 0 }, new[] { -1, 2, 1 }, new[] { 3, 2, 4 })]
    [InlineData(new[] { 2, 5, 4, 3, 2 }, new[] { 0, 4, 1, 0, 1 }, new[] { 1, -3, 2, 1, -1 }, new[] { 2, 2, 2, 3, 2 })]
    [InlineData(new[] { 90, 101, 5 }, new[] { 1, 0, 4 }, new[] { 2, 3, -2 }, new[] { 40, 30, 3 })]
    public void Slice_puts_the_gradient_where_it_read(int[] shape, int[] starts, int[] steps, int[] lengths) =>
        GradientCheck.Run(new SliceOperator(starts, steps, lengths), [OperatorRun.Floats(1, shape)]);

    [Fact]
    public void A_slice_that_reads_one_element_again_and_again_is_named_as_lacking_a_gradient()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", new(ElementType.Float32, new TensorShape(3)));
        var y = graph.Add("again", new SliceOperator([1], [0], [2]), x);
        var error = Assert.Throws<NetworkException>(() => GradientGraph.Add(graph, [(y, graph.Input("seed", y.Type))], [x]));
        Assert.Contains("'again' (Slice)", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Constant")]
    [InlineData("Reflect")]
    [InlineData("Edge")]
    [InlineData("Wrap")]
    public void Pads_give_back_what_they_repeated(string name)
    {
        (int[] Shape, int[] Before, int[] After)[] cases =
        [
            ([], [], []), ([5], [0], [0]), ([5], [2], [1]), ([5], [-1], [2]), ([5], [3], [-2]), ([5], [-2], [-3]), ([1], [2], [3]),
            ([3], [7], [8]), ([2, 3], [1, 2], [2, 0]), ([2, 4, 3], [0, -1, 1], [1, 3, -1]), ([2, 3, 4, 2], [0, 1, 2, 0], [0, 2, 1, 0]),
            ([1, 2, 1, 2, 2], [1, 0, 2, 1, 0], [0, 1, 0, 1, 3]), ([2, 60, 70, 5], [0, 1, 1, 0], [0, 1, 1, 0]),
        ];
        foreach (var (shape, before, after) in cases)
        {
            // Nothing is left that a border could repeat.
            var mode = Enum.Parse<PadMode>(name);
            if (mode == PadMode.Constant || before is not [-2])
                GradientCheck.Run(new PadOperator(before, after, mode, 0.75), [OperatorRun.Floats(1, shape)]);
        }
    }

    [Fact]
    public void Gather_sums_over_the_places_that_read_an_element()
    {
        (int[] Shape, int Axis, int[] Indices, int[] IndexShape)[] cases =
        [
            ([4], 0, [2], []), ([4], 0, [0, 0, 3, -1, 0], [5]), ([3, 4], 0, [1, 1], [2]), ([3, 4], 1, [3, -4, 3, 0], [2, 2]),
            ([2, 3, 4, 5], 2, [1, 0, 1], [1, 3]), ([2, 3, 4], -1, [], [0]), ([2, 0], 0, [1], [1]), ([1, 1, 2], 1, [0, 0, -1], [3]),
        ];
        foreach (var (shape, axis, indices, indexShape) in cases)
        {
            var op = new GatherOperator(axis);
            GradientCheck.Run(op, [OperatorRun.Floats(1, shape), TensorData.Create(indices, indexShape)]);
            var wide = TensorData.Create(Array.ConvertAll(indices, i => (long)i), indexShape);
            GradientCheck.Run(op, [OperatorRun.Floats(1, shape), wide]);
        }

        // An embedding: columns in parts.
        GradientCheck.Run(new GatherOperator(0), [OperatorRun.Floats(1, 30, 211), OperatorRun.Wholes<long>(2, -30, 29, 20, 15)]);
    }

    [Theory]
    [InlineData(1, 1, 1, 1, 3)]
    [InlineData(2, 2, 3, 1, 2)]
    [InlineData(2, 1, 2, 3, 3)]
    [InlineData(4, 20, 30, 7, 2)]
    public void Depth_and_space_are_exchanged_back(int n, int h, int w, int c, int block)
    {
        var deep = OperatorRun.Floats(1, n, h, w, c * block * block);
        GradientCheck.Run(new DepthToSpaceOperator(block, columnRowDepth: false), [deep]);
        GradientCheck.Run(new DepthToSpaceOperator(block, columnRowDepth: true), [deep]);
        GradientCheck.Run(new SpaceToDepthOperator(block), [OperatorRun.Floats(1, n, h * block, w * block, c)]);
    }
}
