using System.Globalization;
using SeparableConv.Loops;
using static SeparableConv.Networks.Formats.Onnx.OnnxOutput;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>QLinearConv and ConvInteger. In a network, scales and zero points belong to the types of values.</summary>
internal static class QuantizedConvolutionOperators
{
    /// <summary>
    /// y = saturate(round(sum * (xScale*wScale[o] / yScale)) + yZeroPoint), sum = B[o] + (x - xZeroPoint) * (w - wZeroPoint[o]).
    /// </summary>
    public static void ReadQLinearConv(OnnxGraph graph, OnnxNode node)
    {
        var (x, w) = (graph.Image(node), graph.Input(node, 3));
        var input = PerTensor(graph, node, 1, 2, "x", x.Element);
        var output = PerTensor(graph, node, 6, 7, "y", graph.Input(node, 7).Element);
        var element = graph.Input(node, 7).Element;
        var scales = Scales(node, graph.Constant(node, 4, "w_scale"), "w_scale");
        var weights = new Quantization(scales, ZeroPoints(graph, node, 5, "w_zero_point", w.Element, scales.Length), axis: 3);
        var (options, isDepthwise, image, kernel) = Operands(graph, node, x, w, input, weights);
        var (least, most) = QuantizedTypes.Range(element);
        QuantizedLayerOperator op = isDepthwise
            ? new QuantizedDepthwiseConv2DOperator(options, element, output, least, most, Requantization.Float)
            : new QuantizedConv2DOperator(options, element, output, least, most, Requantization.Float);
        var y = graph.OptionalInput(node, 8) is { } bias
            ? graph.Emit(node.Name, op, image, kernel, graph.Original(bias))
            : graph.Emit(node.Name, op, image, kernel);

        // In ONNX it is the reader of a tensor that says what its bytes stand for.
        graph.OutputLast(node, 0, graph.Emit($"{node.Name}/bytes", new QuantizationViewOperator(null), y), x.Rank);
    }

    public static void WriteConv2D(OnnxOutput output, Node node)
    {
        var op = (QuantizedConv2DOperator)node.Operator;
        var g = op.Geometry(node.Inputs[0]!.Type, node.Inputs[1]!.Type);
        WriteQLinearConv(output, node, op, ConvolutionWeights.WriteStandard(output, node.Inputs[1]!), g, op.Options.Groups);
    }

    public static void WriteDepthwiseConv2D(OnnxOutput output, Node node)
    {
        var op = (QuantizedDepthwiseConv2DOperator)node.Operator;
        var g = op.Geometry(node.Inputs[0]!.Type, node.Inputs[1]!.Type);
        WriteQLinearConv(output, node, op, ConvolutionWeights.WriteDepthwise(output, node.Inputs[1]!), g, g.InChannels);
    }

    /// <summary>y = (x - xZeroPoint) * (w - wZeroPoint[o]) in 32 bits.</summary>
    public static void ReadConvInteger(OnnxGraph graph, OnnxNode node)
    {
        var (x, w) = (graph.Image(node), graph.Input(node, 1));
        var input = new Quantization([1], node.HasInput(2) ? ZeroPoints(graph, node, 2, "x_zero_point", x.Element, 1) : [0], axis: 0);
        var zeroPoints = node.HasInput(3) ? ZeroPoints(graph, node, 3, "w_zero_point", w.Element, count: null) : [0];
        var weights = new Quantization(Array.ConvertAll(zeroPoints, _ => 1f), zeroPoints, axis: 3);
        var (options, isDepthwise, image, kernel) = Operands(graph, node, x, w, input, weights);
        graph.OutputLast(node, 0, graph.Emit(node.Name, new IntegerConv2DOperator(options, isDepthwise), image, kernel), x.Rank);
    }

    public static void WriteConvInteger(OnnxOutput output, Node node)
    {
        var op = (IntegerConv2DOperator)node.Operator;
        var (x, w) = (node.Inputs[0]!, node.Inputs[1]!);
        var g = op.Geometry(x.Type, w.Type);
        var weights = op.IsDepthwise ? ConvolutionWeights.WriteDepthwise(output, w) : ConvolutionWeights.WriteStandard(output, w);
        output.SetFirst(node.Outputs[0], output.Node(
            "ConvInteger",
            node.Name,
            [
                output.First(x), weights,
                ZeroPoint(output, $"{node.Name}/x_zero_point", x.Type), ZeroPoint(output, $"{node.Name}/w_zero_point", w.Type),
            ],
            ConvolutionWeights.Attributes(g, op.IsDepthwise ? g.InChannels : op.Options.Groups)));
    }

