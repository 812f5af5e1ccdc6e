using SeparableConv.Networks.Formats.Onnx.Schema;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>The two branches of an If, as nodes that can stand where the If stands.</summary>
internal sealed class OnnxBranches
{
    private readonly OnnxSource _source;
    private readonly OnnxNode _node;
    private readonly OnnxInitializers _initializers;
    private readonly GraphProto _then;
    private readonly GraphProto _else;

    public OnnxBranches(OnnxSource source, OnnxNode node, OnnxInitializers initializers)
    {
        (_source, _node, _initializers) = (source, node, initializers);
        (_then, _else) = (Branch("then_branch"), Branch("else_branch"));
    }

    /// <summary>What nothing else is called: unlike a node's name, an output's is there once.</summary>
    public string Name => _node.Outputs.FirstOrDefault(output => output.Length > 0) ?? _node.Name;

    /// <summary>Whether a node is an If.</summary>
    public static bool IsIf(NodeProto node) => node.OpType == "If" && OnnxOperators.IsDefaultDomain(node.Domain);

    /// <summary>The nodes of both branches, and of branches in them.</summary>
    public static IEnumerable<NodeProto> NodesOf(NodeProto node) => GraphsOf(node).SelectMany(graph => graph.Node);

    /// <summary>The graphs of a node's branches, and of branches in them.</summary>
    public static IEnumerable<GraphProto> GraphsOf(NodeProto node) =>
        from attribute in node.Attribute
        where attribute.G is not null
        from graph in attribute.G.Node.SelectMany(GraphsOf).Prepend(attribute.G)
        select graph;

    /// <summary>The nodes of a branch. What it makes has names of its own, its outputs those that are given.</summary>
    /// <exception cref="NetworkException">
    /// The branch has operators that are not supported, or more or fewer outputs than the If.
    /// </exception>
    public List<OnnxSource> Nodes(bool taken, IReadOnlyList<string> outputs)
    {
        var branch = taken ? _then : _else;
        if (branch.Output.Count != outputs.Count)
            throw _node.Error($"a branch has {branch.Output.Count} outputs; the node has {outputs.Count}");
        OnnxOperators.RefuseUnsupported(branch.Node);

        var stored = branch.Initializer.Select(tensor => tensor.Name);
        var local = branch.Node.SelectMany(node => node.Output).Concat(stored).ToHashSet();
        var prefix = $"{Name}/{(taken ? "then" : "else")}";
        string Rename(string name) => local.Contains(name) ? $"{prefix}/{name}" : name;
        foreach (var tensor in branch.Initializer)
            _initializers.TryAdd(Rename(tensor.Name), tensor, keeps: true);

        var nodes = branch.Node.Select(node => OnnxRenaming.Copy(node, prefix, Rename)).ToList();
        for (var i = 0; i < outputs.Count; i++)
        {
            if (outputs[i].Length > 0)
                nodes.Add(OnnxRenaming.Identity(Rename(branch.Output[i].Name), outputs[i]));
        }

        return nodes.ConvertAll(node => new OnnxSource(node, _source.Opset));
    }

    private GraphProto Branch(string name) =>
        _node.Graph(name) ?? throw _node.Error($"attribute '{name}' is missing; an If has two branches");
}
