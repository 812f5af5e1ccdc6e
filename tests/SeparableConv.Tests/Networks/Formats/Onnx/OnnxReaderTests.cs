using Google.Protobuf;
using SeparableConv.Networks.Formats.Onnx.Schema;
using SeparableConv.Tests.Networks.Inference;
using static SeparableConv.Tests.Networks.Formats.OnnxBuilder;

namespace SeparableConv.Tests.Networks.Formats;

public class OnnxReaderTests
{
    [Fact]
    public void An_open_batch_is_1_and_other_lengths_are_asked_for()
    {
        var open = new OnnxBuilder().Input("image", "N", "3", "height", "").Node("Relu", ["image"], ["y"]).Output("y");
        Assert.Equal(
            "Input 'image' has no fixed length in dimension 2 ('height'), 3; "
            + "give its shape with a number for each N: --shape image=1x3xNxN.",
            Assert.Throws<NetworkException>(() => open.Read()).Message);

        var network = open.Read(new() { Shapes = new Dictionary<string, IReadOnlyList<int>> { ["image"] = [2, 3, 8, 6] } });
        Assert.Equal(new TensorShape(2, 3, 8, 6), network.Inputs[0].Type.Shape);
        Assert.Equal(
            new TensorShape(1, 5),
            new OnnxBuilder().Input("x", "N", "5").Node("Relu", ["x"], ["y"]).Output("y").Read().Outputs[0].Type.Shape);
    }

    [Fact]
    public void A_shape_that_contradicts_the_model_is_refused()
    {
        var model = new OnnxBuilder().Input("x", "N", "3").Node("Relu", ["x"], ["y"]).Output("y");
        Assert.Contains("fixed in the model", Refusal(model, "x", 1, 4), StringComparison.Ordinal);
        Assert.Contains("has 2 dimensions in the model", Refusal(model, "x", 1, 3, 1), StringComparison.Ordinal);
        Assert.Contains("has no input 'z'; its inputs are 'x'", Refusal(model, "z", 1, 3), StringComparison.Ordinal);
    }

    [Fact]
    public void All_operators_that_are_not_supported_are_listed_at_once()
    {
        var model = new OnnxBuilder().Input("x", "1", "3");
        for (var i = 0; i < 6; i++)
            model.Node("LSTM", ["x"], [$"lstm{i}"]);
        model.Node("Loop", ["x"], ["y"])
            .Node("Sum", ["lstm0", "lstm1", "lstm2", "lstm3", "lstm4", "lstm5", "y"], ["z"])
            .Node("Scan", ["x"], ["unused"])
            .Output("z");
        Assert.Equal(
            "The model has operators that are not supported: "
            + "LSTM ('lstm0_node', 'lstm1_node', 'lstm2_node', 'lstm3_node' and 2 more); Loop ('y_node').",
            Assert.Throws<NetworkException>(() => model.Read()).Message);
    }

    [Fact]
    public void Shape_arithmetic_leaves_nothing_behind()
    {
        // What PyTorch writes for x.view(x.size(0), -1).
        var network = new OnnxBuilder(11).Input("x", "N", "4", "5", "6")
            .Node("Shape", ["x"], ["shape"]).Constant("zero", new[] { 0L }).Node("Gather", ["shape", "zero"], ["n"])
            .Node("Unsqueeze", ["n"], ["n1"], Ints("axes", 0)).Constant("rest", new[] { -1L }, 1)
            .Node("Concat", ["n1", "rest"], ["target"], Int("axis", 0))
            .Node("Reshape", ["x", "target"], ["y"]).Output("y").Read();
        Assert.Equal(new TensorShape(1, 120), network.Outputs[0].Type.Shape);
        Assert.IsType<ReshapeOperator>(Assert.Single(network.Nodes).Operator);
    }

    [Fact]
    public void An_input_that_decides_on_a_shape_becomes_a_constant()
    {
        var model = new OnnxBuilder().Input("x", "2", "6").Node("Reshape", ["x", "shape"], ["y"]).Output("y");
        model.Input("shape", "2");
        model.Model.Graph.Input[1].Type.TensorType.ElemType = 7;
        var network = model.Read(new OnnxReadOptions().WithValue<long>("shape", new long[] { 3, 4 }));
        Assert.Equal("x", Assert.Single(network.Inputs).Name);
        Assert.Equal(new TensorShape(3, 4), network.Outputs[0].Type.Shape);
    }

