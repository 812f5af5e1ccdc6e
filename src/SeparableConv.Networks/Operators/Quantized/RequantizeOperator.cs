namespace SeparableConv.Networks.Operators;

/// <summary>
/// The same real numbers on another scale, or in the other byte type, within a clamp in the output's numbers: QUANTIZE of bytes, and
/// ReLU, ReLU6 and the like of bytes.
/// </summary>
/// <param name="element">The output's elements.</param>
/// <param name="output">The output's quantization.</param>
/// <param name="clampMin">The least output.</param>
/// <param name="clampMax">The greatest output.</param>
/// <param name="singlePrecision">Whether the ratio of the scales is a single-precision number, as for ReLU, and not a double, as for QUANTIZE.</param>
internal sealed class RequantizeOperator(ElementType element, Quantization output, int clampMin, int clampMax, bool singlePrecision)
    : ByteTableOperator(element, output)
{
    public override string Kind => "Requantize";

    private protected override Func<int, int> Function(Quantization input)
    {
        if (clampMin > clampMax)
            throw new ArgumentException($"The clamp is {clampMin} to {clampMax}; the minimum must be no greater than the maximum.");
        var ratio = QuantizedTypes.Multiplier(singlePrecision ? input.Scale / Output.Scale : (double)input.Scale / Output.Scale);
        return q => Math.Clamp(ratio.Multiply(q - input.ZeroPoint) + Output.ZeroPoint, clampMin, clampMax);
    }
}
