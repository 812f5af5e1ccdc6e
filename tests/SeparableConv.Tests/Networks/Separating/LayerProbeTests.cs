using SeparableConv.Networks.Rewriting;
using SeparableConv.Networks.Separating;

namespace SeparableConv.Tests.Networks.Separating;

public sealed class LayerProbeTests
{
    [Theory]
    [InlineData("first")]
    [InlineData("second")]
    [InlineData("last")]
    public void Scores_are_those_of_the_network_with_the_layer_replaced(string name)
    {
        var (set, network) = Calibrated(47);
        var layer = StandardLayer.Of(network.Nodes.First(node => node.Name == name))!;
        var splits = new LayerSplits(layer, 1);
        StageChain[] chains =
        [
            splits.Build(new(SeparationMethod.DepthwisePointwise, layer.Channels * 2)),
            splits.Build(new(SeparationMethod.Spatial, 3)),
            StageChain.Whole(layer),
        ];
        var scores = LayerProbe.Scores(network, name, chains, set, CancellationToken.None);
        for (var i = 0; i < chains.Length; i++)
        {
            var replaced = new LayerReplacement(new Dictionary<string, StageChain> { [name] = chains[i] }).Run(network);
            var expected = set.Scores(replaced, CancellationToken.None);
            Assert.Equal(47 * 10, expected.Length);
            Assert.True(SeparatedLayers.Distance(expected, scores[i]) < 1e-5);
        }

        var (original, changed) = (set.Scores(network, CancellationToken.None), scores[1]);
        Assert.True(SeparatedLayers.Distance(original, changed) > 0.001);
    }

    // A shortcut goes past the second layer; the batch does not divide the inputs.
    private static (CalibrationSet Set, Network Network) Calibrated(int inputs)
    {
        var layers = new NetworkBuilder();
        var x = layers.ReLU(layers.Conv2D(layers.Input(new(9, 8, 3)), 8, 3, padding: Padding.Same, name: "first"));
        x = layers.ReLU(layers.Add([x, layers.Conv2D(x, 8, 3, padding: Padding.Same, name: "second")]));
        x = layers.ReLU(layers.Conv2D(x, 12, 3, name: "last"));
        var network = layers.Build(layers.Softmax(layers.Dense(layers.GlobalAveragePooling2D(x), 10)));
        var set = new CalibrationSet(RandomData.Floats(inputs * 9 * 8 * 3, 4), inputs, threads: 2);
        return (set, set.Batched(PassList.Separating.Run(network)));
    }
}
