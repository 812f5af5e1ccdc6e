using SeparableConv.Networks.Formats.Onnx.Schema;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>
/// Reads a model's nodes one by one. Of an If whose condition is known it reads the branch that is taken. What cannot be read before
/// the model runs, since shapes depend on numbers there, is put aside with all that depends on it: <see cref="Postponed"/>.
/// </summary>
internal sealed class OnnxNodeReader(OnnxGraph graph, OnnxInitializers initializers)
{
    private readonly List<OnnxSource> _postponed = [];
    private readonly HashSet<string> _postponedNames = [];

    /// <summary>The nodes that are left to the run, in their order.</summary>
    public IReadOnlyList<OnnxSource> Postponed => _postponed;

    /// <summary>Whether a value is known only when the model has run.</summary>
    public bool IsPostponed(string name) => _postponedNames.Contains(name);

    /// <summary>Reads nodes, each behind those whose results it reads.</summary>
    /// <exception cref="NetworkException">A node is damaged or asks for what is not supported.</exception>
    public void Read(IEnumerable<OnnxSource> nodes)
    {
        foreach (var source in nodes)
        {
            if (source.Reads().Any(_postponedNames.Contains))
                Postpone(source);
            else
                Read(source);
        }
    }

    private void Read(OnnxSource source)
    {
        graph.Opset = source.Opset;
        var node = new OnnxNode(source.Proto);
        try
        {
            if (OnnxBranches.IsIf(source.Proto))
                ReadIf(source, node);
            else
                OnnxOperators.Read(graph, node);
        }
        catch (OnnxRunTimeException)
        {
            Postpone(source);
            return;
        }
        catch (Exception e) when (e is ArgumentException or OverflowException)
        {
            throw node.Error(OneLine.Clean(e.Message).TrimEnd('.'));
        }

        node.CheckAttributes();
        foreach (var output in node.Outputs)
        {
            // An operator that leaves out an output is complete only where nobody asks for that output; who does will not find it.
            if (graph.IsMade(output) && graph.Find(output) is { } value && value.Rank > FileShape.MaxRank)
                throw node.Error($"output '{OneLine.Of(output)}' has {value.Rank} dimensions; at most {FileShape.MaxRank} are supported");
        }
    }

    private void ReadIf(OnnxSource source, OnnxNode node)
    {
        var branches = new OnnxBranches(source, node, initializers);
        var condition = graph.Input(node, 0);
        if (condition.Shape.ElementCount != 1 || condition.Element != ElementType.Bool)
            throw node.Error($"the condition is {condition.Element.ToString().ToLowerInvariant()} {condition.Shape}; expected one bool");
        if (condition.IsConstant)
        {
            var isTaken = graph.Constant(node, 0, "condition").Span<bool>()[0];
            Read(branches.Nodes(isTaken, node.Outputs));
            return;
        }

        OnnxOperators.RefuseUnsupported(OnnxBranches.NodesOf(source.Proto));
        if (!TrySelect(node, branches, condition))
            throw new OnnxRunTimeException("the branches differ in their shapes, or have some that depend on what the model is given");
    }

    // Where both branches give tensors of the same types, both can be planned and computed, and one is taken: all they do is compute.
    private bool TrySelect(OnnxNode node, OnnxBranches branches, OnnxValue condition)
    {
        string[] Named(string branch) => [.. node.Outputs.Select((_, i) => $"{branches.Name}/{branch}/output_{i}")];
        var (then, otherwise) = (Named("then"), Named("else"));
        var trial = new OnnxNodeReader(graph, initializers);
        var before = graph.Nodes.Count;
        try
        {
            trial.Read(branches.Nodes(true, then));
            trial.Read(branches.Nodes(false, otherwise));
        }
        catch (NetworkException)
        {
            // The one that is not taken may well be wrong for these shapes.
            return false;
        }

        // Nor may the one that is not taken end the run.
        if (trial.Postponed.Count > 0 || graph.Nodes.Skip(before).Any(one => one.Operator.MayRefuse(one)))
            return false;
        var pairs = new (OnnxValue Then, OnnxValue Else)[node.Outputs.Count];
        for (var i = 0; i < pairs.Length; i++)
        {
            if (graph.Find(then[i]) is not { } a || graph.Find(otherwise[i]) is not { } b || a.Element != b.Element || a.Shape != b.Shape)
                return false;
            pairs[i] = (a, b);
        }

        var name = $"{node.Name}/condition";
        var scalar = OnnxValue.First(name, graph.Reshape(name, graph.Original(condition), new TensorShape()));
        for (var i = 0; i < pairs.Length; i++)
        {
            var (values, last, rank) = graph.Aligned(scalar, pairs[i].Then, pairs[i].Else);
            graph.Output(node, i, graph.Emit($"{node.Name}/{i}", new WhereOperator(), values), last, rank);
        }

        return true;
    }

    private void Postpone(OnnxSource source)
    {
        if (OnnxBranches.IsIf(source.Proto))
            OnnxOperators.RefuseUnsupported(OnnxBranches.NodesOf(source.Proto));
        _postponed.Add(source);
        foreach (var output in source.Proto.Output)
        {
            if (output.Length > 0)
                _postponedNames.Add(output);
        }
    }
}
