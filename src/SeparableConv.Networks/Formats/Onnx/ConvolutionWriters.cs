using SeparableConv.Networks.Formats.Onnx.Schema;
using SeparableConv.Networks.Operators;
using static SeparableConv.Networks.Formats.Onnx.OnnxOutput;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Writes what moves over images: convolutions, pools and resizes, all of them channels first.</summary>
internal static class ConvolutionWriters
{
    public static void Conv2D(OnnxOutput output, Node node)
    {
        var op = (Conv2DOperator)node.Operator;
        var weights = StandardWeights(output, node.Inputs[1]!);
        Convolution(output, node, weights, op.Options, op.Geometry(node.Inputs[0]!.Type, node.Inputs[1]!.Type), op.Options.Groups);
    }

    public static void DepthwiseConv2D(OnnxOutput output, Node node)
    {
        var (op, w) = ((DepthwiseConv2DOperator)node.Operator, node.Inputs[1]!);
        Convolution(output, node, DepthwiseWeights(output, w), op.Options, op.Geometry(node.Inputs[0]!.Type, w.Type), w.Shape[2]);
    }

    public static void ConvTranspose2D(OnnxOutput output, Node node)
    {
        // (kH, kW, C, O/groups) -> (C, O/groups, kH, kW)
        var op = (ConvTranspose2DOperator)node.Operator;
        var weights = Weights(output, node.Inputs[1]!, "iohw", [2, 3, 0, 1]);
        var y = output.Node(
            "ConvTranspose",
            node.Name,
            [output.First(node.Inputs[0]!), weights, Bias(output, node)],
            ListAttribute("strides", op.Stride.Height, op.Stride.Width),
            ListAttribute("dilations", op.Dilation.Height, op.Dilation.Width),
            ListAttribute("pads", op.Top, op.Left, op.Bottom, op.Right),
            ListAttribute("output_padding", op.OutputPadding.Height, op.OutputPadding.Width),
            Attribute("group", op.Groups));
        Finish(output, node, y, op.Activation);
    }

    public static void Pool2D(OnnxOutput output, Node node)
    {
        var op = (Pool2DOperator)node.Operator;
        var attributes = Pool(op.Kernel, op.Stride, op.Dilation, op.Padding, op.CeilMode);
        if (op.PoolKind == PoolKind.Average && op.CountIncludePad)
            attributes.Add(Attribute("count_include_pad", 1));
        var y = output.Node(op.PoolKind == PoolKind.Max ? "MaxPool" : "AveragePool", node.Name, [output.First(node.Inputs[0]!)], [.. attributes]);
        Finish(output, node, y, op.Activation);
    }

    public static void MaxPoolWithIndices(OnnxOutput output, Node node)
    {
        var op = (MaxPoolWithIndicesOperator)node.Operator;
        var attributes = Pool(op.Kernel, op.Stride, op.Dilation, op.Padding, op.CeilMode);
        if (op.ColumnMajor)
            attributes.Add(Attribute("storage_order", 1));
        var tensors = output.Node("MaxPool", node.Name, [output.First(node.Inputs[0]!)], 2, [.. attributes]);
        output.SetFirst(node.Outputs[0], tensors[0]);
        output.SetFirst(node.Outputs[1], tensors[1]);
    }

    public static void GlobalPool(OnnxOutput output, Node node)
    {
        var type = ((GlobalPoolOperator)node.Operator).PoolKind == PoolKind.Max ? "GlobalMaxPool" : "GlobalAveragePool";
        output.SetFirst(node.Outputs[0], output.Node(type, node.Name, [output.First(node.Inputs[0]!)]));
    }

    /// <summary>By scales where they give the lengths, else by the lengths themselves, from which ONNX computes scales.</summary>
    public static void Resize(OnnxOutput output, Node node)
    {
        var op = (ResizeOperator)node.Operator;
        var (x, size) = (node.Inputs[0]!, op.OutputSize);
        var hasScales = op.Scale is { Height: { } h, Width: { } w } && Math.Floor(h * x.Shape[1]) == size.Height && Math.Floor(w * x.Shape[2]) == size.Width;
        var scales = hasScales ? output.Constant($"{node.Name}/scales", new[] { 1, 1, op.Scale.Height!.Value, op.Scale.Width!.Value }, 4) : "";
        var sizes = hasScales ? "" : output.Numbers($"{node.Name}/sizes", [x.Shape[0], x.Shape[3], size.Height, size.Width]);
        var coordinates = op.Coordinates switch
        {
            CoordinateMode.HalfPixel => "half_pixel",
            CoordinateMode.HalfPixelSymmetric => "half_pixel_symmetric",
            CoordinateMode.PytorchHalfPixel => "pytorch_half_pixel",
            CoordinateMode.AlignCorners => "align_corners",
            CoordinateMode.Asymmetric => "asymmetric",
            _ => "tf_half_pixel_for_nn",
        };
        var rounding = op.Rounding switch
        {
            NearestRounding.RoundPreferFloor => "round_prefer_floor",
            NearestRounding.RoundPreferCeil => "round_prefer_ceil",
            NearestRounding.Floor => "floor",
            _ => "ceil",
        };
        var attributes = new List<AttributeProto> { Attribute("mode", op.Mode == ResizeMode.Nearest ? "nearest" : "linear"), Attribute("coordinate_transformation_mode", coordinates) };
        if (op.Mode == ResizeMode.Nearest)
            attributes.Add(Attribute("nearest_mode", rounding));
        if (op.Antialias != ResizeAntialias.None)
            attributes.Add(Attribute("antialias", 1));
        if (op.Antialias == ResizeAntialias.ExcludeOutside)
            attributes.Add(Attribute("exclude_outside", 1));
        output.SetFirst(node.Outputs[0], output.Node("Resize", node.Name, [output.First(x), "", scales, sizes], [.. attributes]));
    }

