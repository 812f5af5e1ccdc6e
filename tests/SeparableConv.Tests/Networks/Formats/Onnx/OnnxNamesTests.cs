using SeparableConv.Networks.Formats.Onnx;
using SeparableConv.Networks.Formats.Onnx.Schema;
using SeparableConv.Tests.Networks.Inference;
using static SeparableConv.Tests.Networks.Formats.OnnxBuilder;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>Parameters are known by the names of their file, which are written again.</summary>
public sealed class OnnxNamesTests
{
    [Fact]
    public void Parameters_keep_their_names_and_shapes_through_reading_and_writing()
    {
        var model = new OnnxBuilder().Input("x", "1", "6", "9", "9")
            .Constant("conv.w", RandomData.Floats(8 * 6 * 9, 1), 8, 6, 3, 3).Constant("conv.b", RandomData.Floats(8, 2), 8)
            .Constant("dw.w", RandomData.Floats(16 * 9, 3), 16, 1, 3, 3).Constant("slopes", RandomData.Floats(16, 4), 16, 1, 1)
            .Constant("up.w", RandomData.Floats(16 * 4 * 4, 5), 16, 4, 2, 2)
            .Constant("scale", [1f, 2, 3, 4], 4).Constant("shift", RandomData.Floats(4, 6), 4)
            .Constant("mean", RandomData.Floats(4, 7), 4).Constant("variance", [1f, 2, 1, 2], 4)
            .Constant("gain", RandomData.Floats(4, 8), 4, 1, 1)
            .Constant("fc.w", RandomData.Floats(5 * 4, 9), 5, 4).Constant("fc.b", RandomData.Floats(5, 9), 5)
            .Node("Conv", ["x", "conv.w", "conv.b"], ["a"], Ints("pads", 1, 1, 1, 1))
            .Node("Conv", ["a", "dw.w"], ["b"], Int("group", 8))
            .Node("PRelu", ["b", "slopes"], ["c"])
            .Node("ConvTranspose", ["c", "up.w"], ["d"], Ints("strides", 2, 2))
            .Node("BatchNormalization", ["d", "scale", "shift", "mean", "variance"], ["e"])
            .Node("Mul", ["e", "gain"], ["f"]).Node("GlobalAveragePool", ["f"], ["g"]).Node("Flatten", ["g"], ["h"])
            .Node("Gemm", ["h", "fc.w", "fc.b"], ["y"], Int("transB", 1)).Output("y");
        var network = model.Read();
        Assert.Equal(
            model.Model.Graph.Initializer.Select(tensor => tensor.Name).Order(),
            network.Parameters.Select(value => value.Name).Order());
        Assert.Equal(
            ["mean", "variance"],
            network.Parameters.Where(value => value.Kind == ValueKind.Statistic).Select(value => value.Name));
        Assert.Equal(model.Model.Graph.Initializer.Sum(tensor => tensor.Dims.Aggregate(1L, (a, b) => a * b)), network.ParameterCount);

        var written = Written(network);
        Assert.Equal(Shapes(model.Model.Graph), Shapes(written.Graph));
        foreach (var tensor in model.Model.Graph.Initializer)
        {
            var again = written.Graph.Initializer.Single(other => other.Name == tensor.Name);
            Assert.True(OnnxTensors.Read(tensor, null).Bytes.SequenceEqual(OnnxTensors.Read(again, null).Bytes), tensor.Name);
        }
    }

    [Fact]
    public void A_network_that_was_built_keeps_its_names_in_the_file()
    {
        foreach (var network in new[]
        {
            MobileNetV2.Create(width: 0.35, resolution: 32, classes: 5), Xception.Create(resolution: 64, classes: 5), ResNet.CreateTiny(),
        })
        {
            using var file = new MemoryStream();
            OnnxWriter.Write(network, file);
            file.Position = 0;
            Assert.Equal(network.Parameters.Select(Described), OnnxReader.Read(file).Parameters.Select(Described));
        }

        static string Described(Value value) => $"{value} {value.Kind}";
    }

    [Fact]
    public void A_real_model_keeps_its_names()
    {
        foreach (var name in new[] { "ultraface_slim_320.onnx", "ultraface_slim_320_simplified.onnx" })
        {
            var path = TestFiles.Shared("models", name);
            var model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(path));
            var network = OnnxReader.Read(path);
            var stored = Shapes(model.Graph);
            Assert.NotEmpty(network.Parameters);
            var written = Shapes(Written(network).Graph);
            Assert.All(network.Parameters, value => Assert.Equal(stored[value.Name], written[value.Name]));
        }
    }

    [Fact]
    public void Layers_that_share_weights_in_the_file_share_them_in_the_network()
    {
        var network = new OnnxBuilder().Input("x", "1", "4", "5", "5").Constant("w", RandomData.Floats(4 * 4 * 9, 1), 4, 4, 3, 3)
            .Node("Conv", ["x", "w"], ["a"], Ints("pads", 1, 1, 1, 1))
            .Node("Conv", ["a", "w"], ["y"], Ints("pads", 1, 1, 1, 1)).Output("y").Read();
        Assert.Equal("w", Assert.Single(network.Parameters).Name);
        Assert.Equal(4 * 4 * 9, network.ParameterCount);
        Assert.Equal("w", Assert.Single(Written(network).Graph.Initializer).Name);
    }

    [Fact]
    public void Slopes_are_parameters_which_compiling_gives_to_the_layer_before()
    {
        var g = new GraphSketch();
        var y = g.Add(new PReluOperator(), g.Conv(g.Input(1, 6, 6, 4), 3, 8), g.Random(8));
        Assert.Equal("Conv2D", g.Check(y));

        var net = new NetworkBuilder();
        var network = net.Build(net.Conv2D(
            net.Input(new(6, 6, 4)), 8, 3, activation: Activation.PReLU([0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f, 0.7f, 0.8f])));
        Assert.Equal(["conv2d/kernel", "conv2d/bias", "conv2d/alpha"], network.Parameters.Select(value => value.Name));
        Assert.Equal(["Conv2D"], CompiledComparison.Check(network));
    }

    private static ModelProto Written(Network network)
    {
        using var file = new MemoryStream();
        OnnxWriter.Write(network, file);
        return ModelProto.Parser.ParseFrom(file.ToArray());
    }

    // Only those of floats: shapes and axes are constants of the writer's own.
    private static SortedDictionary<string, string> Shapes(GraphProto graph) => new(graph.Initializer
        .Where(tensor => tensor.DataType == 1)
        .ToDictionary(tensor => tensor.Name, tensor => string.Join(',', tensor.Dims)));
}
