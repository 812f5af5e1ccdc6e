namespace SeparableConv.Networks.Operators;

/// <summary>A value of a network that is a dequantized constant: scale*(q - zeroPoint), computed when the network runs.</summary>
/// <param name="Numbers">q, in the float value's shape.</param>
/// <param name="Scales">One, or one for each output channel: element i of the tensor in memory has scale i modulo their number.</param>
/// <param name="ZeroPoints">As many.</param>
internal sealed record DequantizedConstant(TensorData Numbers, float[] Scales, int[] ZeroPoints)
{
    /// <summary>
    /// Whether a value follows from quantized numbers of the network alone, by a <see cref="DequantizeLinearOperator"/> and perhaps a
    /// reshape.
    /// </summary>
    public static bool Is(Value value) => Source(value) is not null;

    /// <summary>The stored numbers that a value is dequantized from; null where it is no such value.</summary>
    public static Value? Source(Value value) => value.Producer switch
    {
        { Operator: DequantizeLinearOperator } node =>
            node.Inputs.All(input => input is null or { IsStored: true }) ? node.Inputs[0] : null,
        { Operator: ReshapeOperator } node =>
            node.Inputs[0]!.Producer is { Operator: DequantizeLinearOperator } ? Source(node.Inputs[0]!) : null,
        _ => null,
    };

    /// <summary>The parts of such a value; null for other values, and where the scales do not run along the last dimension.</summary>
    public static DequantizedConstant? Of(Value value)
    {
        if (!Is(value))
            return null;
        var node = value.Producer!;
        if (node.Operator is ReshapeOperator)
            node = node.Inputs[0]!.Producer!;
        var (numbers, scale) = (node.Inputs[0]!.Data!, node.Inputs[1]!.Data!);
        var (rank, count) = (numbers.Type.Shape.Rank, scale.Values.Length);
        if (count != 1 && TensorAxis.Resolve(((DequantizeLinearOperator)node.Operator).Axis, rank) != rank - 1)
            return null;
        var zeroPoints = new int[count];
        if (node.Inputs.Count > 2 && node.Inputs[2]?.Data is { } given)
        {
            for (var i = 0; i < count; i++)
                zeroPoints[i] = Convert.ToInt32(given.Values.GetValue(i), null);
        }

        return new(new TensorData(new(numbers.Type.Element, value.Shape), numbers.Values), [.. scale.Span<float>()], zeroPoints);
    }

    /// <summary>Whether the numbers are int8 or uint8.</summary>
    public bool HasBytes => Numbers.Type.Element.IsByte();

    /// <summary>Scales and zero points; null where a scale is not finite and above 0.</summary>
    public Quantization? Quantization => Scales.All(scale => float.IsFinite(scale) && scale > 0)
        ? new(Scales, ZeroPoints, Numbers.Type.Shape.Rank - 1)
        : null;
}
