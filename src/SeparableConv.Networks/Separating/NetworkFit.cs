namespace SeparableConv.Networks.Separating;

/// <summary>
/// Fits separated layers to the original network, one behind the other: each sees what the layers before it have become, and is asked for
/// the sums of the original. Errors so do not pile up.
/// </summary>
internal sealed class NetworkFit
{
    // Numbers of the samples of one layer: patches, wanted sums, rest.
    private const long MostNumbers = 24L << 20;
    private const int MostSamples = 60_000;
    private const int MostSamplesOfBoth = 30_000;
    private const long MostNumbersOfBoth = 24L << 20;

    // Layers that are only compared are fitted less closely.
    private const int RoundsToCompare = 3;
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
            chain = FitBoth(node, chain, positions, sums, fitted);
            (fitted[node.Name], errors[node.Name]) = Fit(node, [chain], positions, sums, fitted)[0];
        }

        return (fitted, errors);
    }

    /// <summary>Fits layers in several forms, each by itself with all others as they are, on few samples.</summary>
    /// <param name="forms">What each layer could become, by the names of the nodes.</param>
    /// <param name="samples">How many samples.</param>
    /// <param name="onLayer">Told each layer before it is fitted.</param>
    /// <returns>The layers in the network's order, and their fitted forms in the order given.</returns>
    public IEnumerable<(string Name, StageChain[] Chains)> FitEach(
        IReadOnlyDictionary<string, StageChain[]> forms, int samples, Action<string> onLayer)
    {
        var layers = _original.Nodes
            .Where(node => forms.ContainsKey(node.Name))
            .Select(node => (Node: node, Positions: Positions(node, samples)))
            .ToList();
        var none = new Dictionary<string, StageChain>();
        foreach (var ((node, positions), sums) in layers.Zip(Targets(layers)))
        {
            onLayer(node.Name);
            var fits = Fit(node, forms[node.Name], positions, sums, none, RoundsToCompare);
            yield return (node.Name, [.. fits.Select(fit => fit.Chain)]);
        }
    }

    /// <summary>Patches of a layer's input, (samples, patch) for each group.</summary>
    public (float[][] Patches, int Samples) Patches(string name, int samples)
    {
        var layer = StandardLayer.Of(Find(name))!;
        var positions = Positions(layer.Node, samples);
        var graph = new GraphBuilder(_original);
        return (Gather(_set, graph.Build("input", layer.Node.Inputs[0]!), [layer.Geometry], positions)[0], positions.Count);
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
                var numbers = (Width(chain.Last) * GroupsOf(chain.Last)) + (2L * node.Outputs[0].Shape[^1]);
                var positions = Positions(node, (int)Math.Min(MostSamples, MostNumbers / numbers));
                if (chains.ContainsKey(node.Name) || (long)SamplesAWeight * Width(chain.Last) <= positions.Count)
                    layers.Add((node, positions));
            }

            if (isBehind || chains.ContainsKey(node.Name))
                changed.UnionWith(node.Outputs);
        }

        var sums = Targets(layers);
        return [.. layers.Select((layer, i) => (layer.Node, layer.Positions, sums[i]))];
    }

    private SamplePositions Positions(Node node, int samples)
    {
        var output = Image(node.Outputs[0].Shape);
        return new(_set.Count, (output[1], output[2]), samples, Seed);
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

    // Both convolutions of a chain of two, for what the first becomes; by the first inputs, as patches of the layer's own input are large.
    private StageChain FitBoth(
        Node node, StageChain chain, SamplePositions positions, float[] sums, IReadOnlyDictionary<string, StageChain> fitted)
    {
        if (StandardLayer.Of(node) is not { } layer || AlternatingFit.Of(layer, chain, _threads) is not { } both)
            return chain;
        var inputs = (int)Math.Clamp(
            Math.Min(MostSamplesOfBoth, MostNumbersOfBoth / layer.PatchLength) / positions.InImage, 1, _set.Count);
        var replacement = new LayerReplacement(fitted);
        var graph = new GraphBuilder(replacement.Run(_original));
        var network = graph.Build("input", replacement.Find(node.Inputs[0]!));
        var patches = Gather(_set.First(inputs), network, [layer.Geometry], positions)[0][0];
        return both.Fit(layer.Geometry, patches, sums, Bounds(_original, node), _cancellation);
    }

    // A layer in some forms, behind layers that are fitted already.
    private (StageChain Chain, double Error)[] Fit(
        Node node,
        StageChain[] chains,
        SamplePositions positions,
        float[] sums,
        IReadOnlyDictionary<string, StageChain> fitted,
        int rounds = LayerFit.UsualRounds)
    {
        var replacement = new LayerReplacement(fitted);
        var graph = new GraphBuilder(replacement.Run(_original));
        var input = replacement.Find(node.Inputs[0]!);
        var reads = chains.Select((chain, i) => chain.AppendAllButLast(graph, $"{node.Name}/{i}", input)).ToArray();
        var geometries = reads.Zip(chains, (read, chain) => chain.Last.Geometry(Image(read.Shape))).ToArray();
        var patches = Gather(_set, graph.Build("features", reads), geometries, positions);
        var bounds = Bounds(_original, node);
        var fits = new (StageChain Chain, double Error)[chains.Length];
        for (var i = 0; i < chains.Length; i++)
        {
            var fit = new LayerFit(_threads) { Rounds = rounds };
            var (weights, bias) = fit.Fit(
                geometries[i], patches[i], sums, positions.Count, chains[i].Last.Weights, chains[i].Bias, bounds, _cancellation);
            fits[i] = (chains[i].With(weights, bias), fit.Error);
        }

        return fits;
    }

    // For each output of a network the patches that a convolution of it reads, (samples, patch) for each group.
    private float[][][] Gather(CalibrationSet set, Network network, ConvGeometry[] geometries, SamplePositions positions)
    {
        var samples = set.Count * positions.InImage;
        var patches = Array.ConvertAll(geometries, geometry =>
        {
            var width = geometry.Rows.Kernel * geometry.Columns.Kernel * (geometry.InChannels / geometry.Groups);
            return Enumerable.Range(0, geometry.Groups).Select(_ => new float[samples * width]).ToArray();
        });
        set.Run(
            network,
            (first, count, session) =>
            {
                for (var i = 0; i < geometries.Length; i++)
                {
                    var images = CalibrationSet.Output(session, i);
                    for (var group = 0; group < geometries[i].Groups; group++)
                        PatchSamples.Copy(images, geometries[i], group, positions, first, count, patches[i][group]);
                }
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
