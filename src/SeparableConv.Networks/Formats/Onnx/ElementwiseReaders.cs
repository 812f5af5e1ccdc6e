using SeparableConv.Networks.Operators;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Reads what is computed element by element, with broadcasting where there are several inputs.</summary>
internal static class ElementwiseReaders
{
    public static void Relu(OnnxGraph graph, OnnxNode node) => Clamp(graph, node, 0, double.PositiveInfinity);

    /// <summary>The bounds are attributes up to opset 10 and inputs after it.</summary>
    public static void Clip(OnnxGraph graph, OnnxNode node)
    {
        // Both stand at the ends of float32 where they are not given; those let an infinity through no more than ONNX does.
        var (minimum, maximum) = (node.Float("min", float.NegativeInfinity), node.Float("max", float.PositiveInfinity));
        var (low, high) = (graph.OptionalInput(node, 1), graph.OptionalInput(node, 2));
        if (low is { IsConstant: false } || high is { IsConstant: false })
        {
            ClipBetween(graph, node, low, high);
            return;
        }

        var x = graph.Input(node, 0);
        Clamp(
            graph,
            node,
            low is null ? minimum : ConstantReaders.Double(node, graph.Original(low).Constant!, "minimum"),
            high is null ? maximum : ConstantReaders.Double(node, graph.Original(high).Constant!, "maximum"));
    }

    public static void LeakyRelu(OnnxGraph graph, OnnxNode node) => Activate(graph, node, Activation.LeakyReLU(node.Float("alpha", 0.01f)));

    public static void Elu(OnnxGraph graph, OnnxNode node) => Activate(graph, node, Activation.ELU(node.Float("alpha", 1)));

    public static void HardSigmoid(OnnxGraph graph, OnnxNode node) =>
        Activate(graph, node, Activation.HardSigmoid(node.Float("alpha", 0.2f), node.Float("beta", 0.5f)));

    public static void HardSwish(OnnxGraph graph, OnnxNode node) => Activate(graph, node, Activation.HardSwish);

    public static void Sigmoid(OnnxGraph graph, OnnxNode node) => Activate(graph, node, Activation.Sigmoid);

    public static void Tanh(OnnxGraph graph, OnnxNode node) => Activate(graph, node, Activation.Tanh);

    /// <summary>y = gamma * elu(x, alpha).</summary>
    public static void Selu(OnnxGraph graph, OnnxNode node)
    {
        var alpha = node.Float("alpha", 1.67326319217681884765625f);
        var gamma = graph.Constant($"{node.Name}/gamma", [node.Float("gamma", 1.05070102214813232421875f)], 1);
        Apply(graph, node, (name, x) => graph.Emit(
            name, new BinaryOperator(BinaryKind.Mul, Activation.None), graph.Emit($"{name}/elu", new ActivationOperator(Activation.ELU(alpha)), x), gamma));
    }

    /// <summary>Slopes broadcast to the input; those of channels become an activation, which a convolution takes over.</summary>
    public static void PRelu(OnnxGraph graph, OnnxNode node)
    {
        var (x, slope) = (graph.Input(node, 0), graph.Input(node, 1));
        if (graph.Opset < 7 && x.Rank > 1 && slope.Rank == 1 && slope.Shape[0] > 1)
            slope = Behind(graph, slope, x.Rank, 1);
        var isPerChannel = slope.Shape.ElementCount == 1 || (x.Rank >= 3 && slope.Shape.ElementCount == slope.Shape[Math.Max(0, slope.Rank - x.Rank + 1)]
            && slope.Rank == x.Rank - 1 | slope.Rank == x.Rank && slope.Shape.ElementCount == x.Shape[1]);
        if (slope.IsConstant && isPerChannel && x.Element == ElementType.Float32 && slope.Element == ElementType.Float32 && (slope.Shape.ElementCount == 1 || ImageLayout.IsImage(x.Rank)))
        {
            var activation = Activation.PReLU(graph.Original(slope).Constant!.Span<float>());
            var onChannels = slope.Shape.ElementCount > 1 || OnnxGraph.PrefersLast(x);
            graph.Output(node, 0, graph.Emit(node.Name, new ActivationOperator(activation), graph.InLayout(x, onChannels)), onChannels, x.Rank);
            return;
        }

        var (values, last, rank) = graph.Aligned(x, slope);
        graph.Output(node, 0, graph.Emit(node.Name, new PReluOperator(), values), last, rank);
    }

