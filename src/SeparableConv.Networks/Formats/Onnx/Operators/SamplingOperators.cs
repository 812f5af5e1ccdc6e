using static SeparableConv.Networks.Formats.Onnx.OnnxOutput;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>GridSample, RoiAlign and MaxUnpool: pixels read, or put, where other inputs say.</summary>
internal static class SamplingOperators
{
    private static readonly (string Name, ResizeMode Value)[] Modes =
    [
        ("nearest", ResizeMode.Nearest),
        ("bilinear", ResizeMode.Linear),
        ("bicubic", ResizeMode.Cubic),
        ("linear", ResizeMode.Linear),
        ("cubic", ResizeMode.Cubic),
    ];

    /// <summary>The modes' names changed with opset 20.</summary>
    public static void ReadGridSample(OnnxGraph graph, OnnxNode node)
    {
        var (x, grid) = (graph.Input(node, 0), graph.Input(node, 1));
        if (x.Rank != 4)
            throw node.Error($"the input is {x.Shape}; expected (N, C, height, width)");
        var name = node.Text("mode", "bilinear");
        var mode = Array.FindIndex(Modes, pair => pair.Name == name);
        if (mode < 0)
            throw node.Error($"mode is '{OneLine.Of(name)}'; expected linear, nearest or cubic");
        var padding = node.Text("padding_mode", "zeros") switch
        {
            "zeros" => GridPadding.Zeros,
            "border" => GridPadding.Border,
            "reflection" => GridPadding.Reflection,
            var other => throw node.Error($"padding_mode is '{OneLine.Of(other)}'; expected zeros, border or reflection"),
        };
        var op = new GridSampleOperator(Modes[mode].Value, padding, node.Flag("align_corners", false));
        graph.OutputLast(node, 0, graph.Emit(node.Name, op, graph.ChannelsLast(x), graph.Original(grid)), 4);
    }

    public static void WriteGridSample(OnnxOutput output, Node node)
    {
        var op = (GridSampleOperator)node.Operator;
        output.SetFirst(node.Outputs[0], output.Node(
            "GridSample",
            node.Name,
            [output.First(node.Inputs[0]!), output.AsIs(node.Inputs[1]!)],
            Attribute("mode", Array.Find(Modes, pair => pair.Value == op.Mode).Name),
            Attribute("padding_mode", op.Padding.ToString().ToLowerInvariant()),
            Attribute("align_corners", op.AlignCorners ? 1 : 0)));
    }

    /// <summary>Up to opset 15 a pixel's coordinates are its centre; later its centre lies half a pixel inside, by default.</summary>
    public static void ReadRoiAlign(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        if (x.Rank != 4)
            throw node.Error($"the input is {x.Shape}; expected (N, C, height, width)");
        var halfPixel = node.Text("coordinate_transformation_mode", graph.Opset < 16 ? "output_half_pixel" : "half_pixel") switch
        {
            "half_pixel" => true,
            "output_half_pixel" => false,
            var other => throw node.Error(
                $"coordinate_transformation_mode is '{OneLine.Of(other)}'; expected half_pixel or output_half_pixel"),
        };
        var largest = node.Text("mode", "avg") switch
        {
            "avg" => false,
            "max" => true,
            var other => throw node.Error($"mode is '{OneLine.Of(other)}'; expected avg or max"),
        };
        var op = new RoiAlignOperator(
            (node.Int("output_height", 1), node.Int("output_width", 1)),
            node.Int("sampling_ratio", 0),
            node.Float("spatial_scale", 1),
            halfPixel,
            largest);
        var (regions, images) = (graph.Original(graph.Input(node, 1)), graph.Original(graph.Input(node, 2)));
        graph.OutputLast(node, 0, graph.Emit(node.Name, op, graph.ChannelsLast(x), regions, images), 4);
    }

    public static void WriteRoiAlign(OnnxOutput output, Node node)
    {
        var op = (RoiAlignOperator)node.Operator;
        output.SetFirst(node.Outputs[0], output.Node(
            "RoiAlign",
            node.Name,
            [output.First(node.Inputs[0]!), output.AsIs(node.Inputs[1]!), output.AsIs(node.Inputs[2]!)],
            Attribute("mode", op.Largest ? "max" : "avg"),
            Attribute("output_height", op.Size.Height),
            Attribute("output_width", op.Size.Width),
            Attribute("sampling_ratio", op.Samples),
            Attribute("spatial_scale", op.Scale),
            Attribute("coordinate_transformation_mode", op.HalfPixel ? "half_pixel" : "output_half_pixel")));
    }

    /// <summary>Positions count the elements of what was pooled, whose size follows from the window; the output may be larger.</summary>
    public static void ReadMaxUnpool(OnnxGraph graph, OnnxNode node)
    {
        var (x, positions) = (graph.Input(node, 0), graph.Input(node, 1));
        var kernel = node.Ints("kernel_shape") ?? throw node.Error("there is no kernel_shape");
        var spatial = x.Rank - 2;
        var strides = node.Ints("strides") ?? [.. kernel.Select(_ => 1)];
        var pads = node.Ints("pads") ?? new int[2 * kernel.Length];
        if (kernel.Length != spatial || strides.Length != spatial || pads.Length != 2 * spatial)
            throw node.Error($"kernel_shape, strides and pads do not fit the input {x.Shape}, which has {spatial} spatial dimensions");
        var lengths = x.Shape.Lengths.ToArray();
        for (var d = 0; d < spatial; d++)
            lengths[d + 2] = checked(((lengths[d + 2] - 1) * strides[d]) - pads[d] - pads[spatial + d] + kernel[d]);
        if (Array.Exists(lengths, length => length < 0))
            throw node.Error($"the window makes the input {x.Shape} ({string.Join(',', lengths)}); expected no length below 0");
        var numbered = new TensorShape(lengths);
        var output = graph.OptionalConstant(node, 2, "output shape") is { } given
            ? FileShape.Read(OnnxConstants.Longs(node, given, "output shape"), "The output shape")
            : numbered;
        var op = new MaxUnpoolOperator(numbered, output);
        graph.Output(node, 0, graph.Emit(node.Name, op, graph.Original(x), graph.Original(positions)));
    }

    /// <summary>A window of the stride 1 whose size is what makes the input as long as the positions say.</summary>
    public static void WriteMaxUnpool(OnnxOutput output, Node node)
    {
        var (op, x) = ((MaxUnpoolOperator)node.Operator, node.Inputs[0]!);
        int[] kernel = [.. Enumerable.Range(2, op.Numbered.Rank - 2).Select(d => op.Numbered[d] - x.Shape[d] + 1)];
        string[] inputs =
        [
            output.AsIs(x),
            output.AsIs(node.Inputs[1]!),
            op.Output == op.Numbered ? "" : output.Numbers($"{node.Name}/shape", op.Output.Lengths),
        ];
        output.SetAsIs(node.Outputs[0], output.Node("MaxUnpool", node.Name, inputs, ListAttribute("kernel_shape", kernel)));
    }
}
