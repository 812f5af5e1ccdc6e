using SeparableConv.Networks;
using SeparableConv.Networks.Graph;
using SeparableConv.Networks.Operators;

namespace SeparableConv.Bench;

/// <summary>Gives a network its pictures as ONNX lays them out, (N, C, height, width).</summary>
internal static class ChannelsFirst
{
    /// <summary>The same network behind a transposition of every input of four dimensions.</summary>
    public static Network Inputs(Network network)
    {
        var graph = new GraphBuilder();
        var values = new Dictionary<Value, Value>();
        foreach (var input in network.Inputs)
        {
            var shape = input.Type.Shape;
            values[input] = shape.Rank != 4
                ? graph.Input(input.Name, input.Type)
                : graph.Add(
                    $"{input.Name}/nhwc",
                    new TransposeOperator([0, 2, 3, 1]),
                    graph.Input(input.Name, input.Type with { Shape = new TensorShape(shape[0], shape[3], shape[1], shape[2]) }));
        }

        foreach (var node in network.Nodes)
        {
            var inputs = node.Inputs.Select(
                input => input is null ? null : values.GetValueOrDefault(input) ?? graph.Constant(input.Name, input.Data!));
            var copy = graph.AddNode(node.Name, node.Operator, [.. inputs]);
            for (var i = 0; i < copy.Outputs.Count; i++)
                values[node.Outputs[i]] = copy.Outputs[i];
        }

        return graph.BuildWithParameters(network.Name, [.. network.Outputs.Select(output => values[output])]);
    }
}
