using SeparableConv.Loops;

namespace SeparableConv.Networks.Rewriting;

/// <summary>
/// Takes apart what other passes joined: a depthwise separable convolution becomes a depthwise and a pointwise one again, with the
/// expansion before them where there is one, a gated convolution a product and a convolution, and a channel map a Gather. The numbers stay
/// the same to the bit, but where mapped rows are spread in memory: those are summed in another order.
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
            case GatedConv2DOperator gated:
                var product = Graph.Add(
                    $"{node.Name}/gated", new BinaryOperator(BinaryKind.Mul, Activation.None), inputs.AsSpan(0, 2));
                return [Graph.Add(node.Name, gated.Convolution, [product, .. inputs.AsSpan(2)])];
            case DepthwiseConv2DOperator { Map: not null } mapped:
                return [Depthwise(node.Name, mapped, inputs)];
            default:
                return null;
        }
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
