using System.Runtime.InteropServices;
using SeparableConv.Networks.Formats.Onnx;
using SeparableConv.Tests.Networks.Fuzz;
using static SeparableConv.Tests.Networks.Formats.OnnxBuilder;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>The parameters of a network go to a file under their names, in the layout of their own file, and come back.</summary>
public sealed class NetworkWeightsTests
{
    private const string File = "weights.safetensors";

    [Fact]
    public void Parameters_have_the_names_the_shapes_and_the_order_of_their_ONNX_file()
    {
        var model = Layers(seed: 0);
        using var folder = new TempFolder();
        NetworkWeights.Save(model.Read(), folder[File]);
        var saved = SafetensorsFile.Load(folder[File]).Tensors;
        Assert.Equal(model.Model.Graph.Initializer.Select(tensor => tensor.Name).Order(), saved.Keys.Order());
        foreach (var tensor in model.Model.Graph.Initializer)
        {
            var stored = OnnxTensors.Read(tensor, null);
            Assert.Equal(stored.Type, saved[tensor.Name].Type);
            Assert.True(stored.Bytes.SequenceEqual(saved[tensor.Name].Bytes), tensor.Name);
        }
    }

    [Fact]
    public void A_network_with_the_weights_of_another_is_that_other()
    {
        var (network, other) = (Layers(seed: 0).Read(), Layers(seed: 100).Read());
        var before = network.Parameters.Select(parameter => parameter.Data!.Bytes.ToArray()).ToArray();
        using var folder = new TempFolder();
        NetworkWeights.Save(other, folder[File]);
        var loaded = NetworkWeights.Load(network, folder[File]);
        Assert.Equal(Described(other), Described(loaded));
        Assert.Equal(network.Nodes.Select(node => node.Name), loaded.Nodes.Select(node => node.Name));
        Assert.Equal(network.Outputs.Select(value => value.ToString()), loaded.Outputs.Select(value => value.ToString()));
        for (var i = 0; i < before.Length; i++)
        {
            Assert.True(other.Parameters[i].Data!.Bytes.SequenceEqual(loaded.Parameters[i].Data!.Bytes), other.Parameters[i].Name);
            Assert.True(network.Parameters[i].Data!.Bytes.SequenceEqual(before[i]));
        }

        // It runs like that other, and its file and its ONNX file are the other's.
        Assert.Equal(Run(other), Run(loaded));
        Assert.NotEqual(Run(other), Run(network));
        NetworkWeights.Save(loaded, folder["again"]);
        Assert.Equal(System.IO.File.ReadAllBytes(folder[File]), System.IO.File.ReadAllBytes(folder["again"]));
        OnnxWriter.Write(other, folder["other.onnx"]);
        OnnxWriter.Write(loaded, folder["loaded.onnx"]);
        Assert.Equal(System.IO.File.ReadAllBytes(folder["other.onnx"]), System.IO.File.ReadAllBytes(folder["loaded.onnx"]));
    }

    [Fact]
    public void Networks_that_were_built_have_their_own_layout()
    {
        using var folder = new TempFolder();
        foreach (var network in new[] { MobileNetV2.Create(width: 0.35, resolution: 32, classes: 5), ResNet.CreateTiny(), DsCnn.Create() })
        {
            NetworkWeights.Save(network, folder[File]);
            var saved = SafetensorsFile.Load(folder[File]).Tensors;
            Assert.Equal(
                network.Parameters.Select(value => value.ToString()).Order(),
                saved.Select(tensor => $"{tensor.Key}: {tensor.Value}").Order());
            var loaded = NetworkWeights.Load(network, folder[File]);
            Assert.Equal(Described(network), Described(loaded));
            Assert.Equal(Run(network), Run(loaded));
        }
    }

    [Fact]
    public void A_real_model_goes_to_a_file_and_back()
    {
        using var folder = new TempFolder();
        foreach (var name in new[] { "ultraface_slim_320.onnx", "ultraface_slim_320_simplified.onnx" })
        {
            var network = OnnxReader.Read(TestFiles.Shared("models", name));
            NetworkWeights.Save(network, folder[File]);
            var loaded = NetworkWeights.Load(network, folder[File]);
            Assert.Equal(Described(network), Described(loaded));
            Assert.All(
                network.Parameters.Zip(loaded.Parameters),
                pair => Assert.True(pair.First.Data!.Bytes.SequenceEqual(pair.Second.Data!.Bytes), pair.First.Name));
        }
    }

    // Among them TensorFlow Lite's, of floats and of bytes, rows for images, and weights that two layers share.
    [Fact]
    public void Parameters_of_any_model_come_back_with_all_that_is_known_of_them()
    {
        using var folder = new TempFolder();
        var (parameters, quantized, turned) = (0, 0, 0);
        foreach (var model in FuzzSeeds.Own())
        {
            var network = model.IsTFLite ? TFLiteReader.Read(model.Bytes) : OnnxReader.Read(new MemoryStream(model.Bytes));
            NetworkWeights.Save(network, folder[File]);
            var saved = SafetensorsFile.Load(folder[File]).Tensors;
            var loaded = NetworkWeights.Load(network, folder[File]).Parameters;
            Assert.Equal(network.Parameters.Count, loaded.Count);
            foreach (var (before, after) in network.Parameters.Zip(loaded))
            {
                Assert.Equal((before.Name, before.Type, before.Kind, before.Origin), (after.Name, after.Type, after.Kind, after.Origin));
                Assert.True(before.Data!.Bytes.SequenceEqual(after.Data!.Bytes), $"{model.Name}: {before}");
                Assert.Equal(before.Origin?.Shape ?? before.Shape, saved[before.Name].Type.Shape);
                parameters++;
                quantized += before.Type.Quantization is null ? 0 : 1;
                turned += before.Origin is { IsTransposed: true } ? 1 : 0;
            }
        }

        Assert.True(parameters > 30 && quantized > 10 && turned > 10, $"{parameters} parameters, {quantized} quantized, {turned} turned");
    }

