using static SeparableConv.Networks.Formats.Onnx.OnnxOutput;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Operators that read or write where other tensors say: gathering and scattering of slices and of elements.</summary>
internal static class IndexOperators
{
    private static readonly (string Name, ScatterReduction Value)[] Reductions =
    [
        ("none", ScatterReduction.None),
        ("add", ScatterReduction.Add),
        ("mul", ScatterReduction.Mul),
        ("max", ScatterReduction.Max),
        ("min", ScatterReduction.Min),
    ];

    public static void ReadGatherND(OnnxGraph graph, OnnxNode node) => Emit(graph, node, new GatherNDOperator(node.Int("batch_dims", 0)));

    public static void WriteGatherND(OnnxOutput output, Node node) =>
        Write(output, node, "GatherND", Attribute("batch_dims", ((GatherNDOperator)node.Operator).BatchDimensions));

    public static void ReadGatherElements(OnnxGraph graph, OnnxNode node) =>
        Emit(graph, node, new GatherElementsOperator(Axis(graph, node)));

    public static void WriteGatherElements(OnnxOutput output, Node node) =>
        Write(output, node, "GatherElements", Attribute("axis", ((GatherElementsOperator)node.Operator).Axis));

    public static void ReadScatterND(OnnxGraph graph, OnnxNode node) => Emit(graph, node, new ScatterNDOperator(Reduction(node)));

    public static void WriteScatterND(OnnxOutput output, Node node) =>
        Write(output, node, "ScatterND", Attribute("reduction", Name(((ScatterNDOperator)node.Operator).Reduction)));

    /// <summary>Up to opset 10 it is called Scatter.</summary>
    public static void ReadScatterElements(OnnxGraph graph, OnnxNode node) =>
        Emit(graph, node, new ScatterElementsOperator(Axis(graph, node), Reduction(node)));

    public static void WriteScatterElements(OnnxOutput output, Node node)
    {
        var op = (ScatterElementsOperator)node.Operator;
        Write(output, node, "ScatterElements", Attribute("axis", op.Axis), Attribute("reduction", Name(op.Reduction)));
    }

    /// <summary>The slices along an axis, or the elements in their order, at which a constant condition is true.</summary>
    public static void ReadCompress(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        var condition = graph.Constant(node, 1, "condition");
        if (condition.Values is not bool[] truths || condition.Type.Shape.Rank != 1)
            throw node.Error($"the condition is {condition.Type}; expected bool with one dimension");
        var given = node.Has("axis");
        var axis = given ? node.Axis(node.Int("axis", 0), x.Rank) : 0;
        var source = given ? graph.Original(x) : graph.Reshape(
            $"{node.Name}/flat", graph.Original(x), new TensorShape(checked((int)x.Shape.ElementCount)));
        if (truths.Length > source.Shape[axis])
            throw node.Error($"there are {truths.Length} conditions for a dimension of {source.Shape[axis]}; expected no more than that");
        long[] indices = [.. Enumerable.Range(0, truths.Length).Where(i => truths[i]).Select(i => (long)i)];
        var places = graph.Constant($"{node.Name}/indices", TensorData.Create(indices, indices.Length));
        graph.Output(node, 0, graph.Emit(node.Name, new GatherOperator(axis), source, places));
    }

    /// <summary>
    /// The second of two values where an index stands along a new axis, the first elsewhere; an index below 0 counts from the back, one
    /// beyond the depth stands nowhere.
    /// </summary>
    public static void ReadOneHot(OnnxGraph graph, OnnxNode node)
    {
        var (indices, values) = (graph.Input(node, 0), graph.Original(graph.Input(node, 2)));
        var depth = OnnxConstants.Double(node, graph.Constant(node, 1, "depth"), "depth");
        if (!(depth is >= 1 and <= int.MaxValue))
            throw node.Error(FormattableString.Invariant($"the depth is {depth}; expected 1 or more"));
        var axis = node.Axis(node.Int("axis", -1), indices.Rank + 1);
        int[] lengths = [.. indices.Shape.Lengths[..axis], 1, .. indices.Shape.Lengths[axis..]];
        var formula = new Formula(graph, node);
        var places = formula.Reshape("places", formula.Cast("indices", ElementType.Int64, graph.Original(indices)), lengths);
        var (count, rank) = ((int)depth, lengths.Length);
        var hot = formula.Binary(
            "hot",
            BinaryKind.Or,
            formula.Binary("front", BinaryKind.Equal, places, formula.Count("count", count, axis, rank)),
            formula.Binary("back", BinaryKind.Equal, places, formula.Count("count_back", count, axis, rank, from: -count)));
        Value Choice(string part, int index) => graph.Emit(
            $"{node.Name}/{part}", new GatherOperator(0), values, formula.Number($"{part}_index", index, ElementType.Int64));
        graph.Output(node, 0, formula.Choose("", hot, Choice("on", 1), Choice("off", 0)));
    }

    private static int Axis(OnnxGraph graph, OnnxNode node) => node.Axis(node.Int("axis", 0), graph.Input(node, 0).Rank);

    private static ScatterReduction Reduction(OnnxNode node)
    {
        var name = node.Text("reduction", "none");
        var index = Array.FindIndex(Reductions, pair => pair.Name == name);
        return index >= 0 ? Reductions[index].Value : throw node.Error(
            $"reduction is '{OneLine.Of(name)}'; expected none, add, mul, max or min");
    }

    private static string Name(ScatterReduction reduction) => Array.Find(Reductions, pair => pair.Value == reduction).Name;

    private static void Emit(OnnxGraph graph, OnnxNode node, Operator op) =>
        graph.Output(node, 0, graph.Emit(node.Name, op, Array.ConvertAll<OnnxValue, Value?>(graph.Inputs(node), graph.Original)));

    private static void Write(
        OnnxOutput output, Node node, string type, params ReadOnlySpan<Schema.AttributeProto> attributes)
    {
        string[] inputs = [.. node.Inputs.Select(input => output.AsIs(input!))];
        output.SetAsIs(node.Outputs[0], output.Node(type, node.Name, inputs, attributes));
    }
}
