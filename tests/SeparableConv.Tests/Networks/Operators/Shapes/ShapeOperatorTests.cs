namespace SeparableConv.Tests.Networks.Operators;

public class ShapeOperatorTests
{
    public static TheoryData<int> Ranks => [0, 1, 2, 3, 4, 5, 6];

    public static TheoryData<int> RanksFrom1 => [1, 2, 3, 4, 5, 6];

    private static TensorData Floats(params int[] shape) => MovedElements.Random(new Random(1), ElementType.Float32, shape);

    [Theory]
    [MemberData(nameof(Ranks))]
    public void Transpose_moves_every_element(int rank)
    {
        var random = new Random(rank);
        foreach (var element in MovedElements.Sizes)
        {
            for (var round = 0; round < 12; round++)
            {
                var x = MovedElements.Random(random, element, MovedElements.Shape(random, rank, 7));
                var permutation = Enumerable.Range(0, rank).ToArray();
                random.Shuffle(permutation);
                var shape = permutation.Select(d => x.Type.Shape[d]).ToArray();
                var expected = MovedElements.Expected(x, shape, at =>
                {
                    var index = new int[rank];
                    for (var d = 0; d < rank; d++)
                        index[permutation[d]] = at[d];
                    return index;
                });
                var y = MovedElements.Run(new TransposeOperator(permutation), x)[0];
                MovedElements.Check(y, shape, expected, $"{x.Type.Shape} by ({string.Join(',', permutation)})");
            }
        }
    }

    [Theory]
    [InlineData(1, 3, 224, 224)]
    [InlineData(2, 3, 7, 9)]
    [InlineData(1, 3, 1, 3)]
    [InlineData(1, 3, 1, 4)]
    [InlineData(1, 64, 28, 28)]
    [InlineData(2, 17, 13, 11)]
    [InlineData(1, 4, 100, 100)]
    [InlineData(1, 512, 7, 7)]
    [InlineData(3, 1, 5, 5)]
    [InlineData(1, 2, 300, 200)]
    public void Channels_go_last_and_back(int n, int c, int h, int w)
    {
        foreach (var element in MovedElements.Sizes)
        {
            var x = MovedElements.Random(new Random(c), element, n, c, h, w);
            var expected = MovedElements.Expected(x, [n, h, w, c], at => [at[0], at[3], at[1], at[2]]);
            var y = MovedElements.Run(new TransposeOperator([0, 2, 3, 1]), x)[0];
            MovedElements.Check(y, [n, h, w, c], expected, "NCHW to NHWC");
            var back = MovedElements.Run(new TransposeOperator([0, 3, 1, 2]), y)[0];
            MovedElements.Check(back, [n, c, h, w], x.Bytes.ToArray(), "and back");
        }
    }

    [Fact]
    public void Transpose_keeps_the_scales_with_their_dimension()
    {
        var type = new TensorType(ElementType.Int8, new TensorShape(2, 3), new Quantization([1f, 2f, 3f], [0, 0, 0], 1));
        Assert.Equal(0, new TransposeOperator([1, 0]).Infer([type])[0].Quantization!.Axis);
        Assert.Contains("one scale", Assert.Throws<ArgumentException>(() => new ReshapeOperator(new TensorShape(6)).Infer([type])).Message);
    }

    [Fact]
    public void Reshape_and_identity_keep_the_elements()
    {
        var x = Floats(2, 3, 4);
        MovedElements.Check(MovedElements.Run(new ReshapeOperator(new TensorShape(4, 6)), x)[0], [4, 6], x.Bytes.ToArray(), "reshape");
        MovedElements.Check(MovedElements.Run(new IdentityOperator(), x)[0], [2, 3, 4], x.Bytes.ToArray(), "identity");
        MovedElements.Check(
            MovedElements.Run(new ReshapeOperator(new TensorShape()), Floats(1, 1))[0], [], Floats(1, 1).Bytes.ToArray(), "to a scalar");
    }

