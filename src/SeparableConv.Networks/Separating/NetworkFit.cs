namespace SeparableConv.Networks.Separating;

/// <summary>
/// Fits separated layers to the original network, one behind the other: each sees what the layers before it have become, and is asked for
/// the sums of the original. Errors so do not pile up.
/// </summary>
internal sealed class NetworkFit
{
    // Numbers of the samples of one layer: patches, wanted sums, rest.
    private const long MostNumbers = 48L << 20;
    private const int MostSamples = 60_000;
    private const int Seed = 1;

    // Of a layer that stays whole, or a dense one, the weights are fitted too where there are so many samples a weight.
    private const int SamplesAWeight = 4;

    private readonly Network _original;
    private readonly CalibrationSet _set;
    private readonly int _threads;
    private readonly CancellationToken _cancellation;

    /// <param name="original">The network, batched for the set.</param>
    /// <param name="set">The inputs.</param>
    /// <param name="threads">Threads to use.</param>
    /// <param name="cancellation">Ends it early.</param>
    public NetworkFit(Network original, CalibrationSet set, int threads, CancellationToken cancellation) =>
        (_original, _set, _threads, _cancellation) = (original, set, threads, cancellation);

    /// <summary>Fits all layers that have chains, and those behind them.</summary>
    /// <param name="chains">What layers become, by the names of their nodes.</param>
    /// <param name="onLayer">Told each layer before it is fitted.</param>
    /// <returns>What all nodes that changed become, and the share of each layer's variance that is lost.</returns>
    public (Dictionary<string, StageChain> Chains, Dictionary<string, double> Errors) FitAll(
        IReadOnlyDictionary<string, StageChain> chains, Action<string> onLayer)
    {
        var wanted = Wanted(chains);
        var (fitted, errors) = (new Dictionary<string, StageChain>(), new Dictionary<string, double>());
        foreach (var (node, positions, sums) in wanted)
        {
            onLayer(node.Name);
            var chain = chains.GetValueOrDefault(node.Name) ?? Whole(node)!;
            var (weights, bias, error) = Fit(node, chain, positions, sums, fitted);
            fitted[node.Name] = chain.With(weights, bias);
            errors[node.Name] = error;
        }

        return (fitted, errors);
    }

    /// <summary>Fits one layer in several forms by itself, all others as they are, on few samples.</summary>
    public IEnumerable<StageChain> FitEach(string name, IEnumerable<StageChain> chains, int samples)
    {
        var node = Find(name);
        var output = Image(node.Outputs[0].Shape);
        var positions = new SamplePositions(_set.Count, (output[1], output[2]), samples, Seed);
        var sums = Targets([(node, positions)])[0];
        foreach (var chain in chains)
        {
            var (weights, bias, _) = Fit(node, chain, positions, sums, new Dictionary<string, StageChain>());
            yield return chain.With(weights, bias);
        }
    }

    /// <summary>Patches of a layer's input, (samples, patch) for each group.</summary>
    public (float[][] Patches, int Samples) Patches(string name, int samples)
    {
        var layer = StandardLayer.Of(Find(name))!;
        var positions = new SamplePositions(_set.Count, layer.Geometry.Output, samples, Seed);
        var graph = new GraphBuilder(_original);
        return (Gather(graph.Build("input", layer.Node.Inputs[0]!), layer.Geometry, positions), positions.Count);
    }

    private Node Find(string name) => _original.Nodes.First(node => node.Name == name);

    private static StageChain? Whole(Node node) => node.Operator switch
    {
        Conv2DOperator { Options.Activation.IsNone: true } conv when Constants(node) is var (weights, bias) =>
            new([new(conv, weights.Type.Shape, (float[])weights.Values)], (float[]?)bias?.Values),

        // A dense layer is a 1x1 convolution of images of one pixel.
        DenseOperator { Activation.IsNone: true } when node.Inputs[0]!.Shape.Rank == 2 && Constants(node) is var (weights, bias) => new(
            [ConvStage.Pointwise(weights.Type.Shape[0], weights.Type.Shape[1], 1, (float[])weights.Values)], (float[]?)bias?.Values),
        _ => null,
    };

    private static TensorShape Image(TensorShape shape) => shape.Rank == 4 ? shape : new(shape[0], 1, 1, shape[1]);

    private static (TensorData Weights, TensorData? Bias)? Constants(Node node)
    {
        var bias = node.Inputs.Count > 2 ? node.Inputs[2] : null;
        return node.Inputs[1]!.Constant is { } weights && bias is null or { IsConstant: true } ? (weights, bias?.Constant) : null;
    }

