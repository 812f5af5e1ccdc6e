using SeparableConv.Networks.Operators;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Reads Conv and ConvTranspose. Rows (N, C, L) are images of height 1.</summary>
internal static class ConvolutionReaders
{
    /// <summary>y = x * w + b, w (O, C/group, kH, kW); depthwise where group is the number of channels.</summary>
    public static void Conv(OnnxGraph graph, OnnxNode node)
    {
        var (x, w) = (Image(graph, node), graph.Input(node, 1));
        if (w.Rank != x.Rank)
            throw node.Error($"the weights are {w.Shape}; expected {x.Rank} dimensions, as many as the input {x.Shape} has");
        var window = Window.Read(node, x.Rank, w.Shape.Lengths[2..].ToArray());
        var (channels, groups) = (x.Shape[1], Groups(node, x));
        var options = ConvOptions.Default with { Stride = window.Stride, Dilation = window.Dilation, Padding = window.Padding };
        var bias = graph.OptionalInput(node, 2);
        var y = IsDepthwise(w, channels, groups)
            ? Emit(graph, node, new DepthwiseConv2DOperator(options), x, DepthwiseWeights(graph, w, channels), bias)
            : Emit(graph, node, new Conv2DOperator(options with { Groups = groups }), x, StandardWeights(graph, w), bias);
        graph.OutputLast(node, 0, y, x.Rank);
    }

    /// <summary>The transposed convolution, w (C, O/group, kH, kW).</summary>
    public static void ConvTranspose(OnnxGraph graph, OnnxNode node)
    {
        var (x, w) = (Image(graph, node), graph.Input(node, 1));
        var window = Window.Read(node, x.Rank, w.Rank == x.Rank ? w.Shape.Lengths[2..].ToArray() : []);
        var groups = Groups(node, x);
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
            var target = isRow ? full : WantedLength(node, wanted, x.Rank, axis, autoPad is "SAME_UPPER" or "SAME_LOWER" ? (long)size * stride : null);
            var (before, after, more) = target is { } length
                ? Around(full - length, autoPad == "SAME_UPPER")
                : axis == 0 ? (window.Padding.Top, window.Padding.Bottom, 0L) : (window.Padding.Left, window.Padding.Right, 0L);
            (pads[axis * 2], pads[(axis * 2) + 1]) = (checked((int)before), checked((int)after));
            outputPadding[axis] = checked((int)((axis == 0 ? extra.Height : extra.Width) + more));
        }

        var op = new ConvTranspose2DOperator(
            window.Stride, window.Dilation, pads[0], pads[1], pads[2], pads[3], (outputPadding[0], outputPadding[1]), groups, Activation.None);

        // (C, O/group, kH, kW) -> (kH, kW, C, O/group)
        var weights = graph.Transpose($"{node.Name}/weights", Kernel2D(graph, w), 2, 3, 0, 1);
        graph.OutputLast(node, 0, Emit(graph, node, op, x, weights, graph.OptionalInput(node, 2)), x.Rank);
    }

    /// <summary>The node's first input, an image or a row.</summary>
    public static OnnxValue Image(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        return ImageLayout.IsImage(x.Rank) ? x : throw node.Error(
            x.Rank == 5 ? $"the input {x.Shape} is a volume; three spatial axes are not supported, one and two are"
                : $"the input {x.Shape} has {x.Rank} dimensions; expected (N, C, height, width) or (N, C, length)");
    }

    /// <summary>The node's groups, which divide the channels.</summary>
    public static int Groups(OnnxNode node, OnnxValue x)
    {
        var groups = node.Int("group", 1);
        return groups >= 1 && x.Shape[1] % groups == 0 ? groups : throw node.Error($"group is {groups}; expected a divisor of the input's {x.Shape[1]} channels");
    }

    /// <summary>Whether each filter reads one channel alone, and there is more than one channel.</summary>
    public static bool IsDepthwise(OnnxValue weights, int channels, int groups) =>
        groups > 1 && groups == channels && weights.Shape[1] == 1 && weights.Shape[0] % channels == 0;

    /// <summary>Weights (O, C/group, kH, kW) as (kH, kW, C/group, O).</summary>
    public static Value StandardWeights(OnnxGraph graph, OnnxValue w) =>
        graph.Transpose($"{w.Name}/hwio", Kernel2D(graph, w), 2, 3, 1, 0);

    /// <summary>Weights (C*M, 1, kH, kW) of C groups as (kH, kW, C, M): output channel c*M+m is filter m of channel c.</summary>
    public static Value DepthwiseWeights(OnnxGraph graph, OnnxValue w, int channels)
    {
        var kernel = Kernel2D(graph, w);
        var split = graph.Reshape($"{w.Name}/cmhw", kernel, new TensorShape(channels, w.Shape[0] / channels, kernel.Shape[2], kernel.Shape[3]));
        return graph.Transpose($"{w.Name}/hwcm", split, 2, 3, 0, 1);
    }

    private static Value Kernel2D(OnnxGraph graph, OnnxValue w)
    {
        var original = graph.Original(w);
        return w.Rank == 4 ? original : graph.Reshape($"{w.Name}/oc1l", original, new TensorShape(w.Shape[0], w.Shape[1], 1, w.Shape[2]));
    }

    // Half precision is computed in single precision and rounded once.
    private static Value Emit(OnnxGraph graph, OnnxNode node, Operator op, OnnxValue x, Value weights, OnnxValue? bias)
    {
        var (image, b) = (graph.ChannelsLast(x), bias is null ? null : graph.Original(bias));
        if (x.Element != ElementType.Float16)
            return b is null ? graph.Emit(node.Name, op, image, weights) : graph.Emit(node.Name, op, image, weights, b);
        Value Single(Value value) => graph.Emit($"{value.Name}/float32", new CastOperator(ElementType.Float32), value);
        var y = b is null ? graph.Emit($"{node.Name}/float32", op, Single(image), Single(weights)) : graph.Emit($"{node.Name}/float32", op, Single(image), Single(weights), Single(b));
        return graph.Emit(node.Name, new CastOperator(ElementType.Float16), y);
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
}
