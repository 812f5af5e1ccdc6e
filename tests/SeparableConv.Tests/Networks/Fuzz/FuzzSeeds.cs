using Google.Protobuf;
using SeparableConv.Networks.Formats.Onnx.Schema;
using SeparableConv.Networks.Formats.TFLite;
using SeparableConv.Tests.Networks.Formats;

namespace SeparableConv.Tests.Networks.Fuzz;

/// <summary>The good models: some made here, and the shared ones where the machine has them.</summary>
internal static class FuzzSeeds
{
    /// <summary>All of them, always in the same order.</summary>
    public static FuzzSeed[] All() => [.. Own(), .. Shared()];

    /// <summary>Those that are made here.</summary>
    public static IEnumerable<FuzzSeed> Own() => [.. Built(), .. Nodes(), .. Quantized(), .. TFLite()];

    private static IEnumerable<FuzzSeed> Shared()
    {
        var root = Environment.GetEnvironmentVariable("SEPCONV_DATA");
        if (string.IsNullOrEmpty(root))
            yield break;
        foreach (var folder in new[] { "onnx", "models", "bad-models" })
        {
            var files = Directory.EnumerateFiles(Path.Combine(root, folder), "*", SearchOption.AllDirectories)
                .Where(file => Path.GetExtension(file) is ".onnx" or ".tflite" or ".bin");
            foreach (var file in files.Order(StringComparer.Ordinal))
                yield return new FuzzSeed(Path.GetRelativePath(root, file), Complete(file));
        }
    }

    // ONNX's tests give axes, shapes and the like as inputs; as constants they let a model be read without more.
    private static byte[] Complete(string file)
    {
        var bytes = File.ReadAllBytes(file);
        var set = Path.Combine(Path.GetDirectoryName(file)!, "test_data_set_0");
        if (!Directory.Exists(set))
            return bytes;
        var model = ModelProto.Parser.ParseFrom(bytes);
        var known = model.Graph.Initializer.Select(tensor => tensor.Name).ToHashSet();
        var inputs = model.Graph.Input.Where(input => !known.Contains(input.Name)).ToArray();
        for (var i = 1; i < inputs.Length; i++)
        {
            var value = Path.Combine(set, $"input_{i}.pb");
            if (!File.Exists(value) || inputs[i].Type.TensorType?.ElemType is not (6 or 7))
                continue;
            var tensor = TensorProto.Parser.ParseFrom(File.ReadAllBytes(value));
            tensor.Name = inputs[i].Name;
            model.Graph.Initializer.Add(tensor);
        }

        return model.ToByteArray();
    }

    private static IEnumerable<FuzzSeed> Built()
    {
        var b = new NetworkBuilder(seed: 3);
        var x = b.Input(new TensorShape(9, 8, 3));
        var y = b.Conv2D(x, 8, 3, strides: 2, padding: Padding.Same, activation: Activation.ReLU6);
        y = b.DepthwiseConv2D(y, 3, padding: Padding.Same, useBias: false);
        y = b.ReLU(b.BatchNormalization(y));
        y = b.SeparableConv2D(y, 8, 3, padding: Padding.Same);
        y = b.Add([y, b.Conv2D(y, 8, 1)]);
        y = b.MaxPooling2D(b.ZeroPadding2D(y, 1));
        yield return Written("blocks", b.Build(b.Softmax(b.Dense(b.GlobalAveragePooling2D(y), 5))));

        b = new NetworkBuilder(seed: 4);
        x = b.Input(new TensorShape(4, 5, 2));
        y = b.Conv2DTranspose(x, 3, 3, strides: 2, padding: Padding.Same);
        y = b.Concatenate([b.LeakyReLU(y), b.Activation(y, Activation.Sigmoid)]);
        y = b.AveragePooling2D(b.Permute(y, [2, 1, 3]));
        yield return Written("shapes", b.Build(b.Reshape(y, [-1, 3])));
    }

