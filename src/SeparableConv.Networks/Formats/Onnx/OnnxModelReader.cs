using SeparableConv.Networks.Formats.Onnx.Schema;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Makes a network of a parsed ONNX model. It reads those nodes that the outputs depend on, in the file's order.</summary>
internal sealed class OnnxModelReader(ModelProto model, OnnxReadOptions options, ExternalData? external)
{
    private const int OldestOpset = 6;
    private const int NewestOpset = 26;

    private readonly GraphProto _graph = model.Graph;
    private readonly OnnxInitializers _initializers = new(external);
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

        // A model that has other domains' operators alone need not say so.
        var isOwn = _graph.Node.Any(node => OnnxOperators.IsDefaultDomain(node.Domain));
        var opset = OpsetOf(model.OpsetImport, "The model", isOwn ? null : NewestOpset);
        var nodes = Needed(new OnnxFunctions(model, opset).Expand(_graph.Node));
        OnnxOperators.RefuseUnsupported(nodes.Select(node => node.Proto));
        var graph = new OnnxGraph(_builder, new FoldBudget(options.MaxConstantBytes), _initializers.Find);
        var inputs = new OnnxInputs(options);
        DefineInputs(graph, inputs, ConstantNames(nodes));
        var reader = new OnnxNodeReader(graph, _initializers);
        reader.Read(nodes);
        var network = Finish(graph, reader);
        return inputs.Batch is { } batch ? batch.Of(network) : network;
    }

    /// <summary>The version of ONNX's own operators that a model or a function names.</summary>
    /// <param name="imports">The versions that it names.</param>
    /// <param name="what">What it is, to begin a message with.</param>
    /// <param name="otherwise">The version where it names none; null where it must.</param>
    /// <exception cref="NetworkException">It names none, or one that is not supported.</exception>
    public static int OpsetOf(IEnumerable<OperatorSetIdProto> imports, string what, int? otherwise)
    {
        foreach (var import in imports)
        {
            if (!OnnxOperators.IsDefaultDomain(import.Domain))
                continue;
            return import.Version is >= OldestOpset and <= NewestOpset
                ? (int)import.Version
                : throw new NetworkException($"{what} is in ONNX opset {import.Version}; {OldestOpset} to {NewestOpset} are supported.");
        }

        return otherwise ?? throw new NetworkException($"{what} does not say which ONNX opset it is in.");
    }

    // The nodes that the outputs depend on.
    private List<OnnxSource> Needed(List<OnnxSource> nodes)
    {
        var producers = new Dictionary<string, int>();
        for (var i = 0; i < nodes.Count; i++)
        {
            foreach (var output in nodes[i].Proto.Output)
            {
                if (output.Length > 0 && !producers.TryAdd(output, i))
                    throw new NetworkException($"Two nodes compute '{OneLine.Of(output)}'; names must differ.");
            }
        }

        var needed = new bool[nodes.Count];
        var open = new Stack<string>(_graph.Output.Select(output => output.Name));
        while (open.TryPop(out var name))
        {
            if (!producers.TryGetValue(name, out var index) || needed[index])
                continue;
            needed[index] = true;
            foreach (var input in nodes[index].Reads())
                open.Push(input);
        }

        return [.. nodes.Where((_, i) => needed[i])];
    }

    // The names of all values that some node needs to know at load, such as a Reshape's shape, and of what they are computed from.
    private static HashSet<string> ConstantNames(List<OnnxSource> nodes)
    {
        var names = new HashSet<string>();
        foreach (var node in nodes.Select(source => source.Proto).SelectMany(node => OnnxBranches.NodesOf(node).Append(node)).Reverse())
        {
            if (OnnxOperators.NameOf(node) is "Shape" or "Size")
                continue;
            var all = node.Output.Any(names.Contains);
            var needed = OnnxBranches.IsIf(node) ? [0] : OnnxOperators.ConstantInputs(OnnxOperators.NameOf(node));
            for (var k = 0; k < node.Input.Count; k++)
            {
                if ((all || needed.Contains(k)) && node.Input[k].Length > 0)
                    names.Add(node.Input[k]);
            }
        }

        return names;
    }

    private void DefineInputs(OnnxGraph graph, OnnxInputs shapes, HashSet<string> constants)
    {
        var inputs = new List<ValueInfoProto>();
        foreach (var input in _graph.Input)
        {
            // Before version 4 of the format, every initializer was also an input.
            if (!_initializers.Contains(input.Name))
                inputs.Add(input);
        }

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
                && data.Type.Shape == type.Shape
                ? _builder.Constant(input.Name, OnnxHalves.Widened(data))
                : OnnxHalves.Widened(_builder, _builder.Input(input.Name, type));
            graph.Define(OnnxValue.First(input.Name, value));
        }
    }

    private Network Finish(OnnxGraph graph, OnnxNodeReader reader)
    {
        var postponed = Postponed(graph, reader);
        var (outputs, used) = (new (Value Value, string Name)[_graph.Output.Count], new HashSet<Value>());
        var names = new HashSet<string>();
        for (var i = 0; i < outputs.Length; i++)
        {
            var (name, declared) = (_graph.Output[i].Name, _graph.Output[i].Type?.TensorType?.ElemType ?? 0);
            if (OneLine.Clean(name) != name || !names.Add(name))
                throw new NetworkException($"Output '{OneLine.Of(name)}' is there twice, or has control characters in its name.");
            if (postponed.TryGetValue(name, out var value))
            {
                outputs[i] = (value, name);
                continue;
            }

            var found = graph.Find(name) ?? throw new NetworkException($"Output '{OneLine.Of(name)}' is computed by no node.");
            value = OnnxHalves.Narrowed(_builder, graph.Original(found), declared);

            // What a session gives back is something it computes: a constant is copied, an input of another name, and one output twice.
            if ((value.Producer is null && (value.IsStored || value.Name != name)) || !used.Add(value))
                value = _builder.Add(name, new IdentityOperator(), value);
            outputs[i] = (value, name);
        }

        _builder.Rename(Array.FindAll(outputs, output => output.Value.Name != output.Name));
        var network = _builder.BuildWithParameters(OneLine.Clean(_graph.Name), Array.ConvertAll(outputs, output => output.Value));
        return model.MetadataProps.Count == 0 ? network : network.WithMetadata(Metadata());
    }

    // The outputs that are known only when the model has run: one node computes all of them.
    private Dictionary<string, Value> Postponed(OnnxGraph graph, OnnxNodeReader reader)
    {
        var outputs = _graph.Output.Where(output => reader.IsPostponed(output.Name)).DistinctBy(output => output.Name).ToArray();
        if (outputs.Length == 0)
            return [];
        var typed = Array.ConvertAll(outputs, output => (output.Name, Element: OnnxElements.Read(
            output.Type?.TensorType?.ElemType ?? 0, $"Output '{OneLine.Of(output.Name)}', whose shape is known only in a run,")));
        var run = new OnnxRunTimeGraph(reader.Postponed, graph, typed, external, options.MaxConstantBytes, out var inputs);
        var op = new RunTimeGraphOperator(run, Array.ConvertAll(typed, output => output.Element));
        var node = _builder.AddNode(OneLine.Clean(outputs[0].Name), op, inputs);
        return Enumerable.Range(0, outputs.Length).ToDictionary(i => outputs[i].Name, i => node.Outputs[i]);
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
