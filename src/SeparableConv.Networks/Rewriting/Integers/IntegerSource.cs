namespace SeparableConv.Networks.Rewriting;

/// <summary>Bytes that a DequantizeLinear makes numbers of.</summary>
/// <param name="Bytes">int8 or uint8.</param>
/// <param name="Quantization">One scale and zero point.</param>
internal sealed record IntegerSource(Value Bytes, Quantization Quantization)
{
    /// <summary>
    /// Where a value comes from; null where it is no dequantized tensor of bytes with one constant scale, or is a constant.
    /// </summary>
    public static IntegerSource? Of(Value value) =>
        value.Producer is { Operator: DequantizeLinearOperator } node
        && node.Inputs[0] is { IsConstant: false } bytes
        && bytes.Type.Element.IsByte()
        && IntegerTarget.Read(node, bytes.Type.Element) is { } quantization
            ? new(bytes, quantization)
            : null;

    /// <summary>The number that each of the 256 bytes stands for, in the order of the bytes in memory.</summary>
    public TensorData Numbers()
    {
        var all = TensorData.CreateZeros(new(Bytes.Type.Element, new TensorShape(256)));
        var zeroPoint = TensorData.CreateZeros(new(Bytes.Type.Element, new TensorShape()));
        zeroPoint.Bytes[0] = (byte)Quantization.ZeroPoint;
        for (var raw = 0; raw < 256; raw++)
            all.Bytes[raw] = (byte)raw;
        return Evaluator.Run(new DequantizeLinearOperator(0), all, TensorData.Create([Quantization.Scale]), zeroPoint)[0];
    }

    /// <summary>Whether another has the same scale and zero point, and elements of the same type.</summary>
    public bool IsLike(IntegerSource other) => Bytes.Type.Element == other.Bytes.Type.Element && AreEqual(Quantization, other.Quantization);

    /// <summary>The bytes, said to stand for these numbers.</summary>
    public Value Seen(GraphBuilder graph) => Seen(graph, Bytes, Quantization);

    /// <summary>Bytes that are said to stand for some numbers; as they are where they do already.</summary>
    public static Value Seen(GraphBuilder graph, Value bytes, Quantization quantization)
    {
        while (bytes.Producer is { Operator: QuantizationViewOperator } view)
            bytes = view.Inputs[0]!;
        return AreEqual(bytes.Type.Quantization, quantization)
            ? bytes
            : graph.Add($"{bytes.Name}/seen", new QuantizationViewOperator(quantization), bytes);
    }

    /// <summary>Whether bytes stand for the same numbers.</summary>
    public static bool AreEqual(Quantization? a, Quantization? b) =>
        a is not null && b is not null && a.Scales.SequenceEqual(b.Scales) && a.ZeroPoints.SequenceEqual(b.ZeroPoints);
}
