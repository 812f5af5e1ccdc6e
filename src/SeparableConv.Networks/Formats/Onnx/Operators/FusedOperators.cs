namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>
/// What ONNX Runtime joins and writes into its own domain, com.microsoft: FusedConv, FusedGemm, FusedMatMul and forms of GELU. It is taken
/// apart again; the passes join it their own way.
/// </summary>
internal static class FusedOperators
{
    private const float RootOfHalf = 0.70710678118654752f;
    private const float RootOfTwoByPi = 0.7978845608028654f;
    private const float CubicPart = 0.035677408136300125f;

    /// <summary>y = activation(x * w + b + z).</summary>
    public static void ReadConv(OnnxGraph graph, OnnxNode node)
    {
        var y = OnnxOperators.ReadPart(
            graph, node, "Conv", graph.Input(node, 0), graph.Input(node, 1), graph.OptionalInput(node, 2));
        if (graph.OptionalInput(node, 3) is { } z)
            y = OnnxOperators.ReadPart(graph, node, "Add", y, z);
        var given = node.Floats("activation_params") ?? [];
        float Parameter(int index) => index < given.Count ? given[index]
            : throw node.Error($"activation_params has {given.Count} numbers; '{node.Text("activation", "")}' needs {index + 1}");
        Activate(graph, node, y, node.Text("activation", ""), (_, index, _) => Parameter(index));
    }

    /// <summary>y = activation(alpha*A*B + beta*C).</summary>
    public static void ReadGemm(OnnxGraph graph, OnnxNode node)
    {
        var y = OnnxOperators.ReadPart(
            graph, node, "Gemm", graph.Input(node, 0), graph.Input(node, 1), graph.OptionalInput(node, 2));
        node.Ignore("activation_alpha", "activation_beta", "activation_gamma");
        Activate(graph, node, y, node.Text("activation", ""), (name, _, otherwise) => node.Float($"activation_{name}", otherwise));
    }

    /// <summary>y = alpha*A*B, the last two dimensions of A and B exchanged where the attributes say so.</summary>
    public static void ReadMatMul(OnnxGraph graph, OnnxNode node)
    {
        if (node.Flag("transBatchA", false) || node.Flag("transBatchB", false))
            throw node.Error("transBatchA or transBatchB is 1, which moves the batch behind the rows; expected 0");
        var alpha = node.Float("alpha", 1);
        var (a, b) = (graph.Input(node, 0), graph.Input(node, 1));
        var y = OnnxOperators.ReadPart(
            graph,
            node,
            "MatMul",
            node.Flag("transA", false) ? Exchanged(graph, a) : a,
            node.Flag("transB", false) ? Exchanged(graph, b) : b);
        if (alpha == 1)
            graph.Alias(node, y);
        else
            graph.Output(node, 0, Binary(graph, node, "scaled", BinaryKind.Mul, graph.Original(y), Number(graph, node, alpha)));
    }

    /// <summary>y = x/2 * (1 + erf(x / sqrt 2)), of x or of the sum of x and a bias.</summary>
    public static void ReadGelu(OnnxGraph graph, OnnxNode node) => Gelu(graph, node, x =>
    {
        var inner = Binary(graph, node, "inner", BinaryKind.Mul, x, Number(graph, node, RootOfHalf));
        return graph.Emit($"{node.Name}/erf", new UnaryOperator(UnaryKind.Erf), inner);
    });

    /// <summary>y = x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3))), of x or of the sum of x and a bias.</summary>
    public static void ReadFastGelu(OnnxGraph graph, OnnxNode node) => Gelu(graph, node, x =>
    {
        var square = Binary(graph, node, "square", BinaryKind.Mul, x, x);
        var cubic = Binary(graph, node, "cubic", BinaryKind.Mul, square, Number(graph, node, CubicPart));
        var slope = Binary(graph, node, "slope", BinaryKind.Add, cubic, Number(graph, node, RootOfTwoByPi));
        var inner = Binary(graph, node, "inner", BinaryKind.Mul, x, slope);
        return graph.Emit($"{node.Name}/tanh", new ActivationOperator(Activation.Tanh), inner);
    });

