using System.Numerics.Tensors;
using SeparableConv.Networks.Rewriting;
using SeparableConv.Networks.Separating;

namespace SeparableConv.Tests.Networks.Separating;

public sealed class NetworkSeparationTests
{
    private const int Images = 48;

    [Theory]
    [InlineData(SeparationMethod.Auto, false)]
    [InlineData(SeparationMethod.DepthwisePointwise, false)]
    [InlineData(SeparationMethod.DepthwisePointwise, true)]
    [InlineData(SeparationMethod.PointwiseDepthwise, false)]
    [InlineData(SeparationMethod.Spatial, false)]
    [InlineData(SeparationMethod.SpatialDepthwise, false)]
    public void A_budget_is_kept_and_the_network_runs_from_its_file(SeparationMethod method, bool uniform)
    {
        var network = Original();
        var result = NetworkSeparation.Of(network).By(method, uniform).Calibrate(Pictures()).ToMacs(0.6).Run();
        Assert.True(result.Network.Macs <= 0.6 * network.Macs, $"{result.Network.Macs} of {network.Macs}");
        Assert.Contains(result.Layers, layer => layer.Method is not null);
        Assert.All(result.Layers, layer => Assert.True(layer.Method is null || method == SeparationMethod.Auto || layer.Method == method));
        Assert.Equal(network.Macs, result.MacsBefore);
        Assert.InRange(result.Error!.Value, 1e-6, 0.9);
        var input = SeparatedLayers.Input(network, 5);
        var expected = SeparatedLayers.Run(result.Network, input);
        using var folder = new TempFolder();
        OnnxWriter.Write(result.Network, folder["out.onnx"]);
        var read = OnnxReader.Read(folder["out.onnx"]);
        Assert.True(SeparatedLayers.Distance(expected, SeparatedLayers.Run(read, Channels(read, input))) < 1e-5);
        Assert.Equal(result.Network.Macs, read.Macs);
        Assert.Equal(result.Network.ParameterCount, read.ParameterCount);
        if (uniform)
            Assert.DoesNotContain(result.Network.Nodes, node => node.Operator.Kind == "Gather");
    }

    [Fact]
    public void What_stays_keeps_its_names_and_what_came_can_be_trained()
    {
        var result = NetworkSeparation.Of(Original()).ToMacs(0.6).Run();
        var names = result.Network.Nodes.Select(node => node.Name).ToArray();
        Assert.All(result.Layers, layer => Assert.Contains(layer.Name, names));
        Assert.Contains("predictions", result.Network.Outputs[0].Name, StringComparison.Ordinal);
        Assert.Contains(result.Network.Parameters, parameter => parameter.Name.StartsWith("block2_conv/", StringComparison.Ordinal));
        Assert.Null(result.Error);
    }

    [Fact]
    public void Data_makes_errors_smaller_and_threads_change_no_bit()
    {
        var network = Original();
        var blind = NetworkSeparation.Of(network).By(SeparationMethod.DepthwisePointwise).ToMacs(0.5).Run();
        var seeing = NetworkSeparation.Of(network).By(SeparationMethod.DepthwisePointwise).Calibrate(Pictures()).ToMacs(0.5);
        var result = seeing.WithThreads(1).Run();
        Assert.True(Lost(result.Network) < 0.7 * Lost(blind.Network), $"{Lost(result.Network)} {Lost(blind.Network)}");
        var again = seeing.WithThreads(3).Run();
        Assert.Equal(result.Network.Parameters.Count, again.Network.Parameters.Count);
        foreach (var (one, other) in result.Network.Parameters.Zip(again.Network.Parameters))
            Assert.Equal(one.Data!.Span<float>(), other.Data!.Span<float>());

        double Lost(Network now)
        {
            var (expected, actual) = (new List<float>(), new List<float>());
            for (var seed = 100; seed < 130; seed++)
            {
                var input = SeparatedLayers.Input(network, seed);
                expected.AddRange(SeparatedLayers.Run(network, input));
                actual.AddRange(SeparatedLayers.Run(now, input));
            }

            return SeparatedLayers.Distance(expected.ToArray(), actual.ToArray());
        }
    }

    [Fact]
    public void The_smallest_network_within_a_bound_is_found()
    {
        var network = Original();
        var separation = NetworkSeparation.Of(network).By(SeparationMethod.DepthwisePointwise).Calibrate(Pictures());
        var close = separation.ToError(0.1).Run();
        var loose = separation.ToError(0.4).Run();
        Assert.InRange(close.Error ?? 0, 0, 0.1);
        Assert.InRange(loose.Error!.Value, 0, 0.4);
        Assert.True(loose.Network.Macs < close.Network.Macs);
        var calls = 0;
        var byCaller = separation.ToLoss(
            now =>
            {
                calls++;
                return (double)network.Macs / now.Macs;
            },
            2).Run();
        Assert.True(calls > 2);
        Assert.InRange((double)network.Macs / byCaller.Network.Macs, 1, 2);
    }

