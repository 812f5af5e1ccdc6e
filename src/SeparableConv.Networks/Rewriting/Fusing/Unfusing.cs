using SeparableConv.Loops;

namespace SeparableConv.Networks.Rewriting;

/// <summary>
/// Takes apart what other passes joined: a depthwise separable convolution becomes a depthwise and a pointwise one again, with the
/// expansion before them where there is one, a gated convolution a product and a convolution, a block that squeezes and excites all its
/// steps, and a channel map a Gather. The numbers stay the same to the bit, but where mapped rows are spread in memory and in the means of
/// such a block: those are summed in another order.
/// </summary>
internal sealed class Unfusing : NetworkPass
{
    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs)
    {
        switch (node.Operator)
        {
            case FusedExpansionOperator block:
                return [WithShortcut(node.Name, inputs, FusedExpansionOperator.ShortcutInput, (name, rest) => Block(name, block, rest))];
            case FusedSeparableConvOperator separable:
                return [WithShortcut(
                    node.Name, inputs, FusedSeparableConvOperator.ShortcutInput, (name, rest) => Separable(name, separable, rest))];
            case GatedConv2DOperator gated:
                return [WithShortcut(node.Name, inputs, GatedConv2DOperator.ShortcutInput, (name, rest) => Gated(name, gated, rest))];
            case GatedBlockOperator block:
                return [WithShortcut(node.Name, inputs, GatedBlockOperator.ShortcutInput, (name, rest) => Block(name, block, rest))];
            case QuantizedBlockOperator block:
                return [QuantizedBlock(node.Name, block, inputs)];
            case DepthwiseConv2DOperator { Map: not null } mapped:
                return [Depthwise(node.Name, mapped, inputs)];
            default:
                return null;
        }
    }

    // The sums by themselves, and what is added to them where that is among the inputs.
    private Value WithShortcut(string name, Value?[] inputs, int shortcut, Func<string, Value?[], Value> sums) =>
        inputs.Length > shortcut
            ? Graph.Add(
                name, new BinaryOperator(BinaryKind.Add, Activation.None), sums($"{name}/sums", inputs[..shortcut]), inputs[shortcut])
            : sums(name, inputs);

    private Value Block(string name, FusedExpansionOperator op, Value?[] inputs)
    {
        var expanded = Graph.Add($"{name}/expand", op.Expand, inputs.AsSpan(0, 3));
        if (op.Shortcut != BlockShortcut.Expanded)
            return Separable(name, op.Separable, [expanded, .. inputs.AsSpan(3)]);
        var sums = Separable($"{name}/sums", op.Separable, [expanded, .. inputs.AsSpan(3)]);
        return Graph.Add(name, new BinaryOperator(BinaryKind.Add, Activation.None), sums, expanded);
    }

    private Value Block(string name, GatedBlockOperator op, Value?[] inputs)
    {
        var x = op.Expand is { } expand ? Graph.Add($"{name}/expand", expand, inputs.AsSpan(0, 3)) : inputs[0];
        var image = Depthwise($"{name}/depthwise", op.Depthwise, [x, inputs[3], inputs[4]]);
        var means = Graph.Add($"{name}/means", new GlobalPoolOperator(PoolKind.Average), image);
        var squeezed = Graph.Add($"{name}/squeeze", op.Squeeze, means, inputs[5], inputs[6]);
        var gates = Graph.Add($"{name}/excite", op.Excite, squeezed, inputs[7], inputs[8]);
        var product = Graph.Add($"{name}/gated", new BinaryOperator(BinaryKind.Mul, Activation.None), image, gates);
        return Graph.Add(name, op.Project, product, inputs[9], inputs[10]);
    }

    private Value QuantizedBlock(string name, QuantizedBlockOperator op, Value?[] inputs)
    {
        if (op.Ending is not { } ending)
            return Block(name, op, inputs);
        var (sums, shortcut) = (Block($"{name}/sums", op, inputs), inputs[QuantizedBlockOperator.ShortcutInput]);
        return op.IsShortcutFirst ? Graph.Add(name, ending, shortcut, sums) : Graph.Add(name, ending, sums, shortcut);
    }

    private Value Block(string name, QuantizedBlockOperator op, Value?[] inputs)
    {
        var x = op.Expand is { } expand ? Graph.Add($"{name}/expand", expand, inputs.AsSpan(0, 3)) : inputs[0];
        var between = Graph.Add($"{name}/depthwise", op.Depthwise, x, inputs[3], inputs[4]);
        return Graph.Add(name, op.Project, between, inputs[5], inputs[6]);
    }

    private Value Gated(string name, GatedConv2DOperator op, Value?[] inputs)
    {
        var product = Graph.Add($"{name}/gated", new BinaryOperator(BinaryKind.Mul, Activation.None), inputs.AsSpan(0, 2));
        return Graph.Add(name, op.Convolution, [product, .. inputs.AsSpan(2)]);
    }

    private Value Separable(string name, FusedSeparableConvOperator op, Value?[] inputs)
    {
        var between = Depthwise($"{name}/depthwise", op.Depthwise, inputs.AsSpan(0, 3));
        return Graph.Add(name, op.Pointwise, [between, .. inputs.AsSpan(3)]);
    }

    private Value Depthwise(string name, DepthwiseConv2DOperator op, ReadOnlySpan<Value?> inputs)
    {
        if (op.Map is not { } map)
            return Graph.Add(name, op, inputs);
        var gathered = Graph.Add($"{name}/channels", new GatherOperator(3), inputs[0], Channels($"{name}/map", map));
        return Graph.Add(name, op.With(map: null), [gathered, .. inputs[1..]]);
    }

    private Value Channels(string name, DepthwiseMap map)
    {
        var channels = new long[map.OutChannels];
        for (var e = 0; e < channels.Length; e++)
            channels[e] = map.Sources[e];
        return Constant(name, TensorData.Create(channels, channels.Length));
    }
}
