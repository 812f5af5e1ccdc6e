using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>The magnitude of quantized bytes: the distance from zero, brought to the output's scale where that is another.</summary>
internal sealed class TFLiteAbsOperator(ElementType element, Quantization output) : ByteTableOperator(element, output)
{
    public override string Kind => "QuantizedAbs";

    private protected override Func<int, int> Function(Quantization input)
    {
        // A single-precision division, as in the reference.
        var ratio = QuantizedTypes.Multiplier(input.Scale / Output.Scale);
        return q =>
        {
            var magnitude = Math.Abs(q - input.ZeroPoint);
            return (input.Scale == Output.Scale ? magnitude : ratio.Multiply(magnitude)) + Output.ZeroPoint;
        };
    }
}

/// <summary>
/// The square root of quantized bytes, in single precision and cut off towards zero, not rounded. Negative numbers, which the reference
/// refuses when it meets one, give zero.
/// </summary>
internal sealed class TFLiteSqrtOperator(ElementType element, Quantization output) : ByteTableOperator(element, output)
{
    public override string Kind => "QuantizedSqrt";

    private protected override Func<int, int> Function(Quantization input) => q =>
        (int)(MathF.Sqrt(Math.Max(0, input.Scale * (q - input.ZeroPoint))) / Output.Scale) + Output.ZeroPoint;
}

/// <summary>
/// 1 / the square root of quantized bytes, in fixed point with 20 bits after the binary point. Zero gives the largest number, as do
/// negative numbers, which the reference refuses when it meets one.
/// </summary>
internal sealed class TFLiteInverseSqrtOperator(ElementType element, Quantization output) : ByteTableOperator(element, output)
{
    private const int FractionBits = 20;

    public override string Kind => "QuantizedInverseSqrt";

    private protected override Func<int, int> Function(Quantization input)
    {
        // The root of the scale is taken in single precision, as is the product with the other one.
        var toOutput = QuantizedTypes.Multiplier(1.0 / (MathF.Sqrt(input.Scale) * Output.Scale));
        var most = QuantizedTypes.Range(Element).Most;
        return q =>
        {
            if (q <= input.ZeroPoint)
                return most;
            var inverse = FixedPointRoot.Inverse(q - input.ZeroPoint);
            var number = (inverse with { Shift = inverse.Shift + FractionBits }).Multiply(1);
            return (toOutput with { Shift = toOutput.Shift - FractionBits }).Multiply(number) + Output.ZeroPoint;
        };
    }
}
