using SeparableConv.Networks.Rewriting;

namespace SeparableConv.Networks.Separating;

/// <summary>Puts convolutions in the place of layers, by the names of their nodes, and other weights into layers that stay.</summary>
internal sealed class LayerReplacement(IReadOnlyDictionary<string, StageChain> chains) : NetworkPass
{
    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs)
    {
        if (!chains.TryGetValue(node.Name, out var chain))
            return null;
        if (chain.Stages.Count == 1)
            return [Replace(node, node.Operator, [inputs[0], .. Weights(node, chain)])];
        Graph.Release(node);
        return [chain.Append(Graph, node.Name, inputs[0]!)];
    }

    // What stays has the names and shapes it had.
    private Value?[] Weights(Node node, StageChain chain)
    {
        var weights = Constant(node.Inputs[1]!.Name, new TensorData(node.Inputs[1]!.Type, chain.Last.Weights));
        if (chain.Bias is not { } numbers)
            return [weights];
        var bias = node.Inputs.Count > 2 ? node.Inputs[2] : null;
        return [weights, Constant(bias?.Name ?? $"{node.Name}/bias", TensorData.Create(numbers, numbers.Length))];
    }
}
