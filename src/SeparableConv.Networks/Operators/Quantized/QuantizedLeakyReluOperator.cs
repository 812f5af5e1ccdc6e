namespace SeparableConv.Networks.Operators;

/// <summary>y = x where x is 0 or more, alpha*x below, of quantized bytes.</summary>
internal sealed class QuantizedLeakyReluOperator(float alpha, ElementType element, Quantization output) : ByteTableOperator(element, output)
{
    public override string Kind => "QuantizedLeakyRelu";

    private protected override Func<int, int> Function(Quantization input)
    {
        // Single-precision arithmetic, as in the reference.
        var positive = QuantizedTypes.Multiplier(input.Scale / Output.Scale);
        var negative = QuantizedTypes.Multiplier(input.Scale * alpha / Output.Scale);
        return q =>
        {
            var x = q - input.ZeroPoint;
            return (x >= 0 ? positive : negative).Multiply(x) + Output.ZeroPoint;
        };
    }
}
