namespace SeparableConv.Networks.Rewriting;

/// <summary>Lets what is at the end of a block add the shortcut around it to its sums while they are in the cache.</summary>
internal sealed class ShortcutFusion : NetworkPass
{
    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs)
    {
        if (node.Operator is not BinaryOperator { BinaryKind: BinaryKind.Add, Activation.IsNone: true })
            return null;
        return Join(node, inputs, 0) ?? Join(node, inputs, 1);
    }

    private IReadOnlyList<Value>? Join(Node node, Value?[] inputs, int sums)
    {
        return inputs[sums] is { Producer: { } before }
            && WithShortcut(before.Operator) is { } op
            && inputs[1 - sums] is { } shortcut
            && shortcut.Type == inputs[sums]!.Type
            && HasOneReader(node.Inputs[sums])
            ? [Replace(before, op, [.. before.Inputs, shortcut])]
            : null;
    }

    private static Operator? WithShortcut(Operator op) => op switch
    {
        FusedSeparableConvOperator { HasShortcut: false } pair =>
            new FusedSeparableConvOperator(pair.Depthwise, pair.Pointwise, hasShortcut: true),
        GatedConv2DOperator { HasShortcut: false } gated => new GatedConv2DOperator(gated.Convolution, hasShortcut: true),
        _ => null,
    };
}
