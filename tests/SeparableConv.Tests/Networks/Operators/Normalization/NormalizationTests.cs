namespace SeparableConv.Tests.Networks.Operators;

public class NormalizationTests
{
    [Theory]
    [InlineData(new[] { 3, 5 }, 1)]
    [InlineData(new[] { 3, 5 }, 0)]
    [InlineData(new[] { 2, 300 }, -1)]
    [InlineData(new[] { 2, 3, 140 }, 1)]
    [InlineData(new[] { 1 }, 0)]
    [InlineData(new[] { 40, 10 }, -1)]
    [InlineData(new[] { 33, 19 }, -1)]
    [InlineData(new[] { 2, 21, 37 }, 1)]
    public void Softmax_and_its_logarithm_match_plain_loops(int[] shape, int axis)
    {
        var dimension = axis < 0 ? axis + shape.Length : axis;
        var inner = shape[(dimension + 1)..].Aggregate(1, (a, b) => a * b);
        Check(OperatorRun.Floats(1, shape), 2e-6);
        Check(OperatorRun.Wholes<double>(1, -40, 40, shape), 1e-12);
        Check(OperatorRun.Wholes<Half>(1, -4, 4, shape), 4e-3);
        Check(OperatorRun.Wholes<float>(1, -1000, 1000, shape), 2e-6);

        void Check(TensorData x, double bound)
        {
            var values = OperatorRun.Doubles(x);
            var (softmax, logarithm) = (new double[values.Length], new double[values.Length]);
            for (var i = 0; i < values.Length; i++)
            {
                var start = (i / (inner * shape[dimension]) * inner * shape[dimension]) + (i % inner);
                var column = Enumerable.Range(0, shape[dimension]).Select(k => values[start + (k * inner)]).ToArray();
                var sum = column.Sum(v => Math.Exp(v - column.Max()));
                logarithm[i] = values[i] - column.Max() - Math.Log(sum);
                softmax[i] = Math.Exp(values[i] - column.Max()) / sum;
            }

            OperatorRun.Check(new SoftmaxOperator(axis), 1, softmax, shape, _ => bound, x);
            double Bound(int i) => bound * Math.Max(1, Math.Abs(logarithm[i]));
            OperatorRun.Check(new SoftmaxOperator(axis, logarithm: true), 1, logarithm, shape, Bound, x);
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(700, 3)]
    [InlineData(40, 67)]
    [InlineData(3, 1000)]
    public void Batch_normalization_matches_its_formula(int rows, int channels)
    {
        var x = OperatorRun.Floats(1, rows, channels);
        var (scale, bias, mean) = (OperatorRun.Floats(2, channels), OperatorRun.Floats(3, channels), OperatorRun.Floats(4, channels));
        var variance = OperatorRun.Wholes<float>(5, 1, 4, channels);
        var expected = new double[rows * channels];
        for (var i = 0; i < expected.Length; i++)
        {
            var c = i % channels;
            var normal = (x.Span<float>()[i] - (double)mean.Span<float>()[c]) / Math.Sqrt(variance.Span<float>()[c] + 1e-3);
            expected[i] = (normal * scale.Span<float>()[c]) + bias.Span<float>()[c];
        }

        var op = new BatchNormalizationOperator(1e-3f);
        OperatorRun.Check(op, 1, expected, [rows, channels], _ => 2e-6, x, scale, bias, mean, variance);
        OperatorRun.Check(op, 5, expected, [rows, channels], _ => 2e-6, x, scale, bias, mean, variance);
        Assert.Throws<ArgumentException>(() => op.Infer([x.Type, scale.Type, bias.Type, mean.Type, null]));
    }

    [Fact]
    public void An_axis_that_is_not_there_is_refused() => Assert.Throws<ArgumentException>(
        () => new SoftmaxOperator(-3).Infer([new TensorType(ElementType.Float32, new TensorShape(2, 3))]));
}
