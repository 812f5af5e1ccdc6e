using SeparableConv.Networks.Graph;
using SeparableConv.Networks.Operators;
using static SeparableConv.Networks.Formats.Onnx.OnnxOutput;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Writes the convolutions of bytes.</summary>
internal static class QuantizedWriters
{
    public static void Conv2D(OnnxOutput output, Node node)
    {
        var op = (QuantizedConv2DOperator)node.Operator;
        var g = op.Geometry(node.Inputs[0]!.Type, node.Inputs[1]!.Type);
        QLinearConv(output, node, op, ConvolutionWriters.StandardWeights(output, node.Inputs[1]!), g, op.Options.Groups);
    }

    public static void DepthwiseConv2D(OnnxOutput output, Node node)
    {
        var op = (QuantizedDepthwiseConv2DOperator)node.Operator;
        var g = op.Geometry(node.Inputs[0]!.Type, node.Inputs[1]!.Type);
        QLinearConv(output, node, op, ConvolutionWriters.DepthwiseWeights(output, node.Inputs[1]!), g, g.InChannels);
    }

    public static void ConvInteger(OnnxOutput output, Node node)
    {
        var op = (IntegerConv2DOperator)node.Operator;
        var (x, w) = (node.Inputs[0]!, node.Inputs[1]!);
        var g = op.Geometry(x.Type, w.Type);
        var weights = op.IsDepthwise ? ConvolutionWriters.DepthwiseWeights(output, w) : ConvolutionWriters.StandardWeights(output, w);
        output.SetFirst(node.Outputs[0], output.Node(
            "ConvInteger",
            node.Name,
            [output.First(x), weights, ZeroPoint(output, $"{node.Name}/x_zero_point", x.Type), ZeroPoint(output, $"{node.Name}/w_zero_point", w.Type)],
            ConvolutionWriters.Attributes(g, op.IsDepthwise ? g.InChannels : op.Options.Groups)));
    }

    /// <summary>A constant and the DequantizeLinear of its first dimension, as the weights of a convolution have them.</summary>
    public static string Dequantized(OnnxOutput output, string name, TensorData numbers, DequantizedConstant source)
    {
        var (count, element) = (source.Scales.Length, numbers.Type.Element);
        var shape = count == 1 ? new TensorShape() : new TensorShape(count);
        return output.Node(
            "DequantizeLinear",
            $"{name}/dequantized",
            [
                output.Constant($"{name}/oihw", numbers),
                output.Constant($"{name}/scale", source.Scales, shape.Lengths),
                output.Constant($"{name}/zero_point", Bytes(source.ZeroPoints, element, shape)),
            ],
            Attribute("axis", 0));
    }

    private static void QLinearConv(OnnxOutput output, Node node, QuantizedLayerOperator op, string weights, ConvGeometry g, int groups)
    {
        var (x, w) = (node.Inputs[0]!, node.Inputs[1]!);
        var y = output.Node(
            "QLinearConv",
            node.Name,
            [
                output.First(x), Scale(output, $"{node.Name}/x_scale", x.Type), ZeroPoint(output, $"{node.Name}/x_zero_point", x.Type),
                weights, Scale(output, $"{node.Name}/w_scale", w.Type), ZeroPoint(output, $"{node.Name}/w_zero_point", w.Type),
                Scale(output, $"{node.Name}/y_scale", node.Outputs[0].Type), ZeroPoint(output, $"{node.Name}/y_zero_point", node.Outputs[0].Type),
                node.Inputs.Count > 2 && node.Inputs[2] is { } bias ? output.AsIs(bias) : "",
            ],
            ConvolutionWriters.Attributes(g, groups));
        var (least, most) = QuantizedTypes.Range(op.Element);
        if (op.ClampMin > least || op.ClampMax < most)
        {
            string Bound(string name, int bound) => output.Constant($"{node.Name}/{name}", Bytes([bound], op.Element, new TensorShape()));
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
        var zeroPoints = type.Quantization!.ZeroPoints.ToArray();
        var shape = zeroPoints.Length == 1 ? new TensorShape() : new TensorShape(zeroPoints.Length);
        return output.Constant(name, Bytes(zeroPoints, type.Element, shape));
    }

    private static TensorData Bytes(int[] numbers, ElementType element, TensorShape shape)
    {
        var data = TensorData.CreateZeros(new(element, shape));
        for (var i = 0; i < numbers.Length; i++)
            data.Bytes[i] = (byte)numbers[i];
        return data;
    }
}
