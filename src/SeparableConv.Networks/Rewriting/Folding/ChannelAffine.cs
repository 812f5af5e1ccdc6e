namespace SeparableConv.Networks.Rewriting;

/// <summary>A node that does no more than y = scale_c*x + shift_c, c the index in the last dimension.</summary>
/// <param name="Input">x.</param>
/// <param name="Scale">One number a channel.</param>
/// <param name="Shift">One number a channel.</param>
internal sealed record ChannelAffine(Value Input, double[] Scale, double[] Shift)
{
    // A last dimension longer than that is a damaged file's rather than channels; numbers for each would take more than the file.
    private const int MostChannels = 1 << 16;

    /// <summary>Sees a node as a scale and a shift of each channel; null where it does something else.</summary>
    public static ChannelAffine? Of(Node node) => Of(node.Operator, [.. node.Inputs], node.Outputs[0].Type);

    /// <inheritdoc cref="Of(Node)"/>
    public static ChannelAffine? Of(Operator op, Value?[] inputs, TensorType output)
    {
        if (output.Element != ElementType.Float32 || output.Shape.Rank == 0 || output.Shape[^1] > MostChannels)
            return null;
        return op switch
        {
            BatchNormalizationOperator normalization => OfNormalization(normalization, inputs),
            BinaryOperator { Activation.IsNone: true } binary => OfBinary(binary, inputs, output),
            _ => null,
        };
    }

    private static ChannelAffine? OfNormalization(BatchNormalizationOperator op, Value?[] inputs)
    {
        if (inputs is not [{ } x, { Constant: { } scales }, { Constant: { } biases }, { Constant: { } means }, { Constant: { } variances }])
            return null;
        var scale = new double[x.Shape[^1]];
        var shift = new double[scale.Length];
        for (var c = 0; c < scale.Length; c++)
        {
            scale[c] = scales.Span<float>()[c] / Math.Sqrt((double)variances.Span<float>()[c] + op.Epsilon);
            shift[c] = biases.Span<float>()[c] - (means.Span<float>()[c] * scale[c]);
        }

        return new(x, scale, shift);
    }

    private static ChannelAffine? OfBinary(BinaryOperator op, Value?[] inputs, TensorType output)
    {
        var constantAt = inputs[1]!.IsConstant ? 1 : 0;
        if (inputs[constantAt]!.Constant is not { } constant
            || inputs[1 - constantAt] is not { IsConstant: false } x
            || x.Shape != output.Shape
            || Channels(constant, x.Shape[^1]) is not { } numbers)
        {
            return null;
        }

        var (ones, zeros) = (Array.ConvertAll(numbers, _ => 1.0), new double[numbers.Length]);
        return (op.BinaryKind, constantAt) switch
        {
            (BinaryKind.Add, _) => new(x, ones, numbers),
            (BinaryKind.Sub, 1) => new(x, ones, Array.ConvertAll(numbers, number => -number)),
            (BinaryKind.Sub, 0) => new(x, Array.ConvertAll(ones, one => -one), numbers),
            (BinaryKind.Mul, _) => new(x, numbers, zeros),
            (BinaryKind.Div, 1) => new(x, Array.ConvertAll(numbers, number => 1 / number), zeros),
            _ => null,
        };
    }

    /// <summary>One number a channel, from a constant that has one for each or one for all; null where other dimensions matter.</summary>
    private static double[]? Channels(TensorData constant, int channels)
    {
        var count = constant.Type.Shape.ElementCount;
        var isForEach = count == channels && constant.Type.Shape.Rank > 0 && constant.Type.Shape[^1] == channels;
        if (constant.Type.Element != ElementType.Float32 || (count != 1 && !isForEach))
            return null;
        var values = constant.Span<float>();
        var numbers = new double[channels];
        for (var c = 0; c < channels; c++)
            numbers[c] = values[count == 1 ? 0 : c];
        return numbers;
    }
}