    private static FuzzSeed Written(string name, Network network)
    {
        using var stream = new MemoryStream();
        OnnxWriter.Write(network, stream);
        return new("built/" + name, stream.ToArray());
    }

    // One If whose condition is known, one where both branches are planned, one that is left to the run.
    private static OnnxBuilder Branches()
    {
        NodeProto Made(string type, string input, string output) => new() { OpType = type, Input = { input }, Output = { output } };
        AttributeProto Branch(string name, NodeProto node)
        {
            var graph = new GraphProto { Node = { node }, Output = { new ValueInfoProto { Name = node.Output[0] } } };
            return new() { Name = name, G = graph, Type = AttributeProto.Types.AttributeType.Graph };
        }

        return new OnnxBuilder(13).Input("x", "2", "3").Input("c", "1").Typed("y", 1).Typed("z", 1)
            .Constant("known", [true]).Constant("zero", [0f])
            .Node("If", ["known"], ["a"], Branch("then_branch", Made("Neg", "x", "t")), Branch("else_branch", Made("Relu", "x", "e")))
            .Node("Greater", ["c", "zero"], ["is"])
            .Node("If", ["is"], ["y"], Branch("then_branch", Made("Abs", "a", "t")), Branch("else_branch", Made("Exp", "a", "e")))
            .Node("If", ["is"], ["z"], Branch("then_branch", Made("ReduceSum", "x", "t")), Branch("else_branch", Made("Neg", "x", "e")));
    }

    private static OnnxBuilder Functions()
    {
        var model = new OnnxBuilder(18).Input("x", "2", "3").Output("y").Node("twice", ["x"], ["d"]).Node("twice", ["d"], ["y"]);
        foreach (var node in model.Model.Graph.Node)
            node.Domain = "own";
        model.Model.Functions.Add(new FunctionProto
        {
            Name = "twice",
            Domain = "own",
            Input = { "a" },
            Output = { "b" },
            OpsetImport = { new OperatorSetIdProto { Domain = "", Version = 17 } },
            Node =
            {
                new NodeProto { OpType = "LeakyRelu", Input = { "a" }, Output = { "l" } },
                new NodeProto { OpType = "Add", Input = { "l", "a" }, Output = { "b" } },
            },
        });
        return model;
    }

