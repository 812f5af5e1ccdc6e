namespace SeparableConv.Tests.Networks.Operators;

public class ChoiceOperatorTests
{
    [Theory]
    [InlineData(1, 0)]
    [InlineData(1, 2)]
    [InlineData(3, 1)]
    [InlineData(4, 2)]
    public void Gather_reads_what_the_indices_name(int rank, int indexRank)
    {
        var random = new Random(rank);
        foreach (var element in MovedElements.Sizes)
        {
            for (var axis = -rank; axis < rank; axis++)
            {
                var along = axis < 0 ? axis + rank : axis;
                var x = MovedElements.Random(random, element, Enumerable.Range(0, rank).Select(_ => random.Next(1, 6)).ToArray());
                var indexShape = MovedElements.Shape(random, indexRank, 4);
                var count = indexShape.Aggregate(1, (a, b) => a * b);
                var length = x.Type.Shape[along];
                var numbers = Enumerable.Range(0, count).Select(_ => (long)random.Next(-length, length)).ToArray();
                int[] shape = [.. x.Type.Shape.Lengths[..along], .. indexShape, .. x.Type.Shape.Lengths[(along + 1)..]];
                var expected = MovedElements.Expected(x, shape, at =>
                {
                    var flat = at[along..(along + indexRank)].Zip(indexShape).Aggregate(0, (sum, pair) => (sum * pair.Second) + pair.First);
                    return [.. at[..along], (int)((numbers[flat] + length) % length), .. at[(along + indexRank)..]];
                });
                var wide = MovedElements.Run(new GatherOperator(axis), x, TensorData.Create(numbers, indexShape))[0];
                MovedElements.Check(wide, shape, expected, $"{x.Type.Shape} along {axis}");
                var narrow = TensorData.Create(Array.ConvertAll(numbers, number => (int)number), indexShape);
                MovedElements.Check(MovedElements.Run(new GatherOperator(axis), x, narrow)[0], shape, expected, "int32");
            }
        }
    }

    [Fact]
    public void Gather_says_which_index_is_not_there()
    {
        var x = TensorData.Create([1f, 2, 3], 3);
        var e = Assert.Throws<NetworkException>(() => Evaluator.Run(new GatherOperator(0), x, TensorData.Create([3L], 1)));
        Assert.Equal("Gather was given index 3 for a dimension of 3; expected -3 to 2.", e.Message);
        Assert.Contains("expected int32 or int64", MovedElements.Refusal(new GatherOperator(0), x, x));
        Assert.Contains("Input 1, the indices, is missing", MovedElements.Refusal(new GatherOperator(0), x));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void Where_chooses_with_broadcasting(int rank)
    {
        var random = new Random(rank);
        foreach (var element in MovedElements.Sizes)
        {
            for (var round = 0; round < 10; round++)
            {
                var shape = MovedElements.Shape(random, rank, 5);
                int[] Narrowed() => [.. shape.Select(length => random.Next(3) == 0 ? 1 : length).Skip(random.Next(rank))];
                var (a, b) = (MovedElements.Random(random, element, shape), MovedElements.Random(random, element, Narrowed()));
                var conditionShape = Narrowed();
                var condition = TensorData.CreateZeros(new TensorType(ElementType.Bool, new TensorShape(conditionShape)));
                foreach (ref var x in condition.Bytes)
                    x = (byte)random.Next(2);
                var y = MovedElements.Run(new WhereOperator(), condition, a, b)[0];

                var size = element.Size();
                var (first, second) = (MovedElements.Expected(a, shape, at => at), MovedElements.Expected(b, shape, at => Own(at, b)));
                var chosen = MovedElements.Expected(condition, shape, at => Own(at, condition));
                for (var i = 0; i < chosen.Length; i++)
                {
                    if (chosen[i] == 0)
                        second.AsSpan(i * size, size).CopyTo(first.AsSpan(i * size));
                }

                MovedElements.Check(y, shape, first, $"{condition.Type.Shape} ? {a.Type.Shape} : {b.Type.Shape}");
            }
        }

        static int[] Own(int[] at, TensorData data) => [.. at[^data.Type.Shape.Rank..].Select((i, d) => data.Type.Shape[d] == 1 ? 0 : i)];
    }

    [Fact]
    public void Where_refuses_other_types()
    {
        var (condition, x) = (TensorData.Create([true], 1), TensorData.Create([1f], 1));
        Assert.Contains("expected bool", MovedElements.Refusal(new WhereOperator(), x, x, x));
        Assert.Contains("expected one element type", MovedElements.Refusal(new WhereOperator(), condition, x, TensorData.Create([1], 1)));
    }

    [Fact]
    public void Cast_takes_every_type_to_every_other()
    {
        foreach (var from in Enum.GetValues<ElementType>())
        {
            var numbers = new[] { 0, 1, 0, 1, 1, 1, 0 };
            if (from != ElementType.Bool)
                numbers = [0, 1, 2, 3, 100, 127, 77];
            var x = Cast(TensorData.Create(numbers, 7), from);
            foreach (var to in Enum.GetValues<ElementType>())
            {
                var y = MovedElements.Run(new CastOperator(to), x)[0];
                Assert.Equal(to, y.Type.Element);
                var expected = to == ElementType.Bool ? Array.ConvertAll(numbers, number => number == 0 ? 0 : 1) : numbers;
                Assert.Equal(expected, Cast(y, ElementType.Int32).Span<int>().ToArray());
            }
        }
    }

    [Fact]
    public void Cast_rounds_as_documented()
    {
        var floats = TensorData.Create([1.9f, -1.9f, 0.5f, float.NaN, 1e20f, -1e20f], 6);
        Assert.Equal([1, -1, 0, 0, int.MaxValue, int.MinValue], Cast(floats, ElementType.Int32).Span<int>().ToArray());
        Assert.Equal([true, true, true, true, true, true], Cast(floats, ElementType.Bool).Span<bool>().ToArray());
        Assert.Equal([44, 212, 255], Cast(TensorData.Create([300, -300, -1], 3), ElementType.UInt8).Span<byte>().ToArray());
        Assert.Equal(
            [(Half)1.5f, Half.PositiveInfinity], Cast(TensorData.Create([1.5f, 70000f], 2), ElementType.Float16).Span<Half>().ToArray());
        Assert.Equal([9007199254740993L], Cast(TensorData.Create([9007199254740993UL], 1), ElementType.Int64).Span<long>().ToArray());
    }

    private static TensorData Cast(TensorData x, ElementType to) => Evaluator.Run(new CastOperator(to), x)[0];
}