    public static void DepthToSpace(OnnxOutput output, Node node)
    {
        var op = (DepthToSpaceOperator)node.Operator;
        output.SetFirst(node.Outputs[0], output.Node(
            "DepthToSpace", node.Name, [output.First(node.Inputs[0]!)], Attribute("blocksize", op.Block), Attribute("mode", op.ColumnRowDepth ? "CRD" : "DCR")));
    }

    public static void SpaceToDepth(OnnxOutput output, Node node) => output.SetFirst(node.Outputs[0], output.Node(
        "SpaceToDepth", node.Name, [output.First(node.Inputs[0]!)], Attribute("blocksize", ((SpaceToDepthOperator)node.Operator).Block)));

    /// <summary>Weights (kH, kW, C/groups, O) as (O, C/groups, kH, kW).</summary>
    public static string StandardWeights(OnnxOutput output, Value w) => DequantizedConstant.Of(w) is { HasBytes: true } source
        ? QuantizedWriters.Dequantized(output, w.Name, Transposed(source.Numbers, 3, 2, 0, 1), source)
        : Weights(output, w, "oihw", [3, 2, 0, 1]);

    /// <summary>Weights (kH, kW, C, M) as (C, M, kH, kW) and so as (C*M, 1, kH, kW).</summary>
    public static string DepthwiseWeights(OnnxOutput output, Value w)
    {
        var shape = w.Shape;
        int[] lengths = [shape[2] * shape[3], 1, shape[0], shape[1]];
        if (DequantizedConstant.Of(w) is { HasBytes: true } source)
            return QuantizedWriters.Dequantized(output, w.Name, Reshaped(Transposed(source.Numbers, 2, 3, 0, 1), lengths), source);
        return w.Constant is { } data
            ? output.Constant($"{w.Name}/oihw", Reshaped(Transposed(data, 2, 3, 0, 1), lengths))
            : output.Node("Reshape", $"{w.Name}/oihw", [Weights(output, w, "cmhw", [2, 3, 0, 1]), output.Numbers($"{w.Name}/shape", lengths)]);
    }

    /// <summary>The attributes that every convolution has.</summary>
    public static AttributeProto[] Attributes(in ConvGeometry g, int groups) =>
    [
        ListAttribute("kernel_shape", g.Rows.Kernel, g.Columns.Kernel),
        ListAttribute("strides", g.Rows.Stride, g.Columns.Stride),
        ListAttribute("dilations", g.Rows.Dilation, g.Columns.Dilation),
        ListAttribute("pads", g.Rows.PadBefore, g.Columns.PadBefore, g.Rows.PadAfter, g.Columns.PadAfter),
        Attribute("group", groups),
    ];

    private static void Convolution(OnnxOutput output, Node node, string weights, ConvOptions options, ConvGeometry g, int groups)
    {
        var y = output.Node("Conv", node.Name, [output.First(node.Inputs[0]!), weights, Bias(output, node)], Attributes(g, groups));
        Finish(output, node, y, options.Activation);
    }

    private static List<AttributeProto> Pool(Size2D kernel, Size2D stride, Size2D dilation, Padding padding, bool ceilMode)
    {
        var attributes = new List<AttributeProto> { ListAttribute("kernel_shape", kernel.Height, kernel.Width), ListAttribute("strides", stride.Height, stride.Width) };
        if (dilation != 1)
            attributes.Add(ListAttribute("dilations", dilation.Height, dilation.Width));
        if (padding.Mode is PaddingMode.SameUpper or PaddingMode.SameLower)
            attributes.Add(Attribute("auto_pad", padding.Mode == PaddingMode.SameUpper ? "SAME_UPPER" : "SAME_LOWER"));
        else
            attributes.Add(ListAttribute("pads", padding.Top, padding.Left, padding.Bottom, padding.Right));
        if (ceilMode)
            attributes.Add(Attribute("ceil_mode", 1));
        return attributes;
    }

    private static string Weights(OnnxOutput output, Value w, string suffix, int[] permutation) => w.Constant is { } data
        ? output.Constant($"{w.Name}/{suffix}", Transposed(data, permutation))
        : output.Node("Transpose", $"{w.Name}/{suffix}", [output.AsIs(w)], ListAttribute("perm", permutation));

    private static string Bias(OnnxOutput output, Node node) => node.Inputs.Count > 2 && node.Inputs[2] is { } bias ? output.AsIs(bias) : "";

    private static void Finish(OnnxOutput output, Node node, string y, Activation activation) =>
        output.SetFirst(node.Outputs[0], ActivationWriter.Apply(output, activation, y, $"{node.Name}/activation", 4, first: true));
}