    private static IEnumerable<FuzzSeed> Nodes()
    {
        yield return Onnx("found", new OnnxBuilder()
            .Input("boxes", "1", "6", "4").Input("scores", "1", "2", "6").Typed("y", 1).Typed("z", 7)
            .Constant("most", [3L]).Constant("overlap", [0.5f]).Constant("least", [0.1f]).Constant("last", [2L])
            .Node("NonMaxSuppression", ["boxes", "scores", "most", "overlap", "least"], ["rows"], OnnxBuilder.Int("center_point_box", 1))
            .Node("Gather", ["rows", "last"], ["box"], OnnxBuilder.Int("axis", 1))
            .Node("Gather", ["boxes", "box"], ["y"], OnnxBuilder.Int("axis", 1))
            .Node("NonZero", ["scores"], ["z"]));
        yield return Onnx("halves", new OnnxBuilder().Input("x", "1", "2", "4", "4").Output("y")
            .Constant("w", new Half[3 * 2 * 4], 3, 2, 2, 2).Node("Cast", ["x"], ["h"], OnnxBuilder.Int("to", 10))
            .Node("Conv", ["h", "w"], ["c"]).Node("Cast", ["c"], ["y"], OnnxBuilder.Int("to", 1)));
        yield return Onnx("branches", Branches());
        yield return Onnx("functions", Functions());
        yield return Onnx("slices", new OnnxBuilder().Input("x", "1", "2", "6", "5").Output("y", "z")
            .Constant("starts", [1L, 0], 2).Constant("ends", [5L, -1], 2).Constant("axes", [2L, 3], 2).Constant("steps", [2L, 1], 2)
            .Constant("shape", [0L, -1, 2], 3).Constant("parts", [1L, 1], 2)
            .Node("Slice", ["x", "starts", "ends", "axes", "steps"], ["a"]).Node("Reshape", ["a", "shape"], ["y"])
            .Node("Split", ["x", "parts"], ["z", "rest"], OnnxBuilder.Int("axis", 1)));
        yield return Onnx("moves", new OnnxBuilder().Input("x", "2", "3", "4").Output("y", "z", "w")
            .Constant("indices", [1L, -1, 0], 3)
            .Constant("pads", [0L, 1, 0, 0, 0, 2], 6)
            .Constant("repeats", [1L, 2, 1], 3)
            .Constant("axes", [0L], 1)
            .Node("Gather", ["x", "indices"], ["g"], OnnxBuilder.Int("axis", 2))
            .Node("Pad", ["g", "pads"], ["p"], OnnxBuilder.Text("mode", "reflect"))
            .Node("Tile", ["p", "repeats"], ["y"])
            .Node("Transpose", ["x"], ["t"], OnnxBuilder.Ints("perm", 2, 0, 1))
            .Node("Concat", ["t", "t"], ["z"], OnnxBuilder.Int("axis", 1))
            .Node("Unsqueeze", ["x", "axes"], ["w"]));
        yield return Onnx("images", new OnnxBuilder().Input("x", "1", "4", "5", "6").Output("y", "z")
            .Constant("scales", [1f, 1, 2, 1.5f], 4)
            .Constant("w", new float[4 * 9], 4, 1, 3, 3)
            .Constant("v", new float[6 * 2 * 2 * 2], 6, 2, 2, 2)
            .Node("Resize", ["x", "", "scales"], ["r"], OnnxBuilder.Text("mode", "linear"))
            .Node(
                "Conv",
                ["r", "w"],
                ["c"],
                OnnxBuilder.Int("group", 4),
                OnnxBuilder.Ints("pads", 1, 1, 1, 1),
                OnnxBuilder.Ints("strides", 2, 1))
            .Node("Conv", ["c", "v"], ["d"], OnnxBuilder.Int("group", 2), OnnxBuilder.Ints("dilations", 2, 1))
            .Node("AveragePool", ["d"], ["y"], OnnxBuilder.Ints("kernel_shape", 2, 2), OnnxBuilder.Int("ceil_mode", 1))
            .Node("SpaceToDepth", ["r"], ["s"], OnnxBuilder.Int("blocksize", 1))
            .Node("ReduceMean", ["s"], ["z"], OnnxBuilder.Ints("axes", 2, 3)));
        yield return Onnx("indices", new OnnxBuilder(18).Input("x", "2", "3", "4").Output("y", "z", "w", "v", "u")
            .Constant("tuples", [0L, 1, 1, -1], 2, 2).Constant("updates", new float[8], 2, 4).Constant("elements", [0L, 2, 1, 0], 1, 1, 4)
            .Constant("depth", [4L], 1).Constant("values", [0f, 1], 2).Constant("count", [2L], 1).Constant("axis", [1L])
            .Constant("some", [true, false, true], 3)
            .Node("GatherND", ["x", "tuples"], ["g"])
            .Node("ScatterND", ["x", "tuples", "updates"], ["s"], OnnxBuilder.Text("reduction", "add"))
            .Node("GatherElements", ["s", "elements"], ["e"], OnnxBuilder.Int("axis", 1))
            .Node("ScatterElements", ["x", "elements", "e"], ["y"], OnnxBuilder.Int("axis", 1))
            .Node("TopK", ["y", "count"], ["t", "i"], OnnxBuilder.Int("axis", 2))
            .Node("OneHot", ["i", "depth", "values"], ["z"])
            .Node("CumSum", ["t", "axis"], ["w"])
            .Node("Compress", ["y", "some"], ["v"], OnnxBuilder.Int("axis", 1))
            .Node("Trilu", ["g"], ["u"]));
        yield return Onnx("normalizations", new OnnxBuilder(21).Input("x", "1", "4", "5", "6").Output("y", "z", "w", "v")
            .Constant("row", [1f, 2, 3, 4, 5, 6], 6).Constant("channels", [1f, 2, 3, 4], 4)
            .Node("LayerNormalization", ["x", "row", "row"], ["l", "mean", "deviation"]).Node("Gelu", ["l"], ["m"])
            .Node("GroupNormalization", ["m", "channels", "channels"], ["g"], OnnxBuilder.Int("num_groups", 2))
            .Node("LRN", ["g"], ["n"], OnnxBuilder.Int("size", 3)).Node("LpNormalization", ["n"], ["y"], OnnxBuilder.Int("axis", 1))
            .Node("LpPool", ["n"], ["z"], OnnxBuilder.Ints("kernel_shape", 2, 3), OnnxBuilder.Ints("strides", 2, 1))
            .Node("ReduceLogSumExp", ["x"], ["w"]).Node("Einsum", ["x", "x"], ["v"], OnnxBuilder.Text("equation", "nchw,ndhw->ncd")));
        yield return Onnx("samples", new OnnxBuilder(18).Input("x", "1", "2", "5", "6").Output("y", "z", "w", "v")
            .Constant("sizes", [1L, 2, 7, 4], 4).Constant("grid", new float[12], 1, 2, 3, 2)
            .Constant("regions", [0f, 0, 3, 4], 1, 4).Constant("image", [0L], 1).Constant("places", [0L, 1, 5, 7, 2, 3, 8, 9], 1, 2, 2, 2)
            .Node("Resize", ["x", "", "", "sizes"], ["r"], OnnxBuilder.Text("mode", "cubic"), OnnxBuilder.Int("antialias", 1))
            .Node("GridSample", ["r", "grid"], ["y"], OnnxBuilder.Text("padding_mode", "reflection"))
            .Node("RoiAlign", ["x", "regions", "image"], ["z"], OnnxBuilder.Int("output_height", 2), OnnxBuilder.Int("output_width", 2))
            .Node("MaxUnpool", ["z", "places"], ["w"], OnnxBuilder.Ints("kernel_shape", 2, 2), OnnxBuilder.Ints("strides", 2, 2))
            .Node("Resize", ["x", "", "", "sizes"], ["v"], OnnxBuilder.Text("nearest_mode", "floor")));
        yield return Onnx("folded", new OnnxBuilder().Input("x", "2", "3").Output("y")
            .Constant("one", [1L], 1).Constant("w", [1f, 2, 3, 4, 5, 6], 2, 3)
            .Node("Shape", ["x"], ["s"]).Node("Gather", ["s", "one"], ["n"]).Node("ConstantOfShape", ["n"], ["c"])
            .Node("Expand", ["c", "s"], ["e"]).Node("Gemm", ["x", "w"], ["m"], OnnxBuilder.Int("transB", 1))
            .Node("ReduceSum", ["e", "one"], ["u"])
            .Node("MatMul", ["m", "x"], ["k"])
            .Node("Mul", ["k", "u"], ["z"])
            .Node("Sub", ["z", "c"], ["y"]));
    }

