using SeparableConv.Networks.Gradients;
using SeparableConv.Networks.Inference;
using SeparableConv.Networks.Rewriting;
using SeparableConv.Tests.Networks.Operators;

namespace SeparableConv.Tests.Networks.Gradients;

/// <summary>Batch normalization with the batch's own moments, by itself and joined with the convolutions around it.</summary>
public sealed class NormalizationTrainingTests
{
    [Theory]
    [InlineData(7, 1, 0)]
    [InlineData(5, 3, 100)]
    [InlineData(64, 17, -3)]
    public void Normalization_has_the_gradients_of_central_differences(int pixels, int channels, float mean)
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", new(ElementType.Float32, new TensorShape(pixels, channels)));
        var stored = Enumerable.Range(2, 4).Select(seed => graph.Constant($"p{seed}", OperatorRun.Floats(seed, channels))).ToArray();
        var y = graph.Add("bn", new BatchNormalizationOperator(1e-3f), x, stored[0], stored[1], stored[2], stored[3]);
        y = graph.Add("clamp", new ActivationOperator(Activation.Clip(-0.7f, 0.9f)), y);
        var data = TensorData.Create(
            Array.ConvertAll(RandomData.Floats(pixels * channels, 1), number => number + mean), [pixels, channels]);
        var seed = OperatorRun.Floats(9, pixels, channels);
        var trained = new NormalizationTraining(_ => false).Run(graph.BuildWithParameters("bn", y));
        Assert.Equal(3, trained.Nodes.Count);

        var gradients = Gradients(trained, 1, data, seed);
        double[][] numbers = [OperatorRun.Doubles(stored[0].Data!), OperatorRun.Doubles(stored[1].Data!), OperatorRun.Doubles(data)];
        int[] order = [.. ByName(trained).Select(parameter => parameter.Name == "p2" ? 0 : 1), 2];
        for (var i = 0; i < order.Length; i++)
        {
            for (var at = 0; at < numbers[order[i]].Length; at++)
            {
                var expected = CentralDifference(numbers[order[i]], at, () => Normalized(numbers, OperatorRun.Doubles(seed), channels));
                Assert.Equal(expected, gradients[i].Span<float>()[at], 2e-4 * Math.Max(1, Math.Abs(expected)));
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    public void Joined_convolutions_give_what_they_give_alone(int threads)
    {
        var network = Separable();
        var apart = new NormalizationTraining(_ => false).Run(PassList.Training.Run(network));
        var joined = new TrainedConvFusion(apart).Run(apart);
        Assert.Equal(4, joined.Nodes.Count(node => node.Operator is TrainedConvOperator));
        Assert.Single(joined.Nodes, node => node.Operator is ChannelMapOperator);

        var data = OperatorRun.Floats(1, 3, 9, 11, 3);
        var seed = OperatorRun.Floats(2, [.. network.Outputs[0].Shape.Lengths]);
        var expected = Gradients(apart, 1, data, seed);
        var actual = Gradients(joined, threads, data, seed);
        var alone = Gradients(joined, 1, data, seed);
        var nothing = 0;
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.True(alone[i].Bytes.SequenceEqual(actual[i].Bytes), $"gradient {i} differs on {threads} threads");
            var scale = expected[i].Span<float>().ToArray().Max(Math.Abs);
            nothing += scale < 1e-4 ? 1 : 0;
            scale = Math.Max(scale, 0.01f);
            for (var at = 0; at < expected[i].Span<float>().Length; at++)
                Assert.Equal(expected[i].Span<float>()[at], actual[i].Span<float>()[at], 1e-4 * scale);
        }

        // A shift that is followed by a linear convolution and another normalization changes nothing: there is one.
        Assert.Equal(1, nothing);
    }

    // Two blocks, with strides, a depth multiplier, and numbers of channels around a vector's lanes.
    private static Network Separable()
    {
        var net = new NetworkBuilder(seed: 5);
        var x = net.Input(new(9, 11, 3), batchSize: 3);
        x = Normalized(net, net.Conv2D(x, 17, 3, 2, Padding.Same, useBias: false), Activation.ReLU6);
        x = Normalized(net, net.DepthwiseConv2D(x, 3, 1, Padding.Same, useBias: false), Activation.ReLU6);
        var y = Normalized(net, net.Conv2D(x, 24, 1, useBias: false), Activation.ReLU);
        x = Normalized(net, net.DepthwiseConv2D(y, 5, 2, Padding.Same, depthMultiplier: 2, useBias: false), Activation.None);
        x = Normalized(net, net.Conv2D(x, 19, 1, useBias: false), Activation.ReLU6);
        return net.Build(x);
    }

    private static Value Normalized(NetworkBuilder net, Value x, Activation activation)
    {
        x = net.BatchNormalization(x);
        return activation.IsNone ? x : net.Activation(x, activation);
    }

    // Joined, a layer reads its parameters in another order.
    private static IEnumerable<Value> ByName(Network network) =>
        network.Parameters.OrderBy(parameter => parameter.Name, StringComparer.Ordinal);

    private static TensorData[] Gradients(Network network, int threads, TensorData data, TensorData seedData)
    {
        var graph = new GraphBuilder(network);
        var seed = graph.Input("seed", network.Outputs[0].Type);
        var gradients = GradientGraph.Add(graph, [(network.Outputs[0], seed)], [.. ByName(network), network.Inputs[0]]);
        var step = graph.Build("step", gradients!);
        using var compiled = new CompiledNetwork(step, new() { Threads = threads }, PassList.Step);
        using var runner = new StepRunner(compiled);
        for (var run = 0; run < 2; run++)
        {
            data.Bytes.CopyTo(runner.Inputs[0].Bytes());
            seedData.Bytes.CopyTo(runner.Inputs[1].Bytes());
            runner.Run();
        }

        var plain = Evaluator.Run(step, data, seedData);
        for (var i = 0; i < step.Outputs.Count; i++)
        {
            var expected = Evaluator.Of(plain, step.Outputs[i]).Span<float>();
            var actual = runner.Outputs[i].Span<float>();
            for (var at = 0; at < expected.Length; at++)
                Assert.Equal(expected[at], actual[at], 1e-4f * (1 + Math.Abs(expected[at])));
        }

        return [.. step.Outputs.Select((output, i) => new TensorData(output.Type, runner.Outputs[i].Span<float>().ToArray()))];
    }

    private static double Normalized(double[][] numbers, double[] seed, int channels)
    {
        var (gamma, beta, x) = (numbers[0], numbers[1], numbers[2]);
        var pixels = x.Length / channels;
        var loss = 0.0;
        for (var c = 0; c < channels; c++)
        {
            var column = Enumerable.Range(0, pixels).Select(p => x[(p * channels) + c]).ToArray();
            var mean = column.Average();
            var variance = column.Average(value => (value - mean) * (value - mean));
            for (var p = 0; p < pixels; p++)
            {
                var y = ((column[p] - mean) / Math.Sqrt(variance + 1e-3) * gamma[c]) + beta[c];
                loss += Math.Clamp(y, -0.7f, 0.9f) * seed[(p * channels) + c];
            }
        }

        return loss;
    }

    private static double CentralDifference(double[] numbers, int at, Func<double> loss)
    {
        const double step = 1e-6;
        var value = numbers[at];
        numbers[at] = value + step;
        var above = loss();
        numbers[at] = value - step;
        var below = loss();
        numbers[at] = value;
        return (above - below) / (2 * step);
    }
}
