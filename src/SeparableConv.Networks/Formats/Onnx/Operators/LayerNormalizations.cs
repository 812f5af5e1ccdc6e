using static SeparableConv.Networks.Formats.Onnx.OnnxOutput;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Normalizations along some of the dimensions: LayerNormalization, RMSNormalization, LpNormalization and LRN.</summary>
internal static class LayerNormalizations
{
    /// <summary>Each row, the dimensions from the axis on, with its own mean and variance; both are outputs where somebody asks.</summary>
    public static void ReadLayerNormalization(OnnxGraph graph, OnnxNode node)
    {
        node.Ignore("stash_type");
        var (x, epsilon) = (graph.Input(node, 0), node.Float("epsilon", 1e-5f));
        var axis = node.Axis(node.Int("axis", -1), x.Rank);
        var formula = new Formula(graph, node);
        var input = formula.Cast("input", ElementType.Float32, graph.Original(x));
        Value?[] inputs =
        [
            input,
            Row(graph, formula, node, 1, input.Shape, axis),
            node.HasInput(2) ? Row(graph, formula, node, 2, input.Shape, axis) : null,
        ];
        var y = graph.Emit(node.Name, new LayerNormalizationOperator(axis, epsilon), inputs);
        graph.Output(node, 0, formula.Cast("narrow", x.Element, y));
        int[] axes = [.. Enumerable.Range(axis, x.Rank - axis)];
        Value Mean() => formula.Reduce("mean", ReduceKind.Mean, axes, input);
        graph.OutputLater(node, 1, Mean);
        graph.OutputLater(node, 2, () =>
        {
            var centered = formula.Binary("centered", BinaryKind.Sub, input, Mean());
            var squares = formula.Binary("squares", BinaryKind.Mul, centered, centered);
            var variance = formula.Reduce("variance", ReduceKind.Mean, axes, squares);
            var deviation = formula.Unary("deviation", UnaryKind.Sqrt, formula.Binary("regularized", BinaryKind.Add, variance, epsilon));
            return formula.Unary("inverse", UnaryKind.Reciprocal, deviation);
        });
    }

    public static void WriteLayerNormalization(OnnxOutput output, Node node)
    {
        var op = (LayerNormalizationOperator)node.Operator;
        string[] inputs = [output.AsIs(node.Inputs[0]!), output.AsIs(node.Inputs[1]!), output.OptionalAsIs(node, 2)];
        output.SetAsIs(node.Outputs[0], output.Node(
            "LayerNormalization", node.Name, inputs, Attribute("axis", op.Axis), Attribute("epsilon", op.Epsilon)));
    }

    /// <summary>y = x / sqrt(mean of x^2 + epsilon) * scale, the mean over the dimensions from the axis on.</summary>
    public static void ReadRMSNormalization(OnnxGraph graph, OnnxNode node)
    {
        node.Ignore("stash_type");
        var (x, epsilon) = (graph.Input(node, 0), node.Float("epsilon", 1e-5f));
        var axis = node.Axis(node.Int("axis", -1), x.Rank);
        var formula = new Formula(graph, node);
        var input = formula.Cast("input", ElementType.Float32, graph.Original(x));
        var squares = formula.Binary("squares", BinaryKind.Mul, input, input);
        var mean = formula.Reduce("mean", ReduceKind.Mean, [.. Enumerable.Range(axis, x.Rank - axis)], squares);
        var root = formula.Unary("root", UnaryKind.Sqrt, formula.Binary("regularized", BinaryKind.Add, mean, epsilon));
        var scale = formula.Cast("scale", ElementType.Float32, graph.Original(graph.Input(node, 1)));
        var y = formula.Binary("", BinaryKind.Mul, formula.Binary("normalized", BinaryKind.Div, input, root), scale);
        graph.Output(node, 0, formula.Cast("narrow", x.Element, y));
    }

