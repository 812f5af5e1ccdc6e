namespace SeparableConv.Networks.Operators;

/// <summary>
/// Checks and sizes for ONNX's QuantizeLinear and DequantizeLinear, whose inputs are x, scale and, where there is one, zero point.
/// </summary>
internal static class LinearScale
{
    /// <summary>Checks scale and zero point, which are one number or one for each index along the axis.</summary>
    /// <exception cref="ArgumentException">They do not fit.</exception>
    public static void Check(ReadOnlySpan<TensorType?> inputs, int axis, ElementType zeroPointElement)
    {
        var x = OperatorChecks.Required(inputs, 0, "input");
        var scale = OperatorChecks.Required(inputs, 1, "scale");
        var zeroPoint = inputs.Length > 2 ? inputs[2] : null;
        var length = scale.Shape.ElementCount == 1 ? 1 : x.Shape[TensorAxis.Resolve(axis, x.Shape.Rank)];
        if (scale.Element != ElementType.Float32 || scale.Shape.Rank > 1 || scale.Shape.ElementCount != length)
        {
            throw new ArgumentException(
                $"The scale is {scale}; "
                + $"expected one float32, or {length} of them, one for each index along dimension {axis} of {x.Shape}.");
        }

        if (zeroPoint is not null && (zeroPoint.Element != zeroPointElement || zeroPoint.Shape.ElementCount != scale.Shape.ElementCount))
        {
            throw new ArgumentException(
                $"The zero point is {zeroPoint}; "
                + $"expected {scale.Shape.ElementCount} of {zeroPointElement.ToString().ToLowerInvariant()}, as many as scales.");
        }
    }

    /// <summary>The number of consecutive elements that share a scale.</summary>
    public static long RunLength(TensorShape x, int scales, int axis)
    {
        if (scales == 1)
            return x.ElementCount;
        long run = 1;
        foreach (var length in x.Lengths[(TensorAxis.Resolve(axis, x.Rank) + 1)..])
            run *= length;
        return run;
    }

    /// <summary>The least and the greatest number of an integer type of 8 or 16 bits.</summary>
    public static (int Least, int Greatest) Range(ElementType element) => element switch
    {
        ElementType.Int8 => (sbyte.MinValue, sbyte.MaxValue),
        ElementType.UInt8 => (0, byte.MaxValue),
        ElementType.Int16 => (short.MinValue, short.MaxValue),
        ElementType.UInt16 => (0, ushort.MaxValue),
        _ => throw new ArgumentException(
            $"{element.ToString().ToLowerInvariant()} is no type of quantized numbers; expected int8, uint8, int16 or uint16."),
    };
}
