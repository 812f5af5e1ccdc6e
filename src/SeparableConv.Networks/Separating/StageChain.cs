namespace SeparableConv.Networks.Separating;

/// <summary>What a layer becomes: convolutions one behind the other, the last with the layer's bias.</summary>
/// <param name="Stages">The convolutions.</param>
/// <param name="Bias">One number a filter; null for none.</param>
internal sealed record StageChain(IReadOnlyList<ConvStage> Stages, float[]? Bias)
{
    /// <summary>The layer as it is.</summary>
    public static StageChain Whole(StandardLayer layer) => new(
        [ConvStage.Standard(layer.Kernel, layer.GroupChannels, layer.Filters, layer.Options, layer.Weights)], layer.Bias);

    public ConvStage Last => Stages[^1];

    public long Parameters => Stages.Sum(stage => stage.Shape.ElementCount) + (Bias?.Length ?? 0);

    /// <summary>Multiply-accumulates behind an input (N, height, width, channels).</summary>
    public long Macs(TensorShape input)
    {
        var macs = 0L;
        foreach (var stage in Stages)
        {
            var g = stage.Geometry(input);
            macs += (stage.Operator is DepthwiseConv2DOperator ? ConvCost.Depthwise(g, stage.Shape[3]) : ConvCost.Standard(g)).Macs;
            input = ConvShapes.Output(g);
        }

        return macs;
    }

    /// <summary>The same with other numbers in the last convolution.</summary>
    public StageChain With(float[] weights, float[]? bias) => new([.. Stages.SkipLast(1), Last with { Weights = weights }], bias);

    /// <summary>Adds the nodes; the last takes the layer's name.</summary>
    public Value Append(GraphBuilder graph, string name, Value x) =>
        Append(graph, name, Last, AppendAllButLast(graph, name, x), Bias);

    /// <summary>Adds all nodes but the last, whose input is returned.</summary>
    public Value AppendAllButLast(GraphBuilder graph, string name, Value x)
    {
        for (var i = 0; i < Stages.Count - 1; i++)
        {
            var what = Stages[i].Operator is DepthwiseConv2DOperator ? "depthwise" : Stages[i].Shape[0] > 1 ? "vertical" : "pointwise";
            x = Append(graph, $"{name}/{what}", Stages[i], x, null);
        }

        return x;
    }

    /// <summary>The stages as a network of their own.</summary>
    public Network ToNetwork(TensorShape input)
    {
        var graph = new GraphBuilder();
        var x = graph.Input("input", new(ElementType.Float32, input));
        return graph.Build("layer", Append(graph, "layer", x));
    }

    private static Value Append(GraphBuilder graph, string name, ConvStage stage, Value x, float[]? bias)
    {
        if (stage.ChannelMap is { } map)
        {
            var indices = graph.Constant(
                $"{name}/channels", TensorData.Create(Array.ConvertAll(map, channel => (long)channel), map.Length));
            x = graph.Add($"{name}/gather", new GatherOperator(x.Shape.Rank - 1), x, indices);
        }

        // What is not an image goes through dense layers.
        var isDense = x.Shape.Rank == 2;
        var shape = isDense ? new TensorShape(stage.Shape[2], stage.Shape[3]) : stage.Shape;
        Operator op = isDense ? new DenseOperator(Activation.None) : stage.Operator;
        var weights = graph.Constant($"{name}/kernel", new TensorData(new(ElementType.Float32, shape), stage.Weights));
        return bias is null
            ? graph.Add(name, op, x, weights)
            : graph.Add(name, op, x, weights, graph.Constant($"{name}/bias", TensorData.Create(bias, bias.Length)));
    }
}
