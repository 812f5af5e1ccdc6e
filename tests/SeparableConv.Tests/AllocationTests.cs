using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SeparableConv;
using SeparableConv.Imaging;
using SeparableConv.Loops;
using SeparableConv.Tests.Filtering;
using SeparableConv.Tests.Loops.Quantized;
using SeparableConv.Tests.Networks.Formats;
using SeparableConv.Tests.Networks.Inference;
using SeparableConv.Tests.Networks.Operators;

namespace SeparableConv.Tests;

/// <summary>Calls that are repeated allocate nothing, on any thread.</summary>
[Collection(QuietCollection.Name)]
public sealed unsafe class AllocationTests
{
    // Pinned, and as large as any loop here asks for.
    private static readonly float[] Input = GC.AllocateArray<float>(1 << 17, pinned: true);
    private static readonly float[] Output = GC.AllocateArray<float>(1 << 17, pinned: true);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Convolutions_allocate_nothing(int threads)
    {
        var g = ConvGeometry.Create(1, (20, 20), 16, 32, 3, 1, 1, Padding.Same);
        var input = Tensor(20 * 20 * 16, 1, 20, 20, 16);
        var options = new ConvOptions { Padding = Padding.Same, Activation = Activation.HardSwish };
        var execution = new ExecutionOptions { Threads = threads };
        var (depthwise, pointwise) = (Tensor(9 * 16, 3, 3, 16, 1), Tensor(16 * 32, 1, 1, 16, 32));
        Convolution[] forms =
        [
            new Conv2D(Tensor(9 * 16 * 32, 3, 3, 16, 32), default, options, execution),
            new DepthwiseConv2D(depthwise, default, options, execution),
            new PointwiseConv2D(pointwise, execution: execution),
            new SeparableConv2D(depthwise, pointwise, default, options, execution),
            new SeparableConv2D(depthwise, pointwise, default, options, execution) { Fused = false },
            SpatiallySeparableConv2D.PerChannel(Tensor(48, 3, 16), Tensor(48, 3, 16), default, options, execution),
        ];
        Allocations.AreNone([.. forms.Select((form, i) => ($"form {i}, {form.GetType().Name}", Run(form)))]);

        Action Run(Convolution form)
        {
            var output = System.Numerics.Tensors.Tensor.CreateFromShape<float>(form.OutputShape(input.Lengths));
            return () => form.Run(input, output);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Filters_allocate_nothing(int threads)
    {
        var cases = new List<(string, Action)>();
        foreach (var plan in new[] { FilterPlanChoice.Dense, FilterPlanChoice.Separable })
        {
            Add(plan, ElementType.UInt8, (byte)1);
            Add(plan, ElementType.UInt16, (ushort)1);
            Add(plan, ElementType.Float32, 1f);
        }

        Allocations.AreNone([.. cases]);

        void Add<T>(FilterPlanChoice plan, ElementType type, T pixel)
            where T : unmanaged
        {
            var sobel = FilterKernel.OuterProduct([1, 2, 1], [-1, 0, 1], "sobel-x");
            var filter = ImageFilter.Create(sobel, new ImageShape(96, 120, 3, type), new FilterOptions { Plan = plan, Threads = threads });
            var (input, output) = (new T[96 * 120 * 3], new T[96 * 120 * 3]);
            Array.Fill(input, pixel);
            cases.Add(($"{plan} of {type}", () => filter.Run(
                new ReadOnlyTensorSpan<T>(input, [96, 120, 3]), new TensorSpan<T>(output, [96, 120, 3]))));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Pictures_allocate_nothing(int threads)
    {
        var picture = Image.Create(120, 96, 3, new byte[120 * 96 * 3]);
        var result = Image.Create(120, 96, 3, new byte[120 * 96 * 3]);
        var region = new byte[30 * 40 * 3];
        var cases = new List<(string, Action)>();
        foreach (var plan in new[] { FilterPlanChoice.Dense, FilterPlanChoice.Separable })
        {
            var filter = ImageFilter.Create(KernelLibrary.Gauss(5), picture.Shape, new FilterOptions { Plan = plan, Threads = threads });
            cases.Add(($"{plan}, picture", () => picture.FilterInto(filter, result)));
            cases.Add(($"{plan}, in place", () => result.FilterInPlace(filter)));
            cases.Add(($"{plan}, region", () => filter.Run(
                picture.AsTensor(), new ImageRegion(7, 9, 40, 30), new TensorSpan<byte>(region, [30, 40, 3]))));
        }

        var net = new NetworkBuilder();
        var x = net.Input(new(8, 8, 3));
        var network = net.Build(net.Dense(net.GlobalAveragePooling2D(x), 5, Activation.Softmax));
        var transform = new PictureTransform(network.Inputs[0]);
        var memory = new byte[8 * 8 * 3 * sizeof(float)];
        var classifier = new PictureClassifier(network, options: new() { Threads = threads });
        var best = new ClassScore[2];
        cases.Add(("a picture made a tensor", () => transform.Write(picture, memory)));
        cases.Add(("a picture classified", () => classifier.Classify(picture, best)));
        Allocations.AreNone([.. cases]);
        classifier.Dispose();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Loops_of_floats_allocate_nothing(int threads)
    {
        var (x, y) = (Pointer(Input), Pointer(Output));
        var cases = new List<(string, Action)>();
        foreach (var (size, channels, multiplier) in new[] { (3, 64, 1), (4, 64, 1), (3, 2, 4) })
        {
            var g = ConvGeometry.Create(1, 20, channels, channels * multiplier, size, 1, 1, Padding.Same, channels);
            var weights = RandomData.Floats(size * size * g.OutChannels, 2);
            var loop = new DepthwiseLoop(weights, size, channels, multiplier, [], Activation.Tanh, SimdWidths.Best);
            cases.Add(($"depthwise {g}", () => loop.Run((float*)x, (float*)y, g, threads)));
        }

        int[] sources = [.. Enumerable.Range(0, 64).SelectMany(c => Enumerable.Repeat(c, c % 4))];
        foreach (var map in new[] { DepthwiseMap.Uniform(64, 2), new(64, sources), new(3, [2, 0, 2, 1]) })
        {
            foreach (var size in new[] { 3, 4, 7 })
            {
                var g = ConvGeometry.Create(1, 20, map.InChannels, map.OutChannels, size, 1, 1, Padding.Same);
                var weights = RandomData.Floats(size * size * g.OutChannels, 2);
                var loop = new DepthwiseLoop(weights, size, map, [], Activation.Tanh, SimdWidths.Best);
                cases.Add(($"mapped depthwise {g}", () => loop.Run((float*)x, (float*)y, g, threads)));
            }
        }

        foreach (var (height, width, inChannels, outChannels) in new[] { (61, 43, 19, 35), (14, 11, 33, 256), (7, 7, 64, 96) })
        {
            var g = ConvGeometry.Create(1, (height, width), inChannels, outChannels, 3, 1, 1, Padding.Same);
            var loop = new WinogradLoop(
                RandomData.Floats(9 * inChannels * outChannels, 2), inChannels, outChannels, [], Activation.ReLU, SimdWidths.Best);
            cases.Add(($"Winograd {g}", () => loop.Run((float*)x, (float*)y, g, threads)));
        }

        Allocations.AreNone([.. cases]);
    }

    /// <summary>Weights and right sides that each run is given anew.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Weights_of_a_run_allocate_nothing(int threads)
    {
        var cases = new List<(string, Action)>();
        var sessions = new List<InferenceSession>();
        Add(new Conv2DOperator(new() { Padding = Padding.Same }), [1, 9, 9, 16], [3, 3, 16, 80], [80]);
        Add(new Conv2DOperator(new()), [1, 9, 9, 64], [1, 1, 64, 3], [3]);
        Add(new DepthwiseConv2DOperator(new()), [1, 9, 9, 20], [3, 3, 20, 1], [20]);
        Add(new ConvTranspose2DOperator(2, 1, 0, 0, 0, 0, 0, 1, Activation.Sigmoid), [1, 9, 9, 20], [2, 2, 20, 3], [3]);
        Add(new MatMulOperator(), [2, 40, 30], [2, 30, 50]);
        Allocations.AreNone([.. cases]);
        foreach (var session in sessions)
            session.Dispose();

        void Add(Operator op, params int[][] shapes)
        {
            var graph = new GraphBuilder();
            var types = shapes.Select(shape => new TensorType(ElementType.Float32, new TensorShape(shape)));
            var output = graph.Add("op", op, [.. types.Select((type, i) => graph.Input($"x{i}", type))]);
            var session = new InferenceSession(graph.Build("one", output), new() { Threads = threads });
            sessions.Add(session);
            cases.Add(($"{op.Kind} with {new TensorShape(shapes[1])}", session.Run));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Loops_of_bytes_allocate_nothing(int threads)
    {
        var (x, y) = (Pointer(Input), Pointer(Output));
        var cases = new List<(string, Action)>();
        foreach (var size in new[] { 1, 3 })
        {
            var g = ConvGeometry.Create(1, 20, 16, 40, size, 1, 1, Padding.Same);
            var loop = new QuantizedConvLoop(new QuantizedCase(g, isDepthwise: false, 1).Layer, size, 16, 40, 1, SimdWidths.Best);
            cases.Add(($"standard {g}", () => loop.Run((byte*)x, (byte*)y, g, threads)));
        }

        foreach (var (channels, multiplier, size) in new[] { (3, 1, 3), (64, 1, 3), (16, 2, 3), (64, 1, 7) })
        {
            var g = ConvGeometry.Create(1, 20, channels, channels * multiplier, size, 1, 1, Padding.Same, channels);
            var loop = new QuantizedDepthwiseLoop(new QuantizedCase(g, isDepthwise: true, 1).Layer, g, SimdWidths.Best);
            cases.Add(($"depthwise {g}", () => loop.Run((byte*)x, (byte*)y, threads)));
        }

        Allocations.AreNone([.. cases]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Operators_allocate_nothing(int threads)
    {
        var image = OperatorRun.Floats(1, 2, 12, 10, 8);
        var matrix = OperatorRun.Floats(2, 8, 8);
        var vector = OperatorRun.Floats(3, 8);
        (Operator Operator, TensorData[] Inputs)[] cases =
        [
            (new TransposeOperator([0, 3, 1, 2]), [image]),
            (new TransposeOperator([3, 1, 2, 0]), [image]),
            (new ReshapeOperator(new TensorShape(24, 80)), [image]),
            (new IdentityOperator(), [image]),
            (new SplitOperator(3, [3, 1, 0, 4]), [image]),
            (new ConcatOperator(1), [image, image]),
            (new SliceOperator([0, 1, 9, 0], [1, 2, -3, 1], [2, 5, 3, 8]), [image]),
            (new TileOperator([1, 2, 1, 3]), [image]),
            (new ExpandOperator(new TensorShape(3, 8)), [vector]),
            (new PadOperator([0, 1, 1, 0], [0, 1, 2, 0], PadMode.Constant, 0), [image]),
            (new PadOperator([0, 1, 1, 0], [0, 1, 2, 0], PadMode.Reflect, 0), [image]),
            (new GatherOperator(1), [image, TensorData.Create([3L, 0, -1], 3)]),
            (new GatherNDOperator(1), [image, TensorData.Create([3L, 0, -1, 2], 2, 1, 2)]),
            (new GatherElementsOperator(1), [matrix, OperatorRun.Wholes<long>(4, 0, 7, 8, 8)]),
            (new ScatterNDOperator(ScatterReduction.Add), [matrix, TensorData.Create([3L, 0, -1, 2], 4, 1), OperatorRun.Floats(4, 4, 8)]),
            (new ScatterElementsOperator(1, ScatterReduction.None), [matrix, OperatorRun.Wholes<long>(4, 0, 7, 8, 8), matrix]),
            (new CumulativeSumOperator(1, exclusive: false, reverse: true), [image]),
            (new TopKOperator(3, 3, largest: true), [image]),
            (new LayerNormalizationOperator(-1, 1e-5f), [image, vector, vector]),
            (new LocalResponseNormalizationOperator(2, 2, 1e-4f, 0.75f, 1), [image]),
            (new GridSampleOperator(ResizeMode.Cubic, GridPadding.Reflection, false), [image, OperatorRun.Floats(5, 2, 4, 3, 2)]),
            (
                new RoiAlignOperator((3, 3), 0, 1, halfPixel: true, largest: false),
                [image, TensorData.Create([1f, 1, 5, 6], 1, 4), TensorData.Create([1L], 1)]),
            (
                new MaxUnpoolOperator(new TensorShape(16, 8), new TensorShape(17, 9)),
                [matrix, TensorData.Create([.. Enumerable.Range(0, 64).Select(i => (long)i * 2)], 8, 8)]),
            (
                new ResizeOperator(ResizeMode.Linear, 17, 23, null, null, CoordinateMode.HalfPixel),
                [OperatorRun.Wholes<byte>(5, 0, 255, 2, 12, 10, 8)]),
            (new WhereOperator(), [TensorData.Create([true, false, true, false, true, false, true, false], 8), matrix, vector]),
            (new CastOperator(ElementType.Int8), [image]),
            (new DepthToSpaceOperator(2, columnRowDepth: false), [image]),
            (new SpaceToDepthOperator(2), [image]),
            (new ResizeOperator(ResizeMode.Linear, 17, 23, null, null, CoordinateMode.HalfPixel), [image]),
            (
                new ResizeOperator(
                    ResizeMode.Linear, 5, 4, null, null, CoordinateMode.HalfPixel, kernel: new(ResizeMode.Linear, true, true)),
                [image]),
            (new ResizeOperator(ResizeMode.Nearest, 17, 23, null, null, CoordinateMode.HalfPixel), [image]),
            (new BinaryOperator(BinaryKind.Add, Activation.ReLU6), [image, vector]),
            (new BinaryOperator(BinaryKind.Less, Activation.None), [image, image]),
            (new UnaryOperator(UnaryKind.Exp), [image]),
            (new UnaryOperator(UnaryKind.Erf), [image]),
            (new ActivationOperator(Activation.HardSwish), [image]),
            (new ActivationOperator(Activation.GELU), [image]),
            (new PReluOperator(), [image, vector]),
            (new ClipOperator(-0.5, 0.5), [image]),
            (new SoftmaxOperator(3), [image]),
            (new SoftmaxOperator(1), [image]),
            (new SoftmaxOperator(3, logarithm: true), [image]),
            (new BatchNormalizationOperator(1e-3f), [image, vector, vector, vector, OperatorRun.Wholes<float>(4, 1, 3, 8)]),
            (new ReduceOperator(ReduceKind.Mean, [1, 2], keepDimensions: true), [image]),
            (new ReduceOperator(ReduceKind.Max, [3], keepDimensions: false), [image]),
            (new ArgExtremeOperator(true, 3, keepDimensions: false, ElementType.Int64), [image]),
            (new Pool2DOperator(PoolKind.Average, 3, 2, 1, Padding.Same, false, false, Activation.None), [image]),
            (
                new Pool2DOperator(PoolKind.Max, 3, 2, 1, Padding.Same, false, false, Activation.None),
                [OperatorRun.Wholes<byte>(5, 0, 255, 2, 12, 10, 8)]),
            (new MaxPoolWithIndicesOperator(3, 2, 1, Padding.Same, false, false), [image]),
            (new GlobalPoolOperator(PoolKind.Average), [image]),
            (new DenseOperator(Activation.Softmax), [matrix, matrix]),
            (new MatMulOperator(), [matrix, matrix]),
            (new GemmOperator(2, 1, transposeA: true, transposeB: false), [matrix, matrix, vector]),
            (new QuantizeLinearOperator(ElementType.UInt8, 1), [matrix, TensorData.Create([0.5f]), TensorData.Create([(byte)128])]),
            (new DynamicQuantizeLinearOperator(), [image]),
            (new ScaledSumsOperator(Activation.ReLU), [OperatorRun.Wholes<int>(1, -99, 99, 5, 8), vector, vector]),
        ];
        Check(cases.Select((one, i) =>
        {
            var graph = new GraphBuilder();
            var node = graph.AddNode("op", one.Operator, [.. one.Inputs.Select((data, input) => graph.Input($"x{input}", data.Type))]);
            var session = new InferenceSession(graph.Build("one", [.. node.Outputs]), new() { Threads = threads });
            for (var input = 0; input < one.Inputs.Length; input++)
                one.Inputs[input].Bytes.CopyTo(session.InputBytes(input));
            return ($"{one.Operator.Kind}, operator {i}", session);
        }));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Networks_allocate_nothing(int threads)
    {
        var g = new GraphSketch();
        var x = g.Input(1, 14, 14, 32);
        for (var i = 0; i < 3; i++)
        {
            x = g.Depthwise(x, 3, 1, new() { Padding = Padding.Same, Activation = Activation.ReLU6 });
            x = g.Conv(g.Conv(x, 1, 32, new() { Activation = Activation.Tanh }), 3, 32, new() { Padding = Padding.Same });
        }

        var q = new QdqBuilder(1, exact: true, signed: true);
        var y = q.Through(q.Node("Relu", [q.Conv(q.Input("x", 1, 3, 16, 16), 16, 3, kernel: 3, stride: 2)]), 1f / 32);
        y = q.Through(q.Conv(q.Through(q.Conv(y, 16, 16, groups: 16, kernel: 3), 1f / 32), 24, 16), 1f / 16);
        var options = new CompileOptions { Threads = threads };
        Check([("floats", new(g.Build(x), options)), ("bytes", new(q.Read(y.X), options))]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Networks_of_bytes_allocate_nothing(int threads)
    {
        var builder = new OnnxBuilder().Input("x", "1", "8", "9", "7").Output("y", "z")
            .Constant("w", new sbyte[8 * 8 * 9], 8, 8, 3, 3).Constant("d", new sbyte[8 * 9], 8, 1, 3, 3)
            .Constant("m", new sbyte[7 * 5], 7, 5).Constant("s", [0.5f]).Constant("u", [(byte)3])
            .Node("DynamicQuantizeLinear", ["x"], ["q", "qs", "qz"])
            .Node("ConvInteger", ["q", "w", "qz"], ["a"], OnnxBuilder.Ints("pads", 1, 1, 1, 1))
            .Node("ConvInteger", ["q", "d", "qz"], ["b"], OnnxBuilder.Int("group", 8), OnnxBuilder.Ints("pads", 1, 1, 1, 1))
            .Node("Add", ["a", "b"], ["c"]).Node("MatMulInteger", ["q", "m", "qz"], ["z"])
            .Node("com.microsoft.QLinearAdd", ["q", "s", "u", "q", "s", "u", "s", "u"], ["e"])
            .Node("com.microsoft.QLinearMul", ["e", "s", "u", "q", "s", "u", "s", "u"], ["f"])
            .Node("Cast", ["f"], ["g"], OnnxBuilder.Int("to", 6)).Node("Add", ["c", "g"], ["y"]);
        Check([("bytes", new InferenceSession(builder.Read(), new() { Threads = threads }))]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Real_models_allocate_nothing(int threads)
    {
        string[] names =
            ["mobilenet_v1_0.25_128_uint8", "kws_ref_model_int8", "person_detect_int8", "resnet8_float", "resnet8_int8", "vww_96_float"];
        Check(names.Select(name =>
        {
            var network = TFLiteReader.Read(TestFiles.Shared("models", name + ".tflite"));
            return (name, new InferenceSession(network, new() { Threads = threads }));
        }));
    }

    private static void Check(IEnumerable<(string What, InferenceSession Session)> sessions)
    {
        var all = sessions.ToArray();
        Allocations.AreNone([.. all.Select(one => (one.What, (Action)one.Session.Run))]);
        foreach (var (_, session) in all)
            session.Dispose();
    }

    private static nint Pointer(float[] pinned) => (nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(pinned));

    private static Tensor<float> Tensor(int count, params ReadOnlySpan<nint> lengths) =>
        System.Numerics.Tensors.Tensor.Create(RandomData.Floats(count, count), lengths);
}
