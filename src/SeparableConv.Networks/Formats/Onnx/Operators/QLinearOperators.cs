using static SeparableConv.Networks.Formats.Onnx.OnnxOutput;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>
/// Operators on quantized tensors of ONNX Runtime's domain, com.microsoft: QLinearAdd and QLinearMul, which have an operator of their own
/// here, QLinearConcat, QLinearGlobalAveragePool and others. Most dequantize, compute and quantize; the network says so, and the passes
/// make integer layers of it.
/// </summary>
internal static class QLinearOperators
{
    // More ones than these, for a mean, are out of proportion.
    private const long MostTaps = 1 << 22;

    /// <summary>The sum of two tensors that broadcast; each, and the result, has a scale and a zero point behind it.</summary>
    public static void ReadAdd(OnnxGraph graph, OnnxNode node) => ReadBinary(graph, node, isProduct: false);

    /// <summary>The product; inputs as <see cref="ReadAdd"/>.</summary>
    public static void ReadMul(OnnxGraph graph, OnnxNode node) => ReadBinary(graph, node, isProduct: true);

    /// <summary>Sums and products are written in the domain com.microsoft: nothing of ONNX's own rounds them so.</summary>
    public static void WriteBinary(OnnxOutput output, Node node)
    {
        var op = (QLinearBinaryOperator)node.Operator;
        output.Broadcast(node, names =>
        {
            string[] Operand(int index) =>
            [
                names[index],
                QuantizedConstants.Scale(output, $"{node.Name}/{"ab"[index]}_scale", node.Inputs[index]!.Type),
                QuantizedConstants.ZeroPoint(output, $"{node.Name}/{"ab"[index]}_zero_point", node.Inputs[index]!.Type),
            ];
            string[] inputs =
            [
                .. Operand(0), .. Operand(1),
                QuantizedConstants.Scale(output, $"{node.Name}/c_scale", node.Outputs[0].Type),
                QuantizedConstants.ZeroPoint(output, $"{node.Name}/c_zero_point", node.Outputs[0].Type),
            ];
            return output.Node(OnnxOperators.Microsoft(op.IsProduct ? "QLinearMul" : "QLinearAdd"), node.Name, inputs);
        });
    }

    public static void ReadLeakyRelu(OnnxGraph graph, OnnxNode node) => ReadUnary(graph, node, "LeakyRelu");

    public static void ReadSigmoid(OnnxGraph graph, OnnxNode node) => ReadUnary(graph, node, "Sigmoid");

    public static void ReadReduceMean(OnnxGraph graph, OnnxNode node) => ReadUnary(graph, node, "ReduceMean");

    /// <summary>The attribute opset says whose Softmax it is.</summary>
    public static void ReadSoftmax(OnnxGraph graph, OnnxNode node)
    {
        var part = node.Part("Softmax", Dequantized(graph, node, 0));
        NormalizationOperators.ReadSoftmax(graph, part, node.Int("opset", graph.Opset));
        Quantize(graph, node, part.Result!, 3);
    }

    /// <summary>A condition, two tensors, and the result's scale and zero point.</summary>
    public static void ReadWhere(OnnxGraph graph, OnnxNode node)
    {
        var (a, b) = (Dequantized(graph, node, 1), Dequantized(graph, node, 4));
        Quantize(graph, node, OnnxOperators.ReadPart(graph, node, "Where", graph.Input(node, 0), a, b), 7, graph.Input(node, 1).Element);
    }

    /// <summary>The result's scale and zero point, then three inputs for each piece.</summary>
    public static void ReadConcat(OnnxGraph graph, OnnxNode node)
    {
        if (node.InputCount < 5 || node.InputCount % 3 != 2)
            throw node.Error($"there are {node.InputCount} inputs; expected 2 for the output, and 3 for each piece");
        var pieces = new OnnxValue[node.InputCount / 3];
        for (var i = 0; i < pieces.Length; i++)
            pieces[i] = Dequantized(graph, node, 2 + (3 * i));
        Quantize(graph, node, OnnxOperators.ReadPart(graph, node, "Concat", pieces), 0, graph.Input(node, 2).Element);
    }

    /// <summary>y = saturate(round(mean / yScale + yZeroPoint)), the mean of dequantized numbers.</summary>
    public static void ReadAveragePool(OnnxGraph graph, OnnxNode node)
    {
        var last = node.Flag("channels_last", false);
        var x = Dequantized(graph, node, 0);
        var mean = OnnxOperators.ReadPart(graph, node, "AveragePool", last ? graph.FromLast(x) : x);
        var element = graph.Input(node, 0).Element;
        var output = QuantizedConstants.PerTensor(graph, node, 3, 4, "y", element);

        // The zero point is inside the rounding, where halves go to the even byte, not to the even distance from it.
        var steps = graph.Emit(
            $"{node.Name}/steps",
            new BinaryOperator(BinaryKind.Div, Activation.None),
            graph.ChannelsLast(mean),
            graph.Constant($"{node.Name}/scale", [output.Scale], 1));
        var shifted = graph.Emit(
            $"{node.Name}/shifted",
            new BinaryOperator(BinaryKind.Add, Activation.None),
            steps,
            graph.Constant($"{node.Name}/zero_point", [(float)output.ZeroPoint], 1));
        var y = graph.Emit(
            node.Name, new QuantizeLinearOperator(element, 0), shifted, graph.Constant($"{node.Name}/one", [1f], 1));
        Finish(graph, node, OnnxValue.Last(node.Name, y, mean.Rank), last);
    }

