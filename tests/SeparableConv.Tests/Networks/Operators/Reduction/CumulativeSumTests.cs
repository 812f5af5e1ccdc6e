namespace SeparableConv.Tests.Networks.Operators;

public class CumulativeSumTests
{
    [Theory]
    [InlineData(new[] { 7 }, 0)]
    [InlineData(new[] { 3, 5, 4 }, 1)]
    [InlineData(new[] { 2, 3, 300 }, -1)]
    [InlineData(new[] { 2, 30, 130 }, 1)]
    [InlineData(new[] { 2, 0, 3 }, 1)]
    public void Sums_go_on_along_the_axis(int[] shape, int axis)
    {
        var x = OperatorRun.Wholes<int>(3, -9, 9, shape);
        var (values, along) = (x.Span<int>().ToArray(), axis < 0 ? axis + shape.Length : axis);
        var (length, inner) = (shape[along], shape[(along + 1)..].Aggregate(1, (a, b) => a * b));
        foreach (var (exclusive, reverse) in new[] { (false, false), (true, false), (false, true), (true, true) })
        {
            var expected = new double[values.Length];
            for (var i = 0; i < expected.Length; i++)
            {
                var at = i / inner % length;
                for (var k = 0; k < length; k++)
                {
                    var counts = reverse ? k > at : k < at;
                    if (counts || (k == at && !exclusive))
                        expected[i] += values[i + ((k - at) * inner)];
                }
            }

            OperatorRun.Check(new CumulativeSumOperator(axis, exclusive, reverse), 1, expected, shape, _ => 0, x);
        }
    }
}
