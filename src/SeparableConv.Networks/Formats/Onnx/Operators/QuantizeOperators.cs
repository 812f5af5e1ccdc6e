using static SeparableConv.Networks.Formats.Onnx.OnnxOutput;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>QuantizeLinear, DequantizeLinear and DynamicQuantizeLinear.</summary>
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
        Emit(graph, node, x, axis => new QuantizeLinearOperator(element, axis), element);
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

    /// <summary>x = (q - zeroPoint) * scale, of the scale's type or the one that is asked for.</summary>
    public static void ReadDequantizeLinear(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        var output = node.Long("output_dtype", 0);
        var element = output != 0
            ? OnnxHalves.Computed(OnnxElements.Read(output, $"The result of node '{OneLine.Of(node.Name)}'"))
            : graph.Input(node, 1).Element;
        if (element is not (ElementType.Float32 or ElementType.Float16))
            throw node.Error($"the result is to be {element.ToString().ToLowerInvariant()}; expected float32 or float16");
        if (!TryConstant(graph, node, x, element))
            Emit(graph, node, x, axis => new DequantizeLinearOperator(axis), element);
    }

    public static void WriteDequantizeLinear(OnnxOutput output, Node node) =>
        Write(output, node, "DequantizeLinear", ((DequantizeLinearOperator)node.Operator).Axis, output.OptionalAsIs(node, 2));

    /// <summary>Bytes, scale and zero point of numbers whose range is found when the network runs.</summary>
    public static void ReadDynamicQuantizeLinear(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        var last = OnnxGraph.PrefersLast(x);
        var outputs = graph.EmitAll(node.Name, new DynamicQuantizeLinearOperator(), graph.InLayout(x, last));
        graph.Output(node, 0, outputs[0], last, x.Rank);
        graph.Output(node, 1, outputs[1]);
        graph.Output(node, 2, outputs[2]);
    }

    public static void WriteDynamicQuantizeLinear(OnnxOutput output, Node node)
    {
        var x = node.Inputs[0]!;
        var first = output.PrefersFirst(x);
        var tensors = output.Node("DynamicQuantizeLinear", node.Name, [output.InLayout(x, first)], 3);
        output.Set(node.Outputs[0], tensors[0], first);
        output.SetAsIs(node.Outputs[1], tensors[1]);
        output.SetAsIs(node.Outputs[2], tensors[2]);
    }

    // A quantized constant stays one. Its types are checked here, as no node may ever be made that would check them.
    private static bool TryConstant(OnnxGraph graph, OnnxNode node, OnnxValue x, ElementType element)
    {
        var (scale, zeroPoint) = (graph.Input(node, 1), graph.OptionalInput(node, 2));
        var isFloat = element == ElementType.Float32 && scale.Element == ElementType.Float32;
        if (!isFloat || !x.IsConstant || !scale.IsConstant || zeroPoint is { IsConstant: false })
            return false;
        var axis = ScaleAxis(node, x, scale);
        var source = new OnnxDequantized(
            graph.Original(x), graph.Original(scale), zeroPoint is null ? null : graph.Original(zeroPoint), axis);
        _ = new DequantizeLinearOperator(axis).Infer([source.Numbers.Type, source.Scale.Type, source.ZeroPoint?.Type]);
        graph.Output(node, 0, name => OnnxValue.Of(name, source));
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

    // Half precision is computed in single precision and rounded once.
    private static void Emit(OnnxGraph graph, OnnxNode node, OnnxValue x, Func<int, Operator> create, ElementType result)
    {
        var (scale, zeroPoint) = (graph.Input(node, 1), graph.OptionalInput(node, 2));
        var axis = ScaleAxis(node, x, scale);
        var last = OnnxGraph.PrefersLast(x);
        var op = create(last ? ImageLayout.LastAxis(x.Rank, axis) : axis);
        var (value, scales) = (Single(graph, graph.InLayout(x, last)), Single(graph, graph.Original(scale)));
        Value[] inputs = zeroPoint is null ? [value, scales] : [value, scales, graph.Original(zeroPoint)];
        var y = graph.Emit(node.Name, op, inputs);
        graph.Output(
            node, 0, y.Type.Element == result ? y : graph.Emit($"{node.Name}/cast", new CastOperator(result), y), last, x.Rank);
    }

    private static Value Single(OnnxGraph graph, Value value) => value.Type.Element == ElementType.Float16
        ? graph.Emit($"{value.Name}/float32", new CastOperator(ElementType.Float32), value)
        : value;

    private static void Write(OnnxOutput output, Node node, string type, int axis, string zeroPoint)
    {
        var x = node.Inputs[0]!;
        var first = output.PrefersFirst(x);
        string[] inputs = [output.InLayout(x, first), output.AsIs(node.Inputs[1]!), zeroPoint];
        var y = output.Node(type, node.Name, inputs, Attribute("axis", Axis(axis, x, first)));
        output.Set(node.Outputs[0], y, first);
    }
}