    /// <summary>
    /// y = saturate(round(sum * (xScale / (yScale*pixels))) + yZeroPoint), the sum exact: that of a depthwise convolution of ones.
    /// </summary>
    public static void ReadGlobalAveragePool(OnnxGraph graph, OnnxNode node)
    {
        var last = node.Flag("channels_last", false);
        var x = last ? graph.FromLast(graph.Image(node)) : graph.Image(node);
        var image = graph.ChannelsLast(x);
        var (taps, channels) = ((long)image.Shape[1] * image.Shape[2], image.Shape[3]);
        if (taps * channels is 0 or > MostTaps)
            throw node.Error($"the image is {x.Shape}; the mean of at most {MostTaps} numbers of one image is supported");
        var input = QuantizedConstants.PerTensor(graph, node, 1, 2, "x", x.Element);
        var output = QuantizedConstants.PerTensor(graph, node, 3, 4, "y", x.Element);
        var ones = new sbyte[taps * channels];
        ones.AsSpan().Fill(1);
        var weights = graph.Emit(
            $"{node.Name}/w",
            new QuantizationViewOperator(new Quantization(1, 0)),
            graph.Constant($"{node.Name}/ones", ones, image.Shape[1], image.Shape[2], channels, 1));
        var sums = graph.Emit(
            $"{node.Name}/sums",
            new IntegerConv2DOperator(ConvOptions.Default, isDepthwise: true),
            graph.Emit($"{node.Name}/x", new QuantizationViewOperator(new Quantization(1, input.ZeroPoint)), image),
            weights);
        var factor = graph.Constant($"{node.Name}/factor", [input.Scale / (output.Scale * taps)], 1);
        var y = QuantizedConstants.Requantized(graph, node, sums, factor, x.Element, output.ZeroPoint);
        Finish(graph, node, OnnxValue.Last(node.Name, y, x.Rank), last);
    }

    /// <summary>The largest of bytes, of images that have their channels last.</summary>
    public static void ReadNhwcMaxPool(OnnxGraph graph, OnnxNode node) =>
        Finish(graph, node, OnnxOperators.ReadPart(graph, node, "MaxPool", graph.FromLast(graph.Image(node))), last: true);

    private static void ReadBinary(OnnxGraph graph, OnnxNode node, bool isProduct)
    {
        var (a, b) = (graph.Input(node, 0), graph.Input(node, 3));
        var first = QuantizedConstants.PerTensor(graph, node, 1, 2, "A", a.Element);
        var second = QuantizedConstants.PerTensor(graph, node, 4, 5, "B", b.Element);
        var op = new QLinearBinaryOperator(isProduct, QuantizedConstants.PerTensor(graph, node, 6, 7, "C", a.Element));
        var (values, last, rank) = graph.Aligned(a, b);
        var y = graph.Emit(
            node.Name,
            op,
            graph.Emit($"{node.Name}/a", new QuantizationViewOperator(first), values[0]),
            graph.Emit($"{node.Name}/b", new QuantizationViewOperator(second), values[1]));
        graph.Output(node, 0, graph.Emit($"{node.Name}/bytes", new QuantizationViewOperator(null), y), last, rank);
    }

    private static void ReadUnary(OnnxGraph graph, OnnxNode node, string type) =>
        Quantize(graph, node, OnnxOperators.ReadPart(graph, node, type, Dequantized(graph, node, 0)), 3);

    // An input, and behind it its scale and zero point.
    private static OnnxValue Dequantized(OnnxGraph graph, OnnxNode node, int index) => OnnxOperators.ReadPart(
        graph, node, "DequantizeLinear", graph.Input(node, index), graph.Input(node, index + 1), graph.OptionalInput(node, index + 2));

    private static void Quantize(OnnxGraph graph, OnnxNode node, OnnxValue value, int scale) =>
        Quantize(graph, node, value, scale, graph.Input(node, 0).Element);

    private static void Quantize(OnnxGraph graph, OnnxNode node, OnnxValue value, int scale, ElementType element) =>
        graph.Alias(node, Quantized(graph, node, value, scale, element));

    // The scale is at an input and the zero point behind it.
    private static OnnxValue Quantized(OnnxGraph graph, OnnxNode node, OnnxValue value, int scale, ElementType element)
    {
        var zeroPoint = graph.OptionalInput(node, scale + 1) ?? OnnxValue.First(
            $"{node.Name}/zero_point", graph.Constant($"{node.Name}/zero_point", TensorData.CreateZeros(new(element, default))));
        return OnnxOperators.ReadPart(graph, node, "QuantizeLinear", value, graph.Input(node, scale), zeroPoint);
    }

    // The node's output, which has its channels where the node's input has them.
    private static void Finish(OnnxGraph graph, OnnxNode node, OnnxValue value, bool last)
    {
        if (last)
            graph.Output(node, 0, graph.ToLast(value));
        else
            graph.Alias(node, value);
    }
}
