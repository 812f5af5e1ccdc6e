using static SeparableConv.Networks.Formats.Onnx.OnnxOutput;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>BatchNormalization, Softmax, LogSoftmax, Hardmax and Dropout.</summary>
internal static class NormalizationOperators
{
    /// <summary>y = (x - mean) / sqrt(variance + epsilon) * scale + bias, with four numbers for each channel (dimension 1).</summary>
    public static void ReadBatchNormalization(OnnxGraph graph, OnnxNode node)
    {
        if (graph.Opset < 7 && !node.Flag("is_test", false))
            throw node.Error("is_test is 0, which computes statistics of the batch; expected 1, inference");
        if (node.Flag("training_mode", false))
            throw node.Error("training_mode is 1, which computes statistics of the batch; expected 0, inference");
        for (var i = 1; i < node.Outputs.Count; i++)
        {
            var output = i;
            graph.OutputLater(node, i, () => throw node.Error($"output {output} is read, which is there in training only"));
        }

        node.Ignore("momentum", "consumed_inputs");
        if (!node.Flag("spatial", true))
        {
            ReadPixelNormalization(graph, node);
            return;
        }

        var op = new BatchNormalizationOperator(node.Float("epsilon", 1e-5f));
        var x = graph.Input(node, 0);
        Span<Value?> inputs = [null, null, null, null, null];
        for (var i = 1; i < 5; i++)
            inputs[i] = graph.Original(graph.Input(node, i));
        if (x.Rank <= 2)
        {
            inputs[0] = graph.Original(x);
            graph.Output(node, 0, graph.Emit(node.Name, op, inputs));
            return;
        }

        var row = ImageLayout.IsImage(x.Rank) ? x : AsRow(graph, node, x);
        inputs[0] = graph.ChannelsLast(row);
        OutputImage(graph, node, x, row, graph.Emit(node.Name, op, inputs));
    }

    // Up to opset 8 there may be statistics for each pixel of each channel: x * factor + shift, with tables that are computed once.
    private static void ReadPixelNormalization(OnnxGraph graph, OnnxNode node)
    {
        var (x, formula) = (graph.Input(node, 0), new Formula(graph, node));
        Value Table(int input) => graph.Original(graph.Input(node, input));
        var regularized = formula.Binary("regularized", BinaryKind.Add, Table(4), node.Float("epsilon", 1e-5f));
        var factor = formula.Binary("factor", BinaryKind.Div, Table(1), formula.Unary("deviation", UnaryKind.Sqrt, regularized));
        var shift = formula.Binary(
            "shift", BinaryKind.Sub, Table(2), formula.Binary("shifted_mean", BinaryKind.Mul, Table(3), factor));
        var expected = new TensorShape(x.Shape.Lengths[1..]);
        if (factor.Shape != expected || shift.Shape != expected)
            throw node.Error($"spatial is 0 and the statistics are {factor.Shape}; expected {expected}, one for each pixel and channel");
        var scaled = formula.Binary("scaled", BinaryKind.Mul, graph.Original(x), factor);
        graph.Output(node, 0, formula.Binary("", BinaryKind.Add, scaled, shift));
    }

    /// <summary>A tensor whose pixels, the dimensions behind the channels, are one row, however many axes they have.</summary>
    public static OnnxValue AsRow(OnnxGraph graph, OnnxNode node, OnnxValue x) => OnnxValue.First(
        x.Name,
        graph.Reshape($"{node.Name}/row", graph.Original(x), new TensorShape(x.Shape[0], x.Shape[1], Product(x.Shape.Lengths[2..]))));

    /// <summary>Sets a node's output that was computed channels last of an image, or of the row that stands for its input.</summary>
    public static void OutputImage(OnnxGraph graph, OnnxNode node, OnnxValue x, OnnxValue row, Value y)
    {
        if (row == x)
            graph.OutputLast(node, 0, y, x.Rank);
        else
            graph.Output(node, 0, graph.Reshape(node.Outputs[0], graph.Original(OnnxValue.Last(node.Outputs[0], y, 3)), x.Shape));
    }

    /// <summary>Channels are the last dimension here and the second one in ONNX.</summary>
    public static void WriteBatchNormalization(OnnxOutput output, Node node)
    {
        var x = node.Inputs[0]!;
        var epsilon = Attribute("epsilon", ((BatchNormalizationOperator)node.Operator).Epsilon);
        var names = new string[5];
        for (var i = 1; i < names.Length; i++)
            names[i] = output.AsIs(node.Inputs[i]!);
        if (x.Shape.Rank is 4)
        {
            names[0] = output.First(x);
            output.SetFirst(node.Outputs[0], output.Node("BatchNormalization", node.Name, names, epsilon));
            return;
        }

        // Any other number of dimensions is a list of pixels.
        names[0] = output.AsIs(x);
        if (x.Shape.Rank != 2)
        {
            names[0] = output.Node(
                "Reshape", $"{node.Name}/pixels", [names[0], output.Numbers($"{node.Name}/pixels_shape", [-1, x.Shape[^1]])]);
        }

        var y = output.Node("BatchNormalization", node.Name, names, epsilon);
        if (x.Shape.Rank != 2)
            y = output.Node("Reshape", $"{node.Name}/reshaped", [y, output.Numbers($"{node.Name}/shape", x.Shape.Lengths)]);
        output.SetAsIs(node.Outputs[0], y);
    }

