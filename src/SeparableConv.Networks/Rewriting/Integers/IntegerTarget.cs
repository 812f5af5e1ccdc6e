namespace SeparableConv.Networks.Rewriting;

/// <summary>What the bytes behind a QuantizeLinear are: clamp(round(x / scale) + zeroPoint, Min, Max).</summary>
/// <param name="Element">int8 or uint8.</param>
/// <param name="Quantization">Their scale and zero point.</param>
/// <param name="Min">The least byte: the type's, or that of a clamp before.</param>
/// <param name="Max">The greatest.</param>
internal sealed record IntegerTarget(ElementType Element, Quantization Quantization, int Min, int Max)
{
    /// <summary>What a QuantizeLinear gives; null where the node is another, gives no bytes, or its scale is not one constant.</summary>
    public static IntegerTarget? Of(Node node)
    {
        if (node.Operator is not QuantizeLinearOperator op || !op.Element.IsByte() || Read(node, op.Element) is not { } quantization)
            return null;
        var (least, most) = QuantizedTypes.Range(op.Element);
        return new(op.Element, quantization, least, most);
    }

    /// <summary>
    /// The scale and zero point of a QuantizeLinear or DequantizeLinear; null where they are not one constant number each, or damaged.
    /// </summary>
    public static Quantization? Read(Node node, ElementType element)
    {
        if (node.Inputs[1]!.Constant is not { Values: float[] { Length: 1 } scale } || !float.IsFinite(scale[0]) || scale[0] <= 0)
            return null;
        if (node.Inputs.Count < 3 || node.Inputs[2] is not { } zeroPoint)
            return new(scale[0], 0);
        return zeroPoint.Constant is { } constant ? new(scale[0], QuantizedTypes.Value(constant.Bytes[0], element)) : null;
    }

    /// <summary>
    /// The same behind a clamp of the numbers. Quantizing is monotone, so that the clamp of the bytes by its quantized bounds is exact. A
    /// bound that is no number clamps nothing.
    /// </summary>
    public IntegerTarget Clamped(float lower, float upper)
    {
        var (low, high) = (Quantize(lower, Min), Quantize(upper, Max));
        return this with { Min = Math.Min(low, high), Max = high };
    }

    /// <summary>The quantized bytes of numbers, as the operators compute them.</summary>
    public byte[] Quantize(TensorData numbers)
    {
        var zeroPoint = TensorData.CreateZeros(new(Element, new TensorShape()));
        zeroPoint.Bytes[0] = (byte)Quantization.ZeroPoint;
        var bytes = Evaluator.Run(
            new QuantizeLinearOperator(Element, 0), numbers, TensorData.Create([Quantization.Scale]), zeroPoint)[0].Bytes;
        foreach (ref var raw in bytes)
            raw = (byte)Math.Clamp(QuantizedTypes.Value(raw, Element), Min, Max);
        return bytes.ToArray();
    }

    private int Quantize(float bound, int otherwise) =>
        float.IsNaN(bound) ? otherwise : QuantizedTypes.Value(Quantize(TensorData.Create([bound], 1))[0], Element);
}
