using System.Numerics.Tensors;
using SeparableConv.Bench;

namespace SeparableConv.Tests.Networks.Architectures;

/// <summary>The architectures' sizes are the papers' and Keras's.</summary>
public class ArchitectureTests
{
    [Theory]
    [InlineData(1.0, 224, 568_740_352, 4_253_864)]
    [InlineData(0.75, 224, 325_400_448, 2_601_976)]
    [InlineData(0.5, 160, 76_524_800, 1_342_536)]
    [InlineData(0.25, 128, 13_570_048, 475_544)]
    public void MobileNetV1_has_the_paper_s_size(double width, int resolution, long macs, long parameters)
    {
        var network = MobileNetV1.Create(width, resolution);
        Assert.Equal(parameters, network.ParameterCount);
        Assert.Equal(macs, network.Macs);
        Assert.Equal("(1,1000)", network.Outputs.Single().Type.Shape.ToString());
    }

    [Fact]
    public void MobileNetV1_spends_its_work_where_the_paper_says()
    {
        var network = MobileNetV1.Create();
        Assert.Equal(94.86, Share("conv_pw"));
        Assert.Equal(3.06, Share("conv_dw"));
        Assert.Equal(1_024_000, network.Nodes.Single(node => node.Name == "conv_preds").Cost.Macs);
        Assert.Equal(4_867_293_184, MobileNetV1.Create(convolutions: Convolutions.Standard).Macs);

        double Share(string prefix)
        {
            var nodes = network.Nodes.Where(node => node.Name.StartsWith(prefix, StringComparison.Ordinal));
            return Math.Round(100.0 * nodes.Sum(node => node.Cost.Macs) / network.Macs, 2);
        }
    }

    [Theory]
    [InlineData(1.0, 300_774_272, 3_538_984)]
    [InlineData(1.4, 582_195_824, 6_156_712)]
    public void MobileNetV2_has_the_paper_s_size(double width, long macs, long parameters)
    {
        var network = MobileNetV2.Create(width);
        Assert.Equal(parameters, network.ParameterCount);
        Assert.Equal(macs, network.Macs);
    }

    [Theory]
    [InlineData(1.0, 216_589_760, 5_507_432)]
    [InlineData(0.75, 154_560_624, 4_012_616)]
    public void MobileNetV3_large_has_the_paper_s_size(double width, long macs, long parameters) =>
        Check(MobileNetV3.CreateLarge(width), macs, parameters);

    [Theory]
    [InlineData(1.0, 56_510_400, 2_554_968)]
    [InlineData(0.75, 43_399_344, 2_051_552)]
    public void MobileNetV3_small_has_the_paper_s_size(double width, long macs, long parameters) =>
        Check(MobileNetV3.CreateSmall(width), macs, parameters);

    [Fact]
    public void Networks_for_small_pictures_have_the_sizes_they_say()
    {
        Assert.Equal(14_538, SmallCnn.Create(new(32, 32, 3)).ParameterCount);
        Assert.Equal(95_210, SmallCnn.Create(new(32, 32, 3), convolutions: Convolutions.Standard).ParameterCount);
        var residual = SeparableResNet.Create(new(28, 28, 1));
        Assert.Equal((222_538, 7_564_608), (residual.ParameterCount, residual.Macs));
        Assert.Equal("(1,10)", residual.Outputs.Single().Type.Shape.ToString());

        // A second kernel a channel: its 9 weights, 4 numbers of its normalization where it has one, and a weight in every filter behind.
        Assert.Equal(
            14_538 + (32 * (9 + 4 + 64)) + (64 * (9 + 4 + 128)), SmallCnn.Create(new(32, 32, 3), depthMultiplier: 2).ParameterCount);
        int[] inputs = [32, 64, 64, 128, 128, 128, 128, 256];
        int[] outputs = [64, 64, 128, 128, 128, 128, 256, 256];
        Assert.Equal(
            222_538 + inputs.Zip(outputs, (c, o) => c * (9 + o)).Sum(),
            SeparableResNet.Create(new(28, 28, 1), depthMultiplier: 2).ParameterCount);
        Assert.Equal(
            SeparableResNet.Create(new(28, 28, 1)).Nodes.Count, SeparableResNet.Create(new(28, 28, 1), filters: 3).Nodes.Count);
    }

    [Fact]
    public void MobileNets_take_pictures_of_any_size_and_channels()
    {
        Network[] networks =
        [
            MobileNetV1.Create(new(28, 32, 1), 0.25, 7, 1), MobileNetV2.Create(new(28, 32, 1), 0.25, 7, 1),
            MobileNetV3.CreateLarge(new(28, 32, 1), 0.25, 7, 1), MobileNetV3.CreateSmall(new(28, 32, 1), 0.25, 7, 1),
        ];
        foreach (var network in networks)
        {
            Assert.Equal("(1,28,32,1)", network.Inputs[0].Shape.ToString());
            Assert.Equal("(1,7)", network.Outputs[0].Shape.ToString());
        }
    }

    [Fact]
    public void Other_networks_have_their_papers_sizes()
    {
        Check(DsCnn.Create(), 2_656_768, 24_908);
        Check(ResNet.CreateTiny(), 12_501_632, 78_666);
        Check(ResNet.Create(), 1_814_073_344, 11_689_512 + 9_600);
        Check(ResNet.Create(34), 3_663_761_408, 21_797_672 + 17_024);
        Check(Vgg.Create(11), 7_609_090_048, 132_863_336);
        Check(Xception.Create(), 8_357_403_496, 22_910_480);
    }