    [Theory]
    [MemberData(nameof(RanksFrom1))]
    public void Split_takes_apart_what_concat_puts_together(int rank)
    {
        var random = new Random(rank);
        foreach (var element in MovedElements.Sizes)
        {
            for (var axis = -rank; axis < rank; axis++)
            {
                var shape = MovedElements.Shape(random, rank, 5);
                var along = axis < 0 ? axis + rank : axis;
                var sizes = new[] { 3, 1, 0, 2 };
                shape[along] = 6;
                var x = MovedElements.Random(random, element, shape);
                var pieces = MovedElements.Run(new SplitOperator(axis, sizes), x);
                for (int i = 0, start = 0; i < sizes.Length; start += sizes[i++])
                {
                    var piece = (int[])shape.Clone();
                    piece[along] = sizes[i];
                    var expected = MovedElements.Expected(x, piece, at =>
                    {
                        at[along] += start;
                        return at;
                    });
                    MovedElements.Check(pieces[i], piece, expected, $"piece {i} of {x.Type.Shape} along {axis}");
                }

                MovedElements.Check(
                    MovedElements.Run(new ConcatOperator(axis), pieces)[0], shape, x.Bytes.ToArray(), $"{x.Type.Shape} along {axis}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Ranks))]
    public void Slice_reads_with_any_step(int rank)
    {
        var random = new Random(rank);
        foreach (var element in MovedElements.Sizes)
        {
            for (var round = 0; round < 12; round++)
            {
                var x = MovedElements.Random(random, element, Enumerable.Range(0, rank).Select(_ => random.Next(1, 9)).ToArray());
                var (starts, steps, lengths) = (new int[rank], new int[rank], new int[rank]);
                for (var d = 0; d < rank; d++)
                {
                    starts[d] = random.Next(x.Type.Shape[d]);
                    steps[d] = random.Next(2) == 0 ? 1 : random.Next(-3, 4);
                    var most = steps[d] == 0 ? 4
                        : steps[d] > 0 ? ((x.Type.Shape[d] - 1 - starts[d]) / steps[d]) + 1
                        : (starts[d] / -steps[d]) + 1;
                    lengths[d] = random.Next(10) == 0 ? 0 : most;
                }

                var expected = MovedElements.Expected(x, lengths, at => [.. at.Select((i, d) => starts[d] + (i * steps[d]))]);
                MovedElements.Check(
                    MovedElements.Run(new SliceOperator(starts, steps, lengths), x)[0], lengths, expected, $"slice of {x.Type.Shape}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Ranks))]
    public void Expand_and_tile_repeat(int rank)
    {
        var random = new Random(rank);
        foreach (var element in MovedElements.Sizes)
        {
            for (var round = 0; round < 8; round++)
            {
                var x = MovedElements.Random(random, element, MovedElements.Shape(random, rank, 4));
                var repeats = Enumerable.Range(0, rank).Select(_ => random.Next(0, 4)).ToArray();
                var shape = repeats.Select((repeat, d) => repeat * x.Type.Shape[d]).ToArray();
                var expected = MovedElements.Expected(x, shape, at => [.. at.Select((i, d) => i % x.Type.Shape[d])]);
                MovedElements.Check(MovedElements.Run(new TileOperator(repeats), x)[0], shape, expected, $"{x.Type.Shape} tiled");

                var narrow = MovedElements.Random(
                    random, element, [.. x.Type.Shape.Lengths.ToArray().Select(length => random.Next(2) == 0 ? 1 : length)]);
                int[] wide = [2, .. x.Type.Shape.Lengths];
                expected = MovedElements.Expected(narrow, wide, at => [.. at.Skip(1).Select((i, d) => narrow.Type.Shape[d] == 1 ? 0 : i)]);
                MovedElements.Check(
                    MovedElements.Run(new ExpandOperator(new TensorShape(wide)), narrow)[0],
                    wide,
                    expected,
                    $"{narrow.Type.Shape} expanded");
            }
        }
    }

    [Fact]
    public void Expand_keeps_what_is_longer_already()
    {
        var y = MovedElements.Run(new ExpandOperator(new TensorShape(3, 1)), TensorData.Create([1f, 2f], 2))[0];
        Assert.Equal([1f, 2, 1, 2, 1, 2], y.Span<float>().ToArray());
        Assert.Equal(new TensorShape(3, 2), y.Type.Shape);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Depth_goes_to_space_and_back(bool columnRowDepth)
    {
        foreach (var element in MovedElements.Sizes)
        {
            foreach (var (block, c) in new[] { (1, 3), (2, 3), (3, 1), (4, 5) })
            {
                var x = MovedElements.Random(new Random(c), element, 2, 3, 11, c * block * block);
                int[] shape = [2, 3 * block, 11 * block, c];
                var expected = MovedElements.Expected(x, shape, at =>
                {
                    var square = (at[1] % block * block) + (at[2] % block);
                    return [at[0], at[1] / block, at[2] / block, columnRowDepth ? (at[3] * block * block) + square : (square * c) + at[3]];
                });
                var y = MovedElements.Run(new DepthToSpaceOperator(block, columnRowDepth), x)[0];
                MovedElements.Check(y, shape, expected, $"block {block}");
                if (!columnRowDepth)
                    MovedElements.Check(
                        MovedElements.Run(new SpaceToDepthOperator(block), y)[0],
                        [2, 3, 11, c * block * block],
                        x.Bytes.ToArray(),
                        "and back");
            }
        }
    }

    [Fact]
    public void What_does_not_fit_is_refused_with_numbers()
    {
        var x = Floats(2, 6);
        Assert.Contains("12 elements, the shape (5) 5", MovedElements.Refusal(new ReshapeOperator(new TensorShape(5)), x));
        Assert.Contains("has 2 dimensions but the permutation (0) has 1", MovedElements.Refusal(new TransposeOperator([0]), x));
        Assert.Contains("(0,0) is no permutation", MovedElements.Refusal(new TransposeOperator([0, 0]), x));
        Assert.Contains("may differ in dimension 1 only", MovedElements.Refusal(new ConcatOperator(-1), x, Floats(3, 6)));
        Assert.Contains("Axis 2 does not exist in a tensor of 2 dimensions", MovedElements.Refusal(new ConcatOperator(2), x, x));
        Assert.Contains("2 pieces of 5 together; dimension 1 has 6", MovedElements.Refusal(new SplitOperator(1, [2, 3]), x));
        Assert.Contains("negative", MovedElements.Refusal(new SplitOperator(1, [-2, 8]), x));
        Assert.Contains("is read from 1 to 6; it has 0 to 5", MovedElements.Refusal(new SliceOperator([0, 1], [1, 1], [2, 6]), x));
        Assert.Contains("6 meets 4", MovedElements.Refusal(new ExpandOperator(new TensorShape(4)), x));
        Assert.Contains("expected 2 numbers of 0 or more", MovedElements.Refusal(new TileOperator([1, -1]), x));
        Assert.Contains("longer than 2147483647", MovedElements.Refusal(new TileOperator([1, int.MaxValue]), x));
        Assert.Contains("whole blocks of 4", MovedElements.Refusal(new DepthToSpaceOperator(2, false), Floats(1, 2, 2, 6)));
        Assert.Contains("There are 2 inputs; expected one", MovedElements.Refusal(new ReshapeOperator(new TensorShape(12)), x, x));
    }
}
