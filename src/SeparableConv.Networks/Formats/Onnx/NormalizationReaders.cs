using SeparableConv.Networks.Operators;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Reads batch and instance normalization, softmax and dropout.</summary>
internal static class NormalizationReaders
{
    /// <summary>y = (x - mean) / sqrt(variance + epsilon) * scale + bias, a channel (dimension 1) at a time.</summary>
    public static void BatchNormalization(OnnxGraph graph, OnnxNode node)
    {
        if (node.Flag("training_mode", false))
            throw node.Error("training_mode is 1, which computes statistics of the batch; expected 0, inference");
        if (!node.Flag("spatial", true))
            throw node.Error("spatial is 0, statistics for each pixel; expected 1, for each channel");
        for (var i = 1; i < node.Outputs.Count; i++)
        {
            if (node.HasOutput(i))
                throw node.Error($"output {i} is asked for, which is there in training only");
        }

        node.Ignore("momentum");
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

        // What lies behind the channels is one row of pixels, however many axes it has.
        var row = ImageLayout.IsImage(x.Rank) ? x : OnnxValue.First(
            x.Name,
            graph.Reshape($"{node.Name}/row", graph.Original(x), new TensorShape(x.Shape[0], x.Shape[1], Product(x.Shape.Lengths[2..]))));
        inputs[0] = graph.ChannelsLast(row);
        var y = graph.Emit(node.Name, op, inputs);
        if (row == x)
            graph.OutputLast(node, 0, y, x.Rank);
        else
            graph.Output(node, 0, graph.Reshape(node.Outputs[0], graph.Original(OnnxValue.Last(node.Outputs[0], y, 3)), x.Shape));
    }

    /// <summary>The same with statistics of each image and channel, made of the operators that compute them.</summary>
    public static void InstanceNormalization(OnnxGraph graph, OnnxNode node)
    {
        var x = ConvolutionReaders.Image(graph, node);
        var epsilon = graph.Constant($"{node.Name}/epsilon", [node.Float("epsilon", 1e-5f)], 1);
        var (scale, bias) = (graph.Original(graph.Input(node, 1)), graph.Original(graph.Input(node, 2)));
        Value Mean(string name, Value value) => graph.Emit(name, new ReduceOperator(ReduceKind.Mean, [1, 2], true), value);
        Value Combine(string name, BinaryKind kind, Value a, Value b) => graph.Emit(name, new BinaryOperator(kind, Activation.None), a, b);

        var image = graph.ChannelsLast(x);
        var centered = Combine($"{node.Name}/centered", BinaryKind.Sub, image, Mean($"{node.Name}/mean", image));
        var variance = Mean($"{node.Name}/variance", Combine($"{node.Name}/squares", BinaryKind.Mul, centered, centered));
        var deviation = graph.Emit(
            $"{node.Name}/deviation", new UnaryOperator(UnaryKind.Sqrt), Combine($"{node.Name}/regularized", BinaryKind.Add, variance, epsilon));
        var factor = Combine($"{node.Name}/factor", BinaryKind.Div, scale, deviation);
        var scaled = Combine($"{node.Name}/scaled", BinaryKind.Mul, centered, factor);
        graph.OutputLast(node, 0, Combine(node.Name, BinaryKind.Add, scaled, bias), x.Rank);
    }

    public static void Softmax(OnnxGraph graph, OnnxNode node) => AlongAxis(graph, node, axis => new SoftmaxOperator(axis));

    public static void LogSoftmax(OnnxGraph graph, OnnxNode node) => AlongAxis(graph, node, axis => new LogSoftmaxOperator(axis));

    /// <summary>Dropout passes its input on, unless a training runs it.</summary>
    public static void Dropout(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        node.Ignore("seed");
        if (node.HasOutput(1))
            throw node.Error("the mask is asked for, which is there in training only");
        if (graph.OptionalConstant(node, 2, "training mode") is { } training && ConstantReaders.Long(node, training, "training mode") != 0)
            throw node.Error("it is in training mode; expected inference");
        var ratio = node.Float("ratio", 0.5f);
        if (graph.OptionalConstant(node, 1, "ratio") is { } given)
            ratio = (float)ConstantReaders.Double(node, given, "ratio");
        var last = OnnxGraph.PrefersLast(x);
        graph.Output(node, 0, graph.Emit(node.Name, new DropoutOperator(ratio), graph.InLayout(x, last)), last, x.Rank);
    }

    private static void AlongAxis(OnnxGraph graph, OnnxNode node, Func<int, Operator> create)
    {
        var x = graph.Input(node, 0);
        var axis = ShapeReaders.Axis(node, node.Int("axis", graph.Opset < 13 ? 1 : -1), x.Rank);

        // Up to opset 12 the softmax runs over all dimensions from the axis on together.
        var behind = Product(x.Shape.Lengths[axis..]);
        if (graph.Opset < 13 && behind != x.Shape[axis])
        {
            var flat = graph.Reshape($"{node.Name}/flat", graph.Original(x), new TensorShape(Product(x.Shape.Lengths[..axis]), behind));
            graph.Output(node, 0, graph.Reshape(node.Outputs[0], graph.Emit(node.Name, create(1), flat), x.Shape));
            return;
        }

        var last = OnnxGraph.PrefersLast(x);
        var y = graph.Emit(node.Name, create(last ? ImageLayout.LastAxis(x.Rank, axis) : axis), graph.InLayout(x, last));
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
