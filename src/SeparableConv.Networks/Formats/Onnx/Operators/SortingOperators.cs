using static SeparableConv.Networks.Formats.Onnx.OnnxOutput;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>TopK.</summary>
internal static class SortingOperators
{
    /// <summary>How many is an attribute up to opset 9 and an input after it.</summary>
    public static void ReadTopK(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        var axis = node.Axis(node.Int("axis", -1), x.Rank);
        var largest = node.Flag("largest", true);
        node.Ignore("sorted");
        var count = node.Has("k") ? node.Long("k", 0) : OnnxConstants.Long(node, graph.Constant(node, 1, "number k"), "number k");
        if (count < 0 || count > x.Shape[axis])
            throw node.Error($"k is {count}; expected 0 to {x.Shape[axis]}, the length of dimension {axis} of the input {x.Shape}");
        var outputs = graph.EmitAll(node.Name, new TopKOperator(axis, (int)count, largest), graph.Original(x));
        graph.Output(node, 0, outputs[0]);
        graph.Output(node, 1, outputs[1]);
    }

    public static void WriteTopK(OnnxOutput output, Node node)
    {
        var op = (TopKOperator)node.Operator;
        var tensors = output.Node(
            "TopK",
            node.Name,
            [output.AsIs(node.Inputs[0]!), output.Numbers($"{node.Name}/k", [op.Count])],
            2,
            Attribute("axis", op.Axis),
            Attribute("largest", op.Largest ? 1 : 0));
        output.SetAsIs(node.Outputs[0], tensors[0]);
        output.SetAsIs(node.Outputs[1], tensors[1]);
    }
}