    public static void Unary(OnnxGraph graph, OnnxNode node)
    {
        var op = new UnaryOperator(node.Type switch
        {
            "Abs" => UnaryKind.Abs,
            "Neg" => UnaryKind.Neg,
            "Exp" => UnaryKind.Exp,
            "Log" => UnaryKind.Log,
            "Sqrt" => UnaryKind.Sqrt,
            "Reciprocal" => UnaryKind.Reciprocal,
            "Floor" => UnaryKind.Floor,
            "Ceil" => UnaryKind.Ceil,
            "Round" => UnaryKind.Round,
            "Sign" => UnaryKind.Sign,
            "Sin" => UnaryKind.Sin,
            "Cos" => UnaryKind.Cos,
            "Erf" => UnaryKind.Erf,
            "Softplus" => UnaryKind.Softplus,
            "Softsign" => UnaryKind.Softsign,
            _ => UnaryKind.Not,
        });
        Apply(graph, node, (name, x) => graph.Emit(name, op, x));
    }

    public static void Binary(OnnxGraph graph, OnnxNode node)
    {
        var (a, b) = (graph.Input(node, 0), graph.Input(node, 1));

        // Up to opset 6 the second input lies along the axis that an attribute names; later it always ends where the first ends.
        if (graph.Opset < 7 && node.Flag("broadcast", false) && node.Has("axis"))
            b = Behind(graph, b, a.Rank, ShapeReaders.Axis(node, node.Int("axis", 0), a.Rank));
        node.Ignore("broadcast", "axis");
        if (graph.Opset >= 7 && (node.Has("axis") || node.Has("broadcast")))
            throw node.Error($"attributes broadcast and axis ended with opset 6; the model is in opset {graph.Opset}");
        Combine(graph, node, node.Type switch
        {
            "Add" => BinaryKind.Add,
            "Sub" => BinaryKind.Sub,
            "Mul" => BinaryKind.Mul,
            "Div" => BinaryKind.Div,
            "Pow" => BinaryKind.Pow,
            "Equal" => BinaryKind.Equal,
            "Less" => BinaryKind.Less,
            "LessOrEqual" => BinaryKind.LessOrEqual,
            "Greater" => BinaryKind.Greater,
            "GreaterOrEqual" => BinaryKind.GreaterOrEqual,
            "And" => BinaryKind.And,
            "Or" => BinaryKind.Or,
            _ => BinaryKind.Xor,
        }, a, b);
    }

    public static void Mod(OnnxGraph graph, OnnxNode node) =>
        Combine(graph, node, node.Flag("fmod", false) ? BinaryKind.FMod : BinaryKind.Mod, graph.Input(node, 0), graph.Input(node, 1));

    /// <summary>Min, Max, Sum and Mean of one input or more.</summary>
    public static void Several(OnnxGraph graph, OnnxNode node)
    {
        var inputs = new OnnxValue[node.Inputs.Count];
        for (var i = 0; i < inputs.Length; i++)
            inputs[i] = graph.Input(node, i);
        if (inputs.Length == 0)
            throw node.Error("there is no input; expected at least one");
        var kind = node.Type switch
        {
            "Min" => BinaryKind.Min,
            "Max" => BinaryKind.Max,
            _ => BinaryKind.Add,
        };
        var (values, last, rank) = graph.Aligned(inputs);
        var y = values[0];
        for (var i = 1; i < values.Length; i++)
            y = graph.Emit(node.Name, new BinaryOperator(kind, Activation.None), y, values[i]);
        if (node.Type == "Mean")
            y = graph.Emit(node.Name, new BinaryOperator(BinaryKind.Div, Activation.None), y, graph.Constant($"{node.Name}/count", [(float)values.Length], 1));
        graph.Output(node, 0, y, last, rank);
    }