    private static IEnumerable<FuzzSeed> Quantized()
    {
        const string Microsoft = "com.microsoft.";
        OnnxBuilder Bytes() => new OnnxBuilder().Bytes("x", false, 1, 4, 5, 6).Constant("s", [0.5f]).Constant("z", [(byte)9])
            .Constant("w", new sbyte[6 * 4 * 9], 6, 4, 3, 3)
            .Constant("ws", new float[] { 1, 2, 3, 4, 5, 6 }, 6).Constant("wz", new sbyte[6], 6)
            .Constant("m", new sbyte[6 * 5], 6, 5).Constant("mz", [(sbyte)1]).Constant("c", new int[5], 5);
        yield return Onnx("qlinear", Bytes().Output("y")
            .Node(
                Microsoft + "QLinearConv",
                ["x", "s", "z", "w", "ws", "wz", "s", "z"],
                ["a"],
                OnnxBuilder.Ints("pads", 1, 1, 1, 1),
                OnnxBuilder.Int("channels_last", 0))
            .Node(Microsoft + "QLinearAdd", ["a", "s", "z", "a", "s", "z", "s", "z"], ["b"])
            .Node(Microsoft + "QLinearMul", ["b", "s", "z", "a", "s", "z", "s", "z"], ["d"])
            .Node(Microsoft + "QLinearConcat", ["s", "z", "d", "s", "z", "a", "s", "z"], ["e"], OnnxBuilder.Int("axis", 2))
            .Node(Microsoft + "QLinearLeakyRelu", ["e", "s", "z", "s", "z"], ["f"], OnnxBuilder.Float("alpha", 0.1f))
            .Node(
                Microsoft + "QLinearAveragePool",
                ["f", "s", "z", "s", "z"],
                ["g"],
                OnnxBuilder.Ints("kernel_shape", 2, 2),
                OnnxBuilder.Int("channels_last", 0))
            .Node(Microsoft + "QLinearGlobalAveragePool", ["g", "s", "z", "s", "z"], ["h"], OnnxBuilder.Int("channels_last", 0))
            .Node("Flatten", ["h"], ["i"])
            .Node(Microsoft + "QGemm", ["i", "s", "z", "m", "s", "mz", "c", "s", "z"], ["j"], OnnxBuilder.Float("alpha", 1))
            .Node(
                Microsoft + "QLinearSoftmax",
                ["j", "s", "z", "s", "z"],
                ["y"],
                OnnxBuilder.Int("axis", 1),
                OnnxBuilder.Int("opset", 13)));
        yield return Onnx("qlinear-moves", Bytes().Constant("t", [true, false], 2, 1, 1, 1).Output("y", "v")
            .Node(Microsoft + "NhwcMaxPool", ["x"], ["a"], OnnxBuilder.Ints("kernel_shape", 2, 2))
            .Node(Microsoft + "QLinearSigmoid", ["a", "s", "z", "s", "z"], ["b"])
            .Node(Microsoft + "QLinearWhere", ["t", "a", "s", "z", "b", "s", "z", "s", "z"], ["d"])
            .Node(
                Microsoft + "QLinearReduceMean",
                ["d", "s", "z", "s", "z"],
                ["y"],
                OnnxBuilder.Ints("axes", 1, 2),
                OnnxBuilder.Int("keepdims", 0))
            .Node("QLinearMatMul", ["x", "s", "z", "m", "s", "mz", "s", "z"], ["v"]));
        yield return Onnx("dynamic", Bytes().Input("f", "1", "4", "5", "6").Constant("bias", new float[6], 6, 1, 1).Output("y", "v", "u")
            .Node("DynamicQuantizeLinear", ["f"], ["q", "qs", "qz"])
            .Node("ConvInteger", ["q", "w", "qz", "wz"], ["a"], OnnxBuilder.Ints("pads", 1, 1, 1, 1), OnnxBuilder.Ints("strides", 2, 1))
            .Node("Cast", ["a"], ["b"], OnnxBuilder.Int("to", 1))
            .Node("Mul", ["b", "qs"], ["d"])
            .Node("Add", ["d", "bias"], ["y"])
            .Node("MatMulInteger", ["q", "m", "qz", "mz"], ["v"])
            .Node(Microsoft + "DynamicQuantizeMatMul", ["f", "m", "s", "mz"], ["u"]));
        yield return Onnx("fused", new OnnxBuilder().Input("x", "1", "2", "4", "4").Output("y")
            .Constant("w", new float[2 * 2 * 9], 2, 2, 3, 3)
            .Node(
                Microsoft + "FusedConv",
                ["x", "w", "", "x"],
                ["a"],
                OnnxBuilder.Text("activation", "Relu"),
                OnnxBuilder.Ints("pads", 1, 1, 1, 1))
            .Node(Microsoft + "FusedMatMul", ["a", "x"], ["b"], OnnxBuilder.Int("transA", 1), OnnxBuilder.Float("alpha", 0.5f))
            .Node(Microsoft + "QuickGelu", ["b"], ["c"])
            .Node(Microsoft + "FastGelu", ["c"], ["y"]));
    }