    [Fact]
    public void A_fixed_batch_is_changed_where_the_network_allows_it()
    {
        var model = new OnnxBuilder().Input("x", "1", "3", "4").Input("z", "1", "3", "4")
            .Node("Add", ["x", "z"], ["a"]).Constant("flat", [1L, 12], 2).Node("Reshape", ["a", "flat"], ["y"]).Output("y");
        OnnxReadOptions Given(params (string Name, int[] Shape)[] shapes) =>
            new() { Shapes = shapes.ToDictionary(one => one.Name, one => (IReadOnlyList<int>)one.Shape) };
        Assert.Equal(new TensorShape(5, 12), model.Read(Given(("x", [5, 3, 4]))).Outputs[0].Shape);
        Assert.Equal(new TensorShape(5, 12), model.Read(Given(("x", [5, 3, 4]), ("z", [5, 3, 4]))).Outputs[0].Shape);
        Refused(Given(("x", [5, 3, 4]), ("z", [6, 3, 4])), "fixed in the model");
        Refused(Given(("x", [5, 4, 4])), "fixed in the model");

        model.Node("ReduceSum", ["y", "first"], ["sum"]).Constant("first", [0L], 1).Output("sum");
        Refused(Given(("x", [5, 3, 4])), "mixes what lies along dimension 0");

        void Refused(OnnxReadOptions options, string why) => Assert.Contains(
            why, Assert.Throws<NetworkException>(() => model.Read(options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_lengths_are_asked_for()
    {
        var model = new OnnxBuilder().Input("x", "N", "3", "").Input("z", "N", "3", "1").Input("fixed", "2").Output("y")
            .Node("Add", ["x", "z"], ["y"]);
        var asked = new List<string>();
        TensorShape? Answer(OpenInput input)
        {
            asked.Add($"{input.Name} {string.Join(',', input.Lengths.Select(length => length?.ToString() ?? "?"))}");
            return input.Name == "x" ? new TensorShape(4, 3, 7) : null;
        }

        // What one input says of N is known of the other.
        var network = model.Read(new() { ShapeOf = Answer });
        Assert.Equal(["x ?,3,?"], asked);
        Assert.Equal([new TensorShape(4, 3, 7), new TensorShape(4, 3, 1)], network.Inputs.Take(2).Select(input => input.Shape));
    }

    [Fact]
    public void An_output_may_be_an_input()
    {
        var network = new OnnxBuilder().Input("x", "2", "3").Node("Neg", ["x"], ["y"]).Node("Identity", ["x"], ["same"])
            .Output("y", "x", "same").Read();
        Assert.Equal(["x"], network.Inputs.Select(input => input.Name));
        Assert.Equal(["y", "x", "same"], network.Outputs.Select(output => output.Name));
        foreach (var one in new[] { network, OnnxBackend.RoundTrip(network) })
        {
            using var session = new InferenceSession(one);
            session.Input<float>("x").Fill(3);
            session.Run();
            session.Input<float>("x").Fill(4);
            Assert.Equal(-3, session.Output<float>("y")[1, 2]);
            Assert.Equal(3, session.Output<float>("x")[1, 2]);
            Assert.Equal(3, session.Output<float>("same")[1, 2]);
        }
    }

    [Fact]
    public void Transposes_about_a_convolution_cancel()
    {
        // A model made for channels last: every convolution stands between two transposes.
        var network = new OnnxBuilder().Input("x", "1", "8", "8", "4")
            .Node("Transpose", ["x"], ["first"], Ints("perm", 0, 3, 1, 2)).Constant("w", RandomData.Floats(6 * 4, 1), 6, 4, 1, 1)
            .Node("Conv", ["first", "w"], ["conv"]).Node("Relu", ["conv"], ["relu"])
            .Node("Transpose", ["relu"], ["y"], Ints("perm", 0, 2, 3, 1)).Output("y").Read();
        Assert.Equal(["Conv2D", "Activation"], network.Nodes.Select(node => node.Operator.Kind));
        Assert.Equal("y", network.Outputs[0].Name);
    }

    [Fact]
    public void A_Gather_of_channels_leaves_an_image_channels_last()
    {
        var network = new OnnxBuilder().Input("x", "1", "4", "8", "6")
            .Constant("map", new long[] { 0, 0, 2, 3, -1 }, 5).Node("Gather", ["x", "map"], ["picked"], Int("axis", 1))
            .Constant("w", RandomData.Floats(5 * 9, 1), 5, 1, 3, 3).Node("Conv", ["picked", "w"], ["conv"], Int("group", 5))
            .Constant("rows", new long[] { 5, 0 }, 2).Node("Gather", ["conv", "rows"], ["some"], Int("axis", 2))
            .Node("Transpose", ["some"], ["y"], Ints("perm", 0, 2, 3, 1)).Output("y").Read();
        Assert.Equal(["Transpose", "Gather", "DepthwiseConv2D", "Gather"], network.Nodes.Select(node => node.Operator.Kind));
        Assert.Equal(3, Assert.IsType<GatherOperator>(network.Nodes[1].Operator).Axis);
        Assert.Equal(1, Assert.IsType<GatherOperator>(network.Nodes[3].Operator).Axis);
        Assert.Equal(["Transpose", "DepthwiseConv2D", "Gather"], CompiledComparison.Check(network));
    }

    [Fact]
    public void A_single_index_takes_the_channels_of_an_image_away()
    {
        var network = new OnnxBuilder().Input("x", "1", "4", "8", "6")
            .Constant("w", RandomData.Floats(3 * 4, 1), 3, 4, 1, 1).Node("Conv", ["x", "w"], ["conv"])
            .Constant("one", new long[] { 1 }).Node("Gather", ["conv", "one"], ["y"], Int("axis", 1)).Output("y").Read();
        Assert.Equal(new TensorShape(1, 8, 6), network.Outputs[0].Type.Shape);
    }

    [Fact]
    public void Constants_that_unfold_out_of_proportion_are_refused()
    {
        var model = new OnnxBuilder().Input("x", "1").Constant("shape", new long[] { 30000, 30000 }, 2)
            .Node("ConstantOfShape", ["shape"], ["big"]).Node("Add", ["x", "big"], ["y"]).Output("y");
        Assert.Contains(
            "What is computed from known numbers takes more than 2147483648 bytes",
            Assert.Throws<NetworkException>(() => model.Read()).Message,
            StringComparison.Ordinal);
        var weights = new OnnxBuilder().Input("x", "1", "1024").Constant("shape", new long[] { 1024, 4096 }, 2)
            .Node("ConstantOfShape", ["shape"], ["w"]).Node("MatMul", ["x", "w"], ["y"]).Output("y");
        Assert.Equal(new TensorShape(1, 4096), weights.Read().Outputs[0].Type.Shape);
        Assert.Contains(
            "takes more than 1000000 bytes",
            Assert.Throws<NetworkException>(() => weights.Read(new() { MaxConstantBytes = 1_000_000 })).Message,
            StringComparison.Ordinal);
        var range = new OnnxBuilder().Input("x", "1")
            .Constant("a", new[] { 0L }).Constant("b", new[] { long.MaxValue }).Constant("c", new[] { 1L })
            .Node("Range", ["a", "b", "c"], ["big"]).Node("Cast", ["big"], ["f"], Int("to", 1)).Node("Add", ["x", "f"], ["y"]).Output("y");
        Assert.Contains(
            "more than a model's constants may have",
            Assert.Throws<NetworkException>(() => range.Read()).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Attributes_that_would_change_the_result_are_refused()
    {
        var model = new OnnxBuilder().Input("x", "1", "3").Node("Relu", ["x"], ["y"], Int("leaky", 1)).Output("y");
        Assert.Equal(
            "In node 'y_node' (Relu): attribute 'leaky' is not supported.",
            Assert.Throws<NetworkException>(() => model.Read()).Message);
        var both = new OnnxBuilder().Input("x", "1", "3", "8", "8")
            .Node("MaxPool", ["x"], ["y"], Ints("kernel_shape", 2, 2), Ints("pads", 0, 0, 1, 1), Text("auto_pad", "SAME_UPPER"))
            .Output("y");
        Assert.Contains(
            "auto_pad is SAME_UPPER and the pads are (0,0,1,1)",
            Assert.Throws<NetworkException>(() => both.Read()).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../outside.bin")]
    [InlineData("/etc/passwd")]
    [InlineData("./../outside.bin")]
    [InlineData(".")]
    [InlineData("deeper//good.bin")]
    [InlineData("link.bin")]
    [InlineData("none.bin")]
    [InlineData("short.bin")]
    public void External_data_is_read_inside_the_models_folder_only(string location)
    {
        var folder = Directory.CreateTempSubdirectory("onnx");
        try
        {
            var inside = folder.CreateSubdirectory("model").FullName;
            File.WriteAllBytes(Path.Combine(folder.FullName, "outside.bin"), new byte[12]);
            File.WriteAllBytes(Path.Combine(inside, "short.bin"), new byte[11]);
            File.WriteAllBytes(Path.Combine(inside, "good.bin"), new byte[12]);
            File.CreateSymbolicLink(Path.Combine(inside, "link.bin"), Path.Combine(folder.FullName, "outside.bin"));
            Directory.CreateDirectory(Path.Combine(inside, "deeper"));
            File.WriteAllBytes(Path.Combine(inside, "deeper", "good.bin"), new byte[12]);
            foreach (var good in new[] { "good.bin", "./good.bin", "deeper/good.bin", "./deeper/./good.bin" })
                Assert.Equal(new TensorShape(1, 3), Read(good).Outputs[0].Type.Shape);
            var e = Assert.Throws<NetworkException>(() => Read(location));
            Assert.StartsWith("Tensor 'w' ", e.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', e.Message);

            Network Read(string data)
            {
                var model = new OnnxBuilder().Input("x", "1", "3").Node("Add", ["x", "w"], ["y"]).Output("y").Model;
                model.Graph.Initializer.Add(new TensorProto
                {
                    Name = "w",
                    Dims = { 3 },
                    DataType = 1,
                    DataLocation = TensorProto.Types.DataLocation.External,
                    ExternalData = { new StringStringEntryProto { Key = "location", Value = data } },
                });
                var path = Path.Combine(inside, "model.onnx");
                File.WriteAllBytes(path, model.ToByteArray());
                return OnnxReader.Read(path);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("1,2,5,5", "6")]
    [InlineData("1,2,5,5", "6,2,3")]
    [InlineData("1,2,5", "6,2,3,3")]
    public void Convolution_weights_of_another_rank_are_refused(string input, string weights)
    {
        var shape = Array.ConvertAll(weights.Split(','), int.Parse);
        var model = new OnnxBuilder().Input("x", input.Split(',')).Constant("w", new float[shape.Aggregate(1, (a, b) => a * b)], shape)
            .Node("Conv", ["x", "w"], ["y"], Ints("kernel_shape", 3, 3)).Output("y");
        Assert.Contains(
            $"the weights are ({weights}); expected {input.Split(',').Length} dimensions",
            Assert.Throws<NetworkException>(() => model.Read()).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Slopes_that_are_no_float32_are_refused()
    {
        var model = new OnnxBuilder().Input("x", "1", "2", "4", "4").Constant("slope", new[] { 1, 2 }, 2, 1, 1)
            .Node("PRelu", ["x", "slope"], ["y"]).Output("y");
        Assert.StartsWith(
            "In node 'y_node' (PReLU): The inputs are float32 ",
            Assert.Throws<NetworkException>(() => model.Read()).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_message_about_a_long_list_is_cut()
    {
        var model = new OnnxBuilder().Input("x", "1", "2").Constant("shape", new long[5000], 5000)
            .Node("Reshape", ["x", "shape"], ["y"]).Output("y");
        var message = Assert.Throws<NetworkException>(() => model.Read()).Message;
        Assert.StartsWith("In node 'y_node' (Reshape): the shape (0,0,", message, StringComparison.Ordinal);
        Assert.EndsWith("....", message, StringComparison.Ordinal);
        Assert.InRange(message.Length, 500, 1100);
    }

    [Fact]
    public void Damaged_files_give_one_line_and_nothing_else()
    {
        var good = File.ReadAllBytes(TestFiles.Shared("onnx", "pytorch-converted", "test_Conv2d_depthwise", "model.onnx"));
        var random = new Random(7);
        for (var i = 0; i < 3000; i++)
        {
            var bytes = good[..(i % 3 == 0 ? random.Next(good.Length) : good.Length)];
            for (var k = random.Next(1, 6); k > 0 && bytes.Length > 0; k--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            try
            {
                OnnxReader.Read(new MemoryStream(bytes));
            }
            catch (NetworkException e)
            {
                Assert.DoesNotContain('\n', e.Message);
            }
        }
    }

    private static string Refusal(OnnxBuilder model, string input, params int[] shape) => Assert.Throws<NetworkException>(
        () => model.Read(new() { Shapes = new Dictionary<string, IReadOnlyList<int>> { [input] = shape } })).Message;
}
