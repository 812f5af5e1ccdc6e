using SeparableConv.Loops;

namespace SeparableConv.Networks.Rewriting;

/// <summary>
/// Joins convolutions with the moments behind them, which they gather as they write, and pointwise and depthwise ones with the
/// normalization before them too, which they apply as they read (<see cref="TrainedConvOperator"/>).
/// </summary>
internal sealed class TrainedConvFusion : NetworkPass
{
    private readonly Dictionary<Value, List<Node>> _readers = [];
    private readonly HashSet<Value> _outputs;

    /// <summary>Looks at a network, the one that the pass is then run on.</summary>
    public TrainedConvFusion(Network network)
    {
        _outputs = [.. network.Outputs];
        foreach (var node in network.Nodes)
        {
            foreach (var input in node.Inputs)
            {
                if (input is null)
                    continue;
                if (!_readers.TryGetValue(input, out var readers))
                    _readers[input] = readers = [];
                readers.Add(node);
            }
        }
    }

    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs)
    {
        if (node.Operator is BatchMomentsOperator
            && inputs[0]!.Producer is { Operator: TrainedConvOperator { GivesMoments: true } } convolution)
        {
            return [convolution.Outputs[1], convolution.Outputs[2]];
        }

        if (!CanJoin(node))
            return null;
        var isMapped = CanMap(node) && _readers[node.Inputs[0]!].TrueForAll(CanMap) && !_outputs.Contains(node.Inputs[0]!);
        var map = isMapped && inputs[0]!.Producer is { Operator: ChannelMapOperator } producer ? producer : null;
        var givesMoments = _readers.GetValueOrDefault(node.Outputs[0])?.Exists(reader => reader.Operator is BatchMomentsOperator) == true;
        if (map is null && !givesMoments)
            return null;
        Graph.Release(node);
        var clamp = ((ChannelMapOperator?)map?.Operator)?.Clamp;
        var op = new TrainedConvOperator((FloatConvOperator)node.Operator, clamp, givesMoments);
        var joined = map is null
            ? Graph.AddNode(node.Name, op, inputs[0], inputs[1])
            : Graph.AddNode(node.Name, op, map.Inputs[0], inputs[1], map.Inputs[1], map.Inputs[2], map.Inputs[3]);
        return [joined.Outputs[0]];
    }

    private static bool CanJoin(Node node) =>
        node.Operator is FloatConvOperator { Options.Activation.IsNone: true }
        && node.Inputs is [_, { IsStored: true }] or [_, { IsStored: true }, null];

    private static bool CanMap(Node node) => CanJoin(node) && ConvGradientLoop.CanMap(node.Operator.Geometry(node)!.Value);
}
