using static SeparableConv.Networks.Formats.Onnx.OnnxOutput;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Conv and ConvTranspose. Rows (N, C, L) are images of height 1.</summary>
internal static class ConvolutionOperators
{
    /// <summary>y = x * w + b, w (O, C/group, kH, kW); depthwise where group is the number of channels.</summary>
    public static void ReadConv(OnnxGraph graph, OnnxNode node)
    {
        var (x, w) = (graph.Image(node), graph.Input(node, 1));
        if (w.Rank != x.Rank)
            throw node.Error($"the weights are {w.Shape}; expected {x.Rank} dimensions, as many as the input {x.Shape} has");
        var window = Window.Read(node, x.Rank, w.Shape.Lengths[2..].ToArray());
        var (channels, groups) = (x.Shape[1], ConvolutionWeights.Groups(node, x));
        var options = ConvOptions.Default with { Stride = window.Stride, Dilation = window.Dilation, Padding = window.Padding };
        var bias = graph.OptionalInput(node, 2) is { } b ? ConvolutionWeights.ReadBias(graph, b) : null;
        var y = ConvolutionWeights.IsDepthwise(w, channels, groups)
            ? Emit(graph, node, new DepthwiseConv2DOperator(options), x, ConvolutionWeights.ReadDepthwise(graph, w, channels), bias)
            : Emit(graph, node, new Conv2DOperator(options with { Groups = groups }), x, ConvolutionWeights.ReadStandard(graph, w), bias);
        graph.OutputLast(node, 0, y, x.Rank);
    }

    /// <summary>The transposed convolution, w (C, O/group, kH, kW).</summary>
    public static void ReadConvTranspose(OnnxGraph graph, OnnxNode node)
    {
        var (x, w) = (graph.Image(node), graph.Input(node, 1));
        var window = Window.Read(node, x.Rank, w.Rank == x.Rank ? w.Shape.Lengths[2..].ToArray() : []);
        var groups = ConvolutionWeights.Groups(node, x);
        if (w.Rank != x.Rank || w.Shape[0] != x.Shape[1])
            throw node.Error($"the weights are {w.Shape}; expected ({x.Shape[1]}, filters/group, kernel) for the input {x.Shape}");

        var extra = Window.PerAxis(node, "output_padding", x.Rank, 0, least: 0);
        var wanted = node.Ints("output_shape");
        var autoPad = window.Auto;
        var (pads, outputPadding) = (new int[4], new int[2]);
        for (var axis = 0; axis < 2; axis++)
        {
            var isRow = x.Rank == 3 && axis == 0;
            var size = isRow ? 1 : x.Shape[axis + (x.Rank == 3 ? 1 : 2)];
            var (stride, dilation, kernel) = axis == 0
                ? (window.Stride.Height, window.Dilation.Height, window.Kernel.Height)
                : (window.Stride.Width, window.Dilation.Width, window.Kernel.Width);
            var full = ((long)stride * (size - 1)) + (axis == 0 ? extra.Height : extra.Width) + ((long)dilation * (kernel - 1)) + 1;
            var target = isRow
                ? full
                : WantedLength(node, wanted, x.Rank, axis, autoPad is "SAME_UPPER" or "SAME_LOWER" ? (long)size * stride : null);
            var (before, after, more) = target is { } length
                ? Around(full - length, autoPad == "SAME_UPPER")
                : axis == 0 ? (window.Padding.Top, window.Padding.Bottom, 0L) : (window.Padding.Left, window.Padding.Right, 0L);
            (pads[axis * 2], pads[(axis * 2) + 1]) = (checked((int)before), checked((int)after));
            outputPadding[axis] = checked((int)((axis == 0 ? extra.Height : extra.Width) + more));
        }

        var op = new ConvTranspose2DOperator(
            window.Stride,
            window.Dilation,
            pads[0],
            pads[1],
            pads[2],
            pads[3],
            (outputPadding[0], outputPadding[1]),
            groups,
            Activation.None);

        var weights = ConvolutionWeights.ReadTransposed(graph, w);
        var bias = graph.OptionalInput(node, 2) is { } b ? graph.Original(b) : null;
        graph.OutputLast(node, 0, Emit(graph, node, op, x, weights, bias), x.Rank);
    }

