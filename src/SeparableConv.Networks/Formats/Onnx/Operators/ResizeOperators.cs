using SeparableConv.Networks.Formats.Onnx.Schema;
using static SeparableConv.Networks.Formats.Onnx.OnnxOutput;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Resize, Upsample, DepthToSpace and SpaceToDepth: operators that give images another size.</summary>
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
    ];

    private static readonly (string Name, NearestRounding Value)[] Roundings =
    [
        ("round_prefer_floor", NearestRounding.RoundPreferFloor),
        ("round_prefer_ceil", NearestRounding.RoundPreferCeil),
        ("floor", NearestRounding.Floor),
        ("ceil", NearestRounding.Ceil),
    ];

    /// <summary>Scales are the second input in opset 10; later there are scales or sizes, and a rule for where pixels lie.</summary>
    public static void ReadResize(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Image(node);
        if (graph.Opset < 11)
        {
            var given = Scales(node, x, graph.Constant(node, 1, "scales"));
            Emit(graph, node, x, given, CoordinateMode.Asymmetric, NearestRounding.Floor, ResizeAntialias.None);
            return;
        }

        node.Ignore("cubic_coeff_a", "extrapolation_value");
        if (node.Text("keep_aspect_ratio_policy", "stretch") is not "stretch" and var policy)
            throw node.Error($"keep_aspect_ratio_policy is '{OneLine.Of(policy)}'; expected stretch");
        var excludes = node.Flag("exclude_outside", false);
        var antialias = !node.Flag("antialias", false) ? ResizeAntialias.None
            : excludes ? ResizeAntialias.ExcludeOutside
            : ResizeAntialias.EdgeGoesOn;
        var coordinates = Named(node, "coordinate_transformation_mode", "half_pixel", Coordinates);
        var rounding = Named(node, "nearest_mode", "round_prefer_floor", Roundings);
        Emit(graph, node, x, ScalesOrSizes(graph, node, x), coordinates, rounding, antialias);
    }

    /// <summary>Resize as it was before opset 10: scales are an attribute up to opset 8.</summary>
    public static void ReadUpsample(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Image(node);
        var scales = node.Floats("scales") is { } given
            ? Check(node, x, [.. given.Take(FileShape.MaxRank)])
            : Scales(node, x, graph.Constant(node, 1, "scales"));
        Emit(graph, node, x, scales, CoordinateMode.Asymmetric, NearestRounding.Floor, ResizeAntialias.None);
    }

    /// <summary>Writes scales where they give the output's lengths, else the lengths themselves, from which ONNX computes scales.</summary>
    public static void WriteResize(OnnxOutput output, Node node)
    {
        var op = (ResizeOperator)node.Operator;
        var (x, size) = (node.Inputs[0]!, op.OutputSize);
        var hasScales = op.Scale is { Height: { } h, Width: { } w }
            && Math.Floor(h * x.Shape[1]) == size.Height
            && Math.Floor(w * x.Shape[2]) == size.Width;
        var scales = hasScales
            ? output.Constant($"{node.Name}/scales", new[] { 1, 1, op.Scale.Height!.Value, op.Scale.Width!.Value }, 4)
            : "";
        var sizes = hasScales ? "" : output.Numbers($"{node.Name}/sizes", [x.Shape[0], x.Shape[3], size.Height, size.Width]);
        List<AttributeProto> attributes =
        [
            Attribute("mode", op.Mode == ResizeMode.Nearest ? "nearest" : "linear"),
            Attribute("coordinate_transformation_mode", Array.Find(Coordinates, pair => pair.Value == op.Coordinates).Name),
        ];
        if (op.Mode == ResizeMode.Nearest)
            attributes.Add(Attribute("nearest_mode", Array.Find(Roundings, pair => pair.Value == op.Rounding).Name));
        if (op.Antialias != ResizeAntialias.None)
            attributes.Add(Attribute("antialias", 1));
        if (op.Antialias == ResizeAntialias.ExcludeOutside)
            attributes.Add(Attribute("exclude_outside", 1));
        output.SetFirst(node.Outputs[0], output.Node("Resize", node.Name, [output.First(x), "", scales, sizes], [.. attributes]));
    }

    public static void ReadDepthToSpace(OnnxGraph graph, OnnxNode node)
    {
        var crd = node.Text("mode", "DCR") switch
        {
            "DCR" => false,
            "CRD" => true,
            var other => throw node.Error($"mode is '{OneLine.Of(other)}'; expected DCR or CRD"),
        };
        Blocks(graph, node, new DepthToSpaceOperator(node.Int("blocksize", 0), crd));
    }

    public static void WriteDepthToSpace(OnnxOutput output, Node node)
    {
        var op = (DepthToSpaceOperator)node.Operator;
        output.SetFirst(node.Outputs[0], output.Node(
            "DepthToSpace",
            node.Name,
            [output.First(node.Inputs[0]!)],
            Attribute("blocksize", op.Block),
            Attribute("mode", op.ColumnRowDepth ? "CRD" : "DCR")));
    }

    public static void ReadSpaceToDepth(OnnxGraph graph, OnnxNode node) =>
        Blocks(graph, node, new SpaceToDepthOperator(node.Int("blocksize", 0)));

    public static void WriteSpaceToDepth(OnnxOutput output, Node node) => output.SetFirst(node.Outputs[0], output.Node(
        "SpaceToDepth", node.Name, [output.First(node.Inputs[0]!)], Attribute("blocksize", ((SpaceToDepthOperator)node.Operator).Block)));

    private static T Named<T>(OnnxNode node, string attribute, string otherwise, (string Name, T Value)[] names)
    {
        var name = node.Text(attribute, otherwise);
        var index = Array.FindIndex(names, pair => pair.Name == name);
        return index >= 0 ? names[index].Value : throw node.Error($"{attribute} is '{OneLine.Of(name)}', which is not supported");
    }

    private static void Blocks(OnnxGraph graph, OnnxNode node, Operator op)
    {
        var x = graph.Input(node, 0);
        if (x.Rank != 4)
            throw node.Error($"the input is {x.Shape}; expected (N, C, height, width)");
        graph.OutputLast(node, 0, graph.Emit(node.Name, op, graph.ChannelsLast(x)), 4);
    }

    private static void Emit(
        OnnxGraph graph,
        OnnxNode node,
        OnnxValue x,
        Size size,
        CoordinateMode coordinates,
        NearestRounding rounding,
        ResizeAntialias antialias)
    {
        var mode = node.Text("mode", "nearest") switch
        {
            "nearest" => ResizeMode.Nearest,
            "linear" or "bilinear" => ResizeMode.Linear,
            var other => throw node.Error($"mode is '{OneLine.Of(other)}'; expected nearest or linear"),
        };
        antialias = mode == ResizeMode.Linear ? antialias : ResizeAntialias.None;
        var op = new ResizeOperator(mode, size.Height, size.Width, size.ScaleHeight, size.ScaleWidth, coordinates, rounding, antialias);
        graph.OutputLast(node, 0, graph.Emit(node.Name, op, graph.ChannelsLast(x)), x.Rank);
    }

    private static Size ScalesOrSizes(OnnxGraph graph, OnnxNode node, OnnxValue x)
    {
        // Inputs: x, a region that only one unsupported rule reads, scales, sizes. Exporters leave scales empty where sizes are given.
        var axes = node.Ints("axes") is { } some
            ? Array.ConvertAll(some, axis => node.Axis(axis, x.Rank))
            : [.. Enumerable.Range(0, x.Rank)];
        if (graph.OptionalConstant(node, 2, "scales") is { } scales && scales.Type.Shape.ElementCount > 0)
        {
            var all = new float[x.Rank];
            all.AsSpan().Fill(1);
            var given = Floats(node, scales);
            if (given.Length != axes.Length)
                throw node.Error($"there are {given.Length} scales; expected {axes.Length}");
            for (var i = 0; i < given.Length; i++)
                all[axes[i]] = given[i];
            return Check(node, x, all);
        }

        var sizes = OnnxConstants.Ints(node, graph.Constant(node, 3, "sizes"), "sizes");
        if (sizes.Length != axes.Length)
            throw node.Error($"there are {sizes.Length} sizes; expected {axes.Length}");
        var lengths = x.Shape.Lengths.ToArray();
        for (var i = 0; i < sizes.Length; i++)
            lengths[axes[i]] = sizes[i];
        if (lengths[0] != x.Shape[0] || lengths[1] != x.Shape[1])
            throw node.Error($"the input {x.Shape} is resized to ({string.Join(',', lengths)}); batch and channels must stay");
        var height = x.Rank == 4 ? lengths[2] : 1;
        return new(
            height,
            lengths[^1],
            x.Rank == 4 ? (float)((double)height / x.Shape[2]) : 1,
            (float)((double)lengths[^1] / x.Shape[^1]));
    }

    private static Size Scales(OnnxNode node, OnnxValue x, TensorData scales) => Check(node, x, Floats(node, scales));

    private static Size Check(OnnxNode node, OnnxValue x, float[] scales)
    {
        if (scales.Length != x.Rank || scales[0] != 1 || scales[1] != 1)
        {
            throw node.Error(FormattableString.Invariant(
                $"the scales of the input {x.Shape} are ({string.Join(", ", scales)}); ")
                + $"expected {x.Rank}, the first two of them 1: batch and channels stay");
        }

        var height = x.Rank == 4 ? Scaled(node, x.Shape[2], scales[2]) : 1;
        return new(height, Scaled(node, x.Shape[^1], scales[^1]), x.Rank == 4 ? scales[2] : 1, scales[^1]);
    }

    private static int Scaled(OnnxNode node, int length, float scale)
    {
        var scaled = Math.Floor((double)length * scale);
        return scaled is >= 1 and <= int.MaxValue
            ? (int)scaled
            : throw node.Error(FormattableString.Invariant($"a scale of {scale} makes {length} pixels {scaled}; expected 1 or more"));
    }

    private static float[] Floats(OnnxNode node, TensorData data) =>
        data.Values as float[] ?? throw node.Error($"the scales are {data.Type}; expected float32");

    private readonly record struct Size(int Height, int Width, float ScaleHeight, float ScaleWidth);
}
