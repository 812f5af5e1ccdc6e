namespace SeparableConv.Networks.Rewriting;

/// <summary>
/// Makes an activation of a PReLU whose slopes are constant, one for all or one a channel: convolutions can apply it to their sums.
/// </summary>
internal sealed class SlopeFolding : NetworkPass
{
    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs)
    {
        if (node.Operator is not PReluOperator
            || inputs is not [{ } x, { Constant: { Type: var type } slopes }]
            || type.Element != ElementType.Float32)
            return null;
        var shape = type.Shape;
        var isForEach = x.Shape.Rank > 0 && shape.Rank > 0 && shape[^1] == x.Shape[^1] && shape.ElementCount == shape[^1];
        if ((!isForEach && shape.ElementCount != 1) || slopes.Span<float>().ContainsAnyExceptInRange(float.MinValue, float.MaxValue))
            return null;
        return [Graph.Add(node.Name, new ActivationOperator(Activation.PReLU(slopes.Span<float>())), x)];
    }
}
