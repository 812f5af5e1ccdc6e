namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>The window of a convolution or pool of ONNX. For a row its height is 1.</summary>
/// <param name="Kernel">Its size.</param>
/// <param name="Stride">Its steps.</param>
/// <param name="Dilation">The distance of its taps.</param>
/// <param name="Padding">The border.</param>
/// <param name="Auto">The attribute auto_pad.</param>
internal readonly record struct Window(Size2D Kernel, Size2D Stride, Size2D Dilation, Padding Padding, string Auto)
{
    /// <summary>Reads kernel_shape, strides, dilations, pads and auto_pad of a node.</summary>
    /// <param name="node">The node.</param>
    /// <param name="rank">The input's dimensions, 3 or 4.</param>
    /// <param name="weights">The kernel's lengths in the weights' shape; empty where the node has no weights, or not of that rank.</param>
    /// <exception cref="NetworkException">They contradict each other.</exception>
    public static Window Read(OnnxNode node, int rank, int[] weights)
    {
        var shape = node.Ints("kernel_shape");
        var kernel = shape ?? (weights.Length > 0 ? weights : throw node.Error(
            $"there is no kernel of {rank - 2} dimensions; expected one for the input's {rank}"));
        if (kernel.Length != rank - 2 || (weights.Length > 0 && !kernel.AsSpan().SequenceEqual(weights)))
        {
            var other = weights.Length > 0
                ? $"the weights have ({string.Join(',', weights)})"
                : $"the input has {rank - 2} spatial dimensions";
            throw node.Error($"kernel_shape is ({string.Join(',', kernel)}) but {other}");
        }

        return new(
            Pair(kernel, 1),
            PerAxis(node, "strides", rank, 1, least: 1),
            PerAxis(node, "dilations", rank, 1, least: 1),
            ReadPadding(node, rank, out var auto),
            auto);
    }

    /// <summary>Reads an attribute that has one number for each spatial axis.</summary>
    public static Size2D PerAxis(OnnxNode node, string attribute, int rank, int otherwise, int least)
    {
        if (node.Ints(attribute) is not { } numbers)
            return otherwise;
        if (numbers.Length != rank - 2 || numbers.Min() < least)
            throw node.Error($"{attribute} is ({string.Join(',', numbers)}); expected {rank - 2} numbers of {least} or more");
        return Pair(numbers, otherwise);
    }

    private static Size2D Pair(int[] numbers, int height) => numbers.Length == 2 ? (numbers[0], numbers[1]) : (height, numbers[0]);

    private static Padding ReadPadding(OnnxNode node, int rank, out string auto)
    {
        auto = node.Text("auto_pad", "NOTSET");
        var pads = node.Ints("pads");

        // Exporters write pads of zero beside the rule that says what they are.
        if (auto is not ("NOTSET" or "") && pads is not null && Array.Exists(pads, pad => pad != 0))
            throw node.Error($"auto_pad is {OneLine.Of(auto)} and the pads are ({string.Join(',', pads)}); expected one of both");
        if (pads is not null && pads.Length != 2 * (rank - 2))
            throw node.Error($"pads has {pads.Length} numbers; expected {2 * (rank - 2)}, all beginnings and then all ends");
        return auto switch
        {
            "NOTSET" or "" => pads is null ? Padding.Valid
                : rank == 4 ? Padding.Explicit(pads[0], pads[2], pads[1], pads[3])
                : Padding.Explicit(0, 0, pads[0], pads[1]),
            "VALID" => Padding.Valid,
            "SAME_UPPER" => Padding.Same,
            "SAME_LOWER" => Padding.SameLower,
            _ => throw node.Error($"auto_pad is '{OneLine.Of(auto)}'; expected NOTSET, VALID, SAME_UPPER or SAME_LOWER"),
        };
    }
}
