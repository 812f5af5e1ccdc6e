using SeparableConv.Loops;
using SeparableConv.Tests.Loops.Quantized;

namespace SeparableConv.Tests.Networks.Operators;

public sealed class QuantizedLayerOperatorTests
{
    [Fact]
    public void A_small_convolution_worked_out_by_hand()
    {
        // Real input (1, 2) * 0.5 = zero point 3; weights 2 and -1; bias 4: sum = (5-3)*2 + (7-3)*-1 + 4 = 4; 4 * 0.5*0.25/0.125 = 4.
        var graph = new GraphBuilder();
        var x = graph.Input("x", new(ElementType.Int8, new(1, 1, 1, 2), new(0.5f, 3)));
        var w = Quantized([2, -1], new(0.25f, 0), 1, 1, 2, 1);
        var b = TensorData.Create([4], 1);
        var y = graph.Add(
            "conv",
            new QuantizedConv2DOperator(new(), ElementType.Int8, new(0.125f, -10), -128, 127, Requantization.FixedPoint),
            x,
            graph.Constant("w", w),
            graph.Constant("b", b));
        Assert.Equal(-10, y.Type.Quantization!.ZeroPoint);
        using var session = new InferenceSession(graph.Build("n", y));
        session.Input<sbyte>(0)[[0, 0, 0, 0]] = 5;
        session.Input<sbyte>(0)[[0, 0, 0, 1]] = 7;
        session.Run();
        Assert.Equal(-6, session.Output<sbyte>(0)[[0, 0, 0, 0]]);
    }

