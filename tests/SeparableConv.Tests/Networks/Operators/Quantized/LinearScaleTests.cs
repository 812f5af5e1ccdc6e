namespace SeparableConv.Tests.Networks.Operators;

public class LinearScaleTests
{
    [Fact]
    public void Quantizing_rounds_half_to_even_and_saturates()
    {
        var x = TensorData.Create([0f, 2, 4, 3, -254, -1000, 1e30f, float.NaN, 5, -5], 10);
        var scale = TensorData.Create([2f]);
        Assert.Equal(
            new byte[] { 128, 129, 130, 130, 1, 0, 255, 128, 130, 126 },
            Evaluator.Run(new QuantizeLinearOperator(ElementType.UInt8, 1), x, scale, TensorData.Create([(byte)128]))[0]
                .Span<byte>().ToArray());
        Assert.Equal(
            new short[] { 0, 1, 2, 2, -127, -500, short.MaxValue, 0, 2, -2 },
            Evaluator.Run(new QuantizeLinearOperator(ElementType.Int16, 1), x, scale)[0].Span<short>().ToArray());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(-1)]
    public void A_scale_for_each_index_along_any_axis(int axis)
    {
        var shape = new[] { 3, 4, 5 };
        var scales = Enumerable.Range(1, shape[axis < 0 ? 3 + axis : axis]).Select(i => i * 0.25f).ToArray();
        var zeroPoints = scales.Select((_, i) => (sbyte)(i - 2)).ToArray();
        var values = Enumerable.Range(0, 60).Select(i => (i - 30) * 0.37f).ToArray();
        var x = TensorData.Create(values, shape);
        var (scale, zeroPoint) = (TensorData.Create(scales, scales.Length), TensorData.Create(zeroPoints, zeroPoints.Length));
        var quantized = Evaluator.Run(new QuantizeLinearOperator(ElementType.Int8, axis), x, scale, zeroPoint)[0];
        var restored = Evaluator.Run(new DequantizeLinearOperator(axis), quantized, scale, zeroPoint)[0].Span<float>();
        for (var i = 0; i < 60; i++)
        {
            var index = axis switch { 0 => i / 20, 1 => i / 5 % 4, _ => i % 5 };
            var q = Math.Clamp((int)MathF.Round(values[i] / scales[index]) + zeroPoints[index], -128, 127);
            Assert.Equal(q, quantized.Span<sbyte>()[i]);
            Assert.Equal((q - zeroPoints[index]) * scales[index], restored[i]);
        }
    }

    [Fact]
    public void Scales_that_do_not_fit_are_refused()
    {
        var x = TensorData.Create(new float[6], 2, 3);
        var e = Assert.Throws<ArgumentException>(
            () => Evaluator.Run(new QuantizeLinearOperator(ElementType.Int8, 1), x, TensorData.Create(new float[2], 2)));
        Assert.Contains("expected one float32, or 3 of them", e.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Evaluator.Run(new QuantizeLinearOperator(ElementType.Int32, 1), x, TensorData.Create([1f])));
        Assert.Throws<ArgumentException>(
            () => Evaluator.Run(new QuantizeLinearOperator(ElementType.Int8, 1), x, TensorData.Create([1f]), TensorData.Create([(byte)1])));
    }
}
