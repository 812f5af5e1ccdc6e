namespace SeparableConv.Networks.Rewriting;

/// <summary>Lets a block add the shortcut around it to its sums while they are in the cache.</summary>
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
        return inputs[sums] is { Producer: { Operator: FusedExpansionOperator { HasShortcut: false } block } before }
            && inputs[1 - sums] is { } shortcut
            && shortcut.Type == inputs[sums]!.Type
            && HasOneReader(node.Inputs[sums])
            ? [Replace(before, new FusedExpansionOperator(block.Expand, block.Separable, hasShortcut: true), [.. before.Inputs, shortcut])]
            : null;
    }
}
