namespace SeparableConv.Tests.Networks.Operators;

/// <summary>Gathering and scattering by indices that are computed, against loops of one element at a time.</summary>
public class IndexOperatorTests
{
    [Theory]
    [InlineData(0, 1, 1)]
    [InlineData(0, 2, 3)]
    [InlineData(1, 1, 2)]
    [InlineData(2, 2, 2)]
    [InlineData(1, 3, 1)]
    public void GatherND_reads_what_tuples_name(int batch, int tupleLength, int indexRank)
    {
        var random = new Random(tupleLength);
        foreach (var element in MovedElements.Sizes)
        {
            var rank = batch + tupleLength + random.Next(3);
            var x = MovedElements.Random(random, element, Enumerable.Range(0, rank).Select(_ => random.Next(1, 5)).ToArray());
            var lengths = x.Type.Shape.Lengths.ToArray();
            int[] places = [.. lengths[..batch], .. MovedElements.Shape(random, indexRank, 5)];
            int[] indexShape = [.. places, tupleLength];
            var numbers = new long[indexShape.Aggregate(1, (a, b) => a * b)];
            for (var i = 0; i < numbers.Length; i++)
            {
                var length = lengths[batch + (i % tupleLength)];
                numbers[i] = random.Next(-length, length);
            }

            int[] shape = [.. places, .. lengths[(batch + tupleLength)..]];
            var expected = MovedElements.Expected(x, shape, at =>
            {
                var tuple = at[..places.Length].Zip(places).Aggregate(0, (sum, pair) => (sum * pair.Second) + pair.First);
                var named = Enumerable.Range(0, tupleLength)
                    .Select(k => (int)((numbers[(tuple * tupleLength) + k] + lengths[batch + k]) % lengths[batch + k]));
                return [.. at[..batch], .. named, .. at[places.Length..]];
            });
            var y = MovedElements.Run(new GatherNDOperator(batch), x, TensorData.Create(numbers, indexShape))[0];
            MovedElements.Check(y, shape, expected, $"{x.Type.Shape}");
            var narrow = TensorData.Create(Array.ConvertAll(numbers, number => (int)number), indexShape);
            MovedElements.Check(MovedElements.Run(new GatherNDOperator(batch), x, narrow)[0], shape, expected, "int32");
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void GatherElements_reads_along_its_axis(int rank)
    {
        var random = new Random(rank);
        foreach (var element in MovedElements.Sizes)
        {
            for (var axis = -rank; axis < rank; axis++)
            {
                var along = axis < 0 ? axis + rank : axis;
                var x = MovedElements.Random(random, element, Enumerable.Range(0, rank).Select(_ => random.Next(1, 6)).ToArray());
                var (shape, numbers) = Indices(random, x.Type.Shape.Lengths, along);
                var expected = MovedElements.Expected(x, shape, at =>
                {
                    var index = (int[])at.Clone();
                    index[along] = Wrapped(numbers, at, shape, x.Type.Shape[along]);
                    return index;
                });
                var y = MovedElements.Run(new GatherElementsOperator(axis), x, TensorData.Create(numbers, shape))[0];
                MovedElements.Check(y, shape, expected, $"{x.Type.Shape} along {axis}");
            }
        }
    }

    [Theory]
    [InlineData("None")]
    [InlineData("Add")]
    [InlineData("Mul")]
    [InlineData("Max")]
    [InlineData("Min")]
    public void Scattering_puts_updates_where_indices_say(string name)
    {
        var reduction = Enum.Parse<ScatterReduction>(name);
        var random = new Random(7);
        for (var round = 0; round < 40; round++)
        {
            var rank = random.Next(1, 5);
            var lengths = Enumerable.Range(0, rank).Select(_ => random.Next(1, 6)).ToArray();
            var data = OperatorRun.Wholes<int>(round, -5, 5, lengths);
            var axis = random.Next(rank);
            var (shape, numbers) = Indices(random, lengths, axis);
            var updates = OperatorRun.Wholes<int>(round + 100, -5, 5, shape);
            var expected = data.Span<int>().ToArray();
            for (var i = 0; i < numbers.Length; i++)
            {
                var at = MovedElements.Index(i, shape);
                at[axis] = Wrapped(numbers, at, shape, lengths[axis]);
                Put(expected, at.Zip(lengths).Aggregate(0, (sum, pair) => (sum * pair.Second) + pair.First), updates.Span<int>()[i]);
            }

            var elements = MovedElements.Run(
                new ScatterElementsOperator(axis - rank, reduction), data, TensorData.Create(numbers, shape), updates)[0];
            Assert.Equal(expected, (int[])elements.Values);

            var tupleLength = random.Next(1, rank + 1);
            var count = random.Next(0, 5);
            var tuples = new long[count * tupleLength];
            for (var i = 0; i < tuples.Length; i++)
                tuples[i] = random.Next(-lengths[i % tupleLength], lengths[i % tupleLength]);
            var inner = lengths[tupleLength..].Aggregate(1, (a, b) => a * b);
            int[] updateShape = [count, .. lengths[tupleLength..]];
            var slices = OperatorRun.Wholes<int>(round + 200, -5, 5, updateShape);
            expected = data.Span<int>().ToArray();
            for (var i = 0; i < count * inner; i++)
            {
                var slice = 0;
                for (var k = 0; k < tupleLength; k++)
                    slice = (slice * lengths[k]) + (int)((tuples[(i / inner * tupleLength) + k] + lengths[k]) % lengths[k]);
                Put(expected, (slice * inner) + (i % inner), slices.Span<int>()[i]);
            }

            var indices = TensorData.Create(tuples, count, tupleLength);
            Assert.Equal(expected, (int[])MovedElements.Run(new ScatterNDOperator(reduction), data, indices, slices)[0].Values);
        }

        void Put(int[] target, int at, int update) => target[at] = reduction switch
        {
            ScatterReduction.Add => target[at] + update,
            ScatterReduction.Mul => target[at] * update,
            ScatterReduction.Max => Math.Max(target[at], update),
            ScatterReduction.Min => Math.Min(target[at], update),
            _ => update,
        };
    }

    [Fact]
    public void What_is_outside_is_named_and_never_touched()
    {
        var x = OperatorRun.Floats(1, 3, 2);
        var one = TensorData.Create([7f], 1);
        var far = TensorData.Create([1L, 2], 1, 2);
        Expect("GatherND was given index 2 for a dimension of 2; expected -2 to 1.", new GatherNDOperator(), x, far);
        Expect(
            "ScatterND was given index 2 for a dimension of 2; expected -2 to 1.",
            new ScatterNDOperator(ScatterReduction.Add),
            x,
            far,
            one);
        var below = TensorData.Create([-4L, 0], 1, 2);
        Expect("GatherElements was given index -4 for a dimension of 3; expected -3 to 2.", new GatherElementsOperator(0), x, below);
        Expect(
            "ScatterElements was given index -4 for a dimension of 3; expected -3 to 2.",
            new ScatterElementsOperator(0, ScatterReduction.None),
            x,
            below,
            TensorData.Create([1f, 2], 1, 2));

        static void Expect(string message, Operator op, params TensorData[] inputs) =>
            Assert.Equal(message, Assert.Throws<NetworkException>(() => Evaluator.Run(op, inputs)).Message);
    }

    [Fact]
    public void Shapes_that_do_not_fit_are_refused()
    {
        var x = OperatorRun.Floats(1, 3, 2);
        var indices = OperatorRun.Wholes<long>(1, 0, 1, 2, 3);
        Assert.Contains("do not fit the input (3,2)", MovedElements.Refusal(new GatherNDOperator(), x, indices));
        Assert.Contains("do not fit the input (3,2)", MovedElements.Refusal(new GatherNDOperator(1), x, indices));
        Assert.Contains("none but dimension 0 longer", MovedElements.Refusal(new GatherElementsOperator(0), x, indices));
        Assert.Contains("a last length from 1 to 2", MovedElements.Refusal(new ScatterNDOperator(ScatterReduction.None), x, indices, x));
        Assert.Contains(
            "The updates are (3,2); expected (1)",
            MovedElements.Refusal(new ScatterNDOperator(ScatterReduction.None), x, OperatorRun.Wholes<long>(1, 0, 1, 1, 2), x));
        Assert.Contains(
            "both must have one shape", MovedElements.Refusal(new ScatterElementsOperator(1, ScatterReduction.None), x, indices, x));
    }

    // Some indices along an axis, and a shape that is no longer than the tensor elsewhere.
    private static (int[] Shape, long[] Numbers) Indices(Random random, ReadOnlySpan<int> lengths, int axis)
    {
        var shape = lengths.ToArray();
        for (var d = 0; d < shape.Length; d++)
            shape[d] = d == axis ? random.Next(0, 5) : random.Next(1, shape[d] + 1);
        var length = lengths[axis];
        return (shape, [.. Enumerable.Range(0, shape.Aggregate(1, (a, b) => a * b)).Select(_ => (long)random.Next(-length, length))]);
    }

    private static int Wrapped(long[] numbers, int[] at, int[] shape, int length)
    {
        var flat = at.Zip(shape).Aggregate(0, (sum, pair) => (sum * pair.Second) + pair.First);
        return (int)((numbers[flat] + length) % length);
    }
}
