namespace SeparableConv.Tests.Networks.Inference;

/// <summary>Runs a network as it is, each node by its operator alone: what a compiled one is compared with.</summary>
internal static class NodeByNode
{
    /// <summary>The outputs for inputs of random numbers between -1 and 1, and those inputs.</summary>
    public static (TensorData[] Inputs, TensorData[] Outputs) Run(Network network, int seed = 1)
    {
        var inputs = network.Inputs
            .Select((input, i) => new TensorData(input.Type, RandomData.Floats((int)input.Shape.ElementCount, seed + i)))
            .ToArray();
        var values = Evaluator.Run(network, inputs);
        return (inputs, [.. network.Outputs.Select(output => Evaluator.Of(values, output))]);
    }
}
