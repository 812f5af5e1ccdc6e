using SeparableConv.Loops;
using SeparableConv.Networks.Graph;
using SeparableConv.Networks.Operators;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Reads the convolutions of bytes. Scales and zero points are what the values inside the network say of themselves.</summary>
internal static class QuantizedConvolutionReaders
{
    /// <summary>y = saturate(round(sum * (xScale*wScale[o] / yScale)) + yZeroPoint), sum = B[o] + (x - xZeroPoint) * (w - wZeroPoint[o]).</summary>
    public static void QLinearConv(OnnxGraph graph, OnnxNode node)
    {
        var (x, w) = (ConvolutionReaders.Image(graph, node), graph.Input(node, 3));
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

    /// <summary>y = (x - xZeroPoint) * (w - wZeroPoint[o]) in 32 bits.</summary>
    public static void ConvInteger(OnnxGraph graph, OnnxNode node)
    {
        var (x, w) = (ConvolutionReaders.Image(graph, node), graph.Input(node, 1));
        var input = new Quantization([1], node.HasInput(2) ? ZeroPoints(graph, node, 2, "x_zero_point", x.Element, 1) : [0], axis: 0);
        var zeroPoints = node.HasInput(3) ? ZeroPoints(graph, node, 3, "w_zero_point", w.Element, count: null) : [0];
        var weights = new Quantization(Array.ConvertAll(zeroPoints, _ => 1f), zeroPoints, axis: 3);
        var (options, isDepthwise, image, kernel) = Operands(graph, node, x, w, input, weights);
        graph.OutputLast(node, 0, graph.Emit(node.Name, new IntegerConv2DOperator(options, isDepthwise), image, kernel), x.Rank);
    }

    private static (ConvOptions Options, bool IsDepthwise, Value Image, Value Weights) Operands(
        OnnxGraph graph, OnnxNode node, OnnxValue x, OnnxValue w, Quantization input, Quantization weights)
    {
        if (w.Rank != x.Rank)
            throw node.Error($"the weights are {w.Shape}; expected {x.Rank} dimensions for the input {x.Shape}");
        var window = Window.Read(node, x.Rank, w.Shape.Lengths[2..].ToArray());
        var (channels, groups) = (x.Shape[1], ConvolutionReaders.Groups(node, x));
        var isDepthwise = ConvolutionReaders.IsDepthwise(w, channels, groups);
        var kernel = isDepthwise ? ConvolutionReaders.DepthwiseWeights(graph, w, channels) : ConvolutionReaders.StandardWeights(graph, w);
        var options = ConvOptions.Default with { Stride = window.Stride, Dilation = window.Dilation, Padding = window.Padding, Groups = isDepthwise ? 1 : groups };
        return (
            options,
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

    private static float[] Scales(OnnxNode node, TensorData data, string what) => data.Values is float[] { Length: > 0 } scales && data.Type.Shape.Rank <= 1
        ? scales
        : throw node.Error($"{what} is {data.Type}; expected one float32, or one dimension of them");

    // As many as given, or any number; all of the element type of what they belong to.
    private static int[] ZeroPoints(OnnxGraph graph, OnnxNode node, int index, string what, ElementType element, int? count)
    {
        var data = graph.Constant(node, index, what);
        if (data.Type.Element != element || !element.IsByte() || data.Type.Shape.Rank > 1 || data.Values.Length == 0 || (data.Values.Length != count && count is not null))
            throw node.Error($"{what} is {data.Type}; expected {(count is null ? "one or more" : count)} of int8 or uint8, as the tensor has that it belongs to");
        var numbers = new int[data.Values.Length];
        for (var i = 0; i < numbers.Length; i++)
            numbers[i] = QuantizedTypes.Value(data.Bytes[i], element);
        return numbers;
    }
}
