using static SeparableConv.Networks.Formats.Onnx.OnnxOutput;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>QuantizeLinear and DequantizeLinear.</summary>
internal static class QuantizeOperators
{
    /// <summary>q = saturate(round(x / scale) + zeroPoint), the scale one number or one for each index along an axis.</summary>
    public static void ReadQuantizeLinear(OnnxGraph graph, OnnxNode node)
    {
        var (x, zeroPoint) = (graph.Input(node, 0), graph.OptionalInput(node, 2));
        node.Ignore("saturate");
        if (node.Long("precision", 0) is not (0 or 1) and var precision)
            throw node.Error($"precision is {precision}; expected float32");
        var output = node.Long("output_dtype", 0);
        var element = output != 0
            ? OnnxElements.Read(output, $"The result of node '{OneLine.Of(node.Name)}'")
            : zeroPoint?.Element ?? ElementType.UInt8;
        Emit(graph, node, x, axis => new QuantizeLinearOperator(element, axis));
    }

    public static void WriteQuantizeLinear(OnnxOutput output, Node node)
    {
        var op = (QuantizeLinearOperator)node.Operator;

        // Without a zero point ONNX has uint8; any other type needs one.
        var zeroPoint = output.OptionalAsIs(node, 2);
        if (zeroPoint.Length == 0)
            zeroPoint = output.Constant($"{node.Name}/zero_point", TensorData.CreateZeros(new(op.Element, node.Inputs[1]!.Shape)));
        Write(output, node, "QuantizeLinear", op.Axis, zeroPoint);
    }

    /// <summary>x = (q - zeroPoint) * scale.</summary>
    public static void ReadDequantizeLinear(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        var output = node.Long("output_dtype", 0);
        if (output != 0 && OnnxElements.TryRead(output) != graph.Input(node, 1).Element)
            throw node.Error($"output_dtype is {output}, which is not the scale's type");
        if (!TryConstant(graph, node, x))
            Emit(graph, node, x, axis => new DequantizeLinearOperator(axis));
    }

    public static void WriteDequantizeLinear(OnnxOutput output, Node node) =>
        Write(output, node, "DequantizeLinear", ((DequantizeLinearOperator)node.Operator).Axis, output.OptionalAsIs(node, 2));

    // A quantized constant stays one. Its types are checked here, as no node may ever be made that would check them.
    private static bool TryConstant(OnnxGraph graph, OnnxNode node, OnnxValue x)
    {
        var (scale, zeroPoint) = (graph.Input(node, 1), graph.OptionalInput(node, 2));
        if (!x.IsConstant || !scale.IsConstant || zeroPoint is { IsConstant: false })
            return false;
        var axis = ScaleAxis(node, x, scale);
        var source = new OnnxDequantized(
            graph.Original(x), graph.Original(scale), zeroPoint is null ? null : graph.Original(zeroPoint), axis);
        _ = new DequantizeLinearOperator(axis).Infer([source.Numbers.Type, source.Scale.Type, source.ZeroPoint?.Type]);
        if (node.HasOutput(0))
            graph.Define(OnnxValue.Of(node.Outputs[0], source));
        return true;
    }

    private static int ScaleAxis(OnnxNode node, OnnxValue x, OnnxValue scale)
    {
        if (node.Long("block_size", 0) != 0)
            throw node.Error("block_size is given; scales of blocks are not supported, one scale and one for each index along an axis are");
        if (scale.Rank > 1)
            throw node.Error($"the scale is {scale.Shape}; expected one number, or one dimension of them");
        var axis = node.Int("axis", 1);
        return scale.Shape.ElementCount == 1 ? 0 : node.Axis(axis, x.Rank);
    }

    private static void Emit(OnnxGraph graph, OnnxNode node, OnnxValue x, Func<int, Operator> create)
    {
        var (scale, zeroPoint) = (graph.Input(node, 1), graph.OptionalInput(node, 2));
        var axis = ScaleAxis(node, x, scale);
        var last = OnnxGraph.PrefersLast(x);
        var op = create(last ? ImageLayout.LastAxis(x.Rank, axis) : axis);
        var (value, scales) = (graph.InLayout(x, last), graph.Original(scale));
        Value[] inputs = zeroPoint is null ? [value, scales] : [value, scales, graph.Original(zeroPoint)];
        graph.Output(node, 0, graph.Emit(node.Name, op, inputs), last, x.Rank);
    }

    private static void Write(OnnxOutput output, Node node, string type, int axis, string zeroPoint)
    {
        var x = node.Inputs[0]!;
        var first = output.PrefersFirst(x);
        string[] inputs = [output.InLayout(x, first), output.AsIs(node.Inputs[1]!), zeroPoint];
        var y = output.Node(type, node.Name, inputs, Attribute("axis", Axis(axis, x, first)));
        output.Set(node.Outputs[0], y, first);
    }
}
