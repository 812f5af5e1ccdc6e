using System.Collections.ObjectModel;
using SeparableConv.Networks.Rewriting;

namespace SeparableConv.Networks;

/// <summary>
/// A graph of operators whose tensors all have known shapes. It never changes: what transforms a network returns another.
/// Images are (N, height, width, channels) throughout.
/// </summary>
public sealed class Network
{
    private readonly Value[] _inputs;
    private readonly Value[] _outputs;
    private readonly Node[] _nodes;
    private readonly NetworkState[] _states;
    private IReadOnlyList<Value>? _parameters;

    internal Network(
        string name,
        Value[] inputs,
        Value[] outputs,
        Node[] nodes,
        NetworkState[] states,
        IReadOnlyDictionary<string, string>? metadata = null)
    {
        Name = name;
        Metadata = metadata ?? ReadOnlyDictionary<string, string>.Empty;
        _inputs = inputs;
        _outputs = outputs;
        _nodes = nodes;
        _states = states;
    }

    /// <summary>Its name; may be empty.</summary>
    public string Name { get; }

    /// <summary>
    /// Notes for whoever uses it, text by text: an ONNX file's metadata. Running it does not depend on them;
    /// <see cref="Normalization.Of"/> reads two.
    /// </summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>What must be given to run it.</summary>
    public IReadOnlyList<Value> Inputs => _inputs;

    /// <summary>What running it gives.</summary>
    public IReadOnlyList<Value> Outputs => _outputs;

    /// <summary>Every node after those whose results it reads.</summary>
    public IReadOnlyList<Node> Nodes => _nodes;

    /// <summary>What it remembers from run to run; nothing, for most networks.</summary>
    public IReadOnlyList<NetworkState> States => _states;

    /// <summary>
    /// What a training changes or tracks: weights, biases, scales, slopes and statistics, each once, in the order in which the nodes
    /// read them first. They have the names of their file.
    /// </summary>
    public IReadOnlyList<Value> Parameters => _parameters ??= ParameterRule.Of(_nodes);

    /// <summary>How many numbers <see cref="Parameters"/> are.</summary>
    public long ParameterCount => Parameters.Sum(value => value.Shape.ElementCount);

    /// <summary>The same network for another number of images at a time; it shares its parameters with this one.</summary>
    /// <param name="batch">N, 1 or more.</param>
    /// <returns>
    /// A network whose inputs have N as their first dimension, all but those whose first dimension was another than the first input's.
    /// </returns>
    /// <exception cref="ArgumentException">The batch is less than 1.</exception>
    /// <exception cref="NetworkException">
    /// The network has no input with a batch, or a node does not work for another one; the message names it.
    /// </exception>
    public Network WithBatch(int batch)
    {
        if (batch < 1)
            throw new ArgumentException($"The batch is {batch}; it must be 1 or more.");
        if (_states.Length > 0)
            throw new NetworkException("The network remembers something from run to run, and that has a batch of its own.");
        if (_inputs.Length == 0 || _inputs[0].Shape.Rank == 0 || _inputs[0].Shape[0] == 0)
            throw new NetworkException("The network's first input has no batch, which would be its first dimension.");
        var before = _inputs[0].Shape[0];
        return before == batch ? this : new Rebatching(before, batch).Run(this);
    }

    /// <summary>The same network with other notes; what is made of it by rewriting keeps them.</summary>
    /// <param name="metadata">All notes of the new network.</param>
    /// <returns>A network that shares everything else with this one.</returns>
    public Network WithMetadata(IReadOnlyDictionary<string, string> metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        return new(Name, _inputs, _outputs, _nodes, _states, new Dictionary<string, string>(metadata));
    }

    /// <summary>Multiply-accumulates of one run.</summary>
    public long Macs => _nodes.Sum(node => node.Cost.Macs);
}
