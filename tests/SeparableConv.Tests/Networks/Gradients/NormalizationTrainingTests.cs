using SeparableConv.Loops;
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

        var gradients = Gradients(trained, trained.Parameters, 1, data, seed);
        double[][] numbers = [OperatorRun.Doubles(stored[0].Data!), OperatorRun.Doubles(stored[1].Data!), OperatorRun.Doubles(data)];
        int[] order = [.. trained.Parameters.Select(parameter => parameter.Name == "p2" ? 0 : 1), 2];
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
        var joined = Joined(network);
        Assert.Equal(8, joined.Nodes.Count(node => node.Operator is TrainedConvOperator));
        Assert.Equal(2, joined.Nodes.Count(node => node.Operator is ResidualMapOperator));
        Assert.Equal(2, joined.Nodes.Count(node => node.Operator is ChannelMapOperator));
        CheckJoined(network, joined, threads);
    }

    [Fact]
    public void Joined_convolutions_of_tensors_that_no_cache_holds_give_what_they_give_alone()
    {
        var net = new NetworkBuilder(seed: 6);
        var x = net.Input(new(96, 97, 5), batchSize: 2);
        x = Normalized(net, net.Conv2D(x, 112, 1, useBias: false), Activation.ReLU6);
        x = Normalized(net, net.DepthwiseConv2D(x, 3, 1, Padding.Same, useBias: false), Activation.ReLU6);
        Assert.True(LargeMemory.Holds(x.Shape.ElementCount));
        x = Normalized(net, net.Conv2D(x, 113, 1, useBias: false), Activation.ReLU6);
        x = Normalized(net, net.DepthwiseConv2D(x, 3, 2, Padding.Same, useBias: false), Activation.ReLU);
        var network = net.Build(net.GlobalAveragePooling2D(x));
        CheckJoined(network, Joined(network), 2);
    }

    private static Network Apart(Network network) => new NormalizationTraining(_ => false).Run(PassList.Training.Run(network));

    private static Network Joined(Network network)
    {
        var summed = new ResidualFusion().Run(Apart(network));
        return new TrainedConvFusion(summed).Run(summed);
    }

    private static void CheckJoined(Network network, Network joined, int threads)
    {
        var apart = Apart(network);
        var data = OperatorRun.Floats(1, [.. network.Inputs[0].Shape.Lengths]);
        var seed = OperatorRun.Floats(2, [.. network.Outputs[0].Shape.Lengths]);
        var expected = Gradients(apart, apart.Parameters, 1, data, seed);
        var actual = Gradients(joined, apart.Parameters, threads, data, seed);
        var alone = Gradients(joined, apart.Parameters, 1, data, seed);
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.True(alone[i].Bytes.SequenceEqual(actual[i].Bytes), $"gradient {i} differs on {threads} threads");

            // A shift that the next normalization takes out again has the gradient 0, and rounding is all there is of it.
            var scale = Math.Max(Largest(expected[i]), 1e-3 * expected.Max(Largest));
            for (var at = 0; at < expected[i].Span<float>().Length; at++)
                Assert.Equal(expected[i].Span<float>()[at], actual[i].Span<float>()[at], 1e-4 * scale);
        }
    }

    // Two blocks, with strides, residuals of one normalization and of two, a depth multiplier, and numbers of channels around a vector's
    // lanes.
    private static Network Separable()
    {
        var net = new NetworkBuilder(seed: 5);
        var x = net.Input(new(9, 11, 3), batchSize: 3);
        x = Normalized(net, net.Conv2D(x, 17, 3, 2, Padding.Same, useBias: false), Activation.ReLU6);
        x = Normalized(net, net.DepthwiseConv2D(x, 3, 1, Padding.Same, useBias: false), Activation.ReLU6);
        var y = Normalized(net, net.Conv2D(x, 24, 1, useBias: false), Activation.ReLU);
        y = net.Add([y, Normalized(net, net.Conv2D(y, 24, 1, useBias: false), Activation.None)]);
        var left = Normalized(net, net.Conv2D(y, 21, 1, useBias: false), Activation.None);
        y = net.Add([left, Normalized(net, net.Conv2D(y, 21, 1, useBias: false), Activation.None)]);
        y = net.Activation(y, Activation.ReLU6);
        x = Normalized(net, net.DepthwiseConv2D(y, 5, 2, Padding.Same, depthMultiplier: 2, useBias: false), Activation.ReLU);
        x = Normalized(net, net.Conv2D(x, 19, 1, useBias: false), Activation.ReLU6);
        return net.Build(x);
    }

    private static double Largest(TensorData data) => data.Span<float>().ToArray().Max(Math.Abs);

    private static Value Normalized(NetworkBuilder net, Value x, Activation activation)
    {
        x = net.BatchNormalization(x);
        return activation.IsNone ? x : net.Activation(x, activation);
    }

    private static TensorData[] Gradients(
        Network network, IReadOnlyList<Value> parameters, int threads, TensorData data, TensorData seedData)
    {
        var graph = new GraphBuilder(network);
        var seed = graph.Input("seed", network.Outputs[0].Type);
        var gradients = GradientGraph.Add(graph, [(network.Outputs[0], seed)], [.. parameters, network.Inputs[0]]);
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
