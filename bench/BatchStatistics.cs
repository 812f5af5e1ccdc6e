using SeparableConv.Networks;
using SeparableConv.Networks.Graph;
using SeparableConv.Networks.Operators;

namespace SeparableConv.Bench;

/// <summary>
/// Gives a network's batch normalizations what a training would have left there: a mean and a variance near those of what really
/// arrives, and a scale and an offset that are not 1 and 0. So folding them is a real test, and numbers keep their size from layer to
/// layer, however deep the network.
/// </summary>
internal static class BatchStatistics
{
    /// <summary>The same network, run once on random numbers with each normalization's constants drawn as it is reached.</summary>
    public static Network Randomize(Network network, int seed = 1)
    {
        var random = new Random(seed);
        var graph = new GraphBuilder();
        var values = new Dictionary<Value, Value>();
        var data = new Dictionary<Value, TensorData>();
        foreach (var input in network.Inputs)
        {
            values[input] = graph.Input(input.Name, input.Type);
            var numbers = new float[input.Type.Shape.ElementCount];
            foreach (ref var x in numbers.AsSpan())
                x = (2 * random.NextSingle()) - 1;
            data[input] = new TensorData(input.Type, numbers);
        }

        foreach (var node in network.Nodes)
        {
            var arrived = node.Inputs.Select(input => input is null ? null : input.Data ?? data[input]).ToArray();
            if (node.Operator is BatchNormalizationOperator)
                Draw(arrived, random);
            var inputs = node.Inputs.Select(
                (input, i) =>
                    input is null ? null : values.TryGetValue(input, out var known) ? known : graph.Constant(input.Name, arrived[i]!));
            var results = Evaluator.Run(node.Operator, arrived);
            var copy = graph.AddNode(node.Name, node.Operator, [.. inputs]);
            for (var i = 0; i < results.Length; i++)
                (values[node.Outputs[i]], data[node.Outputs[i]]) = (copy.Outputs[i], results[i]);
        }

        return graph.BuildWithParameters(network.Name, [.. network.Outputs.Select(output => values[output])]);
    }

    // x (..., C), then scale, bias, mean and variance, (C) each.
    private static void Draw(TensorData?[] inputs, Random random)
    {
        var x = inputs[0]!.Span<float>();
        var channels = inputs[0]!.Type.Shape[^1];
        var (sums, squares) = (new double[channels], new double[channels]);
        for (var i = 0; i < x.Length; i++)
        {
            sums[i % channels] += x[i];
            squares[i % channels] += (double)x[i] * x[i];
        }

        var count = x.Length / channels;
        var variances = new double[channels];
        for (var c = 0; c < channels; c++)
            variances[c] = (squares[c] / count) - (sums[c] / count * (sums[c] / count));

        // A channel that happens to be still must not be blown up.
        var least = Math.Max(1e-3, 0.05 * variances.Average());
        var (scale, bias, mean, variance) = (new float[channels], new float[channels], new float[channels], new float[channels]);
        for (var c = 0; c < channels; c++)
        {
            var spread = Math.Max(least, variances[c]);
            scale[c] = 0.6f + (0.8f * random.NextSingle());
            bias[c] = random.NextSingle() - 0.3f;
            mean[c] = (float)((sums[c] / count) + (Math.Sqrt(spread) * (random.NextDouble() - 0.5) / 5));
            variance[c] = (float)(spread * (0.8 + (0.4 * random.NextDouble())));
        }

        inputs[1] = TensorData.Create(scale, channels);
        inputs[2] = TensorData.Create(bias, channels);
        inputs[3] = TensorData.Create(mean, channels);
        inputs[4] = TensorData.Create(variance, channels);
    }
}
