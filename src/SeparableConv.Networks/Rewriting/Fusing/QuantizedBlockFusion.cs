using SeparableConv.Loops;

namespace SeparableConv.Networks.Rewriting;

/// <summary>
/// Joins a quantized depthwise convolution with the pointwise one that alone reads it, and with the convolution before it that it alone
/// reads, where that is a pointwise one or has a stride, as networks begin with.
/// </summary>
internal sealed class QuantizedBlockFusion : NetworkPass
{
    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs)
    {
        if (node.Operator is not QuantizedConv2DOperator project
            || inputs is not [{ Producer: { Operator: QuantizedDepthwiseConv2DOperator depthwise } between }, ..]
            || !project.Geometry(node)!.Value.IsPointwise
            || !HasOneReader(node.Inputs[0])
            || !HasConstants(inputs)
            || !HasConstants([.. between.Inputs])
            || QuantizedDepthwiseLoop.Spreads(depthwise.Geometry(between)!.Value, SimdWidths.Best))
        {
            return null;
        }

        Value?[] rest = [between.Inputs[1], Bias(between.Inputs), inputs[1], Bias(inputs)];
        var x = between.Inputs[0]!;
        if (x.Producer is { Operator: QuantizedConv2DOperator expand } before && Suits(before, expand) && ReadsAlone(node))
        {
            Graph.Release(between);
            var block = new QuantizedBlockOperator(expand, depthwise, project);
            return [Replace(before, block, [before.Inputs[0], before.Inputs[1], Bias(before.Inputs), .. rest])];
        }

        return [Replace(between, new QuantizedBlockOperator(null, depthwise, project), [x, null, null, .. rest])];
    }

    // In the network that is read: there the values still have their readers.
    private bool ReadsAlone(Node node) => HasOneReader(node.Inputs[0]!.Producer!.Inputs[0]);

    private static bool Suits(Node node, QuantizedConv2DOperator expand)
    {
        var g = expand.Geometry(node)!.Value;
        return HasConstants([.. node.Inputs]) && (g.IsPointwise || (g.Groups == 1 && g.Rows.Stride > 1 && g.Columns.Stride > 1));
    }

    private static bool HasConstants(ReadOnlySpan<Value?> inputs) =>
        inputs[1] is { IsConstant: true } && (inputs.Length < 3 || inputs[2] is null or { IsConstant: true });

    private static Value? Bias(IReadOnlyList<Value?> inputs) => inputs.Count > 2 ? inputs[2] : null;
}