    private static FuzzSeed Onnx(string name, OnnxBuilder model) => new("nodes/" + name, model.Model.ToByteArray());

    private static IEnumerable<FuzzSeed> TFLite()
    {
        foreach (var element in new[] { ElementType.Float32, ElementType.Int8, ElementType.UInt8 })
        {
            yield return Convolutions(element);
            yield return Layers(element);
            yield return Shapes(element);
            yield return Functions(element);
            yield return Blocks(element);
        }

        yield return FuzzTFLiteFiles.Stream();
        yield return FuzzTFLiteFiles.Detector();
        yield return FuzzTFLiteFiles.Segmenter();
        yield return FuzzTFLiteFiles.Sparse();
        yield return FuzzTFLiteFiles.Wide();
    }

    private static FuzzSeed Functions(ElementType element)
    {
        var f = new FuzzTFLite(element);
        var x = f.Input(2, 3, 4);
        var absolute = f.Call(BuiltinOperator.ABS, [x], [2, 3, 4], 78, []);
        var root = f.Call(BuiltinOperator.SQRT, [absolute], [2, 3, 4], 0, []);
        var quotient = f.Call(BuiltinOperator.DIV, [root, f.Input(3, 1)], [2, 3, 4], 29, []);
        var difference = f.Call(BuiltinOperator.SQUARED_DIFFERENCE, [quotient, x], [2, 3, 4], 76, []);
        var largest = f.Call(BuiltinOperator.MAXIMUM, [difference, x], [2, 3, 4], 39, []);
        var product = f.Call(BuiltinOperator.BATCH_MATMUL, [largest, f.Input(4, 5)], [2, 3, 5], 101, []);
        var sum = f.Call(BuiltinOperator.SUM, [product, f.Integers(1)], [2, 5], 27, []);
        var tiled = f.Call(BuiltinOperator.TILE, [sum, f.Integers(2, 1)], [4, 5], 51, []);
        var gelu = f.Call(BuiltinOperator.GELU, [tiled], [4, 5], 116, []);
        return f.Seed("functions", gelu, f.Call(BuiltinOperator.REVERSE_V2, [x, f.Integers(1)], [2, 3, 4], 81, []));
    }

