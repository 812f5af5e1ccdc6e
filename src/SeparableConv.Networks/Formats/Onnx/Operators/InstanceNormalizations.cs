namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>
/// Normalizations with statistics of the image that is normalized, put together from operators that compute those:
/// InstanceNormalization, GroupNormalization and MeanVarianceNormalization.
/// </summary>
internal static class InstanceNormalizations
{
    /// <summary>Batch normalization with statistics of each image and channel.</summary>
    public static void ReadInstanceNormalization(OnnxGraph graph, OnnxNode node) =>
        Normalize(graph, node, groups: null, perGroup: false);

    /// <summary>Statistics of each image and group of channels; up to opset 20 scale and bias are one a group, then a channel.</summary>
    public static void ReadGroupNormalization(OnnxGraph graph, OnnxNode node)
    {
        node.Ignore("stash_type");
        Normalize(graph, node, node.Int("num_groups", 0), graph.Opset < 21);
    }

    /// <summary>y = (x - mean) / (deviation + 1e-9) over some axes: up to opset 8 two flags say which, later an attribute.</summary>
    public static void ReadMeanVarianceNormalization(OnnxGraph graph, OnnxNode node)
    {
        const double Epsilon = 1e-9;
        var x = graph.Input(node, 0);
        var acrossChannels = node.Flag("across_channels", false);
        var byVariance = node.Flag("normalize_variance", true);
        int[] axes = node.Longs("axes") is { } given ? node.Axes([.. given.Take(FileShape.MaxRank)], x.Rank)
            : graph.Opset >= 9 ? [0, 2, 3]
            : [.. Enumerable.Range(acrossChannels ? 1 : 2, x.Rank - (acrossChannels ? 1 : 2))];
        if (axes.Length > 0 && axes[^1] >= x.Rank)
            throw node.Error($"the axes are ({string.Join(',', axes)}); the input is {x.Shape}");
        var formula = new Formula(graph, node);
        var last = OnnxGraph.PrefersLast(x);
        var input = graph.InLayout(x, last);
        var along = last ? Array.ConvertAll(axes, axis => ImageLayout.LastAxis(x.Rank, axis)) : axes;
        var y = formula.Binary("centered", BinaryKind.Sub, input, formula.Reduce("mean", ReduceKind.Mean, along, input));
        if (byVariance)
        {
            var variance = formula.Reduce("variance", ReduceKind.Mean, along, formula.Binary("squares", BinaryKind.Mul, y, y));
            var deviation = formula.Unary("deviation", UnaryKind.Sqrt, variance);
            y = formula.Binary("", BinaryKind.Div, y, formula.Binary("regularized", BinaryKind.Add, deviation, Epsilon));
        }

        graph.Output(node, 0, y, last, x.Rank);
    }

    private static void Normalize(OnnxGraph graph, OnnxNode node, int? groups, bool perGroup)
    {
        var x = graph.Input(node, 0);
        if (x.Rank < 3)
            throw node.Error($"the input is {x.Shape}; expected (N, C, ...)");
        var channels = x.Shape[1];
        if (groups is { } count && (count < 1 || channels % count != 0))
            throw node.Error($"num_groups is {count}; expected a divisor of the input's {channels} channels");
        var formula = new Formula(graph, node);
        var row = ImageLayout.IsImage(x.Rank) ? x : NormalizationOperators.AsRow(graph, node, x);
        var image = formula.Cast("input", ElementType.Float32, graph.ChannelsLast(row));
        Value Mean(string part, Value value) =>
            GroupMean(graph, formula, node, part, formula.Reduce(part, ReduceKind.Mean, [1, 2], value), groups ?? channels);

        var centered = formula.Binary("centered", BinaryKind.Sub, image, Mean("mean", image));
        var variance = Mean("variance", formula.Binary("squares", BinaryKind.Mul, centered, centered));
        var regularized = formula.Binary("regularized", BinaryKind.Add, variance, node.Float("epsilon", 1e-5f));
        var factor = formula.Binary("factor", BinaryKind.Div, Row(1, "scale"), formula.Unary("deviation", UnaryKind.Sqrt, regularized));
        var scaled = formula.Binary("scaled", BinaryKind.Mul, centered, factor);
        var y = formula.Cast("narrow", x.Element, formula.Binary("", BinaryKind.Add, scaled, Row(2, "bias")));
        NormalizationOperators.OutputImage(graph, node, x, row, y);

        Value Row(int input, string part)
        {
            var value = formula.Cast(part, ElementType.Float32, graph.Original(graph.Input(node, input)));
            var expected = perGroup ? groups!.Value : channels;
            if (value.Shape != new TensorShape(expected))
                throw node.Error($"the {part} is {value.Shape}; expected ({expected})");
            return perGroup
                ? PerChannel(graph, formula, node, part, formula.Reshape($"{part}_groups", value, 1, expected, 1), channels)
                : value;
        }
    }

    // (N, 1, 1, C) means of channels -> those of their groups, in the same shape.
    private static Value GroupMean(OnnxGraph graph, Formula formula, OnnxNode node, string part, Value means, int groups)
    {
        var (batch, channels) = (means.Shape[0], means.Shape[3]);
        if (groups == channels)
            return means;
        var grouped = formula.Reshape($"{part}_members", means, batch, groups, channels / groups);
        var mean = formula.Reduce($"{part}_of_groups", ReduceKind.Mean, [2], grouped);
        return formula.Reshape($"{part}_image", PerChannel(graph, formula, node, part, mean, channels), batch, 1, 1, channels);
    }

    // (N, G, 1) -> (N*C), each repeated for the channels of its group.
    private static Value PerChannel(OnnxGraph graph, Formula formula, OnnxNode node, string part, Value value, int channels)
    {
        var (batch, groups) = (value.Shape[0], value.Shape[1]);
        var shape = new TensorShape(batch, groups, channels / groups);
        return formula.Reshape(
            $"{part}_channels", graph.Emit($"{node.Name}/{part}_repeated", new ExpandOperator(shape), value), batch * channels);
    }
}
