using SeparableConv.Networks.Formats.Onnx.Schema;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Makes a network of a parsed ONNX model. It reads those nodes that the outputs depend on, in the file's order.</summary>
internal sealed class OnnxModelReader(ModelProto model, OnnxReadOptions options, ExternalData? external, long fileBytes)
{
    private const int OldestOpset = 6;
    private const int NewestOpset = 26;
    private const int MostListed = 20;

    private readonly GraphProto _graph = model.Graph;
    private readonly Dictionary<string, TensorProto> _initializers = [];
    private readonly GraphBuilder _builder = new();

    /// <summary>Reads the network.</summary>
    /// <exception cref="NetworkException">Something is damaged or not supported.</exception>
    public Network Read()
    {
        if (_graph.SparseInitializer.Count > 0)
            throw new NetworkException("The model has sparse initializers, which are not supported; write it with dense ones.");
        if (_graph.Output.Count == 0)
            throw new NetworkException("The model has no outputs.");
        foreach (var tensor in _graph.Initializer)
        {
            if (!_initializers.TryAdd(tensor.Name, tensor))
                throw new NetworkException($"Two initializers are called '{OneLine.Of(tensor.Name)}'; names must differ.");
            _builder.Reserve(OneLine.Clean(tensor.Name));
        }

        var nodes = NeededNodes();
        RefuseUnsupported(nodes);
        var opset = Opset();
        var budget = new FoldBudget(() => fileBytes + (external?.FileBytes ?? 0));
        var graph = new OnnxGraph(_builder, opset, budget, Initializer);
        DefineInputs(graph, ConstantNames(nodes));
        foreach (var proto in nodes)
            ReadNode(graph, new OnnxNode(proto));
        return Finish(graph);
    }

