using SeparableConv.Networks.Operators;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Reads the operators on quantized numbers.</summary>
internal static class QuantizedReaders
{
    /// <summary>q = saturate(round(x / scale) + zeroPoint), the scale one number or one for each index along an axis.</summary>
    public static void QuantizeLinear(OnnxGraph graph, OnnxNode node)
    {
        var (x, zeroPoint) = (graph.Input(node, 0), graph.OptionalInput(node, 2));
        node.Ignore("saturate");
        if (node.Long("precision", 0) is not (0 or 1) and var precision)
            throw node.Error($"precision is {precision}; expected float32");
        var output = node.Long("output_dtype", 0);
        var element = output != 0 ? OnnxElements.Read(output, $"The result of node '{OneLine.Of(node.Name)}'") : zeroPoint?.Element ?? ElementType.UInt8;
        Emit(graph, node, x, axis => new QuantizeOperator(element, axis));
    }

    /// <summary>x = (q - zeroPoint) * scale.</summary>
    public static void DequantizeLinear(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        var output = node.Long("output_dtype", 0);
        if (output != 0 && OnnxElements.TryRead(output) != graph.Input(node, 1).Element)
            throw node.Error($"output_dtype is {output}, which is not the scale's type");
        Emit(graph, node, x, axis => new DequantizeOperator(axis));
    }

    private static void Emit(OnnxGraph graph, OnnxNode node, OnnxValue x, Func<int, Operator> create)
    {
        if (node.Long("block_size", 0) != 0)
            throw node.Error("block_size is given; scales of blocks are not supported, one scale and one for each index along an axis are");
        var (scale, zeroPoint) = (graph.Input(node, 1), graph.OptionalInput(node, 2));
        if (scale.Rank > 1)
            throw node.Error($"the scale is {scale.Shape}; expected one number, or one dimension of them");
        var axis = node.Int("axis", 1);
        axis = scale.Shape.ElementCount == 1 ? 0 : ShapeReaders.Axis(node, axis, x.Rank);
        var last = OnnxGraph.PrefersLast(x);
        var op = create(last ? ImageLayout.LastAxis(x.Rank, axis) : axis);
        var (value, scales) = (graph.InLayout(x, last), graph.Original(scale));
        graph.Output(node, 0, zeroPoint is null ? graph.Emit(node.Name, op, value, scales) : graph.Emit(node.Name, op, value, scales, graph.Original(zeroPoint)), last, x.Rank);
    }
}
