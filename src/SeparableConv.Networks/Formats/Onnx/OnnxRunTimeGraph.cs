namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>
/// Nodes that can be read only in a run, since shapes depend on numbers there. With all numbers known, reading them is computing them:
/// every node becomes constants.
/// </summary>
internal sealed class OnnxRunTimeGraph : IRunTimeGraph
{
    // What a run may compute, all tensors taken together: as much as a network may take by default.
    private const long MaxBytes = 4L << 30;

    private readonly IReadOnlyList<OnnxSource> _nodes;
    private readonly string[] _inputs;
    private readonly (string Name, ElementType Element)[] _outputs;
    private readonly OnnxInitializers _initializers;
    private readonly Dictionary<string, TensorData> _constants = [];

    /// <param name="nodes">The nodes.</param>
    /// <param name="graph">The graph that everything before them was read into.</param>
    /// <param name="outputs">What of them is asked for, and its type.</param>
    /// <param name="external">Where data outside the model is read from.</param>
    public OnnxRunTimeGraph(
        IReadOnlyList<OnnxSource> nodes, OnnxGraph graph, (string Name, ElementType Element)[] outputs, ExternalData? external)
    {
        (_nodes, _outputs, _initializers) = (nodes, outputs, new(external));
        Kinds = [.. nodes.Select(node => node.Proto.OpType)];
        var own = nodes.SelectMany(node => node.Proto.Output).ToHashSet();
        var given = new Dictionary<string, Value>();
        foreach (var name in nodes.SelectMany(node => node.Reads()))
        {
            // What is found nowhere is a name within a branch, or missing, which the run tells.
            if (name.Length == 0 || own.Contains(name) || _constants.ContainsKey(name) || given.ContainsKey(name)
                || graph.Find(name) is not { } value)
                continue;
            var original = graph.Original(value);
            if (original.Constant is { } data)
                _constants[name] = data;
            else
                given[name] = original;
        }

        (_inputs, Inputs) = ([.. given.Keys], [.. given.Values]);
    }

    /// <summary>What of the network the nodes read.</summary>
    public Value[] Inputs { get; }

    public IReadOnlyList<string> Kinds { get; }

    public TensorData[] Run(TensorData[] inputs, int threads)
    {
        var builder = new GraphBuilder();
        var budget = new FoldBudget(MaxBytes, long.MaxValue);
        var graph = new OnnxGraph(builder, budget, name => _constants.GetValueOrDefault(name) ?? _initializers.Find(name), threads);
        for (var i = 0; i < inputs.Length; i++)
            graph.Define(OnnxValue.First(_inputs[i], builder.Constant(_inputs[i], inputs[i])));
        var reader = new OnnxNodeReader(graph, _initializers);
        reader.Read(_nodes);
        if (reader.Postponed is [var first, ..])
            throw new NetworkException($"Node '{OneLine.Of(first.Proto.Name)}' ({first.Proto.OpType}) cannot be computed in a run.");
        return Array.ConvertAll(_outputs, output => OnnxHalves.Narrowed(Result(graph, output.Name), output.Element));
    }

    private static TensorData Result(OnnxGraph graph, string name) =>
        graph.Find(name) is { } value && graph.Original(value).Constant is { } result
            ? result
            : throw new NetworkException($"Output '{OneLine.Of(name)}' is computed by no node.");
}
