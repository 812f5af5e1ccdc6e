namespace SeparableConv.Networks.Rewriting;

/// <summary>Lets the end of a block, or a block of bytes, add the shortcut around it to its sums while they are in the cache.</summary>
internal sealed class ShortcutFusion : NetworkPass
{
    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs)
    {
        return node.Operator switch
        {
            BinaryOperator { BinaryKind: BinaryKind.Add, Activation.IsNone: true } => Join(node, inputs, 0) ?? Join(node, inputs, 1),
            IPairOperator => JoinBytes(node, inputs, 0) ?? JoinBytes(node, inputs, 1),
            _ => null,
        };
    }

    private IReadOnlyList<Value>? JoinBytes(Node node, Value?[] inputs, int sums)
    {
        return inputs[sums] is { Producer: { Operator: QuantizedBlockOperator { Ending: null } block } before }
            && inputs[1 - sums] is { } shortcut
            && shortcut.Shape == inputs[sums]!.Shape
            && HasOneReader(node.Inputs[sums])
            ? [Replace(
                before,
                new QuantizedBlockOperator(block.Expand, block.Depthwise, block.Project, node.Operator, isShortcutFirst: sums == 1),
                [.. before.Inputs, shortcut])]
            : null;
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
