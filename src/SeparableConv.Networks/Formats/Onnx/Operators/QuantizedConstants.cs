using System.Globalization;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>
/// The scales and zero points that stand as inputs beside quantized tensors, and have to be known when the model is loaded.
/// </summary>
internal static class QuantizedConstants
{
    /// <summary>One scale and zero point; a zero point that is left out is 0.</summary>
    public static Quantization PerTensor(OnnxGraph graph, OnnxNode node, int scale, int zeroPoint, string what, ElementType element)
    {
        var scales = Scales(node, graph.Constant(node, scale, $"{what}_scale"), $"{what}_scale");
        return scales.Length == 1
            ? new(scales[0], ZeroPoints(graph, node, zeroPoint, $"{what}_zero_point", element, 1)[0])
            : throw node.Error($"{what}_scale has {scales.Length} numbers; expected one");
    }

    /// <summary>One scale or one a channel, and so of zero points, for channels that are the last dimension here.</summary>
    public static Quantization PerChannel(
        OnnxGraph graph, OnnxNode node, int scale, int zeroPoint, string what, ElementType element, int channels, int axis)
    {
        var scales = Scales(node, graph.Constant(node, scale, $"{what}_scale"), $"{what}_scale");
        if (scales.Length != 1 && scales.Length != channels)
            throw node.Error($"{what}_scale has {scales.Length} numbers; expected one, or one for each of {channels} channels");
        if (channels < 1)
            throw node.Error($"{what} has no channels; expected one at least");
        var zeros = ZeroPoints(graph, node, zeroPoint, $"{what}_zero_point", element, channels);
        if (scales.Length == 1 && zeros.AsSpan().IndexOfAnyExcept(zeros[0]) < 0)
            return new(scales, [zeros[0]], axis);
        return new(scales.Length == 1 ? [.. Enumerable.Repeat(scales[0], channels)] : scales, zeros, axis);
    }

    /// <summary>Scales: one, or one dimension of them.</summary>
    public static float[] Scales(OnnxNode node, TensorData data, string what) =>
        data.Values is float[] { Length: > 0 } scales && data.Type.Shape.Rank <= 1 ? scales
        : throw node.Error($"{what} is {data.Type}; expected one float32, or one dimension of them");

    /// <summary>
    /// Zero points of the element type of what they belong to: as many as asked for, of which one may stand for all, or any number. One 0
    /// where they are left out.
    /// </summary>
    public static int[] ZeroPoints(OnnxGraph graph, OnnxNode node, int index, string what, ElementType element, int? count)
    {
        var data = graph.OptionalConstant(node, index, what) ?? TensorData.CreateZeros(new(element, default));
        var isCount = count is { } wanted ? data.Values.Length == wanted || data.Values.Length == 1 : data.Values.Length > 0;
        if (data.Type.Element != element || !element.IsByte() || data.Type.Shape.Rank > 1 || !isCount)
        {
            var number = count is { } one ? one.ToString(CultureInfo.InvariantCulture) : "one or more";
            throw node.Error($"{what} is {data.Type}; expected {number} of int8 or uint8, as the tensor has that it belongs to");
        }

        var numbers = new int[count ?? data.Values.Length];
        for (var i = 0; i < numbers.Length; i++)
            numbers[i] = QuantizedTypes.Value(data.Bytes[data.Values.Length == 1 ? 0 : i], element);
        return numbers;
    }

    /// <summary>Sums as bytes: saturate(round(sum * factor) + zeroPoint), the product in single precision.</summary>
    public static Value Requantized(OnnxGraph graph, OnnxNode node, Value sums, Value factor, ElementType element, int zeroPoint)
    {
        var zeros = TensorData.CreateZeros(new(element, default));
        zeros.Bytes[0] = (byte)zeroPoint;
        return graph.Emit(
            node.Name,
            new QuantizeLinearOperator(element, 0),
            Scaled(graph, node, sums, factor),
            graph.Constant($"{node.Name}/one", [1f], 1),
            graph.Constant($"{node.Name}/zero_point", zeros));
    }

    /// <summary>Sums as real numbers: sum * factor in single precision.</summary>
    public static Value Scaled(OnnxGraph graph, OnnxNode node, Value sums, Value factor) => graph.Emit(
        $"{node.Name}/scaled",
        new BinaryOperator(BinaryKind.Mul, Activation.None),
        graph.Emit($"{node.Name}/float", new CastOperator(ElementType.Float32), sums),
        factor);

    /// <summary>The scales of a tensor, written.</summary>
    public static string Scale(OnnxOutput output, string name, TensorType type)
    {
        var scales = type.Quantization!.Scales.ToArray();
        return scales.Length == 1 ? output.Constant(name, scales) : output.Constant(name, scales, scales.Length);
    }

    /// <summary>The zero points of a tensor, written.</summary>
    public static string ZeroPoint(OnnxOutput output, string name, TensorType type)
    {
        var zeroPoints = type.Quantization!.ZeroPoints;
        var shape = zeroPoints.Length == 1 ? new TensorShape() : new TensorShape(zeroPoints.Length);
        return output.Bytes(name, zeroPoints, type.Element, shape);
    }

    /// <summary>Bytes of a layer within its clamp, which is a Clip where it is narrower than the element type.</summary>
    public static string Clamped(OnnxOutput output, Node node, QuantizedLayerOperator op, string y)
    {
        var (least, most) = QuantizedTypes.Range(op.Element);
        if (op.ClampMin <= least && op.ClampMax >= most)
            return y;
        string Bound(string name, int bound) => output.Bytes($"{node.Name}/{name}", [bound], op.Element, new TensorShape());
        return output.Node("Clip", $"{node.Name}/clip", [y, Bound("least", op.ClampMin), Bound("most", op.ClampMax)]);
    }
}
