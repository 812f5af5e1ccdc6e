using SeparableConv.Networks.Formats.Onnx.Schema;
using static SeparableConv.Networks.Formats.Onnx.OnnxOutput;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Resize and Upsample, along any dimensions.</summary>
internal static class ResizeOperators
{
    private static readonly (string Name, CoordinateMode Value)[] Coordinates =
    [
        ("half_pixel", CoordinateMode.HalfPixel),
        ("half_pixel_symmetric", CoordinateMode.HalfPixelSymmetric),
        ("pytorch_half_pixel", CoordinateMode.PytorchHalfPixel),
        ("align_corners", CoordinateMode.AlignCorners),
        ("asymmetric", CoordinateMode.Asymmetric),
        ("tf_half_pixel_for_nn", CoordinateMode.TfHalfPixelForNearest),
        ("tf_crop_and_resize", CoordinateMode.CropAndResize),
    ];

    private static readonly (string Name, NearestRounding Value)[] Roundings =
    [
        ("round_prefer_floor", NearestRounding.RoundPreferFloor),
        ("round_prefer_ceil", NearestRounding.RoundPreferCeil),
        ("floor", NearestRounding.Floor),
        ("ceil", NearestRounding.Ceil),
    ];

    private static readonly (string Name, ResizeMode Value)[] Modes =
    [
        ("nearest", ResizeMode.Nearest),
        ("linear", ResizeMode.Linear),
        ("cubic", ResizeMode.Cubic),
        ("bilinear", ResizeMode.Linear),
    ];

    /// <summary>Scales are the second input in opset 10; later there are scales or sizes, and a rule for where pixels lie.</summary>
    public static void ReadResize(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        if (graph.Opset < 11)
        {
            var scales = ResizeRequest.Floats(node, graph.Constant(node, 1, "scales"), "scales");
            EmitPlain(graph, node, ResizeRequest.OfScales(node, x.Shape, scales));
            return;
        }

        var (mode, coordinates) = (
            Named(node, "mode", "nearest", Modes), Named(node, "coordinate_transformation_mode", "half_pixel", Coordinates));
        var kernel = new ResizeKernel(
            mode,
            node.Flag("antialias", false),
            node.Flag("exclude_outside", false),
            node.Float("cubic_coeff_a", ResizeKernel.DefaultCubic));
        var rounding = Named(node, "nearest_mode", "round_prefer_floor", Roundings);
        var request = ResizeRequest.Read(graph, node, x, coordinates == CoordinateMode.CropAndResize);
        new ResizePasses(graph, node, request, coordinates, kernel, node.Float("extrapolation_value", 0)).Emit(_ => rounding);
    }

    /// <summary>Resize as it was before opset 10: scales are attributes up to opset 8, at first those of height and width alone.</summary>
    public static void ReadUpsample(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        float[] scales = node.Floats("scales") is { } given ? [.. given.Take(FileShape.MaxRank)]
            : node.Has("height_scale") ? [1, 1, node.Float("height_scale", 1), node.Float("width_scale", 1)]
            : ResizeRequest.Floats(node, graph.Constant(node, 1, "scales"), "scales");
        EmitPlain(graph, node, ResizeRequest.OfScales(node, x.Shape, scales));
    }

    /// <summary>Writes scales where they give the output's lengths, else the lengths themselves, from which ONNX computes scales.</summary>
    public static void WriteResize(OnnxOutput output, Node node)
    {
        var op = (ResizeOperator)node.Operator;
        var (x, size) = (node.Inputs[0]!, op.OutputSize);
        var (rows, columns) = op.Axes(x.Shape);
        var hasScales = IsGiven(rows) && IsGiven(columns);
        var scales = hasScales ? output.Constant(
            $"{node.Name}/scales", [1, 1, (float)rows.Scale!.Value.Value, (float)columns.Scale!.Value.Value], 4) : "";
        var crop = op.Crop;
        var region = op.Coordinates == CoordinateMode.CropAndResize
            ? output.Constant($"{node.Name}/region", [0, 0, crop.Top, crop.Left, 1, 1, crop.Bottom, crop.Right], 8)
            : "";
        List<AttributeProto> attributes =
        [
            Attribute("mode", Array.Find(Modes, pair => pair.Value == op.Mode).Name),
            Attribute("coordinate_transformation_mode", Array.Find(Coordinates, pair => pair.Value == op.Coordinates).Name),
        ];
        if (op.Mode == ResizeMode.Nearest)
            attributes.Add(Attribute("nearest_mode", Array.Find(Roundings, pair => pair.Value == op.Rounding).Name));
        if (op.Kernel.Antialias)
            attributes.Add(Attribute("antialias", 1));
        if (op.Kernel.ExcludeOutside)
            attributes.Add(Attribute("exclude_outside", 1));
        if (op.Mode == ResizeMode.Cubic)
            attributes.Add(Attribute("cubic_coeff_a", op.Kernel.Cubic));

        // A ratio that both axes share, and that is exact in one of them: the other's size is larger than it will be.
        var isShared = !hasScales && (IsRounded(rows) || IsRounded(columns));
        if (isShared)
        {
            attributes.Add(Attribute("keep_aspect_ratio_policy", "not_larger"));
            attributes.Add(ListAttribute("axes", 2, 3));
        }

        int[] lengths = [size.Height + (IsRounded(rows) ? 1 : 0), size.Width + (IsRounded(columns) ? 1 : 0)];
        var sizes = hasScales ? "" : output.Numbers($"{node.Name}/sizes", isShared ? lengths : [x.Shape[0], x.Shape[3], .. lengths]);
        output.SetFirst(node.Outputs[0], output.Node("Resize", node.Name, [output.First(x), region, scales, sizes], [.. attributes]));
    }

    // A scale that is a number, or 1, and gives the length.
    private static bool IsGiven(ResizeAxis axis) =>
        axis.Scale is { } scale && (!scale.IsRatio || scale.Value == 1) && MathF.Floor((float)scale.Value * axis.Input) == axis.Output;

    // A ratio of other lengths than the axis's own.
    private static bool IsRounded(ResizeAxis axis) =>
        axis.Scale is { IsRatio: true } scale && scale.Numerator * axis.Input != scale.Denominator * axis.Output;

    private static T Named<T>(OnnxNode node, string attribute, string otherwise, (string Name, T Value)[] names)
    {
        var name = node.Text(attribute, otherwise);
        var index = Array.FindIndex(names, pair => pair.Name == name);
        return index >= 0 ? names[index].Value : throw node.Error($"{attribute} is '{OneLine.Of(name)}', which is not supported");
    }

    // Up to opset 10 the first pixels lie on each other, and of a reduction the nearest pixel is the one behind.
    private static void EmitPlain(OnnxGraph graph, OnnxNode node, ResizeRequest request)
    {
        var kernel = new ResizeKernel(Named(node, "mode", "nearest", Modes));
        new ResizePasses(graph, node, request, CoordinateMode.Asymmetric, kernel, 0)
            .Emit(axis => request.Scales[axis].Value < 1 ? NearestRounding.Ceil : NearestRounding.Floor);
    }
}