    public static void WriteConv2D(OnnxOutput output, Node node)
    {
        var op = (Conv2DOperator)node.Operator;
        var weights = ConvolutionWeights.WriteStandard(output, node.Inputs[1]!);
        WriteConvolution(output, node, weights, op.Options, op.Geometry(node.Inputs[0]!.Type, node.Inputs[1]!.Type), op.Options.Groups);
    }

    public static void WriteDepthwiseConv2D(OnnxOutput output, Node node)
    {
        var (op, w) = ((DepthwiseConv2DOperator)node.Operator, node.Inputs[1]!);
        var weights = ConvolutionWeights.WriteDepthwise(output, w);
        WriteConvolution(output, node, weights, op.Options, op.Geometry(node.Inputs[0]!.Type, w.Type), w.Shape[2]);
    }

    public static void WriteConvTranspose2D(OnnxOutput output, Node node)
    {
        // (kH, kW, C, O/groups) -> (C, O/groups, kH, kW)
        var op = (ConvTranspose2DOperator)node.Operator;
        var weights = ConvolutionWeights.WritePermuted(output, node.Inputs[1]!, [2, 3, 0, 1]);
        var y = output.Node(
            "ConvTranspose",
            node.Name,
            [output.First(node.Inputs[0]!), weights, output.OptionalAsIs(node, 2)],
            ListAttribute("strides", op.Stride.Height, op.Stride.Width),
            ListAttribute("dilations", op.Dilation.Height, op.Dilation.Width),
            ListAttribute("pads", op.Top, op.Left, op.Bottom, op.Right),
            ListAttribute("output_padding", op.OutputPadding.Height, op.OutputPadding.Width),
            Attribute("group", op.Groups));
        WriteActivation(output, node, y, op.Activation);
    }

    // Half precision is computed in single precision and rounded once.
    private static Value Emit(OnnxGraph graph, OnnxNode node, Operator op, OnnxValue x, Value weights, Value? bias)
    {
        var image = graph.ChannelsLast(x);
        Value[] inputs = bias is null ? [image, weights] : [image, weights, bias];
        if (x.Element != ElementType.Float16)
            return graph.Emit(node.Name, op, inputs);
        var single = Array.ConvertAll(inputs, value => graph.Emit($"{value.Name}/float32", new CastOperator(ElementType.Float32), value));
        return graph.Emit(node.Name, new CastOperator(ElementType.Float16), graph.Emit($"{node.Name}/float32", op, single));
    }

    private static long? WantedLength(OnnxNode node, int[]? wanted, int rank, int axis, long? same)
    {
        if (wanted is null)
            return same;

        // Some files give the whole shape, batch and channels included.
        var spatial = rank - 2;
        if (wanted.Length != spatial && wanted.Length != rank)
            throw node.Error($"output_shape has {wanted.Length} lengths; expected {spatial}");
        return wanted[wanted.Length - spatial + (rank == 3 ? 0 : axis)];
    }

    // What is too much is cut off on both sides; what is missing is added behind.
    private static (long Before, long After, long More) Around(long total, bool upper)
    {
        if (total <= 0)
            return (0, 0, -total);
        var half = total / 2;
        return upper ? (half, total - half, 0) : (total - half, half, 0);
    }

    private static void WriteConvolution(OnnxOutput output, Node node, string weights, ConvOptions options, ConvGeometry g, int groups)
    {
        string[] inputs = [output.First(node.Inputs[0]!), weights, output.OptionalAsIs(node, 2)];
        var y = output.Node("Conv", node.Name, inputs, ConvolutionWeights.Attributes(g, groups));
        WriteActivation(output, node, y, options.Activation);
    }

    private static void WriteActivation(OnnxOutput output, Node node, string y, Activation activation) =>
        output.SetFirst(node.Outputs[0], ActivationOperators.Append(output, activation, y, $"{node.Name}/activation", 4, first: true));
}
