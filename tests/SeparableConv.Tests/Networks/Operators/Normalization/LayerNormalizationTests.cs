namespace SeparableConv.Tests.Networks.Operators;

public class LayerNormalizationTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 3)]
    [InlineData(5, 33)]
    [InlineData(300, 130)]
    public void Rows_have_the_mean_and_deviation_of_scale_and_bias(int rows, int length)
    {
        const float Epsilon = 1e-3f;
        var (x, scale, bias) = (OperatorRun.Floats(1, rows, length), OperatorRun.Floats(2, length), OperatorRun.Floats(3, length));
        foreach (var hasBias in new[] { true, false })
        {
            var expected = new double[rows * length];
            for (var row = 0; row < rows; row++)
            {
                double[] values = [.. x.Span<float>().Slice(row * length, length).ToArray().Select(v => (double)v)];
                var mean = values.Average();
                var factor = 1 / Math.Sqrt(values.Average(v => (v - mean) * (v - mean)) + Epsilon);
                for (var i = 0; i < length; i++)
                {
                    expected[(row * length) + i] =
                        ((values[i] - mean) * factor * scale.Span<float>()[i]) + (hasBias ? bias.Span<float>()[i] : 0);
                }
            }

            OperatorRun.Check(
                new LayerNormalizationOperator(-1, Epsilon), 1, expected, [rows, length], _ => 3e-6, x, scale, hasBias ? bias : null);
        }
    }

    [Fact]
    public void A_scale_of_another_shape_is_refused()
    {
        var x = new TensorType(ElementType.Float32, new TensorShape(2, 3, 4));
        var e = Assert.Throws<ArgumentException>(
            () => new LayerNormalizationOperator(1, 1e-5f).Infer([x, new(ElementType.Float32, new TensorShape(4))]));
        Assert.Equal("The scale is float32 (4); expected float32 (3,4), the input's dimensions from axis 1 on.", e.Message);
    }

    [Theory]
    [InlineData(1, 0, 0, 0.75f)]
    [InlineData(3, 5, 5, 0.75f)]
    [InlineData(8, 2, 2, 0.75f)]
    [InlineData(33, 1, 2, 0.5f)]
    [InlineData(300, 2, 2, 0.75f)]
    [InlineData(300, 3, 1, 1f)]
    [InlineData(19, 2, 2, 0.6f)]
    public void Responses_are_divided_by_those_of_their_neighbours(int channels, int before, int after, float beta)
    {
        const float Alpha = 0.3f;
        const float Bias = 1.5f;
        int[] shape = [2, 5, 7, channels];
        var x = OperatorRun.Floats(1, shape);
        var values = x.Span<float>().ToArray();
        var expected = new double[values.Length];
        for (var i = 0; i < values.Length; i++)
        {
            var (pixel, c) = Math.DivRem(i, channels);
            var sum = 0.0;
            for (var k = Math.Max(0, c - before); k <= Math.Min(channels - 1, c + after); k++)
                sum += (double)values[(pixel * channels) + k] * values[(pixel * channels) + k];
            expected[i] = values[i] / Math.Pow(Bias + (Alpha * sum), beta);
        }

        OperatorRun.Check(new LocalResponseNormalizationOperator(before, after, Alpha, beta, Bias), 1, expected, shape, _ => 1e-6, x);
    }
}
