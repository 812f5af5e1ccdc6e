namespace SeparableConv.Networks.Rewriting;

/// <summary>
/// Joins a pointwise convolution, or one with a stride as networks begin with, and the fused pair that alone reads it.
/// </summary>
internal sealed class ExpansionFusion : NetworkPass
{
    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs)
    {
        if (node.Operator is not FusedSeparableConvOperator { HasShortcut: false } separable
            || inputs is not [{ Producer: { Operator: Conv2DOperator { Options: var options } expand } before }, ..]
            || options.Groups != 1
            || before.Inputs is not [{ } x, { Constant: { } weights }, ..]
            || !(IsStrided(options) || PointwiseConv2D.Fits(new(weights.Type.Shape[0], weights.Type.Shape[1]), options))
            || (before.Inputs.Count > 2 && before.Inputs[2] is { IsConstant: false })
            || !HasOneReader(node.Inputs[0]))
        {
            return null;
        }

        var bias = before.Inputs.Count > 2 ? before.Inputs[2] : null;
        var op = new FusedExpansionOperator(expand, separable, hasShortcut: false);
        return [Replace(before, op, [x, before.Inputs[1], bias, .. inputs[1..]])];
    }

    // A stride in each axis: such a convolution is always computed directly, whatever its image.
    private static bool IsStrided(ConvOptions options) => options.Stride is { Height: > 1, Width: > 1 };
}