    public static void ReadSoftmax(OnnxGraph graph, OnnxNode node) => ReadSoftmax(graph, node, graph.Opset);

    /// <summary>The softmax of an opset.</summary>
    public static void ReadSoftmax(OnnxGraph graph, OnnxNode node, int opset) =>
        ReadAlongAxis(graph, node, opset, (x, axis) => graph.Emit(node.Name, new SoftmaxOperator(axis), x));

    public static void ReadLogSoftmax(OnnxGraph graph, OnnxNode node) =>
        ReadAlongAxis(graph, node, graph.Opset, (x, axis) => graph.Emit(node.Name, new SoftmaxOperator(axis, logarithm: true), x));

    /// <summary>1 at the first of the largest along an axis, 0 elsewhere.</summary>
    public static void ReadHardmax(OnnxGraph graph, OnnxNode node)
    {
        var formula = new Formula(graph, node);
        ReadAlongAxis(graph, node, graph.Opset, (x, axis) =>
        {
            var largest = graph.Emit($"{node.Name}/largest", new ArgExtremeOperator(true, axis, true, ElementType.Int64), x);
            var places = formula.Count("places", x.Shape[axis], axis, x.Shape.Rank);
            return formula.Cast("", x.Type.Element, formula.Binary("equal", BinaryKind.Equal, largest, places));
        });
    }

    public static void WriteSoftmax(OnnxOutput output, Node node)
    {
        var op = (SoftmaxOperator)node.Operator;
        var x = node.Inputs[0]!;
        var first = output.PrefersFirst(x);
        var axis = Attribute("axis", Axis(op.Axis, x, first));
        output.Set(
            node.Outputs[0], output.Node(op.Logarithm ? "LogSoftmax" : "Softmax", node.Name, [output.InLayout(x, first)], axis), first);
    }

    /// <summary>Dropout gives its input, and a mask that lets everything through; only training drops elements.</summary>
    public static void ReadDropout(OnnxGraph graph, OnnxNode node)
    {
        node.Ignore("seed", "is_test");
        if (graph.OptionalConstant(node, 2, "training mode") is { } training && OnnxConstants.Long(node, training, "training mode") != 0)
            throw node.Error("it is in training mode; expected inference");
        var ratio = node.Float("ratio", 0.5f);
        if (graph.OptionalConstant(node, 1, "ratio") is { } given)
            ratio = (float)OnnxConstants.Double(node, given, "ratio");
        graph.Elementwise(node, (name, x) => graph.Emit(name, new DropoutOperator(ratio), x));
        graph.OutputLater(node, 1, () =>
        {
            // Up to opset 9 the mask has the input's type.
            var (formula, x) = (new Formula(graph, node), graph.Input(node, 0));
            var one = formula.Number("kept", 1, graph.Opset < 10 ? x.Element : ElementType.Bool);
            return graph.Emit($"{node.Name}/mask", new ExpandOperator(x.Shape), one);
        });
    }

    public static void WriteDropout(OnnxOutput output, Node node)
    {
        var rate = ((DropoutOperator)node.Operator).Rate;
        output.Elementwise(node, x => output.Node("Dropout", node.Name, [x, output.Constant($"{node.Name}/ratio", [rate])]));
    }

    private static void ReadAlongAxis(OnnxGraph graph, OnnxNode node, int opset, Func<Value, int, Value> emit)
    {
        var x = graph.Input(node, 0);
        var axis = node.Axis(node.Int("axis", opset < 13 ? 1 : -1), x.Rank);

        // Up to opset 12 the softmax runs over all dimensions from the axis on together.
        var behind = Product(x.Shape.Lengths[axis..]);
        if (opset < 13 && behind != x.Shape[axis])
        {
            var flat = graph.Reshape($"{node.Name}/flat", graph.Original(x), new TensorShape(Product(x.Shape.Lengths[..axis]), behind));
            graph.Output(node, 0, graph.Reshape(node.Outputs[0], emit(flat, 1), x.Shape));
            return;
        }

        var last = OnnxGraph.PrefersLast(x);
        var y = emit(graph.InLayout(x, last), last ? ImageLayout.LastAxis(x.Rank, axis) : axis);
        graph.Output(node, 0, y, last, x.Rank);
    }

    private static int Product(ReadOnlySpan<int> lengths)
    {
        var product = 1;
        foreach (var length in lengths)
            product = checked(product * length);
        return product;
    }
}