    public static TheoryData<string, ElementType, bool> Layers()
    {
        var layers = new TheoryData<string, ElementType, bool>();
        foreach (var kind in new[] { "conv", "depthwise", "dense" })
        {
            foreach (var element in new[] { ElementType.Int8, ElementType.UInt8 })
            {
                layers.Add(kind, element, true);
                layers.Add(kind, element, false);
            }
        }

        return layers;
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void A_layer_gives_what_plain_loops_give_with_and_without_preparation(string kind, ElementType element, bool isFixedPoint)
    {
        var rounding = isFixedPoint ? Requantization.FixedPoint : Requantization.Float;
        var random = new Random(7);
        var (least, most) = element == ElementType.Int8 ? (-128, 127) : (0, 255);
        var perChannel = element == ElementType.Int8 && kind != "dense";
        var scales = Enumerable.Range(0, perChannel ? 12 : 1).Select(_ => 0.01f + (0.01f * random.NextSingle())).ToArray();
        var zeroPoint = element == ElementType.Int8 ? 0 : 117;
        var weightQuantization = new Quantization(scales, Enumerable.Repeat(zeroPoint, scales.Length).ToArray(), 3);
        int[] shape = kind switch { "conv" => [3, 3, 3, 12], "depthwise" => [3, 3, 6, 2], _ => [6, 12] };
        var weights = Quantized(RandomBytes(random, shape.Aggregate((a, b) => a * b), element), weightQuantization, element, shape);
        var bias = Enumerable.Range(0, 12).Select(_ => random.Next(-3000, 3000)).ToArray();
        var inputType = new TensorType(element, kind == "dense" ? new(2, 4, 6) : new(1, 8, 7, 6), new(0.02f, least + 9));
        var input = new TensorData(inputType, RandomBytes(random, (int)inputType.Shape.ElementCount, element));
        var output = new Quantization(0.11f, least + 100);
        var options = new ConvOptions { Padding = Padding.Same, Stride = 2, Groups = kind == "conv" ? 2 : 1 };
        QuantizedLayerOperator op = kind switch
        {
            "conv" => new QuantizedConv2DOperator(options, element, output, least, most, rounding),
            "depthwise" => new QuantizedDepthwiseConv2DOperator(options, element, output, least, most, rounding),
            _ => new QuantizedDenseOperator(element, output, least, most, rounding),
        };

        var bare = Evaluator.Run(op, input, weights, TensorData.Create(bias, 12))[0];
        Assert.Equal(Plain(kind, options, rounding, output, input, weights, bias), bare.Bytes.ToArray());

        var graph = new GraphBuilder();
        var x = graph.Input("x", input.Type);
        var y = graph.Add("y", op, x, graph.Constant("w", weights), graph.Constant("b", TensorData.Create(bias, 12)));
        using var session = new InferenceSession(graph.Build("n", y), new() { Threads = 2 });
        input.Bytes.CopyTo(session.InputBytes(0));
        session.Run();
        Assert.Equal(bare.Bytes.ToArray(), session.OutputBytes(0).ToArray());
    }

    [Fact]
    public void What_does_not_fit_is_refused_in_one_line()
    {
        var x = new TensorType(ElementType.Int8, new(1, 4, 4, 2), new(0.5f, 3));
        var w = new TensorType(ElementType.Int8, new(1, 1, 2, 8), new(0.25f, 0));
        Assert.Equal(
            "The input is int8 (1,4,4,2) without a scale; expected quantized int8 or uint8.", Message(x with { Quantization = null }, w));
        Assert.Equal(
            "The weight tensor is int16 (1,1,2,8); expected quantized int8 or uint8.", Message(x, w with { Element = ElementType.Int16 }));
        Assert.Equal(
            "The weight tensor has 3 scales; expected one, or one for each of 8 channels.",
            Message(x, w with { Quantization = new([1, 1, 1], [0, 0, 0], 3) }));
        Assert.Equal(
            "The input has zero point 200; expected -128 .. 127, as its elements are int8.",
            Message(x with { Quantization = new(1, 200) }, w));
        Assert.Equal("The output is clamped to 0 .. 255; expected a range inside -128 .. 127.", Message(x, w, 0, 255));
        Assert.Contains("channels", Message(x with { Shape = new(1, 4, 4, 3) }, w), StringComparison.Ordinal);
    }

    private static string Message(TensorType x, TensorType w, int least = -128, int most = 127) => Assert.Throws<ArgumentException>(() =>
        new QuantizedConv2DOperator(new(), ElementType.Int8, new(1, 0), least, most, Requantization.FixedPoint).Infer([x, w])).Message;

    // What each runtime's own rule for the factor and plain loops give.
    private static byte[] Plain(
        string kind, ConvOptions options, Requantization rounding, Quantization output, TensorData input, TensorData weights, int[] bias)
    {
        var (x, w) = (input.Type, weights.Type);
        var isSigned = x.Element == ElementType.Int8;
        var isDepthwise = kind == "depthwise";
        var g = kind == "dense"
            ? ConvGeometry.Create(1, (1, 8), 6, 12, 1, 1, 1, Padding.Valid)
            : ConvGeometry.Create(1, (8, 7), 6, 12, 3, 2, 1, Padding.Same, isDepthwise ? 6 : 2);
        var layer = new QuantizedCase(g, isDepthwise, 0)
        {
            InputLayer = new(isSigned, x.Quantization!.ZeroPoint),
            Input = input.Bytes.ToArray(),
            Weights = Array.ConvertAll(weights.Bytes.ToArray(), b => (short)((isSigned ? (sbyte)b : (int)b) - w.Quantization!.ZeroPoint)),
            Bias = bias,
            Factors = Array.ConvertAll(w.Quantization!.Scales.ToArray(), scale =>
            {
                var product = (float)(x.Quantization.Scale * scale);
                if (rounding == Requantization.Float)
                    return (float)(product / output.Scale);
                return kind == "dense" ? product / (double)output.Scale : (double)x.Quantization.Scale * scale / output.Scale;
            }),
            Output = new(rounding, isSigned, output.ZeroPoint, isSigned ? -128 : 0, isSigned ? 127 : 255),
        };
        return layer.Expected();
    }

    private static TensorData Quantized(sbyte[] values, Quantization quantization, params int[] shape) =>
        Quantized(values, quantization, ElementType.Int8, shape);

    private static TensorData Quantized(Array values, Quantization quantization, ElementType element, int[] shape) =>
        new(new(element, new(shape), quantization), values);

    private static Array RandomBytes(Random random, int count, ElementType element)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return element == ElementType.UInt8 ? bytes : Array.ConvertAll(bytes, b => (sbyte)b);
    }
}