    [Fact]
    public void Parameters_and_time_are_budgets_too()
    {
        var network = Original();
        var result = NetworkSeparation.Of(network).ToParameters(0.6).Run();
        Assert.True(result.Network.ParameterCount <= 0.6 * network.ParameterCount);

        // Of a layer that wins several times over, so that the noise of a machine cannot hide it.
        var layers = new NetworkBuilder();
        var wide = layers.Build(layers.Conv2D(layers.Input(new(32, 32, 64)), 64, 5));
        var timed = NetworkSeparation.Of(wide).ToLatency(0.9).Run();
        Assert.True(timed.Network.Macs < wide.Macs);
        Assert.All(timed.Layers, layer => Assert.True(layer.MillisecondsBefore > 0 && layer.MillisecondsAfter > 0));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Dense_layers_become_two_where_that_is_asked_for(bool isCalibrated)
    {
        var layers = new NetworkBuilder();
        var x = layers.Conv2D(layers.Input(new(8, 8, 3)), 8, 3, activation: Activation.ReLU);
        x = layers.Dense(layers.Flatten(x), 60, Activation.ReLU);
        var network = layers.Build(layers.Dense(x, 10));
        var separation = NetworkSeparation.Of(network).ToParameters(0.4);
        Assert.Throws<NetworkException>(() => separation.Run());
        if (isCalibrated)
            separation = separation.Calibrate(new ReadOnlyTensorSpan<float>(Smooth(700 * 192), [700, 8, 8, 3]));
        var result = separation.WithDenseLayers().Run();
        Assert.True(result.Network.ParameterCount <= 0.4 * network.ParameterCount);
        Assert.Equal(3, result.Layers.Count);
        var dense = result.Layers[1];
        Assert.StartsWith("dense, through ", dense.After);
        Assert.Matches(@"^dense, \d+ to 60$", dense.Before);
        Assert.Equal(60, dense.SingularValues.Count);
        var became = result.Layers.Count(layer => layer.After.StartsWith("dense", StringComparison.Ordinal));
        Assert.Equal(2 + became, result.Network.Nodes.Count(node => node.Operator.Kind == "Dense"));
        if (isCalibrated)
            Assert.True(SeparatedLayers.Distance(All(network), All(result.Network)) < 0.7);

        static float[] All(Network network) => [.. Enumerable.Range(40, 20).SelectMany(
            seed => SeparatedLayers.Run(network, SeparatedLayers.Input(network, seed)))];
    }

    [Fact]
    public void The_whole_budget_leaves_the_network_as_it_is()
    {
        var network = Original();
        var result = NetworkSeparation.Of(network).Calibrate(Pictures()).ToMacs(1).Run();
        Assert.All(result.Layers, layer => Assert.Null(layer.Method));
        var input = SeparatedLayers.Input(network);
        Assert.True(SeparatedLayers.Distance(SeparatedLayers.Run(network, input), SeparatedLayers.Run(result.Network, input)) < 1e-6);
        Assert.True(result.Curve.Count > 3);
        for (var i = 1; i < result.Curve.Count; i++)
            Assert.True(result.Curve[i].MacsShare > result.Curve[i - 1].MacsShare && result.Curve[i].Error <= result.Curve[i - 1].Error);
    }

    [Fact]
    public void What_cannot_be_taken_apart_is_refused()
    {
        var separable = MobileNetV1.Create(new(32, 32, 3), 0.25, 10);
        var none = new NetworkBuilder();
        var dense = none.Build(none.Dense(none.Flatten(none.Input(new(4, 4, 1))), 3));
        Assert.Contains("no convolution", Message(dense));
        var only = new NetworkBuilder();
        var x = only.DepthwiseConv2D(only.Input(new(8, 8, 4)), 3);
        Assert.Contains("None of the network's 2 convolutions", Message(only.Build(only.Conv2D(x, 8, 1))));

        // MobileNet's first layer is a standard one.
        Assert.Single(NetworkSeparation.Of(separable).ToMacs(1).Run().Layers);

        var network = Original();
        var fault = Assert.Throws<ArgumentException>(
            () => NetworkSeparation.Of(network).Calibrate(new ReadOnlyTensorSpan<float>(new float[8], [1, 2, 2, 2])));
        Assert.Contains("(count,16,16,3)", fault.Message);
        Assert.Throws<ArgumentException>(() => NetworkSeparation.Of(network).ToMacs(0));
        Assert.Throws<ArgumentException>(() => NetworkSeparation.Of(network).ToLatency(1.5));
        using var ended = new CancellationTokenSource();
        ended.Cancel();
        Assert.Throws<OperationCanceledException>(() => NetworkSeparation.Of(network).Run(cancellation: ended.Token));

        static string Message(Network network) => Assert.Throws<NetworkException>(() => NetworkSeparation.Of(network).Run()).Message;
    }

    [Fact]
    public void Progress_goes_from_nothing_to_all()
    {
        var steps = new List<SeparationProgress>();
        NetworkSeparation.Of(Original()).Calibrate(Pictures()).ToMacs(0.5).Run(new Steps(steps));
        Assert.Equal(0, steps[0].Share);
        Assert.All(steps, step => Assert.InRange(step.Share, 0, 1));
        Assert.Contains(steps, step => step.Step.StartsWith("fitting ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(SeparationMethod.DepthwisePointwise)]
    [InlineData(SeparationMethod.PointwiseDepthwise)]
    [InlineData(SeparationMethod.Spatial)]
    [InlineData(SeparationMethod.SpatialDepthwise)]
    public void A_real_network_at_full_rank_gives_what_it_gave(SeparationMethod method)
    {
        var network = ModelFile.Load(TestFiles.Shared("models", "resnet8_float.tflite"));
        var folded = PassList.Separating.Run(network);
        var layers = folded.Nodes.Select(StandardLayer.Of).OfType<StandardLayer>().Where(layer => !layer.IsDense).ToArray();
        Assert.Equal(7, layers.Length);
        var chains = layers.ToDictionary(layer => layer.Node.Name, layer => Full(new LayerSplits(layer, 1), method));
        var separated = new LayerReplacement(chains).Run(folded);
        for (var seed = 0; seed < 4; seed++)
        {
            var input = Array.ConvertAll(SeparatedLayers.Input(network, seed), value => 127.5f + (60 * value));
            var (expected, actual) = (SeparatedLayers.Run(network, input), SeparatedLayers.Run(separated, input));
            Assert.True(SeparatedLayers.Distance(expected, actual) < 1e-4, $"{SeparatedLayers.Distance(expected, actual)}");
        }

        static StageChain Full(LayerSplits splits, SeparationMethod method) => splits.Build(splits.Full(method));
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(3, 0)]
    [InlineData(4, 2)]
    [InlineData(48, 12)]
    public void The_error_is_over_inputs_that_were_held_back_where_there_are_enough(int count, int heldBack)
    {
        var pictures = new ReadOnlyTensorSpan<float>(Smooth(count * 768), [count, 16, 16, 3]);
        var result = NetworkSeparation.Of(Original()).By(SeparationMethod.Spatial).Calibrate(pictures).ToMacs(0.5).Run();
        Assert.Equal(heldBack, result.HeldBack);
        Assert.InRange(result.Error!.Value, heldBack > 0 ? 0.001 : 0, 1);
    }

    [Fact]
    public void Few_samples_do_not_make_a_layer_look_free()
    {
        // Two pictures, of which the last layer sees a few pixels, and patches of more numbers.
        var network = Original();
        var pictures = new ReadOnlyTensorSpan<float>(Smooth(2 * 16 * 16 * 3), [2, 16, 16, 3]);
        var result = NetworkSeparation.Of(network).By(SeparationMethod.DepthwisePointwise).Calibrate(pictures).ToMacs(0.5).Run();
        Assert.Contains(result.Curve, point => point.Error > 0.01);
        Assert.All(result.Layers, layer => Assert.True(double.IsFinite(layer.Error)));
    }

    private static Network Original() => SmallCnn.Create(new(16, 16, 3), 16, 5, Convolutions.Standard, seed: 3);

    private static ReadOnlyTensorSpan<float> Pictures() => new(Smooth(Images * 16 * 16 * 3), [Images, 16, 16, 3]);

    private static float[] Smooth(int count)
    {
        var numbers = RandomData.Floats(count, 9);
        for (var i = 3; i < numbers.Length; i++)
            numbers[i] += 0.6f * numbers[i - 3];
        return numbers;
    }

    // A file has its channels first.
    private static float[] Channels(Network read, float[] input)
    {
        if (read.Inputs[0].Type.Shape[1] != 3)
            return input;
        var first = new float[input.Length];
        for (var i = 0; i < input.Length; i++)
            first[(i % 3 * 256) + (i / 3)] = input[i];
        return first;
    }

    private sealed class Steps(List<SeparationProgress> steps) : IProgress<SeparationProgress>
    {
        public void Report(SeparationProgress value) => steps.Add(value);
    }
}
