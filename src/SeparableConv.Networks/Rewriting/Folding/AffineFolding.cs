namespace SeparableConv.Networks.Rewriting;

/// <summary>
/// Merges batch normalization, and additions and multiplications by one number a channel, into the weights and bias of the
/// convolution or dense layer before them, where nobody else reads that.
/// </summary>
internal sealed class AffineFolding : NetworkPass
{
    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs)
    {
        if (ChannelAffine.Of(node.Operator, inputs, node.Outputs[0].Type) is not { } affine
            || !HasOneReader(node.Inputs[Array.IndexOf(inputs, affine.Input)])
            || affine.Input.Producer is not { } before
            || WeightedNode.Of(before.Operator, [.. before.Inputs]) is not { HasActivation: false } weighted
            || weighted.After(affine) is not { } folded)
        {
            return null;
        }

        return
        [
            Replace(
                before,
                before.Operator,
                before.Inputs[0],
                Constant($"{before.Name}/weights", folded.Weights),
                folded.Bias is null ? null : Constant($"{before.Name}/bias", folded.Bias)),
        ];
    }
}
