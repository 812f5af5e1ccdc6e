using SeparableConv.Networks.Graph;
using SeparableConv.Networks.Operators;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Reads what gives images another size.</summary>
internal static class ResizeReaders
{
    /// <summary>Scales are the second input in opset 10; later there are scales or sizes, and a rule for where pixels lie.</summary>
    public static void Resize(OnnxGraph graph, OnnxNode node)
    {
        var x = ConvolutionReaders.Image(graph, node);
        if (graph.Opset < 11)
        {
            Emit(graph, node, x, Scales(node, x, graph.Constant(node, 1, "scales")), CoordinateMode.Asymmetric, NearestRounding.Floor, ResizeAntialias.None);
            return;
        }

        node.Ignore("cubic_coeff_a", "extrapolation_value");
        if (node.Text("keep_aspect_ratio_policy", "stretch") is not "stretch" and var policy)
            throw node.Error($"keep_aspect_ratio_policy is '{OneLine.Of(policy)}'; expected stretch");
        var excludes = node.Flag("exclude_outside", false);
        var antialias = !node.Flag("antialias", false) ? ResizeAntialias.None
            : excludes ? ResizeAntialias.ExcludeOutside
            : ResizeAntialias.EdgeGoesOn;
        var coordinates = node.Text("coordinate_transformation_mode", "half_pixel") switch
        {
            "half_pixel" => CoordinateMode.HalfPixel,
            "half_pixel_symmetric" => CoordinateMode.HalfPixelSymmetric,
            "pytorch_half_pixel" => CoordinateMode.PytorchHalfPixel,
            "align_corners" => CoordinateMode.AlignCorners,
            "asymmetric" => CoordinateMode.Asymmetric,
            "tf_half_pixel_for_nn" => CoordinateMode.TfHalfPixelForNearest,
            var other => throw node.Error($"coordinate_transformation_mode is '{OneLine.Of(other)}', which is not supported"),
        };
        var rounding = node.Text("nearest_mode", "round_prefer_floor") switch
        {
            "round_prefer_floor" => NearestRounding.RoundPreferFloor,
            "round_prefer_ceil" => NearestRounding.RoundPreferCeil,
            "floor" => NearestRounding.Floor,
            "ceil" => NearestRounding.Ceil,
            var other => throw node.Error($"nearest_mode is '{OneLine.Of(other)}', which is not supported"),
        };
        Emit(graph, node, x, ScalesOrSizes(graph, node, x), coordinates, rounding, antialias);
    }

    /// <summary>Resize as it was before opset 10: scales are an attribute up to opset 8.</summary>
    public static void Upsample(OnnxGraph graph, OnnxNode node)
    {
        var x = ConvolutionReaders.Image(graph, node);
        var scales = node.Floats("scales") is { } given ? Check(node, x, [.. given.Take(OnnxTensors.MaxRank)]) : Scales(node, x, graph.Constant(node, 1, "scales"));
        Emit(graph, node, x, scales, CoordinateMode.Asymmetric, NearestRounding.Floor, ResizeAntialias.None);
    }

    public static void DepthToSpace(OnnxGraph graph, OnnxNode node)
    {
        var crd = node.Text("mode", "DCR") switch
        {
            "DCR" => false,
            "CRD" => true,
            var other => throw node.Error($"mode is '{OneLine.Of(other)}'; expected DCR or CRD"),
        };
        Blocks(graph, node, new DepthToSpaceOperator(node.Int("blocksize", 0), crd));
    }

    public static void SpaceToDepth(OnnxGraph graph, OnnxNode node) => Blocks(graph, node, new SpaceToDepthOperator(node.Int("blocksize", 0)));

    private static void Blocks(OnnxGraph graph, OnnxNode node, Operator op)
    {
        var x = graph.Input(node, 0);
        if (x.Rank != 4)
            throw node.Error($"the input is {x.Shape}; expected (N, C, height, width)");
        graph.OutputLast(node, 0, graph.Emit(node.Name, op, graph.ChannelsLast(x)), 4);
    }

    private static void Emit(
        OnnxGraph graph, OnnxNode node, OnnxValue x, Size size, CoordinateMode coordinates, NearestRounding rounding, ResizeAntialias antialias)
    {
        var mode = node.Text("mode", "nearest") switch
        {
            "nearest" => ResizeMode.Nearest,
            "linear" or "bilinear" => ResizeMode.Linear,
            var other => throw node.Error($"mode is '{OneLine.Of(other)}'; expected nearest or linear"),
        };
        var op = new ResizeOperator(
            mode, size.Height, size.Width, size.ScaleHeight, size.ScaleWidth, coordinates, rounding, mode == ResizeMode.Linear ? antialias : ResizeAntialias.None);
        graph.OutputLast(node, 0, graph.Emit(node.Name, op, graph.ChannelsLast(x)), x.Rank);
    }

    private static Size ScalesOrSizes(OnnxGraph graph, OnnxNode node, OnnxValue x)
    {
        // Inputs: x, a region that only one unsupported rule reads, scales, sizes. Exporters leave scales empty where sizes are given.
        var axes = node.Ints("axes") is { } some ? Array.ConvertAll(some, axis => ShapeReaders.Axis(node, axis, x.Rank)) : [.. Enumerable.Range(0, x.Rank)];
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

        var sizes = ConstantReaders.Ints(node, graph.Constant(node, 3, "sizes"), "sizes");
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
                $"the scales of the input {x.Shape} are ({string.Join(", ", scales)}); expected {x.Rank}, the first two of them 1: batch and channels stay"));
        }

        return new(x.Rank == 4 ? Scaled(node, x.Shape[2], scales[2]) : 1, Scaled(node, x.Shape[^1], scales[^1]), x.Rank == 4 ? scales[2] : 1, scales[^1]);
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
