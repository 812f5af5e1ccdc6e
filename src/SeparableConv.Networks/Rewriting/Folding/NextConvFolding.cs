namespace SeparableConv.Networks.Rewriting;

/// <summary>
/// Merges y = scale_c*x + shift_c into the convolution or dense layer that alone reads it: scaled weights, and a bias for what the
/// shift adds. A shift beside a border of zeros would have to miss the border, so there it stays.
/// </summary>
internal sealed class NextConvFolding : NetworkPass
{
    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs)
    {
        if (!HasOneReader(node.Inputs.Count > 0 ? node.Inputs[0] : null)
            || inputs[0]?.Producer is not { } before
            || ChannelAffine.Of(before) is not { } affine
            || WeightedNode.Of(node.Operator, inputs) is not { } weighted)
        {
            return null;
        }

        var isShifted = Array.Exists(affine.Shift, shift => shift != 0);
        if (isShifted && node.Operator is FloatConvOperator conv && conv.Geometry(inputs[0]!.Type, inputs[1]!.Type).IsPadded)
            return null;
        return weighted.Before(affine) is { } folded
            ? [Graph.Add(
                node.Name,
                node.Operator,
                affine.Input,
                Constant($"{node.Name}/weights", folded.Weights),
                folded.Bias is null ? null : Constant($"{node.Name}/bias", folded.Bias))]
            : null;
    }
}
