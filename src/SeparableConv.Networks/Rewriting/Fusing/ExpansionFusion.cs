namespace SeparableConv.Networks.Rewriting;

/// <summary>
/// Joins a pointwise convolution, or one with a stride as networks begin with, and the fused pair that alone reads it, as its shortcut too.
/// </summary>
internal sealed class ExpansionFusion : NetworkPass
{
    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs)
    {
        if (node.Operator is not FusedSeparableConvOperator separable
            || inputs is not [{ Producer: { Operator: Conv2DOperator expand } before }, ..]
            || !Suits(before)
            || Readers(node.Inputs[0]) != node.Inputs.Count(input => input == node.Inputs[0]))
        {
            return null;
        }

        const int Place = FusedSeparableConvOperator.ShortcutInput;
        var shortcut = !separable.HasShortcut ? BlockShortcut.None
            : inputs[Place] == inputs[0] ? BlockShortcut.Expanded
            : BlockShortcut.Tensor;

        // Each row of the sums meets the expanded row that it is made around.
        if (shortcut == BlockShortcut.Expanded && separable.Depthwise.Options.Stride.Height != 1)
            return null;
        Value?[] rest = shortcut == BlockShortcut.Expanded ? inputs[1..Place] : inputs[1..];

        var bias = before.Inputs.Count > 2 ? before.Inputs[2] : null;
        var pair = new FusedSeparableConvOperator(separable.Depthwise, separable.Pointwise, hasShortcut: false);
        var op = new FusedExpansionOperator(expand, pair, shortcut);
        return [Replace(before, op, [before.Inputs[0], before.Inputs[1], bias, .. rest])];
    }

    /// <summary>
    /// Whether a convolution can be made some rows at a time: a pointwise one, or one with a stride in each axis, which is always computed
    /// directly, whatever its image.
    /// </summary>
    public static bool Suits(Node node) => node.Operator is Conv2DOperator { Options: { Groups: 1 } options }
        && node.Inputs[1] is { Constant: { } weights }
        && (node.Inputs.Count < 3 || node.Inputs[2] is null or { IsConstant: true })
        && (options.Stride is { Height: > 1, Width: > 1 }
            || PointwiseConv2D.Fits(new(weights.Type.Shape[0], weights.Type.Shape[1]), options));
}
