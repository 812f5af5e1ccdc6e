using System.Diagnostics;
using SeparableConv.Activations;
using static SeparableConv.Networks.Formats.Onnx.OnnxOutput;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Activations: Relu, Clip and the other functions that a layer can take over.</summary>
internal static class ActivationOperators
{
    public static void ReadRelu(OnnxGraph graph, OnnxNode node) => Clamp(graph, node, 0, double.PositiveInfinity);

    /// <summary>The bounds are attributes up to opset 10 and inputs after it.</summary>
    public static void ReadClip(OnnxGraph graph, OnnxNode node)
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
            low is null ? minimum : OnnxConstants.Double(node, graph.Original(low).Constant!, "minimum"),
            high is null ? maximum : OnnxConstants.Double(node, graph.Original(high).Constant!, "maximum"));
    }

    public static void ReadLeakyRelu(OnnxGraph graph, OnnxNode node) =>
        Activate(graph, node, Activation.LeakyReLU(node.Float("alpha", 0.01f)));

    public static void ReadElu(OnnxGraph graph, OnnxNode node) => Activate(graph, node, Activation.ELU(node.Float("alpha", 1)));

    public static void ReadHardSigmoid(OnnxGraph graph, OnnxNode node) =>
        Activate(graph, node, Activation.HardSigmoid(node.Float("alpha", 0.2f), node.Float("beta", 0.5f)));

    public static void ReadHardSwish(OnnxGraph graph, OnnxNode node) => Activate(graph, node, Activation.HardSwish);

    public static void ReadSigmoid(OnnxGraph graph, OnnxNode node) => Activate(graph, node, Activation.Sigmoid);

    public static void ReadTanh(OnnxGraph graph, OnnxNode node) => Activate(graph, node, Activation.Tanh);

    /// <summary>The tanh approximation where the attribute says so.</summary>
    public static void ReadGelu(OnnxGraph graph, OnnxNode node) => Activate(graph, node, node.Text("approximate", "none") switch
    {
        "none" => Activation.GELU,
        "tanh" => Activation.GELUTanh,
        var other => throw node.Error($"approximate is '{OneLine.Of(other)}'; expected none or tanh"),
    });

    public static void ReadMish(OnnxGraph graph, OnnxNode node) => Activate(graph, node, Activation.Mish);

    public static void ReadSwish(OnnxGraph graph, OnnxNode node) => Activate(graph, node, Activation.Swish(node.Float("alpha", 1)));

    /// <summary>Slopes broadcast to the input.</summary>
    public static void ReadPRelu(OnnxGraph graph, OnnxNode node)
    {
        var (x, slope) = (graph.Input(node, 0), graph.Input(node, 1));
        if (graph.Opset < 7 && x.Rank > 1 && slope.Rank == 1 && slope.Shape[0] > 1)
            slope = ElementwiseOperators.Behind(graph, slope, x.Rank, 1);

        var isOne = slope.Shape.ElementCount == 1;
        var isPerChannel = ImageLayout.IsImage(x.Rank)
            && (slope.Rank == x.Rank || slope.Rank == x.Rank - 1)
            && slope.Shape.ElementCount == slope.Shape[slope.Rank - x.Rank + 1]
            && slope.Shape.ElementCount == x.Shape[1];
        if (!isPerChannel || isOne)
        {
            graph.Broadcast(node, new PReluOperator(), x, slope);
            return;
        }

        // On channels-last images slopes are a row of their own, which a convolution before them can take over.
        var slopes = graph.Reshape($"{slope.Name}/c", graph.Original(slope), new TensorShape(x.Shape[1]));
        graph.OutputLast(node, 0, graph.Emit(node.Name, new PReluOperator(), graph.ChannelsLast(x), slopes), x.Rank);
    }

    public static void WriteActivation(OnnxOutput output, Node node)
    {
        var (x, activation) = (node.Inputs[0]!, ((ActivationOperator)node.Operator).Activation);
        var first = output.PrefersFirst(x);
        output.Set(node.Outputs[0], Append(output, activation, output.InLayout(x, first), node.Name, x.Shape.Rank, first), first);
    }

    public static void WritePRelu(OnnxOutput output, Node node) =>
        output.Broadcast(node, names => output.Node("PRelu", node.Name, names));

    public static void WriteClip(OnnxOutput output, Node node)
    {
        var op = (ClipOperator)node.Operator;
        var element = node.Inputs[0]!.Type.Element;
        string Bound(string name, double bound) => double.IsInfinity(bound) ? "" : output.Constant(
            $"{node.Name}/{name}", Evaluator.Run(new CastOperator(element), TensorData.Create([bound]))[0]);
        output.Elementwise(node, x => output.Node("Clip", node.Name, [x, Bound("min", op.Minimum), Bound("max", op.Maximum)]));
    }

    /// <summary>Applies an activation to a tensor.</summary>
    /// <param name="output">The graph.</param>
    /// <param name="activation">The function.</param>
    /// <param name="tensor">What it is applied to.</param>
    /// <param name="name">The result's name.</param>
    /// <param name="rank">The tensor's dimensions.</param>
    /// <param name="first">Whether its channels are dimension 1 and not the last.</param>
    /// <returns>The result, which is the tensor itself where the function changes nothing.</returns>
    public static string Append(OnnxOutput output, Activation activation, string tensor, string name, int rank, bool first)
    {
        var (kind, alpha, beta) = activation.Function;
        switch (kind)
        {
            case ActivationKind.Clamp:
                return Clamp(output, activation.LowerBound, activation.UpperBound, tensor, name);
            case ActivationKind.LeakyReLU:
                return output.Node("LeakyRelu", name, [tensor], Attribute("alpha", alpha));
            case ActivationKind.PReLU:
                var slopes = activation.Slopes.ToArray();
                return output.Node("PRelu", name, [tensor, first
                    ? output.Constant($"{name}/slopes", slopes, slopes.Length, 1, 1)
                    : output.Constant($"{name}/slopes", slopes, slopes.Length)]);
            case ActivationKind.ELU:
                return output.Node("Elu", name, [tensor], Attribute("alpha", alpha));
            case ActivationKind.HardSwish:
                return output.Node("HardSwish", name, [tensor]);
            case ActivationKind.HardSigmoid:
                return output.Node("HardSigmoid", name, [tensor], Attribute("alpha", alpha), Attribute("beta", beta));
            case ActivationKind.Sigmoid:
                return output.Node("Sigmoid", name, [tensor]);
            case ActivationKind.Tanh:
                return output.Node("Tanh", name, [tensor]);
            case ActivationKind.Mish:
                return output.Node("Mish", name, [tensor]);
            case ActivationKind.Swish:
                return AppendSwish(output, alpha, tensor, name);
            case ActivationKind.GELU:
                return AppendGELU(output, tensor, name);
            case ActivationKind.GELUTanh:
                return AppendGELUTanh(output, tensor, name);
            case ActivationKind.Softmax:
                return output.Node("Softmax", name, [tensor], Attribute("axis", first ? 1 : rank - 1));
            default:
                throw new UnreachableException($"ONNX's name of {activation} is missing here.");
        }
    }

    // What the written opset has not yet is spelled out.
    private static string AppendSwish(OnnxOutput output, float beta, string tensor, string name)
    {
        var scaled = beta == 1 ? tensor : output.Node("Mul", $"{name}/scaled", [tensor, output.Constant($"{name}/beta", [beta])]);
        return output.Node("Mul", name, [tensor, output.Node("Sigmoid", $"{name}/gate", [scaled])]);
    }

    private static string AppendGELU(OnnxOutput output, string tensor, string name)
    {
        var scaled = output.Node("Mul", $"{name}/scaled", [tensor, output.Constant($"{name}/root_of_half", [GELUFunction.RootOfHalf])]);
        return AppendHalf(output, output.Node("Erf", $"{name}/erf", [scaled]), tensor, name);
    }

    private static string AppendGELUTanh(OnnxOutput output, string tensor, string name)
    {
        string Times(string part, string a, string b) => output.Node("Mul", $"{name}/{part}", [a, b]);
        var cube = Times("cube", Times("square", tensor, tensor), tensor);
        var term = Times("term", cube, output.Constant($"{name}/factor", [GELUTanhFunction.Cube]));
        var sum = output.Node("Add", $"{name}/bracket", [tensor, term]);
        var scaled = Times("scaled", sum, output.Constant($"{name}/scale", [GELUTanhFunction.Scale / 2]));
        return AppendHalf(output, output.Node("Tanh", $"{name}/tanh", [scaled]), tensor, name);
    }

    // x * (1 + gate) * 1/2.
    private static string AppendHalf(OnnxOutput output, string gate, string tensor, string name)
    {
        var sum = output.Node("Add", $"{name}/sum", [gate, output.Constant($"{name}/one", [1f])]);
        var product = output.Node("Mul", $"{name}/product", [tensor, sum]);
        return output.Node("Mul", name, [product, output.Constant($"{name}/half", [0.5f])]);
    }

    private static string Clamp(OnnxOutput output, float lower, float upper, string tensor, string name)
    {
        if (float.IsPositiveInfinity(upper) && float.IsNegativeInfinity(lower))
            return tensor;
        if (float.IsPositiveInfinity(upper) && lower == 0)
            return output.Node("Relu", name, [tensor]);
        var minimum = float.IsNegativeInfinity(lower) ? "" : output.Constant($"{name}/min", [lower]);
        var maximum = float.IsPositiveInfinity(upper) ? "" : output.Constant($"{name}/max", [upper]);
        return output.Node("Clip", name, [tensor, minimum, maximum]);
    }

    private static void ClipBetween(OnnxGraph graph, OnnxNode node, OnnxValue? low, OnnxValue? high)
    {
        var x = graph.Input(node, 0);
        if (low is null || high is null)
        {
            graph.Broadcast(node, new BinaryOperator(low is null ? BinaryKind.Min : BinaryKind.Max, Activation.None), x, (low ?? high)!);
            return;
        }

        var (values, last, rank) = graph.Aligned(x, low, high);
        var atLeast = graph.Emit($"{node.Name}/low", new BinaryOperator(BinaryKind.Max, Activation.None), values[0], values[1]);
        graph.Output(node, 0, graph.Emit(node.Name, new BinaryOperator(BinaryKind.Min, Activation.None), atLeast, values[2]), last, rank);
    }

    private static void Clamp(OnnxGraph graph, OnnxNode node, double minimum, double maximum)
    {
        // ONNX lets the maximum win where the bounds cross.
        minimum = Math.Min(minimum, maximum);
        if (graph.Input(node, 0).Element != ElementType.Float32)
            graph.Elementwise(node, (name, x) => graph.Emit(name, new ClipOperator(minimum, maximum), x));
        else
            Activate(graph, node, Activation.Clip((float)minimum, (float)maximum));
    }

    // Half precision is computed in single precision and rounded once.
    private static void Activate(OnnxGraph graph, OnnxNode node, Activation activation)
    {
        var op = new ActivationOperator(activation);
        graph.Elementwise(node, (name, x) => x.Type.Element != ElementType.Float16
            ? graph.Emit(name, op, x)
            : graph.Emit(
                name,
                new CastOperator(ElementType.Float16),
                graph.Emit($"{name}/activation", op, graph.Emit($"{name}/float32", new CastOperator(ElementType.Float32), x))));
    }
}
