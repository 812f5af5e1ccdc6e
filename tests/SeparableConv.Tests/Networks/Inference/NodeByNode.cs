using SeparableConv.Networks;
using SeparableConv.Networks.Graph;
using SeparableConv.Networks.Operators;
using SeparableConv.Tests.Support;

namespace SeparableConv.Tests.Networks.Inference;

/// <summary>Runs a network as it is, each node by its operator alone: what a compiled one is compared with.</summary>
internal static class NodeByNode
{
    /// <summary>The outputs for inputs of random numbers between -1 and 1, and those inputs.</summary>
    public static (TensorData[] Inputs, TensorData[] Outputs) Run(Network network, int seed = 1)
    {
        var values = new Dictionary<Value, TensorData>();
        var inputs = network.Inputs
            .Select((input, i) => values[input] = new TensorData(input.Type, RandomData.Floats((int)input.Shape.ElementCount, seed + i)))
            .ToArray();
        foreach (var node in network.Nodes)
        {
            var results = Evaluator.Run(node.Operator, [.. node.Inputs.Select(input => input is null ? null : Of(input))]);
            for (var i = 0; i < results.Length; i++)
                values[node.Outputs[i]] = results[i];
        }

        return (inputs, [.. network.Outputs.Select(Of)]);

        TensorData Of(Value value) => value.Constant ?? values[value];
    }
}
