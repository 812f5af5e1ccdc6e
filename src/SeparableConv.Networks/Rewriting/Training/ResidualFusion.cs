namespace SeparableConv.Networks.Rewriting;

/// <summary>
/// Joins the sum at the end of a residual block with the normalizations before it and the clamp behind it
/// (<see cref="ResidualMapOperator"/>).
/// </summary>
internal sealed class ResidualFusion : NetworkPass
{
    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs)
    {
        switch (node.Operator)
        {
            case BinaryOperator { BinaryKind: BinaryKind.Add, Activation.IsNone: true } when node.Inputs is [{ } left, { } right]
                && left.Shape == right.Shape && left != right:
                var (first, second) = (Joined(left, inputs[0]!), Joined(right, inputs[1]!));
                var none = new ResidualMapOperator(Activation.None);
                return (first, second) switch
                {
                    ({ } a, { } b) => [Replace(node, none, [.. a.Inputs, .. b.Inputs])],
                    ({ } a, null) => [Replace(node, none, [.. a.Inputs, inputs[1]])],
                    (null, { } b) => [Replace(node, none, [.. b.Inputs, inputs[0]])],
                    _ => null,
                };
            case ActivationOperator { Activation: { IsClamp: true } clamp } when HasOneReader(node.Inputs[0])
                && inputs[0]!.Producer is { Operator: ResidualMapOperator { Clamp.IsNone: true } } sum:
                return [Replace(node, new ResidualMapOperator(clamp), [.. sum.Inputs])];
            default:
                return null;
        }
    }

    // The normalization that gives a value, where nobody else reads it and nothing is clamped.
    private Node? Joined(Value old, Value value) =>
        HasOneReader(old) && value.Producer is { Operator: ChannelMapOperator { Clamp.IsNone: true } } map ? map : null;
}