    private static void ReadNode(OnnxGraph graph, OnnxNode node)
    {
        try
        {
            OnnxOperators.Read(graph, node);
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

    private int Opset()
    {
        foreach (var import in model.OpsetImport)
        {
            if (!OnnxOperators.IsDefaultDomain(import.Domain))
                continue;
            return import.Version is >= OldestOpset and <= NewestOpset
                ? (int)import.Version
                : throw new NetworkException($"The model is in ONNX opset {import.Version}; {OldestOpset} to {NewestOpset} are supported.");
        }

        throw new NetworkException("The model does not say which ONNX opset it is in.");
    }

    private TensorData? Initializer(string name)
    {
        if (!_initializers.TryGetValue(name, out var tensor))
            return null;
        var data = OnnxTensors.Read(tensor, external);

        // The network has the numbers now; the file's copy need not stay as long as the reading lasts.
        tensor.ClearRawData();
        tensor.FloatData.Clear();
        return data;
    }

    private List<NodeProto> NeededNodes()
    {
        var producers = new Dictionary<string, int>();
        for (var i = 0; i < _graph.Node.Count; i++)
        {
            foreach (var output in _graph.Node[i].Output)
            {
                if (output.Length > 0 && !producers.TryAdd(output, i))
                    throw new NetworkException($"Two nodes compute '{OneLine.Of(output)}'; names must differ.");
            }
        }

        var needed = new bool[_graph.Node.Count];
        var open = new Stack<string>(_graph.Output.Select(output => output.Name));
        while (open.TryPop(out var name))
        {
            if (!producers.TryGetValue(name, out var index) || needed[index])
                continue;
            needed[index] = true;
            foreach (var input in _graph.Node[index].Input)
                open.Push(input);
        }

        return [.. _graph.Node.Where((_, i) => needed[i])];
    }

    private static void RefuseUnsupported(List<NodeProto> nodes)
    {
        var kinds = new Dictionary<string, List<string>>();
        foreach (var node in nodes)
        {
            var isKnown = OnnxOperators.IsDefaultDomain(node.Domain) && OnnxOperators.CanRead(node.OpType);
            if (isKnown)
                continue;
            var kind = OnnxOperators.IsDefaultDomain(node.Domain) ? node.OpType : $"{node.Domain}.{node.OpType}";
            if (!kinds.TryGetValue(kind, out var names))
                kinds[kind] = names = [];
            names.Add(node.Name.Length > 0 ? node.Name : node.Output.FirstOrDefault() ?? "");
        }

        if (kinds.Count == 0)
            return;
        var list = string.Join("; ", kinds.Take(MostListed).Select(kind =>
        {
            var names = string.Join(", ", kind.Value.Take(4).Select(name => $"'{OneLine.Of(name)}'"));
            return $"{OneLine.Of(kind.Key)} ({names}{(kind.Value.Count > 4 ? $" and {kind.Value.Count - 4} more" : "")})";
        }));
        var more = kinds.Count > MostListed ? $"; and {kinds.Count - MostListed} more kinds" : "";
        throw new NetworkException($"The model has operators that are not supported: {list}{more}.");
    }

    // The names of all values that some node needs to know at load, such as a Reshape's shape, and of what they are computed from.
    private static HashSet<string> ConstantNames(List<NodeProto> nodes)
    {
        var names = new HashSet<string>();
        for (var i = nodes.Count - 1; i >= 0; i--)
        {
            var node = nodes[i];
            if (node.OpType is "Shape" or "Size")
                continue;
            var all = node.Output.Any(names.Contains);
            var needed = OnnxOperators.ConstantInputs(node.OpType);
            for (var k = 0; k < node.Input.Count; k++)
            {
                if ((all || needed.Contains(k)) && node.Input[k].Length > 0)
                    names.Add(node.Input[k]);
            }
        }

        return names;
    }

    private void DefineInputs(OnnxGraph graph, HashSet<string> constants)
    {
        var inputs = new List<ValueInfoProto>();
        foreach (var input in _graph.Input)
        {
            // Before version 4 of the format, every initializer was also an input.
            if (!_initializers.ContainsKey(input.Name))
                inputs.Add(input);
        }

        var shapes = new OnnxInputs(options);
        shapes.Settle(inputs);
        foreach (var input in inputs)
        {
            if (input.Name.Length == 0 || OneLine.Clean(input.Name) != input.Name)
            {
                throw new NetworkException(
                    $"An input is called '{OneLine.Of(input.Name)}'; a name has at least one character and no control characters.");
            }

            var type = shapes.Type(input);
            var value = constants.Contains(input.Name) && options.Values.TryGetValue(input.Name, out var data)
                ? _builder.Constant(input.Name, data)
                : _builder.Input(input.Name, type);
            graph.Define(OnnxValue.First(input.Name, value));
        }
    }

    private Network Finish(OnnxGraph graph)
    {
        var (outputs, used) = (new (Value Value, string Name)[_graph.Output.Count], new HashSet<Value>());
        var names = new HashSet<string>();
        for (var i = 0; i < outputs.Length; i++)
        {
            var name = _graph.Output[i].Name;
            if (OneLine.Clean(name) != name || !names.Add(name))
                throw new NetworkException($"Output '{OneLine.Of(name)}' is there twice, or has control characters in its name.");
            var found = graph.Find(name) ?? throw new NetworkException($"Output '{OneLine.Of(name)}' is computed by no node.");
            var value = graph.Original(found);

            // What a session gives back is something it computes: an input or a constant is copied, and so is one output twice.
            if (value.Producer is null || !used.Add(value))
                value = _builder.Add(name, new IdentityOperator(), value);
            outputs[i] = (value, name);
        }

        _builder.Rename(Array.FindAll(outputs, output => output.Value.Name != output.Name));
        var network = _builder.BuildWithParameters(OneLine.Clean(_graph.Name), Array.ConvertAll(outputs, output => output.Value));
        return model.MetadataProps.Count == 0 ? network : network.WithMetadata(Metadata());
    }

    // Keys should differ; of equal ones the first counts.
    private Dictionary<string, string> Metadata()
    {
        var metadata = new Dictionary<string, string>();
        foreach (var entry in model.MetadataProps)
            metadata.TryAdd(entry.Key, entry.Value);
        return metadata;
    }
}
