namespace SeparableConv.Tests.Networks.Operators;

public class TopKTests
{
    [Theory]
    [InlineData(new[] { 1 }, 0)]
    [InlineData(new[] { 9 }, 0)]
    [InlineData(new[] { 3, 17, 4 }, 1)]
    [InlineData(new[] { 3, 5, 300 }, -1)]
    [InlineData(new[] { 200, 3 }, 0)]
    public void The_best_come_in_order_and_of_equal_ones_the_first(int[] shape, int axis)
    {
        // Few values, so that many are equal.
        var x = OperatorRun.Wholes<float>(4, 0, 9, shape);
        var along = axis < 0 ? axis + shape.Length : axis;
        var (length, inner) = (shape[along], shape[(along + 1)..].Aggregate(1, (a, b) => a * b));
        var values = x.Span<float>().ToArray();
        foreach (var count in new[] { 1, 2, length / 2, length }.Where(count => count > 0 && count <= length).Distinct())
        {
            foreach (var largest in new[] { true, false })
            {
                var (best, places) = (new double[values.Length / length * count], new double[values.Length / length * count]);
                for (var lane = 0; lane < values.Length / length; lane++)
                {
                    var (outer, column) = Math.DivRem(lane, inner);
                    float At(int k) => values[(((outer * length) + k) * inner) + column];
                    var order = Enumerable.Range(0, length).OrderBy(k => largest ? -At(k) : At(k)).ToArray();
                    for (var k = 0; k < count; k++)
                    {
                        var at = (((outer * count) + k) * inner) + column;
                        (best[at], places[at]) = (At(order[k]), order[k]);
                    }
                }

                foreach (var outputs in OperatorRun.All(new TopKOperator(axis, count, largest), 1, x))
                {
                    Assert.Equal(best, OperatorRun.Doubles(outputs[0]));
                    Assert.Equal(places, OperatorRun.Doubles(outputs[1]));
                }
            }
        }
    }

    [Fact]
    public void A_NaN_is_larger_than_all_numbers()
    {
        var x = TensorData.Create([1f, float.NaN, 3, float.NaN, -5], 5);
        Assert.Equal([1L, 3, 2], (long[])Evaluator.Run(new TopKOperator(0, 3, largest: true), x)[1].Values);
        Assert.Equal([4L, 0, 2, 1], (long[])Evaluator.Run(new TopKOperator(0, 4, largest: false), x)[1].Values);
        Assert.Contains("4 numbers were asked for", MovedElements.Refusal(new TopKOperator(0, 4, true), TensorData.Create([1f, 2], 2)));
    }
}
