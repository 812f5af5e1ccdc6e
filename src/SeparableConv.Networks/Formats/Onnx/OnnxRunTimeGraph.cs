using SeparableConv.Networks.Formats.Onnx.Schema;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>
/// Nodes that can be read only in a run, since shapes depend on numbers there. With all numbers known, reading them is computing them:
/// every node becomes constants.
/// </summary>
internal sealed class OnnxRunTimeGraph : IRunTimeGraph
{
    private readonly IReadOnlyList<OnnxSource> _nodes;
    private readonly string[] _inputs;
    private readonly (string Name, ElementType Element)[] _outputs;
    private readonly OnnxInitializers _initializers = new(null);
    private readonly long _maxBytes;
    private readonly Dictionary<string, TensorData> _constants = [];

    /// <param name="nodes">The nodes.</param>
    /// <param name="graph">The graph that everything before them was read into.</param>
    /// <param name="outputs">What of them is asked for, and its type.</param>
    /// <param name="external">Where data outside the model is read from.</param>
    /// <param name="maxBytes">What a run may compute, all tensors taken together.</param>
    /// <param name="inputs">What of the network the nodes read.</param>
    public OnnxRunTimeGraph(
        IReadOnlyList<OnnxSource> nodes,
        OnnxGraph graph,
        (string Name, ElementType Element)[] outputs,
        ExternalData? external,
        long maxBytes,
        out Value[] inputs)
    {
        (_nodes, _outputs, _maxBytes) = (nodes, outputs, maxBytes);
        foreach (var branch in nodes.SelectMany(node => OnnxBranches.GraphsOf(node.Proto)))
            TakeIn(branch, external);
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

        // A value would hold the whole network, and this is kept as long as it is run.
        (_inputs, inputs) = ([.. given.Keys], [.. given.Values]);
    }

    public TensorData[] Run(TensorData[] inputs, int threads)
    {
        var builder = new GraphBuilder();
        var budget = new FoldBudget(_maxBytes, long.MaxValue);
        var graph = new OnnxGraph(builder, budget, name => _constants.GetValueOrDefault(name) ?? _initializers.Find(name), threads);
        for (var i = 0; i < inputs.Length; i++)
            graph.Define(OnnxValue.First(_inputs[i], builder.Constant(_inputs[i], inputs[i])));
        var reader = new OnnxNodeReader(graph, _initializers);
        reader.Read(_nodes);
        if (reader.Postponed is [var first, ..])
            throw new NetworkException($"Node '{OneLine.Of(first.Proto.Name)}' ({first.Proto.OpType}) cannot be computed in a run.");
        return Array.ConvertAll(_outputs, output => OnnxHalves.Narrowed(Result(graph, output.Name), output.Element));
    }

    // No file is read in a run.
    private static void TakeIn(GraphProto branch, ExternalData? external)
    {
        for (var i = 0; i < branch.Initializer.Count; i++)
        {
            var tensor = branch.Initializer[i];
            if (tensor.DataLocation == TensorProto.Types.DataLocation.External)
                branch.Initializer[i] = OnnxTensors.Write(tensor.Name, OnnxTensors.Read(tensor, external));
        }
    }

    private static TensorData Result(OnnxGraph graph, string name) =>
        graph.Find(name) is { } value && graph.Original(value).Constant is { } result
            ? result
            : throw new NetworkException($"Output '{OneLine.Of(name)}' is computed by no node.");
}
