namespace SeparableConv.Networks.Rewriting;

/// <summary>
/// Joins a depthwise convolution with the pointwise one that alone reads it: level or faster on every shape that was measured.
/// </summary>
internal sealed class SeparableFusion : NetworkPass
{
    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs)
    {
        if (node.Operator is not Conv2DOperator { Options: var options } pointwise
            || inputs is not [{ Producer: { Operator: DepthwiseConv2DOperator depthwise } before }, { Constant: { } weights }, ..]
            || options.Groups != 1
            || !PointwiseConv2D.Fits(new(weights.Type.Shape[0], weights.Type.Shape[1]), options)
            || !HasOneReader(node.Inputs[0])
            || before.Inputs is not [_, { IsConstant: true }, ..]
            || Bias(before.Inputs) is { IsConstant: false }
            || Bias(inputs) is { IsConstant: false })
        {
            return null;
        }

        var op = new FusedSeparableConvOperator(depthwise, pointwise, hasShortcut: false);
        return [Replace(before, op, before.Inputs[0], before.Inputs[1], Bias(before.Inputs), inputs[1], Bias(inputs))];
    }

    private static Value? Bias(IReadOnlyList<Value?> inputs) => inputs.Count > 2 ? inputs[2] : null;
}