    [Fact]
    public void VGG16_has_its_paper_s_size()
    {
        var network = Vgg.Create();
        Assert.Equal((138_357_544, 15_470_264_320), (network.ParameterCount, network.Macs));
    }

    public static TheoryData<string> Small => [.. SmallNetworks.Keys];

    private static readonly Dictionary<string, Func<Convolutions, Network>> SmallNetworks = new()
    {
        ["MobileNetV1"] = convolutions => MobileNetV1.Create(0.25, 64, 10, convolutions),
        ["MobileNetV2"] = convolutions => MobileNetV2.Create(0.35, 64, 10, convolutions),
        ["MobileNetV3 large"] = convolutions => MobileNetV3.CreateLarge(0.35, 64, 10, convolutions),
        ["MobileNetV3 small"] = convolutions => MobileNetV3.CreateSmall(0.35, 64, 10, convolutions),
        ["DS-CNN"] = convolutions => DsCnn.Create(convolutions: convolutions),
        ["Xception"] = convolutions => Xception.Create(0.125, 71, 10, 2, convolutions),
        ["VGG"] = convolutions => Vgg.Create(11, 0.25, 32, 10, 64, convolutions),
        ["VGG without dense layers"] = convolutions => Vgg.Create(13, 0.25, 64, 10, 0, convolutions),
        ["ResNet"] = convolutions => ResNet.Create(18, 0.25, 64, 10, convolutions),
        ["ResNet8"] = convolutions => ResNet.CreateTiny(convolutions: convolutions),
    };

    [Theory]
    [MemberData(nameof(Small))]
    public void Separable_convolutions_cost_less_than_standard_ones(string name)
    {
        var (separable, standard) = (SmallNetworks[name](Convolutions.Separable), SmallNetworks[name](Convolutions.Standard));
        Assert.True(separable.Macs < 0.75 * standard.Macs, $"{separable.Macs} beside {standard.Macs}");
        Assert.True(separable.ParameterCount < standard.ParameterCount);
    }

    [Theory]
    [MemberData(nameof(Small))]
    public void Every_network_gives_probabilities_that_depend_on_the_picture(string name)
    {
        foreach (var convolutions in Enum.GetValues<Convolutions>())
        {
            var network = BatchStatistics.Randomize(SmallNetworks[name](convolutions));
            using var session = new InferenceSession(network, new() { Threads = 1 });
            var (first, second) = (Run(session, 1), Run(session, 2));
            Assert.Equal(1, first.Sum(), 1e-5f);
            Assert.True(first.Zip(second, (a, b) => Math.Abs(a - b)).Max() > 1e-4, string.Join(' ', first));
        }
    }

    [Theory]
    [MemberData(nameof(Small))]
    public void What_is_saved_as_ONNX_gives_the_same_answer(string name)
    {
        foreach (var convolutions in Enum.GetValues<Convolutions>())
        {
            var network = BatchStatistics.Randomize(SmallNetworks[name](convolutions));
            var file = new MemoryStream();
            OnnxWriter.Write(network, file);
            file.Position = 0;
            var loaded = OnnxReader.Read(file);
            Assert.Equal(network.Macs, loaded.Macs);
            Assert.Equal(network.ParameterCount, loaded.ParameterCount);
            using var session = new InferenceSession(network, new() { Threads = 1 });
            using var again = new InferenceSession(loaded, new() { Threads = 1 });
            var (expected, actual) = (Run(session, 1), Run(again, 1));
            for (var i = 0; i < expected.Length; i++)
                Assert.Equal(expected[i], actual[i], 1e-5f);
        }
    }

    [Fact]
    public void What_no_network_can_be_is_refused()
    {
        Assert.Equal("VGG has depth 12; there are 11, 13, 16 and 19.", Assert.Throws<NetworkException>(() => Vgg.Create(12)).Message);
        Assert.Equal("ResNet has depth 50; there are 18 and 34.", Assert.Throws<NetworkException>(() => ResNet.Create(50)).Message);
        Assert.Equal(
            "In node 'conv1' (Conv2D): filters is 0; it must be at least 1.",
            Assert.Throws<NetworkException>(() => MobileNetV1.Create(0.01)).Message);
        Assert.Equal(
            "MobileNetV2 has width NaN; it must be above 0 and at most 100.",
            Assert.Throws<NetworkException>(() => MobileNetV2.Create(double.NaN)).Message);
        Assert.Equal(
            "MobileNetV3 has width 0; it must be above 0 and at most 100.",
            Assert.Throws<NetworkException>(() => MobileNetV3.CreateSmall(0)).Message);
    }

    private static void Check(Network network, long macs, long parameters)
    {
        Assert.Equal(parameters, network.ParameterCount);
        Assert.Equal(macs, network.Macs);
    }

    private static float[] Run(InferenceSession session, int seed)
    {
        var input = session.Inputs[0].Type.Shape;
        var output = session.Run(Tensor.Create(
            RandomData.Floats((int)input.ElementCount, seed), [.. input.Lengths.ToArray().Select(length => (nint)length)]));
        var floats = new float[output.FlattenedLength];
        output.FlattenTo(floats);
        return floats;
    }
}