    [Fact]
    public void Floats_of_16_bits_are_widened_for_a_network_of_32()
    {
        var network = new OnnxBuilder().Input("x", "1", "2").Constant("w", [1f, 2, 3, 4, 5, 6], 3, 2).Constant("b", [0f, 0, 0], 3)
            .Node("Gemm", ["x", "w", "b"], ["y"], Int("transB", 1)).Output("y").Read();
        using var folder = new TempFolder();
        SafetensorsFile.Save(folder[File], new Dictionary<string, TensorData>
        {
            ["w"] = TensorData.Create([(Half)0.5, (Half)1.5, (Half)2.5, (Half)3.5, (Half)4.5, (Half)5.5], 3, 2),
            ["b"] = TensorData.Create([7f, 8, 9], 3),
        });
        var loaded = NetworkWeights.Load(network, folder[File]);
        var weights = loaded.Parameters.Single(value => value.Name == "w");
        Assert.Equal([0.5f, 2.5f, 4.5f, 1.5f, 3.5f, 5.5f], weights.Data!.Span<float>().ToArray());

        // Not the other way round, which would round.
        SafetensorsFile.Save(folder[File], new Dictionary<string, TensorData>
        {
            ["w"] = TensorData.Create(new double[6], 3, 2),
            ["b"] = TensorData.Create([7f, 8, 9], 3),
        });
        Assert.Contains(
            "'w' is float64 (3,2) and should be float32 (3,2)",
            Assert.Throws<NetworkException>(() => NetworkWeights.Load(network, folder[File])).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_missing_too_much_or_of_another_shape_is_named_in_one_error()
    {
        var network = Layers(seed: 0).Read();
        using var folder = new TempFolder();
        NetworkWeights.Save(network, folder[File]);
        var tensors = new Dictionary<string, TensorData>(SafetensorsFile.Load(folder[File]).Tensors);
        tensors.Remove("conv.b");
        tensors.Remove("mean");
        tensors.Add("head.w", TensorData.Create([1f], 1));
        tensors["conv.w"] = TensorData.Create(new float[8 * 6 * 9], 3, 3, 6, 8);
        SafetensorsFile.Save(folder[File], tensors);
        var e = Assert.Throws<NetworkException>(() => NetworkWeights.Load(network, folder[File]));
        Assert.Equal(
            "'weights.safetensors' does not have the network's 12 parameters: it lacks 'conv.b', 'mean'; the network does not know "
            + "'head.w'; 'conv.w' is float32 (3,3,6,8) and should be float32 (8,6,3,3). Load a file that was saved from this network, or "
            + "one with the same names and shapes.",
            e.Message);

        SafetensorsFile.Save(folder[File], new Dictionary<string, TensorData>());
        e = Assert.Throws<NetworkException>(() => NetworkWeights.Load(network, folder[File]));
        Assert.Contains("it lacks 'conv.w', 'conv.b', 'dw.w', 'slopes', 'up.w' and 7 more.", e.Message, StringComparison.Ordinal);
    }

    private static OnnxBuilder Layers(int seed) => new OnnxBuilder().Input("x", "1", "6", "9", "9")
        .Constant("conv.w", RandomData.Floats(8 * 6 * 9, seed + 1), 8, 6, 3, 3).Constant("conv.b", RandomData.Floats(8, seed + 2), 8)
        .Constant("dw.w", RandomData.Floats(16 * 9, seed + 3), 16, 1, 3, 3).Constant("slopes", RandomData.Floats(16, seed + 4), 16, 1, 1)
        .Constant("up.w", RandomData.Floats(16 * 4 * 6, seed + 5), 16, 4, 2, 3)
        .Constant("scale", [1f + seed, 2, 3, 4], 4).Constant("shift", RandomData.Floats(4, seed + 6), 4)
        .Constant("mean", RandomData.Floats(4, seed + 7), 4).Constant("variance", [1f, 2, 1 + seed, 2], 4)
        .Constant("gain", RandomData.Floats(4, seed + 8), 4, 1, 1)
        .Constant("fc.w", RandomData.Floats(5 * 4, seed + 9), 5, 4).Constant("fc.b", RandomData.Floats(5, seed + 10), 5)
        .Node("Conv", ["x", "conv.w", "conv.b"], ["a"], Ints("pads", 1, 1, 1, 1))
        .Node("Conv", ["a", "dw.w"], ["b"], Int("group", 8))
        .Node("PRelu", ["b", "slopes"], ["c"])
        .Node("ConvTranspose", ["c", "up.w"], ["d"], Ints("strides", 2, 2))
        .Node("BatchNormalization", ["d", "scale", "shift", "mean", "variance"], ["e"])
        .Node("Mul", ["e", "gain"], ["f"]).Node("GlobalAveragePool", ["f"], ["g"]).Node("Flatten", ["g"], ["h"])
        .Node("Gemm", ["h", "fc.w", "fc.b"], ["y"], Int("transB", 1)).Output("y");

    private static string[] Described(Network network) =>
        [.. network.Parameters.Select(value => $"{value} {value.Kind} {value.Origin?.Name} {value.Origin?.Shape}")];

    private static float[] Run(Network network)
    {
        using var session = new InferenceSession(network);
        RandomData.Floats((int)network.Inputs[0].Type.Shape.ElementCount, 5).CopyTo(MemoryMarshal.Cast<byte, float>(session.InputBytes(0)));
        session.Run();
        return MemoryMarshal.Cast<byte, float>(session.OutputBytes(0)).ToArray();
    }
}
