namespace SeparableConv.Networks.Operators;

/// <summary>
/// A function of each byte alone, given as the 256 bytes that it makes of those there are: x of int8 or uint8 with one scale -> the same
/// shape, of <paramref name="element"/> with the quantization <paramref name="output"/>.
/// </summary>
/// <param name="element">The output's elements.</param>
/// <param name="output">The output's quantization.</param>
/// <param name="map">The output byte for the byte 0, 1 and so on as it lies in memory.</param>
internal sealed class ByteMapOperator(ElementType element, Quantization output, byte[] map) : ByteTableOperator(element, output)
{
    public override string Kind => "ByteMap";

    private protected override Func<int, int> Function(Quantization input) => q => QuantizedTypes.Value(map[(byte)q], Element);
}
