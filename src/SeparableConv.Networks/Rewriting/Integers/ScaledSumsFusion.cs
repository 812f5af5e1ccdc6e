namespace SeparableConv.Networks.Rewriting;

/// <summary>
/// What follows 32-bit sums where activations are quantized when the network runs, a Cast to floats, a Mul by the scales and an Add of the
/// bias, becomes one operator and one pass over memory.
/// </summary>
internal sealed class ScaledSumsFusion : NetworkPass
{
    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs)
    {
        if (node.Operator is not BinaryOperator { Activation.IsNone: true } binary || !node.Outputs[0].Type.Element.IsFloat())
            return null;
        for (var i = 0; i < 2; i++)
        {
            if (!HasOneReader(node.Inputs[i]) || inputs[i]!.Producer is not { } before || inputs[i]!.Shape != node.Outputs[0].Shape)
                continue;
            var isScaling = binary.BinaryKind == BinaryKind.Mul && before.Operator is CastOperator { Element: ElementType.Float32 }
                && before.Inputs[0]!.Type.Element == ElementType.Int32;
            var isBias = binary.BinaryKind == BinaryKind.Add && before.Inputs.Count == 2
                && before.Operator is ScaledSumsOperator { Activation.IsNone: true };
            if ((isScaling || isBias) && Row(inputs[1 - i]!, inputs[i]!.Shape) is { } row)
                return [Replace(before, new ScaledSumsOperator(Activation.None), [.. before.Inputs, row])];
        }

        return null;
    }

    // One number, or one for each channel, in one dimension; null for other tensors.
    private Value? Row(Value value, TensorShape sums)
    {
        var count = value.Shape.ElementCount;
        if (value.Type.Element != ElementType.Float32 || value.Shape.Rank > sums.Rank)
            return null;
        if (count != 1 && (count != sums[^1] || value.Shape[^1] != count))
            return null;
        if (value.Shape.Rank <= 1)
            return value;
        var shape = new TensorShape((int)count);
        return value.Constant is { } data
            ? Constant(value.Name, new TensorData(new(ElementType.Float32, shape), data.Values))
            : Graph.Add($"{value.Name}/row", new ReshapeOperator(shape), value);
    }
}
