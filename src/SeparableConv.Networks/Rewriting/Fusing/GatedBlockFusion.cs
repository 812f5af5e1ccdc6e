namespace SeparableConv.Networks.Rewriting;

/// <summary>
/// Joins a block that squeezes and excites: a gated pointwise convolution, the depthwise one that it reads, what makes the gates of that
/// one's means, and the convolution before it that it alone reads, where that is a pointwise one or has a stride.
/// </summary>
internal sealed class GatedBlockFusion : NetworkPass
{
    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs)
    {
        // The network that is read still has the readers of what goes.
        if (node.Operator is not GatedConv2DOperator gated
            || node.Inputs[0]!.Producer is not { Operator: DepthwiseConv2DOperator depthwise } between
            || !HasConstants(between)
            || Readers(node.Inputs[0]) != 2
            || PointwiseBefore(node.Inputs[1]) is not (var excite, var exciting)
            || PointwiseBefore(excite.Inputs[0]) is not (var squeeze, var squeezing)
            || squeeze.Inputs[0]!.Producer is not { Operator: GlobalPoolOperator { PoolKind: PoolKind.Average } } pool
            || pool.Inputs[0] != node.Inputs[0]
            || !HasOneReader(pool.Outputs[0]))
        {
            return null;
        }

        var x = between.Inputs[0]!;
        var before = HasOneReader(x) && x.Producer is { } producer && ExpansionFusion.Suits(producer) ? producer : null;
        var op = new GatedBlockOperator(
            (Conv2DOperator?)before?.Operator, depthwise, squeezing, exciting, gated.Convolution, gated.HasShortcut);
        Value?[] front = before is null ? [Map(x), null, null] : [Map(before.Inputs[0]!), .. Parameters(before)];
        return [Graph.Add(
            node.Name, op, [.. front, .. Parameters(between), .. Parameters(squeeze), .. Parameters(excite), .. inputs[2..]])];
    }

    private (Node Node, Conv2DOperator Operator)? PointwiseBefore(Value? value) =>
        HasOneReader(value)
            && value!.Producer is { Operator: Conv2DOperator { Options: { Groups: 1 } options } op } node
            && HasConstants(node)
            && PointwiseConv2D.Fits(new(node.Inputs[1]!.Shape[0], node.Inputs[1]!.Shape[1]), options)
            ? (node, op)
            : null;

    private static bool HasConstants(Node node) =>
        node.Inputs[1] is { IsConstant: true } && (node.Inputs.Count < 3 || node.Inputs[2] is null or { IsConstant: true });

    private Value?[] Parameters(Node node) =>
        [Map(node.Inputs[1]!), node.Inputs.Count > 2 && node.Inputs[2] is { } bias ? Map(bias) : null];
}