    /// <summary>y = x * sigmoid(alpha*x).</summary>
    public static void ReadQuickGelu(OnnxGraph graph, OnnxNode node)
    {
        var alpha = node.Float("alpha", 1.702f);
        graph.Elementwise(node, (name, x) =>
        {
            var inner = alpha == 1 ? x : Binary(graph, node, "inner", BinaryKind.Mul, x, Number(graph, node, alpha));
            var gate = graph.Emit($"{name}/gate", new ActivationOperator(Activation.Sigmoid), inner);
            return graph.Emit(name, new BinaryOperator(BinaryKind.Mul, Activation.None), x, gate);
        });
    }

    private static void Gelu(OnnxGraph graph, OnnxNode node, Func<Value, Value> function)
    {
        var x = graph.Input(node, 0);
        if (graph.OptionalInput(node, 1) is { } bias)
            x = OnnxOperators.ReadPart(graph, node, "Add", x, bias);
        var last = OnnxGraph.PrefersLast(x);
        var value = graph.InLayout(x, last);
        var gate = Binary(graph, node, "gate", BinaryKind.Add, function(value), Number(graph, node, 1));
        var half = Binary(graph, node, "half", BinaryKind.Mul, value, Number(graph, node, 0.5f));
        graph.Output(node, 0, graph.Emit(node.Name, new BinaryOperator(BinaryKind.Mul, Activation.None), half, gate), last, x.Rank);
    }

    // parameter gives the number of that name and place, or one of its own.
    private static void Activate(OnnxGraph graph, OnnxNode node, OnnxValue y, string name, Func<string, int, float, float> parameter)
    {
        var activation = name switch
        {
            "" => Activation.None,
            "Relu" => Activation.ReLU,
            "Sigmoid" => Activation.Sigmoid,
            "Tanh" => Activation.Tanh,
            "HardSwish" => Activation.HardSwish,
            "LeakyRelu" => Activation.LeakyReLU(parameter("alpha", 0, 0.01f)),
            "Elu" => Activation.ELU(parameter("alpha", 0, 1)),
            "Clip" => Activation.Clip(parameter("min", 0, float.NegativeInfinity), parameter("max", 1, float.PositiveInfinity)),
            "HardSigmoid" => Activation.HardSigmoid(parameter("alpha", 0, 0.2f), parameter("beta", 1, 0.5f)),
            _ => throw node.Error(
                $"activation is '{OneLine.Of(name)}'; Relu, Clip, LeakyRelu, Elu, Sigmoid, Tanh, HardSigmoid and HardSwish are supported"),
        };
        if (activation.IsNone)
        {
            graph.Alias(node, y);
            return;
        }

        var last = OnnxGraph.PrefersLast(y);
        var value = graph.Emit($"{node.Name}/activation", new ActivationOperator(activation), graph.InLayout(y, last));
        graph.Output(node, 0, value, last, y.Rank);
    }

    private static OnnxValue Exchanged(OnnxGraph graph, OnnxValue value)
    {
        if (value.Rank < 2)
            return value;
        int[] permutation = [.. Enumerable.Range(0, value.Rank - 2), value.Rank - 1, value.Rank - 2];
        return OnnxValue.First(value.Name, graph.Transpose($"{value.Name}/exchanged", graph.Original(value), permutation));
    }

    private static Value Number(OnnxGraph graph, OnnxNode node, float number) => graph.Constant($"{node.Name}/number", [number], 1);

    private static Value Binary(OnnxGraph graph, OnnxNode node, string name, BinaryKind kind, Value a, Value b) =>
        graph.Emit($"{node.Name}/{name}", new BinaryOperator(kind, Activation.None), a, b);
}
