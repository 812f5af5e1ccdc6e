namespace SeparableConv.Networks.Rewriting;

/// <summary>
/// Takes apart what other passes joined: a depthwise separable convolution becomes a depthwise and a pointwise one again, with the
/// expansion before them where there is one. The numbers stay the same to the bit.
/// </summary>
internal sealed class Unfusing : NetworkPass
{
    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs)
    {
        switch (node.Operator)
        {
            case FusedExpansionOperator block:
                var expanded = Graph.Add($"{node.Name}/expand", block.Expand, inputs.AsSpan(0, 3));
                return [Separable(node.Name, block.Separable, [expanded, .. inputs.AsSpan(3)])];
            case FusedSeparableConvOperator separable:
                return [Separable(node.Name, separable, inputs)];
            default:
                return null;
        }
    }

    private Value Separable(string name, FusedSeparableConvOperator op, Value?[] inputs)
    {
        var between = Graph.Add($"{name}/depthwise", op.Depthwise, inputs.AsSpan(0, 3));
        return Graph.Add(name, op.Pointwise, [between, .. inputs.AsSpan(3)]);
    }
}
