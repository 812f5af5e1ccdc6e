namespace SeparableConv.Tests.Networks.Operators;

public class ReductionTests
{
    public static TheoryData<int[], int[]> Axes => new()
    {
        { [5], [0] },
        { [3, 4], [1] },
        { [3, 4], [0] },
        { [2, 7, 9, 35], [1, 2] },
        { [2, 7, 9, 35], [-2, -3] },
        { [2, 3, 4, 5], [0, 2] },
        { [2, 3, 4, 5], [1, 3] },
        { [2, 3, 4, 5], [0, 1, 2, 3] },
        { [2, 3, 4, 5], [] },
        { [2, 1, 4, 1], [1, 2] },
        { [6, 1, 5], [1] },
        { [4, 2000], [-1] },
    };

    [Theory]
    [MemberData(nameof(Axes))]
    public void Reductions_match_plain_loops(int[] shape, int[] axes)
    {
        foreach (var kind in Enum.GetValues<ReduceKind>())
        {
            foreach (var keep in new[] { false, true })
            {
                var op = new ReduceOperator(kind, axes, keep);
                Check(op, OperatorRun.Floats(1, shape), 1e-5);
                Check(op, OperatorRun.Wholes<double>(2, 1, 2, shape), 1e-9);
                if (kind != ReduceKind.Prod)
                    Check(op, OperatorRun.Wholes<Half>(2, 0, 3, shape), 1.0 / 2048);
                if (kind is not (ReduceKind.Prod or ReduceKind.Mean))
                    Check(op, OperatorRun.Wholes<long>(3, -9, 9, shape), 0);
                if (kind is ReduceKind.Max or ReduceKind.Min)
                    Check(op, OperatorRun.Wholes<sbyte>(3, -128, 127, shape), 0);
            }
        }

        void Check(ReduceOperator op, TensorData x, double bound)
        {
            var (expected, result) = Reference(op, OperatorRun.Doubles(x), shape);
            OperatorRun.Check(op, 1, expected, result, i => bound * Math.Max(1, Math.Abs(expected[i])), x);
        }
    }

    [Theory]
    [InlineData(new[] { 7 }, 0)]
    [InlineData(new[] { 3, 5, 4 }, 1)]
    [InlineData(new[] { 3, 5, 4 }, -1)]
    [InlineData(new[] { 2, 5, 37 }, 1)]
    [InlineData(new[] { 3, 19 }, -1)]
    public void ArgMax_and_ArgMin_find_the_first_or_the_last(int[] shape, int axis)
    {
        var x = OperatorRun.Wholes<float>(5, 0, 2, shape);
        foreach (var (largest, last) in new[] { (true, false), (true, true), (false, false), (false, true) })
        {
            var values = x.Span<float>().ToArray();
            var (dimension, inner) = (axis < 0 ? axis + shape.Length : axis, 1);
            for (var i = dimension + 1; i < shape.Length; i++)
                inner *= shape[i];
            var length = shape[dimension];
            var expected = new double[values.Length / length];
            for (var i = 0; i < expected.Length; i++)
            {
                var column = Enumerable.Range(0, length).Select(k => values[(((i / inner * length) + k) * inner) + (i % inner)]).ToList();
                var extreme = largest ? column.Max() : column.Min();
                expected[i] = last ? column.LastIndexOf(extreme) : column.IndexOf(extreme);
            }

            var kept = (int[])shape.Clone();
            kept[dimension] = 1;
            OperatorRun.Check(new ArgExtremeOperator(largest, axis, true, ElementType.Int64, last), 1, expected, kept, _ => 0, x);
            OperatorRun.Check(
                new ArgExtremeOperator(largest, axis, false, ElementType.Int32, last),
                1,
                expected,
                [.. shape.Where((_, i) => i != dimension)],
                _ => 0,
                x);
            foreach (var narrow in new[] { OperatorRun.Wholes<sbyte>(5, 0, 2, shape), OperatorRun.Wholes<byte>(5, 0, 2, shape) })
            {
                Assert.Equal(values, OperatorRun.Doubles(narrow).Select(v => (float)v));
                OperatorRun.Check(new ArgExtremeOperator(largest, axis, true, ElementType.Int64, last), 1, expected, kept, _ => 0, narrow);
            }
        }
    }

    [Fact]
    public void A_NaN_comes_before_all_numbers()
    {
        var x = TensorData.Create([1f, float.NaN, -3, float.NaN, 5], 5);
        foreach (var largest in new[] { false, true })
            Assert.Equal([1L], (long[])Evaluator.Run(new ArgExtremeOperator(largest, 0, true, ElementType.Int64), x)[0].Values);

        // Columns that are looked at together.
        var columns = TensorData.Create([.. Enumerable.Range(0, 5 * 33).Select(i => x.Span<float>()[i / 33])], 5, 33);
        foreach (var largest in new[] { false, true })
        {
            var found = Evaluator.Run(new ArgExtremeOperator(largest, 0, true, ElementType.Int64), columns)[0];
            Assert.All((long[])found.Values, i => Assert.Equal(1, i));
        }
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        var x = new TensorType(ElementType.Float32, new TensorShape(2, 0));
        Assert.Throws<ArgumentException>(() => new ReduceOperator(ReduceKind.Max, [1], true).Infer([x]));
        Assert.Throws<ArgumentException>(() => new ReduceOperator(ReduceKind.Sum, [2], true).Infer([x]));
        Assert.Throws<ArgumentException>(() => new ArgExtremeOperator(true, 1, true, ElementType.Int64).Infer([x]));
        Assert.Throws<ArgumentException>(() => new ArgExtremeOperator(true, 0, true, ElementType.Float32).Infer([x]));
        Assert.Equal([0f, 0f], (float[])Evaluator.Run(new ReduceOperator(ReduceKind.Sum, [1], false), TensorData.CreateZeros(x))[0].Values);
    }

    private static (double[] Values, int[] Shape) Reference(ReduceOperator op, double[] x, int[] shape)
    {
        var reduced = op.Axes.ToArray().Select(a => a < 0 ? a + shape.Length : a).ToHashSet();
        var kept = shape.Select((length, i) => reduced.Contains(i) ? 1 : length).ToArray();
        var groups = new List<double>[kept.Aggregate(1, (a, b) => a * b)];
        for (var i = 0; i < groups.Length; i++)
            groups[i] = [];
        for (var i = 0; i < x.Length; i++)
            groups[OperatorRun.BroadcastIndex(i, shape, kept)].Add(x[i]);
        var values = Array.ConvertAll(groups, g => op.ReduceKind switch
        {
            ReduceKind.Mean => g.Average(),
            ReduceKind.Sum => g.Sum(),
            ReduceKind.Max => g.Max(),
            ReduceKind.Min => g.Min(),
            _ => g.Aggregate(1.0, (a, b) => a * b),
        });
        return (values, op.KeepDimensions ? kept : [.. shape.Where((_, i) => !reduced.Contains(i))]);
    }
}