    /// <summary>x divided by its norm along an axis; 0 where that is 0.</summary>
    public static void ReadLpNormalization(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        var axis = node.Axis(node.Int("axis", -1), x.Rank);
        var p = node.Int("p", 2);
        if (p is not (1 or 2))
            throw node.Error($"p is {p}; expected 1 or 2");
        var formula = new Formula(graph, node);
        var last = OnnxGraph.PrefersLast(x);
        var input = graph.InLayout(x, last);
        int[] along = [last ? ImageLayout.LastAxis(x.Rank, axis) : axis];
        var terms = p == 1
            ? formula.Unary("magnitudes", UnaryKind.Abs, input)
            : formula.Binary("squares", BinaryKind.Mul, input, input);
        var norm = formula.Reduce("sum", ReduceKind.Sum, along, terms);
        if (p == 2)
            norm = formula.Unary("norm", UnaryKind.Sqrt, norm);

        // By infinity, 0 is divided to 0.
        var divisor = formula.Choose(
            "divisor",
            formula.Binary("nothing", BinaryKind.Equal, norm, 0),
            formula.Number("infinity", double.PositiveInfinity, x.Element),
            norm);
        graph.Output(node, 0, formula.Binary("", BinaryKind.Div, input, divisor), last, x.Rank);
    }

    /// <summary>x / (bias + alpha/size * the sum of squares of neighbouring channels)^beta.</summary>
    public static void ReadLRN(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        var size = node.Int("size", 0);
        if (size < 1)
            throw node.Error($"size is {size}; expected 1 channel or more");
        if (x.Rank < 2)
            throw node.Error($"the input is {x.Shape}; expected (N, C, ...)");
        var op = new LocalResponseNormalizationOperator(
            (size - 1) / 2, size / 2, node.Float("alpha", 1e-4f) / size, node.Float("beta", 0.75f), node.Float("bias", 1));

        // Of (N, C) the channels are last already, and of volumes all pixels are one row.
        if (x.Rank == 2)
        {
            graph.Output(node, 0, graph.Emit(node.Name, op, graph.Original(x)));
            return;
        }

        var image = ImageLayout.IsImage(x.Rank) ? x : NormalizationOperators.AsRow(graph, node, x);
        NormalizationOperators.OutputImage(graph, node, x, image, graph.Emit(node.Name, op, graph.ChannelsLast(image)));
    }

    public static void WriteLRN(OnnxOutput output, Node node)
    {
        var (op, x) = ((LocalResponseNormalizationOperator)node.Operator, node.Inputs[0]!);
        var size = op.Before + op.After + 1;
        if (op.After - op.Before is not (0 or 1) || x.Shape.Rank is not (2 or 4))
        {
            throw new NetworkException(
                $"Node '{node.Name}' ({op.Kind}) sums {op.Before} channels before and {op.After} behind, of {x.Shape}; "
                + "ONNX has as many on both sides or one more behind, of (N, C) or images.");
        }

        var first = x.Shape.Rank == 4;
        var y = output.Node(
            "LRN",
            node.Name,
            [output.InLayout(x, first)],
            Attribute("size", size),
            Attribute("alpha", op.Alpha * size),
            Attribute("beta", op.Beta),
            Attribute("bias", op.Bias));
        output.Set(node.Outputs[0], y, first);
    }

    // A scale or a bias in the shape of a row; one that is shorter is repeated.
    private static Value Row(OnnxGraph graph, Formula formula, OnnxNode node, int input, TensorShape shape, int axis)
    {
        var (part, row) = (input == 1 ? "scale" : "bias", new TensorShape(shape.Lengths[axis..]));
        var value = formula.Cast(part, ElementType.Float32, graph.Original(graph.Input(node, input)));
        var lengths = value.Shape.Lengths.TrimStart(1);
        if (lengths.Length > row.Rank)
            throw node.Error($"the {part} is {value.Shape}; expected one that broadcasts to {row}");
        if (value.Shape == row)
            return value;
        value = formula.Reshape($"{part}_row", value, lengths);
        return value.Shape == row ? value : graph.Emit($"{node.Name}/{part}_row", new ExpandOperator(row), value);
    }
}
