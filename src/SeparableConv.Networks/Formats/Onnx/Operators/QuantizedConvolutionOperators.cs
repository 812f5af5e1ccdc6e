using SeparableConv.Loops;
using static SeparableConv.Networks.Formats.Onnx.OnnxOutput;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>QLinearConv and ConvInteger. In a network, scales and zero points belong to the types of values.</summary>
internal static class QuantizedConvolutionOperators
{
    /// <summary>
    /// y = saturate(round(sum * (xScale*wScale[o] / yScale)) + yZeroPoint), sum = B[o] + (x - xZeroPoint) * (w - wZeroPoint[o]).
    /// </summary>
    public static void ReadQLinearConv(OnnxGraph graph, OnnxNode node) =>
        graph.OutputLast(node, 0, ReadQLinearConv(graph, node, graph.Image(node)), graph.Input(node, 0).Rank);

    /// <summary>The same of com.microsoft, whose images may have their channels last; weights are laid out as ever.</summary>
    public static void ReadMicrosoftQLinearConv(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Image(node);
        if (!node.Flag("channels_last", false))
            ReadQLinearConv(graph, node);
        else
            graph.Output(node, 0, graph.ToLast(OnnxValue.Last(node.Name, ReadQLinearConv(graph, node, graph.FromLast(x)), x.Rank)));
    }

    private static Value ReadQLinearConv(OnnxGraph graph, OnnxNode node, OnnxValue x)
    {
        var w = graph.Input(node, 3);
        var element = graph.OptionalInput(node, 7)?.Element ?? x.Element;
        var input = QuantizedConstants.PerTensor(graph, node, 1, 2, "x", x.Element);
        var output = QuantizedConstants.PerTensor(graph, node, 6, 7, "y", element);
        var weights = QuantizedConstants.PerChannel(graph, node, 4, 5, "w", w.Element, w.Shape.Rank > 0 ? w.Shape[0] : 1, axis: 3);
        var (options, isDepthwise, image, kernel) = Operands(graph, node, x, w, input, weights);
        var (least, most) = QuantizedTypes.Range(element);
        QuantizedLayerOperator op = isDepthwise
            ? new QuantizedDepthwiseConv2DOperator(options, element, output, least, most, Requantization.Float)
            : new QuantizedConv2DOperator(options, element, output, least, most, Requantization.Float);
        var y = graph.OptionalInput(node, 8) is { } bias
            ? graph.Emit(node.Name, op, image, kernel, graph.Original(bias))
            : graph.Emit(node.Name, op, image, kernel);

        // In ONNX it is the reader of a tensor that says what its bytes stand for.
        return graph.Emit($"{node.Name}/bytes", new QuantizationViewOperator(null), y);
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

    /// <summary>
    /// y = (x - xZeroPoint) * (w - wZeroPoint[o]) in 32 bits. Zero points that are known belong to the types; others stay inputs.
    /// </summary>
    public static void ReadConvInteger(OnnxGraph graph, OnnxNode node)
    {
        var (x, w) = (graph.Image(node), graph.Input(node, 1));
        var (inputZero, weightZero) = (graph.OptionalInput(node, 2), graph.OptionalInput(node, 3));
        var input = Known(graph, node, inputZero, 2, "x_zero_point", x.Element, 1);
        var weights = Known(graph, node, weightZero, 3, "w_zero_point", w.Element, null);
        var (options, isDepthwise, image, kernel) = Operands(graph, node, x, w, input, weights);
        var (lateInput, lateWeights) = (Late(graph, inputZero), Late(graph, weightZero));
        Value?[] inputs = lateWeights is not null ? [image, kernel, lateInput, lateWeights]
            : lateInput is not null ? [image, kernel, lateInput]
            : [image, kernel];
        graph.OutputLast(node, 0, graph.Emit(node.Name, new IntegerConv2DOperator(options, isDepthwise), inputs), x.Rank);
    }

    public static void WriteConvInteger(OnnxOutput output, Node node)
    {
        var op = (IntegerConv2DOperator)node.Operator;
        var (x, w) = (node.Inputs[0]!, node.Inputs[1]!);
        var g = op.Geometry(x.Type, w.Type);
        var weights = op.IsDepthwise ? ConvolutionWeights.WriteDepthwise(output, w) : ConvolutionWeights.WriteStandard(output, w);
        string Zero(int index, string name, TensorType type) => output.OptionalAsIs(node, index) is { Length: > 0 } given
            ? given
            : QuantizedConstants.ZeroPoint(output, $"{node.Name}/{name}", type);
        output.SetFirst(node.Outputs[0], output.Node(
            "ConvInteger",
            node.Name,
            [output.First(x), weights, Zero(2, "x_zero_point", x.Type), Zero(3, "w_zero_point", w.Type)],
            ConvolutionWeights.Attributes(g, op.IsDepthwise ? g.InChannels : op.Options.Groups)));
    }

    private static Quantization? Known(
        OnnxGraph graph, OnnxNode node, OnnxValue? zeroPoint, int index, string what, ElementType element, int? count)
    {
        if (zeroPoint is { IsConstant: false })
            return null;
        var zeros = QuantizedConstants.ZeroPoints(graph, node, index, what, element, count);
        return new(Array.ConvertAll(zeros, _ => 1f), zeros, axis: 3);
    }

    private static Value? Late(OnnxGraph graph, OnnxValue? zeroPoint) =>
        zeroPoint is { IsConstant: false } ? graph.Original(zeroPoint) : null;

    private static (ConvOptions Options, bool IsDepthwise, Value Image, Value Weights) Operands(
        OnnxGraph graph, OnnxNode node, OnnxValue x, OnnxValue w, Quantization? input, Quantization? weights)
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

    private static void WriteQLinearConv(
        OnnxOutput output, Node node, QuantizedLayerOperator op, string weights, ConvGeometry g, int groups)
    {
        var (x, w) = (node.Inputs[0]!, node.Inputs[1]!);
        string[] Constants(string name, TensorType type) =>
        [
            QuantizedConstants.Scale(output, $"{node.Name}/{name}_scale", type),
            QuantizedConstants.ZeroPoint(output, $"{node.Name}/{name}_zero_point", type),
        ];
        var y = output.Node(
            "QLinearConv",
            node.Name,
            [
                output.First(x), .. Constants("x", x.Type), weights, .. Constants("w", w.Type), .. Constants("y", node.Outputs[0].Type),
                output.OptionalAsIs(node, 2),
            ],
            ConvolutionWeights.Attributes(g, groups));
        output.SetFirst(node.Outputs[0], QuantizedConstants.Clamped(output, node, op, y));
    }
}