    private static FuzzSeed Blocks(ElementType element)
    {
        var f = new FuzzTFLite(element);
        var x = f.Input(1, 6, 6, 2);
        var cut = f.Call(
            BuiltinOperator.SPACE_TO_BATCH_ND, [x, f.Integers(2, 2), f.Table([2, 2], 2, 2, 2, 2)], [4, 5, 5, 2], 25, []);
        var conv = f.Call(
            BuiltinOperator.CONV_2D,
            [cut, f.Weights(4, 3, 3, 2), f.Bias(4)],
            [4, 3, 3, 4],
            1,
            new() { [0] = (byte)1, [1] = 1, [2] = 1 });
        var whole = f.Call(
            BuiltinOperator.BATCH_TO_SPACE_ND, [conv, f.Integers(2, 2), f.Table([2, 2], 0, 0, 0, 1)], [1, 6, 5, 4], 24, []);
        var deep = f.Call(BuiltinOperator.SPACE_TO_DEPTH, [x], [1, 3, 3, 8], 19, new() { [0] = 2 });
        return f.Seed("blocks", whole, f.Call(BuiltinOperator.DEPTH_TO_SPACE, [deep], [1, 6, 6, 2], 94, new() { [0] = 2 }));
    }

    private static FuzzSeed Convolutions(ElementType element)
    {
        var f = new FuzzTFLite(element);
        var x = f.Input(1, 7, 6, 3);
        var conv = f.Call(
            BuiltinOperator.CONV_2D,
            [x, f.Weights(4, 3, 3, 3), f.Bias(4)],
            [1, 4, 3, 4],
            1,
            new() { [0] = (byte)0, [1] = 2, [2] = 2, [3] = (byte)1 });
        var depthwise = f.Call(
            BuiltinOperator.DEPTHWISE_CONV_2D,
            [conv, f.Weights(1, 3, 3, 8), f.Bias(8)],
            [1, 4, 3, 8],
            2,
            new() { [0] = (byte)0, [1] = 1, [2] = 1, [3] = 2 });
        var up = f.Call(
            BuiltinOperator.TRANSPOSE_CONV,
            [f.Integers(1, 8, 6, 2), f.Weights(2, 2, 2, 8), depthwise],
            [1, 8, 6, 2],
            49,
            new() { [0] = (byte)0, [1] = 2, [2] = 2 });
        var pooled = f.Call(
            BuiltinOperator.AVERAGE_POOL_2D, [up], [1, 4, 3, 2], 5, new() { [0] = (byte)1, [1] = 2, [2] = 2, [3] = 2, [4] = 2 });
        return f.Seed("convolutions", pooled);
    }

