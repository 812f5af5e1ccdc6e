namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>What a Resize or an Upsample asks for along each dimension of its input.</summary>
internal sealed class ResizeRequest
{
    private readonly OnnxNode _node;
    private readonly TensorShape _input;

    private ResizeRequest(OnnxNode node, TensorShape input)
    {
        (_node, _input, Lengths) = (node, input, input.Lengths.ToArray());
        Scales = new ResizeScale[input.Rank];
        Scales.AsSpan().Fill(ResizeScale.Ratio(1, 1));
        (Starts, Ends) = (new float[input.Rank], new float[input.Rank]);
        Ends.AsSpan().Fill(1);
    }

    /// <summary>The output's lengths.</summary>
    public int[] Lengths { get; }

    public ResizeScale[] Scales { get; }

    /// <summary>For a crop: where it begins, 0 being the first element and 1 the last.</summary>
    public float[] Starts { get; }

    /// <summary>For a crop: where it ends.</summary>
    public float[] Ends { get; }

    /// <summary>The dimensions that do not stay as they are.</summary>
    public int[] Axes =>
    [
        .. Enumerable.Range(0, _input.Rank).Where(
            d => Lengths[d] != _input[d] || Scales[d].Value != 1 || Starts[d] != 0 || Ends[d] != 1),
    ];

    /// <summary>Scales, one for each dimension.</summary>
    public static ResizeRequest OfScales(OnnxNode node, TensorShape input, ReadOnlySpan<float> scales)
    {
        var request = new ResizeRequest(node, input);
        request.SetScales([.. Enumerable.Range(0, input.Rank)], scales);
        return request;
    }

    /// <summary>
    /// Scales or sizes (inputs 2 and 3 from opset 11 on), for all dimensions or for those that an attribute names, and the region of a crop
    /// (input 1). Exporters leave scales empty where sizes are given.
    /// </summary>
    public static ResizeRequest Read(OnnxGraph graph, OnnxNode node, OnnxValue x, bool isCrop)
    {
        var request = new ResizeRequest(node, x.Shape);
        var axes = node.Ints("axes") is { } some
            ? Array.ConvertAll(some, axis => node.Axis(axis, x.Rank))
            : [.. Enumerable.Range(0, x.Rank)];
        if (axes.Distinct().Count() != axes.Length)
            throw node.Error($"the axes are ({string.Join(',', axes)}); expected each once");
        var policy = node.Text("keep_aspect_ratio_policy", "stretch");
        if (graph.OptionalConstant(node, 2, "scales") is { Type.Shape.ElementCount: > 0 } scales)
            request.SetScales(axes, Floats(node, scales, "scales"));
        else
            request.SetSizes(axes, OnnxConstants.Ints(node, graph.Constant(node, 3, "sizes"), "sizes"), policy);
        if (isCrop)
            request.SetRegion(axes, Floats(node, graph.Constant(node, 1, "region"), "region"));
        return request;
    }

    /// <summary>The floats of a constant.</summary>
    public static float[] Floats(OnnxNode node, TensorData data, string what) => data.Type.Element.IsFloat()
        ? (float[])Evaluator.Run(new CastOperator(ElementType.Float32), data)[0].Values
        : throw node.Error($"the {what} are {data.Type}; expected floats");

    private void SetScales(int[] axes, ReadOnlySpan<float> scales)
    {
        if (scales.Length != axes.Length)
        {
            throw _node.Error(FormattableString.Invariant(
                $"the scales of the input {_input} are ({string.Join(", ", scales.ToArray())}); expected {axes.Length}"));
        }

        for (var i = 0; i < axes.Length; i++)
        {
            // In single precision, as ONNX's own inference of shapes.
            var length = MathF.Floor(_input[axes[i]] * scales[i]);
            if (!(length is >= 1 and <= int.MaxValue))
            {
                throw _node.Error(FormattableString.Invariant(
                    $"a scale of {scales[i]} makes a dimension of {_input[axes[i]]} one of {length}; expected 1 or more"));
            }

            (Lengths[axes[i]], Scales[axes[i]]) = ((int)length, scales[i]);
        }
    }

    private void SetSizes(int[] axes, int[] sizes, string policy)
    {
        if (sizes.Length != axes.Length || Array.Exists(sizes, size => size < 1))
        {
            throw _node.Error(
                $"the sizes are ({string.Join(',', sizes)}) for the input {_input}; expected {axes.Length}, each 1 or more");
        }

        if (policy is not ("stretch" or "not_larger" or "not_smaller"))
        {
            throw _node.Error(
                $"keep_aspect_ratio_policy is '{OneLine.Of(policy)}'; expected stretch, not_larger or not_smaller");
        }

        var (output, input) = (0, 0);
        for (var i = 0; i < axes.Length; i++)
        {
            var (size, length) = (sizes[i], _input[axes[i]]);
            (Lengths[axes[i]], Scales[axes[i]]) = (size, ResizeScale.Ratio(size, length));
            var isLess = (long)size * input < (long)output * length;
            if (i == 0 || (policy == "not_larger" ? isLess : (long)size * input > (long)output * length))
                (output, input) = (size, length);
        }

        // One scale for all; halves are rounded up.
        for (var i = 0; policy != "stretch" && i < axes.Length; i++)
        {
            var length = (((Int128)2 * output * _input[axes[i]]) + input) / Math.Max(1, 2L * input);
            Lengths[axes[i]] = length >= 1 && length <= int.MaxValue ? (int)length : throw _node.Error(
                $"{output}/{input} of dimension {axes[i]} of the input {_input} is {length}; expected 1 or more");
            Scales[axes[i]] = ResizeScale.Ratio(output, input);
        }
    }

    private void SetRegion(int[] axes, float[] region)
    {
        if (region.Length != 2 * axes.Length)
            throw _node.Error($"the region has {region.Length} numbers; expected {2 * axes.Length}, all beginnings and then all ends");
        for (var i = 0; i < axes.Length; i++)
            (Starts[axes[i]], Ends[axes[i]]) = (region[i], region[axes.Length + i]);
    }
}