    private static (ConvOptions Options, bool IsDepthwise, Value Image, Value Weights) Operands(
        OnnxGraph graph, OnnxNode node, OnnxValue x, OnnxValue w, Quantization input, Quantization weights)
    {
        if (w.Rank != x.Rank)
            throw node.Error($"the weights are {w.Shape}; expected {x.Rank} dimensions for the input {x.Shape}");
        var window = Window.Read(node, x.Rank, w.Shape.Lengths[2..].ToArray());
        var (channels, groups) = (x.Shape[1], ConvolutionWeights.Groups(node, x));
        var isDepthwise = ConvolutionWeights.IsDepthwise(w, channels, groups);
        var kernel = isDepthwise ? ConvolutionWeights.ReadDepthwise(graph, w, channels) : ConvolutionWeights.ReadStandard(graph, w);
        var options = ConvOptions.Default with { Stride = window.Stride, Dilation = window.Dilation, Padding = window.Padding };
        return (
            options with { Groups = isDepthwise ? 1 : groups },
            isDepthwise,
            graph.Emit($"{node.Name}/x", new QuantizationViewOperator(input), graph.ChannelsLast(x)),
            graph.Emit($"{node.Name}/w", new QuantizationViewOperator(weights), kernel));
    }

    private static Quantization PerTensor(OnnxGraph graph, OnnxNode node, int scale, int zeroPoint, string what, ElementType element)
    {
        var scales = Scales(node, graph.Constant(node, scale, $"{what}_scale"), $"{what}_scale");
        return scales.Length == 1
            ? new(scales[0], ZeroPoints(graph, node, zeroPoint, $"{what}_zero_point", element, 1)[0])
            : throw node.Error($"{what}_scale has {scales.Length} numbers; expected one");
    }

    private static float[] Scales(OnnxNode node, TensorData data, string what) =>
        data.Values is float[] { Length: > 0 } scales && data.Type.Shape.Rank <= 1 ? scales
        : throw node.Error($"{what} is {data.Type}; expected one float32, or one dimension of them");

    // As many as given, or any number; all of the element type of what they belong to.
    private static int[] ZeroPoints(OnnxGraph graph, OnnxNode node, int index, string what, ElementType element, int? count)
    {
        var data = graph.Constant(node, index, what);
        var isCount = count is { } wanted ? data.Values.Length == wanted : data.Values.Length > 0;
        if (data.Type.Element != element || !element.IsByte() || data.Type.Shape.Rank > 1 || !isCount)
        {
            var number = count is { } one ? one.ToString(CultureInfo.InvariantCulture) : "one or more";
            throw node.Error($"{what} is {data.Type}; expected {number} of int8 or uint8, as the tensor has that it belongs to");
        }

        var numbers = new int[data.Values.Length];
        for (var i = 0; i < numbers.Length; i++)
            numbers[i] = QuantizedTypes.Value(data.Bytes[i], element);
        return numbers;
    }

    private static void WriteQLinearConv(
        OnnxOutput output, Node node, QuantizedLayerOperator op, string weights, ConvGeometry g, int groups)
    {
        var (x, w) = (node.Inputs[0]!, node.Inputs[1]!);
        var y = output.Node(
            "QLinearConv",
            node.Name,
            [
                output.First(x), Scale(output, $"{node.Name}/x_scale", x.Type), ZeroPoint(output, $"{node.Name}/x_zero_point", x.Type),
                weights, Scale(output, $"{node.Name}/w_scale", w.Type), ZeroPoint(output, $"{node.Name}/w_zero_point", w.Type),
                Scale(output, $"{node.Name}/y_scale", node.Outputs[0].Type),
                ZeroPoint(output, $"{node.Name}/y_zero_point", node.Outputs[0].Type),
                output.OptionalAsIs(node, 2),
            ],
            ConvolutionWeights.Attributes(g, groups));
        var (least, most) = QuantizedTypes.Range(op.Element);
        if (op.ClampMin > least || op.ClampMax < most)
        {
            string Bound(string name, int bound) => output.Bytes($"{node.Name}/{name}", [bound], op.Element, new TensorShape());
            y = output.Node("Clip", $"{node.Name}/clip", [y, Bound("least", op.ClampMin), Bound("most", op.ClampMax)]);
        }

        output.SetFirst(node.Outputs[0], y);
    }

    private static string Scale(OnnxOutput output, string name, TensorType type)
    {
        var scales = type.Quantization!.Scales.ToArray();
        return scales.Length == 1 ? output.Constant(name, scales) : output.Constant(name, scales, scales.Length);
    }

    private static string ZeroPoint(OnnxOutput output, string name, TensorType type)
    {
        var zeroPoints = type.Quantization!.ZeroPoints;
        var shape = zeroPoints.Length == 1 ? new TensorShape() : new TensorShape(zeroPoints.Length);
        return output.Bytes(name, zeroPoints, type.Element, shape);
    }
}