    private static FuzzSeed Layers(ElementType element)
    {
        var f = new FuzzTFLite(element);
        var x = f.Input(2, 4, 4, 2);
        var sum = f.Call(BuiltinOperator.ADD, [x, f.Input(4, 1, 2)], [2, 4, 4, 2], 11, new() { [0] = (byte)3 });
        var mean = f.Call(BuiltinOperator.MEAN, [sum, f.Integers(1, 2)], [2, 2], 27, []);
        var dense = f.Call(BuiltinOperator.FULLY_CONNECTED, [mean, f.Weights(5, 2), f.Bias(5)], [2, 5], 8, []);
        var act = f.Call(BuiltinOperator.LEAKY_RELU, [dense], [2, 5], 75, new() { [0] = 0.1f });
        var soft = f.Call(BuiltinOperator.SOFTMAX, [act], [2, 5], 9, new() { [0] = 1f });
        return f.Seed(
            "layers", soft, f.Call(BuiltinOperator.MAX_POOL_2D, [sum], [2, 2, 2, 2], 5, new() { [1] = 2, [2] = 2, [3] = 2, [4] = 2 }));
    }

    private static FuzzSeed Shapes(ElementType element)
    {
        var f = new FuzzTFLite(element);
        var x = f.Input(2, 3, 4);
        var slice = f.Call(
            BuiltinOperator.STRIDED_SLICE, [x, f.Integers(0, 1, 0), f.Integers(2, 3, 4), f.Integers(1, 1, 2)], [2, 2, 2], 32, []);
        var pad = f.Call(BuiltinOperator.PAD, [slice, f.Table([3, 2], 1, 0, 0, 0, 0, 1)], [3, 2, 3], 22, []);
        var gather = f.Call(BuiltinOperator.GATHER, [pad, f.Integers(1, 0)], [2, 2, 3], 23, []);
        var concat = f.Call(BuiltinOperator.CONCATENATION, [gather, gather], [2, 4, 3], 10, new() { [0] = 1 });
        var turned = f.Call(BuiltinOperator.TRANSPOSE, [concat, f.Integers(2, 0, 1)], [3, 2, 4], 26, []);
        var image = f.Call(
            BuiltinOperator.RESHAPE, [turned, f.Integers(1, 3, 2, 4)], [1, 3, 2, 4], 17, new() { [0] = new[] { 1, 3, 2, 4 } });
        var resized = f.Call(BuiltinOperator.RESIZE_BILINEAR, [image, f.Integers(5, 4)], [1, 5, 4, 4], 15, []);
        return f.Seed("shapes", resized, f.Call(BuiltinOperator.SLICE, [x, f.Integers(0, 1, 0), f.Integers(-1, 1, 2)], [2, 1, 2], 14, []));
    }
}