    public static void Where(OnnxGraph graph, OnnxNode node)
    {
        var (values, last, rank) = graph.Aligned(graph.Input(node, 0), graph.Input(node, 1), graph.Input(node, 2));
        graph.Output(node, 0, graph.Emit(node.Name, new WhereOperator(), values), last, rank);
    }

    public static void Cast(OnnxGraph graph, OnnxNode node)
    {
        node.Ignore("saturate", "round_mode");
        var element = OnnxElements.Read(node.Long("to", 0), $"The result of node '{OneLine.Of(node.Name)}'");
        Apply(graph, node, (name, x) => x.Type.Element == element ? x : graph.Emit(name, new CastOperator(element), x));
    }

    private static void ClipBetween(OnnxGraph graph, OnnxNode node, OnnxValue? low, OnnxValue? high)
    {
        var x = graph.Input(node, 0);
        if (low is null || high is null)
        {
            Combine(graph, node, low is null ? BinaryKind.Min : BinaryKind.Max, x, (low ?? high)!);
            return;
        }

        var (values, last, rank) = graph.Aligned(x, low, high);
        var atLeast = graph.Emit($"{node.Name}/low", new BinaryOperator(BinaryKind.Max, Activation.None), values[0], values[1]);
        graph.Output(node, 0, graph.Emit(node.Name, new BinaryOperator(BinaryKind.Min, Activation.None), atLeast, values[2]), last, rank);
    }

    private static void Combine(OnnxGraph graph, OnnxNode node, BinaryKind kind, OnnxValue a, OnnxValue b)
    {
        var (values, last, rank) = graph.Aligned(a, b);
        graph.Output(node, 0, graph.Emit(node.Name, new BinaryOperator(kind, Activation.None), values), last, rank);
    }

    private static void Clamp(OnnxGraph graph, OnnxNode node, double minimum, double maximum)
    {
        // ONNX lets the maximum win where the bounds cross.
        minimum = Math.Min(minimum, maximum);
        if (graph.Input(node, 0).Element != ElementType.Float32)
            Apply(graph, node, (name, x) => graph.Emit(name, new ClipOperator(minimum, maximum), x));
        else
            Activate(graph, node, Activation.Clip((float)minimum, (float)maximum));
    }

    // Half precision is computed in single precision and rounded once.
    private static void Activate(OnnxGraph graph, OnnxNode node, Activation activation)
    {
        var op = new ActivationOperator(activation);
        Apply(graph, node, (name, x) => x.Type.Element != ElementType.Float16
            ? graph.Emit(name, op, x)
            : graph.Emit(
                name,
                new CastOperator(ElementType.Float16),
                graph.Emit($"{name}/activation", op, graph.Emit($"{name}/float32", new CastOperator(ElementType.Float32), x))));
    }

    private static void Apply(OnnxGraph graph, OnnxNode node, Func<string, Value, Value> emit)
    {
        var x = graph.Input(node, 0);
        var last = OnnxGraph.PrefersLast(x);
        graph.Output(node, 0, emit(node.Name, graph.InLayout(x, last)), last, x.Rank);
    }

    private static OnnxValue Behind(OnnxGraph graph, OnnxValue value, int rank, int axis)
    {
        var lengths = new int[Math.Max(rank - axis, value.Rank)];
        lengths.AsSpan().Fill(1);
        value.Shape.Lengths.CopyTo(lengths);
        return OnnxValue.First(value.Name, graph.Reshape($"{value.Name}/along", graph.Original(value), new TensorShape(lengths)));
    }
}
