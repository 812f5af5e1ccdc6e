using static SeparableConv.Networks.Formats.Onnx.OnnxOutput;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Operators that compute element by element, with broadcasting where there are several inputs.</summary>
internal static class ElementwiseOperators
{
    /// <summary>The functions of one input, which ONNX calls by the names of <see cref="UnaryKind"/>.</summary>
    public static void ReadUnary(OnnxGraph graph, OnnxNode node)
    {
        var op = new UnaryOperator(Enum.Parse<UnaryKind>(node.Type));
        graph.Elementwise(node, (name, x) => graph.Emit(name, op, x));
    }

    /// <summary>The functions of two inputs that ONNX calls by the names of <see cref="BinaryKind"/>.</summary>
    public static void ReadBinary(OnnxGraph graph, OnnxNode node)
    {
        var (a, b) = (graph.Input(node, 0), graph.Input(node, 1));

        // Up to opset 6 the second input lies along the axis that an attribute names; later it always ends where the first ends.
        if (graph.Opset < 7 && node.Flag("broadcast", false) && node.Has("axis"))
            b = Behind(graph, b, a.Rank, node.Axis(node.Int("axis", 0), a.Rank));
        node.Ignore("broadcast", "axis");
        if (graph.Opset >= 7 && (node.Has("axis") || node.Has("broadcast")))
            throw node.Error($"attributes broadcast and axis ended with opset 6; the model is in opset {graph.Opset}");
        graph.Broadcast(node, new BinaryOperator(Enum.Parse<BinaryKind>(node.Type), Activation.None), a, b);
    }

    public static void ReadMod(OnnxGraph graph, OnnxNode node)
    {
        var kind = node.Flag("fmod", false) ? BinaryKind.FMod : BinaryKind.Mod;
        graph.Broadcast(node, new BinaryOperator(kind, Activation.None), graph.Input(node, 0), graph.Input(node, 1));
    }

    /// <summary>Min, Max, Sum and Mean of one input or more.</summary>
    public static void ReadSeveral(OnnxGraph graph, OnnxNode node)
    {
        var kind = node.Type switch
        {
            "Min" => BinaryKind.Min,
            "Max" => BinaryKind.Max,
            _ => BinaryKind.Add,
        };
        var (values, last, rank) = graph.Aligned(graph.Inputs(node));
        var y = values[0];
        for (var i = 1; i < values.Length; i++)
            y = graph.Emit(node.Name, new BinaryOperator(kind, Activation.None), y, values[i]);
        if (node.Type == "Mean")
        {
            y = new Formula(graph, node).Binary("mean", BinaryKind.Div, y, values.Length);
        }

        graph.Output(node, 0, y, last, rank);
    }

    public static void ReadWhere(OnnxGraph graph, OnnxNode node) =>
        graph.Broadcast(node, new WhereOperator(), graph.Input(node, 0), graph.Input(node, 1), graph.Input(node, 2));

    public static void ReadCast(OnnxGraph graph, OnnxNode node)
    {
        node.Ignore("saturate", "round_mode");
        var element = OnnxElements.Read(node.Long("to", 0), $"The result of node '{OneLine.Of(node.Name)}'");
        Cast(graph, node, element);
    }

    /// <summary>A cast to the type of the second input.</summary>
    public static void ReadCastLike(OnnxGraph graph, OnnxNode node)
    {
        node.Ignore("saturate", "round_mode");
        Cast(graph, node, graph.Input(node, 1).Element);
    }

    /// <summary>Nothing but a NaN differs from itself.</summary>
    public static void ReadIsNaN(OnnxGraph graph, OnnxNode node)
    {
        var formula = new Formula(graph, node);
        graph.Elementwise(node, (_, x) => formula.Unary("", UnaryKind.Not, formula.Binary("equal", BinaryKind.Equal, x, x)));
    }

    /// <summary>Whether a number is infinite; attributes may leave out the one infinity or the other.</summary>
    public static void ReadIsInf(OnnxGraph graph, OnnxNode node)
    {
        var (positive, negative) = (node.Flag("detect_positive", true), node.Flag("detect_negative", true));
        var formula = new Formula(graph, node);
        graph.Elementwise(node, (_, x) => (positive, negative) switch
        {
            (true, true) => Is(formula.Unary("magnitude", UnaryKind.Abs, x), double.PositiveInfinity),
            (true, false) => Is(x, double.PositiveInfinity),
            (false, true) => Is(x, double.NegativeInfinity),
            _ => formula.Binary("", BinaryKind.Less, x, double.NegativeInfinity),
        });

        Value Is(Value x, double infinity) => formula.Binary("", BinaryKind.Equal, x, infinity);
    }

    public static void WriteUnary(OnnxOutput output, Node node) =>
        output.Elementwise(node, x => output.Node(((UnaryOperator)node.Operator).UnaryKind.ToString(), node.Name, [x]));

    public static void WriteBinary(OnnxOutput output, Node node)
    {
        var op = (BinaryOperator)node.Operator;
        output.Broadcast(node, names => op.BinaryKind switch
        {
            BinaryKind.FMod => output.Node("Mod", node.Name, names, Attribute("fmod", 1)),
            var kind => output.Node(kind.ToString(), node.Name, names),
        }, op.Activation);
    }

    public static void WriteWhere(OnnxOutput output, Node node) =>
        output.Broadcast(node, names => output.Node("Where", node.Name, names));

    public static void WriteCast(OnnxOutput output, Node node)
    {
        var to = OnnxElements.Write(((CastOperator)node.Operator).Element);
        output.Elementwise(node, x => output.Node("Cast", node.Name, [x], Attribute("to", to)));
    }

    /// <summary>
    /// An operand whose first dimension lies along <paramref name="axis"/> of a tensor of <paramref name="rank"/> dimensions.
    /// </summary>
    public static OnnxValue Behind(OnnxGraph graph, OnnxValue value, int rank, int axis)
    {
        var lengths = new int[Math.Max(rank - axis, value.Rank)];
        lengths.AsSpan().Fill(1);
        value.Shape.Lengths.CopyTo(lengths);
        return OnnxValue.First(value.Name, graph.Reshape($"{value.Name}/along", graph.Original(value), new TensorShape(lengths)));
    }

    private static void Cast(OnnxGraph graph, OnnxNode node, ElementType element) =>
        graph.Elementwise(node, (name, x) => OnnxHalves.Cast(graph, name, x, element));
}