    // The layers to fit in their order, and the sums of the original that they are fitted to.
    private List<(Node Node, SamplePositions Positions, float[] Sums)> Wanted(IReadOnlyDictionary<string, StageChain> chains)
    {
        var changed = new HashSet<Value>();
        var layers = new List<(Node Node, SamplePositions Positions)>();
        foreach (var node in _original.Nodes)
        {
            var isBehind = node.Inputs.Any(input => input is not null && changed.Contains(input));
            var chain = chains.GetValueOrDefault(node.Name) ?? (isBehind ? Whole(node) : null);
            if (chain is not null)
            {
                var positions = Positions(node, chain, MostSamples);
                if (chains.ContainsKey(node.Name) || (long)SamplesAWeight * Width(chain.Last) <= positions.Count)
                    layers.Add((node, positions));
            }

            if (isBehind || chains.ContainsKey(node.Name))
                changed.UnionWith(node.Outputs);
        }

        var sums = Targets(layers);
        return [.. layers.Select((layer, i) => (layer.Node, layer.Positions, sums[i]))];
    }

    private SamplePositions Positions(Node node, StageChain chain, int samples)
    {
        var output = Image(node.Outputs[0].Shape);
        var numbers = (Width(chain.Last) * GroupsOf(chain.Last)) + (2L * output[3]);
        return new(_set.Count, (output[1], output[2]), (int)Math.Min(samples, MostNumbers / numbers), Seed);
    }

    // Numbers of a patch of one group, and groups.
    private static int Width(ConvStage stage) =>
        stage.Shape[0] * stage.Shape[1] * (stage.Operator is DepthwiseConv2DOperator ? 1 : stage.Shape[2]);

    private static int GroupsOf(ConvStage stage) =>
        stage.Operator is DepthwiseConv2DOperator ? stage.Shape[2] : stage.Operator.Options.Groups;

    private float[][] Targets(List<(Node Node, SamplePositions Positions)> layers)
    {
        var sums = new float[layers.Count][];
        for (var i = 0; i < sums.Length; i++)
            sums[i] = new float[layers[i].Positions.Count * layers[i].Node.Outputs[0].Shape[^1]];
        var network = new GraphBuilder(_original).Build("sums", [.. layers.Select(layer => layer.Node.Outputs[0])]);
        _set.Run(
            network,
            (first, count, session) =>
            {
                for (var i = 0; i < sums.Length; i++)
                {
                    PatchSamples.CopyPixels(
                        CalibrationSet.Output(session, i),
                        layers[i].Node.Outputs[0].Shape[^1],
                        layers[i].Positions,
                        first,
                        count,
                        sums[i]);
                }
            },
            _cancellation);
        return sums;
    }

    private (float[] Weights, float[] Bias, double Error) Fit(
        Node node, StageChain chain, SamplePositions positions, float[] sums, IReadOnlyDictionary<string, StageChain> fitted)
    {
        var replacement = new LayerReplacement(fitted);
        var now = replacement.Run(_original);
        var graph = new GraphBuilder(now);
        var read = chain.AppendAllButLast(graph, node.Name, replacement.Find(node.Inputs[0]!));
        var geometry = chain.Last.Geometry(Image(read.Shape));
        var patches = Gather(graph.Build("features", read), geometry, positions);
        var fit = new LayerFit(_threads);
        var (weights, bias) = fit.Fit(
            geometry, patches, sums, positions.Count, chain.Last.Weights, chain.Bias, Bounds(_original, node), _cancellation);
        return (weights, bias, fit.Error);
    }

    private float[][] Gather(Network network, ConvGeometry geometry, SamplePositions positions)
    {
        var width = geometry.Rows.Kernel * geometry.Columns.Kernel * (geometry.InChannels / geometry.Groups);
        var patches = new float[geometry.Groups][];
        for (var group = 0; group < patches.Length; group++)
            patches[group] = new float[positions.Count * width];
        _set.Run(
            network,
            (first, count, session) =>
            {
                for (var group = 0; group < patches.Length; group++)
                    PatchSamples.Copy(CalibrationSet.Output(session, 0), geometry, group, positions, first, count, patches[group]);
            },
            _cancellation);
        return patches;
    }

    // What an activation that alone reads the sums can tell apart.
    private static FitBounds Bounds(Network network, Node node)
    {
        var readers = network.Nodes.Where(other => other.Inputs.Contains(node.Outputs[0])).ToArray();
        return !network.Outputs.Contains(node.Outputs[0])
            && readers is [{ Operator: ActivationOperator { Activation: { IsClamp: true } clamp } }]
                ? new(clamp.LowerBound, clamp.UpperBound)
                : FitBounds.None;
    }
}
