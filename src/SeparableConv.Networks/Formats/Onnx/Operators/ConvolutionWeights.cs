using SeparableConv.Networks.Formats.Onnx.Schema;
using static SeparableConv.Networks.Formats.Onnx.OnnxOutput;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>
/// Weights and attributes that all convolutions share. ONNX has weights (O, C/group, kH, kW) where networks have (kH, kW, C/group, O);
/// those of depthwise convolutions are (C*M, 1, kH, kW) and (kH, kW, C, M).
/// </summary>
internal static class ConvolutionWeights
{
    /// <summary>The node's groups, which divide the channels.</summary>
    public static int Groups(OnnxNode node, OnnxValue x)
    {
        var groups = node.Int("group", 1);
        return groups >= 1 && x.Shape[1] % groups == 0
            ? groups
            : throw node.Error($"group is {groups}; expected a divisor of the input's {x.Shape[1]} channels");
    }

    /// <summary>Whether each filter reads one channel alone, and there is more than one channel.</summary>
    public static bool IsDepthwise(OnnxValue weights, int channels, int groups) =>
        groups > 1 && groups == channels && weights.Shape[1] == 1 && weights.Shape[0] % channels == 0;

    /// <summary>Weights (O, C/group, kH, kW) as (kH, kW, C/group, O).</summary>
    public static Value ReadStandard(OnnxGraph graph, OnnxValue w) => graph.Form(w, "standard", () => Standard(graph, w));

    /// <summary>Weights (C*M, 1, kH, kW) of C groups as (kH, kW, C, M): output channel c*M+m is filter m of channel c.</summary>
    public static Value ReadDepthwise(OnnxGraph graph, OnnxValue w, int channels) =>
        graph.Form(w, $"depthwise {channels}", () => Depthwise(graph, w, channels));

    /// <summary>Weights (C, O/group, kH, kW) of a transposed convolution as (kH, kW, C, O/group).</summary>
    public static Value ReadTransposed(OnnxGraph graph, OnnxValue w) =>
        graph.Form(w, "transposed", () => graph.Transpose($"{w.Name}/hwio", Kernel2D(graph, w, graph.Original(w)), 2, 3, 0, 1));

    private static Value Standard(OnnxGraph graph, OnnxValue w)
    {
        if (w.Dequantized is not { } source || !source.IsBytesAlong(0))
            return graph.Transpose($"{w.Name}/hwio", Kernel2D(graph, w, graph.Original(w)), 2, 3, 1, 0);
        var numbers = graph.Transpose($"{w.Name}/hwio", Kernel2D(graph, w, source.Numbers), 2, 3, 1, 0);
        return graph.Dequantize(w.Name, source, numbers, axis: 3);
    }

    private static Value Depthwise(OnnxGraph graph, OnnxValue w, int channels)
    {
        var isBytes = w.Dequantized?.IsBytesAlong(0) ?? false;
        var kernel = Kernel2D(graph, w, isBytes ? w.Dequantized!.Numbers : graph.Original(w));
        var multiplier = w.Shape[0] / channels;
        if (!isBytes)
        {
            var split = graph.Reshape($"{w.Name}/cmhw", kernel, new TensorShape(channels, multiplier, kernel.Shape[2], kernel.Shape[3]));
            return graph.Transpose($"{w.Name}/hwcm", split, 2, 3, 0, 1);
        }

        // The scales run along c*M+m, which is one dimension while they are applied: (kH, kW, 1, C*M).
        var numbers = graph.Dequantize(w.Name, w.Dequantized!, graph.Transpose($"{w.Name}/hw1o", kernel, 2, 3, 1, 0), axis: 3);
        return graph.Reshape($"{w.Name}/hwcm", numbers, new TensorShape(kernel.Shape[2], kernel.Shape[3], channels, multiplier));
    }

    /// <summary>A bias (O).</summary>
    public static Value ReadBias(OnnxGraph graph, OnnxValue bias) =>
        bias.Dequantized is { } source && bias.Rank == 1
            ? graph.Dequantize(bias.Name, source, source.Numbers, axis: 0)
            : graph.Original(bias);

    /// <summary>Weights (kH, kW, C/groups, O) as (O, C/groups, kH, kW).</summary>
    public static string WriteStandard(OnnxOutput output, Value w) => DequantizedConstant.Of(w) is { HasBytes: true } source
        ? WriteDequantized(output, w, Transposed(source.Numbers, 3, 2, 0, 1), source)
        : WritePermuted(output, w, [3, 2, 0, 1]);

    /// <summary>Weights (kH, kW, C, M) as (C, M, kH, kW) and so as (C*M, 1, kH, kW).</summary>
    public static string WriteDepthwise(OnnxOutput output, Value w)
    {
        var shape = w.Shape;
        int[] lengths = [shape[2] * shape[3], 1, shape[0], shape[1]];
        if (DequantizedConstant.Of(w) is { HasBytes: true } source)
            return WriteDequantized(output, w, Reshaped(Transposed(source.Numbers, 2, 3, 0, 1), lengths), source);
        return w.Constant is { } data
            ? output.Form(w, "depthwise", () => Reshaped(Transposed(data, 2, 3, 0, 1), lengths))
            : output.Node(
                "Reshape", $"{w.Name}/oihw", [WritePermuted(output, w, [2, 3, 0, 1]), output.Numbers($"{w.Name}/shape", lengths)]);
    }

    /// <summary>Weights with their dimensions in another order.</summary>
    public static string WritePermuted(OnnxOutput output, Value w, int[] permutation) => w.Constant is { } data
        ? output.Form(w, $"permuted {string.Join(',', permutation)}", () => Transposed(data, permutation))
        : output.Node("Transpose", $"{w.Name}/permuted", [output.AsIs(w)], ListAttribute("perm", permutation));

    /// <summary>The attributes that every convolution has.</summary>
    public static AttributeProto[] Attributes(in ConvGeometry g, int groups) =>
    [
        ListAttribute("kernel_shape", g.Rows.Kernel, g.Columns.Kernel),
        ListAttribute("strides", g.Rows.Stride, g.Columns.Stride),
        ListAttribute("dilations", g.Rows.Dilation, g.Columns.Dilation),
        ListAttribute("pads", g.Rows.PadBefore, g.Columns.PadBefore, g.Rows.PadAfter, g.Columns.PadAfter),
        Attribute("group", groups),
    ];

    // A constant, and the DequantizeLinear whose scales run along the first dimension.
    private static string WriteDequantized(OnnxOutput output, Value w, TensorData numbers, DequantizedConstant source)
    {
        var (name, count, element) = (w.Name, source.Scales.Length, numbers.Type.Element);
        var shape = count == 1 ? new TensorShape() : new TensorShape(count);
        return output.Node(
            "DequantizeLinear",
            $"{name}/dequantized",
            [
                output.Form(DequantizedConstant.Source(w)!, $"dequantized {numbers.Type.Shape}", () => numbers),
                output.Constant($"{name}/scale", source.Scales, shape.Lengths),
                output.Bytes($"{name}/zero_point", source.ZeroPoints, element, shape),
            ],
            Attribute("axis", 0));
    }

    /// <summary>Weights of a row (O, C/group, L) as those of an image of height 1.</summary>
    public static Value Kernel2D(OnnxGraph graph, OnnxValue w, Value original) => w.Rank == 4
        ? original
        : graph.Reshape($"{w.Name}/oc1l", original, new TensorShape(w.Shape[0], w.Shape[1], 1, w.Shape[2]));
}
