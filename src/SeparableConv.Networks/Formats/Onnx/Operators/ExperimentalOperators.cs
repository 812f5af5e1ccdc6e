namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Operators that ONNX had as experimental ones up to opset 9, and that old converters still write.</summary>
internal static class ExperimentalOperators
{
    /// <summary>y = x * scale + bias, one bias a channel.</summary>
    public static void ReadImageScaler(OnnxGraph graph, OnnxNode node)
    {
        var (x, formula) = (graph.Image(node), new Formula(graph, node));
        var scale = node.Float("scale", 1);
        float[] bias = node.Floats("bias") is { } given ? [.. given.Take(x.Shape[1])] : new float[x.Shape[1]];
        if (bias.Length != x.Shape[1])
            throw node.Error($"bias has {bias.Length} numbers; expected one for each of {x.Shape[1]} channels");
        var scaled = formula.Binary("scaled", BinaryKind.Mul, graph.ChannelsLast(x), scale);
        var row = graph.Constant($"{node.Name}/bias", bias, bias.Length);
        graph.OutputLast(node, 0, formula.Binary("", BinaryKind.Add, scaled, row), x.Rank);
    }

    /// <summary>An image without its border (left, top, right, bottom), or a part of a given size from the border on.</summary>
    public static void ReadCrop(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Image(node);
        var border = node.Ints("border") ?? [0, 0, 0, 0];
        if (x.Rank != 4 || border.Length != 4)
            throw node.Error($"the input is {x.Shape} and the border has {border.Length} numbers; expected (N, C, height, width) and 4");
        var image = graph.ChannelsLast(x);
        var size = node.Ints("scale") ?? [x.Shape[2] - border[1] - border[3], x.Shape[3] - border[0] - border[2]];
        var fits = size.Length == 2 && border[0] >= 0 && border[1] >= 0 && size[0] > 0 && size[1] > 0
            && (long)border[1] + size[0] <= x.Shape[2] && (long)border[0] + size[1] <= x.Shape[3];
        if (!fits)
        {
            throw node.Error(
                $"the border ({string.Join(',', border)}) and the size ({string.Join(',', size)}) do not lie inside the input {x.Shape}");
        }

        var op = new SliceOperator([0, border[1], border[0], 0], [1, 1, 1, 1], [image.Shape[0], size[0], size[1], image.Shape[3]]);
        graph.OutputLast(node, 0, graph.Emit(node.Name, op, image), 4);
    }

    /// <summary>Affine, alpha * x + beta; Scale, scale * x.</summary>
    public static void ReadAffine(OnnxGraph graph, OnnxNode node)
    {
        var (factor, offset) = node.Type == "Scale" ? (node.Float("scale", 1), 0) : (node.Float("alpha", 1), node.Float("beta", 0));
        var formula = new Formula(graph, node);
        graph.Elementwise(node, (_, x) =>
            formula.Binary("", BinaryKind.Add, formula.Binary("scaled", BinaryKind.Mul, x, factor), offset));
    }

    /// <summary>ScaledTanh, alpha * tanh(beta * x); ParametricSoftplus, alpha * log(1 + e^(beta * x)).</summary>
    public static void ReadScaledFunction(OnnxGraph graph, OnnxNode node)
    {
        var isTanh = node.Type == "ScaledTanh";
        var (alpha, beta) = (node.Float("alpha", 1), node.Float("beta", 1));
        var formula = new Formula(graph, node);
        graph.Elementwise(node, (_, x) =>
        {
            var scaled = formula.Binary("scaled", BinaryKind.Mul, x, beta);
            var y = isTanh ? formula.Activate("tanh", Activation.Tanh, scaled) : formula.Unary("softplus", UnaryKind.Softplus, scaled);
            return formula.Binary("", BinaryKind.Mul, y, alpha);
        });
    }
}
