using static SeparableConv.Networks.Formats.Onnx.OnnxOutput;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>DepthToSpace and SpaceToDepth: blocks of pixels become channels, and the other way round.</summary>
internal static class BlockOperators
{
    public static void ReadDepthToSpace(OnnxGraph graph, OnnxNode node)
    {
        var crd = node.Text("mode", "DCR") switch
        {
            "DCR" => false,
            "CRD" => true,
            var other => throw node.Error($"mode is '{OneLine.Of(other)}'; expected DCR or CRD"),
        };
        Emit(graph, node, new DepthToSpaceOperator(node.Int("blocksize", 0), crd));
    }

    public static void WriteDepthToSpace(OnnxOutput output, Node node)
    {
        var op = (DepthToSpaceOperator)node.Operator;
        output.SetFirst(node.Outputs[0], output.Node(
            "DepthToSpace",
            node.Name,
            [output.First(node.Inputs[0]!)],
            Attribute("blocksize", op.Block),
            Attribute("mode", op.ColumnRowDepth ? "CRD" : "DCR")));
    }

    public static void ReadSpaceToDepth(OnnxGraph graph, OnnxNode node) =>
        Emit(graph, node, new SpaceToDepthOperator(node.Int("blocksize", 0)));

    public static void WriteSpaceToDepth(OnnxOutput output, Node node) => output.SetFirst(node.Outputs[0], output.Node(
        "SpaceToDepth", node.Name, [output.First(node.Inputs[0]!)], Attribute("blocksize", ((SpaceToDepthOperator)node.Operator).Block)));

    private static void Emit(OnnxGraph graph, OnnxNode node, Operator op)
    {
        var x = graph.Input(node, 0);
        if (x.Rank != 4)
            throw node.Error($"the input is {x.Shape}; expected (N, C, height, width)");
        graph.OutputLast(node, 0, graph.Emit(node.Name, op, graph.ChannelsLast(x)), 4);
    }
}
