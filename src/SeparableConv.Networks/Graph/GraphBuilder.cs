namespace SeparableConv.Networks.Graph;

/// <summary>
/// Builds a network node by node and checks each as it comes. Importers, builders and the compiler's passes
/// all build through it.
/// </summary>
internal sealed class GraphBuilder
{
    private readonly List<Value> _inputs = [];
    private readonly List<Node> _nodes = [];
    private readonly Dictionary<string, int> _names = [];
    private readonly HashSet<string> _reserved = [];

    /// <summary>Begins with nothing.</summary>
    public GraphBuilder()
    {
    }

    /// <summary>Goes on from a network: its values are those of the new graph too, and more nodes can read them.</summary>
    /// <exception cref="NetworkException">The network has states, whose next values the new graph would not compute.</exception>
    public GraphBuilder(Network network)
    {
        if (network.States.Count > 0)
            throw new NetworkException("The network remembers something from run to run; such a network can be run, but not trained.");
        _inputs.AddRange(network.Inputs);
        _nodes.AddRange(network.Nodes);
        foreach (var value in network.Inputs.Concat(network.Nodes.SelectMany(node => node.Inputs.Concat(node.Outputs))).OfType<Value>())
            _names.TryAdd(value.Name, 0);
        foreach (var node in network.Nodes)
            _names.TryAdd(node.Name, 0);
    }

    /// <summary>Nodes so far.</summary>
    public IReadOnlyList<Node> Nodes => _nodes;

    /// <summary>An input of the network.</summary>
    public Value Input(string name, TensorType type)
    {
        var value = new Value(UniqueName(name), type);
        _inputs.Add(value);
        return value;
    }

    /// <summary>What a state holds before a run. The network that is built must be told what it holds behind it.</summary>
    public Value State(string name, TensorType type) => new(UniqueName(name), type);

    /// <summary>Keeps a name for a stored tensor that is still to come: no node before it takes the name.</summary>
    public void Reserve(string name)
    {
        if (_names.TryAdd(name, 0))
            _reserved.Add(name);
    }

    /// <summary>A constant.</summary>
    public Value Constant(string name, TensorData data) => new(_reserved.Remove(name) ? name : UniqueName(name), data.Type, data);

    /// <summary>
    /// The numbers of a stored tensor in another order, shape or type: if they become a parameter, it is known by that tensor's name.
    /// </summary>
    /// <param name="name">Its name; another one where there is a value of that name.</param>
    /// <param name="data">The numbers.</param>
    /// <param name="from">The stored tensor.</param>
    /// <param name="turn">The operator that made them of it.</param>
    public Value Constant(string name, TensorData data, Value from, Operator turn)
    {
        var origin = from.Origin ?? new(from.Name, from.Shape, []);
        return new(UniqueName(name), data.Type, data) { Origin = origin with { Turns = [.. origin.Turns, turn] } };
    }

    /// <summary>A node with one output, which takes the node's name.</summary>
    /// <exception cref="NetworkException">The inputs do not fit the operator; the message names the node.</exception>
    public Value Add(string name, Operator op, params ReadOnlySpan<Value?> inputs) => AddNode(name, op, inputs).Outputs[0];

    /// <summary>A node.</summary>
    /// <exception cref="NetworkException">The inputs do not fit the operator; the message names the node.</exception>
    public Node AddNode(string name, Operator op, params ReadOnlySpan<Value?> inputs)
    {
        name = UniqueName(name);
        var types = new TensorType?[inputs.Length];
        for (var i = 0; i < inputs.Length; i++)
            types[i] = inputs[i]?.Type;

        TensorType[] outputs;
        try
        {
            outputs = op.Infer(types);
        }
        catch (Exception e) when (e is ArgumentException or OverflowException or NetworkException)
        {
            throw new NetworkException($"In node '{name}' ({op.Kind}): {e.Message}", e);
        }

        var values = new Value[outputs.Length];
        for (var i = 0; i < outputs.Length; i++)
            values[i] = new Value(i == 0 ? name : UniqueName($"{name}:{i}"), outputs[i]);
        var node = new Node(name, op, inputs.ToArray(), values);
        _nodes.Add(node);
        return node;
    }

    /// <summary>Gives back the name of a node whose place another takes: nobody reads it any more, and it will be left out.</summary>
    public void Release(Node node) => _names.Remove(node.Name);

    /// <summary>
    /// The network that computes these values, its parameters told from its constants (<see cref="ParameterRule"/>): for whoever makes a
    /// network from a file or from layers. Passes keep what was settled here.
    /// </summary>
    public Network BuildWithParameters(string name, params ReadOnlySpan<Value> outputs) => BuildWithParameters(name, outputs, []);

    /// <summary>The same of a network that remembers something from run to run.</summary>
    public Network BuildWithParameters(string name, ReadOnlySpan<Value> outputs, ReadOnlySpan<NetworkState> states)
    {
        var network = Build(name, outputs, states);
        ParameterRule.Mark(network.Nodes);

        // Where one tensor was needed in two forms, the first has its name.
        var taken = network.Nodes
            .SelectMany(node => node.Inputs.Concat(node.Outputs))
            .Concat(network.Inputs)
            .Select(value => value?.Name)
            .ToHashSet();
        foreach (var parameter in network.Parameters)
        {
            if (parameter.Origin is { } origin && taken.Add(origin.Name))
                parameter.Name = origin.Name;
        }

        return network;
    }

    /// <summary>The network that computes these values; nodes that none of them needs are left out, inputs are kept.</summary>
    public Network Build(string name, params ReadOnlySpan<Value> outputs) => Build(name, outputs, []);

    /// <summary>The same of a network that remembers something from run to run, which is needed too.</summary>
    public Network Build(string name, ReadOnlySpan<Value> outputs, ReadOnlySpan<NetworkState> states)
    {
        var needed = new HashSet<Node>();
        var open = new Stack<Node>();
        foreach (var output in (Value[])[.. outputs, .. states.ToArray().Select(state => state.Next)])
        {
            if (output.Producer is { } producer && needed.Add(producer))
                open.Push(producer);
        }

        while (open.TryPop(out var node))
        {
            foreach (var input in node.Inputs)
            {
                if (input?.Producer is { } producer && needed.Add(producer))
                    open.Push(producer);
            }
        }

        return new Network(name, [.. _inputs], outputs.ToArray(), [.. _nodes.Where(needed.Contains)], states.ToArray());
    }

    /// <summary>
    /// Gives values the names that a file or a caller knows them by; another value of such a name gets a new one. Nodes keep
    /// theirs.
    /// </summary>
    public void Rename(params ReadOnlySpan<(Value Value, string Name)> names)
    {
        var owners = new Dictionary<string, Value>();
        foreach (var input in _inputs)
            owners.TryAdd(input.Name, input);
        foreach (var node in _nodes)
        {
            foreach (var value in node.Inputs.Concat(node.Outputs))
                owners.TryAdd(value?.Name ?? "", value!);
        }

        foreach (var (value, name) in names)
        {
            if (owners.TryGetValue(name, out var owner) && owner != value)
                owner.Name = UniqueName(name);
            value.Name = name;
            owners[name] = value;
            _names.TryAdd(name, 0);
        }
    }

    private string UniqueName(string name)
    {
        if (name.Length == 0)
            name = "node";

        // Counted by name: a file that uses one name a million times must not cost a million squared.
        var unique = name;
        while (!_names.TryAdd(unique, 0))
            unique = $"{name}_{++_names[name]}";
        return unique;
    }
}
