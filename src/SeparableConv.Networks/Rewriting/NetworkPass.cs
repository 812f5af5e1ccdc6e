namespace SeparableConv.Networks.Rewriting;

/// <summary>
/// One rewriting of a network: builds it anew, node by node, and says what becomes of each. The network it reads is left as it
/// is; nodes that nobody reads any more fall away. An object serves one run.
/// </summary>
internal abstract class NetworkPass
{
    private readonly Dictionary<Value, Value> _values = [];
    private readonly Dictionary<Value, int> _uses = [];

    /// <summary>What is being built.</summary>
    protected GraphBuilder Graph { get; } = new();

    /// <summary>The network after this pass.</summary>
    public Network Run(Network network)
    {
        foreach (var node in network.Nodes)
        {
            foreach (var input in node.Inputs)
                CountUse(input);
        }

        foreach (var output in network.Outputs.Concat(network.States.Select(state => state.Next)))
            CountUse(output);
        foreach (var input in network.Inputs)
            _values[input] = Graph.Input(input.Name, InputType(input));
        foreach (var state in network.States)
            _values[state.Current] = Graph.State(state.Current.Name, state.Current.Type);
        foreach (var node in network.Nodes)
        {
            var inputs = new Value?[node.Inputs.Count];
            for (var i = 0; i < inputs.Length; i++)
                inputs[i] = node.Inputs[i] is { } input ? Map(input) : null;
            var outputs = Rewrite(node, inputs) ?? Graph.AddNode(node.Name, node.Operator, inputs).Outputs;
            for (var i = 0; i < node.Outputs.Count; i++)
                _values[node.Outputs[i]] = outputs[i];
        }

        var results = network.Outputs.Select(FinishOutput).ToArray();
        NameOutputs(network, results);
        NetworkState[] states =
            [.. network.States.Select(state => new NetworkState(Map(state.Current), FinishOutput(state.Next), state.Initial))];
        var rewritten = Graph.Build(network.Name, results, states);
        return network.Metadata.Count == 0 ? rewritten : rewritten.WithMetadata(network.Metadata);
    }

    /// <summary>What a value of the network that was read became, once the pass has run.</summary>
    public Value Find(Value value) => Map(value);

    /// <summary>
    /// What takes the place of a node's outputs; null to keep it. <paramref name="inputs"/> are its inputs in the network being built:
    /// what produces them there may already be what earlier nodes were joined into.
    /// </summary>
    protected abstract IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs);

    /// <summary>The same value in the network being built; what is stored serves both, unless a pass says otherwise.</summary>
    protected Value Map(Value value) => value.IsStored ? MapStored(value) : _values[value];

    /// <summary>The type that an input of the network gets.</summary>
    protected virtual TensorType InputType(Value input) => input.Type;

    /// <summary>What a constant or a parameter becomes.</summary>
    protected virtual Value MapStored(Value value) => value;

    /// <summary>What an output of the network becomes.</summary>
    protected virtual Value FinishOutput(Value output) => Map(output);

    /// <summary>Whether a value of the old network is read by one node, once, and is no output: then it need not be there at all.</summary>
    protected bool HasOneReader(Value? value) => value is not null && Readers(value) == 1 && !IsInput(value);

    /// <summary>How often a value of the old network is read; being an output counts as once.</summary>
    protected int Readers(Value? value) => value is null ? 0 : _uses.GetValueOrDefault(value);

    /// <summary>A node that takes the place, and the name, of one that nobody reads after this.</summary>
    protected Value Replace(Node replaced, Operator op, params ReadOnlySpan<Value?> inputs)
    {
        Graph.Release(replaced);
        return Graph.Add(replaced.Name, op, inputs);
    }

    /// <summary>A constant with the name of what it was computed for.</summary>
    protected Value Constant(string name, TensorData data) => Graph.Constant(name, data);

    // Outputs keep the names that the network's user knows them by, whatever computes them now.
    private void NameOutputs(Network network, Value[] results)
    {
        var names = new Dictionary<Value, string>();
        for (var i = 0; i < results.Length; i++)
        {
            if (results[i].Producer is not null)
                names.TryAdd(results[i], network.Outputs[i].Name);
        }

        Graph.Rename([.. names.Where(pair => pair.Key.Name != pair.Value).Select(pair => (pair.Key, pair.Value))]);
    }

    private static bool IsInput(Value value) => value.Producer is null && !value.IsStored;

    private void CountUse(Value? value)
    {
        if (value is not null)
            _uses[value] = _uses.GetValueOrDefault(value) + 1;
    }
}
