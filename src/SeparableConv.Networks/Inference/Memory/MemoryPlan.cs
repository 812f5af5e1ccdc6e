namespace SeparableConv.Networks.Inference;

/// <summary>
/// Where everything that flows through a network lies, in one arena: inputs for the whole run, outputs until the next one, what
/// is in between only as long as a node still reads it. A node that may write over its first input does so where nobody else
/// needs it; what is only another view of the same bytes takes none, and what is stored lies elsewhere.
/// </summary>
internal sealed class MemoryPlan
{
    private readonly Dictionary<Value, int> _bufferOf = [];
    private readonly List<BufferLifetime> _buffers = [];
    private readonly Dictionary<Value, Value> _viewed = [];
    private readonly Dictionary<Value, int> _lastUse = [];
    private readonly HashSet<Value> _updated = [];

    // What an update gives, and views of it: these may be read behind it.
    private readonly HashSet<Value> _fresh = [];
    private readonly HashSet<Value> _inputs;
    private readonly long[] _offsets;

    private MemoryPlan(Network network)
    {
        _inputs = [.. network.Inputs, .. network.States.Select(state => state.Current)];
        FindLastUses(network);
        AssignBuffers(network);
        LowerBound = ArenaLayout.LowerBound(_buffers.ToArray());
        (_offsets, ArenaBytes) = ArenaLayout.Place(_buffers.ToArray());
    }

    /// <summary>Bytes of the arena.</summary>
    public long ArenaBytes { get; }

    /// <summary>The most bytes that are needed during one step: no plan that runs the nodes in this order takes less.</summary>
    public long LowerBound { get; }

    /// <summary>The buffers, for those who check the plan.</summary>
    public IReadOnlyList<BufferLifetime> Buffers => _buffers;

    /// <summary>Plans a network, whose nodes run in the order that they have.</summary>
    /// <exception cref="NetworkException">A tensor is larger than 2 GiB, the most that a span of bytes can show.</exception>
    public static MemoryPlan Create(Network network) => new(network);

    /// <summary>Where a value lies in the arena; none for what is stored, or a view of it.</summary>
    public long? Offset(Value value) => _bufferOf.TryGetValue(value, out var buffer) ? _offsets[buffer] : null;

    /// <summary>The value whose bytes a value shows: itself, unless it is the output of a view or an update.</summary>
    public Value Viewed(Value value) => _viewed.GetValueOrDefault(value, value);

    private void FindLastUses(Network network)
    {
        for (var i = 0; i < network.Nodes.Count; i++)
        {
            var node = network.Nodes[i];
            if (node.Operator.Aliasing == Aliasing.View)
            {
                _viewed[node.Outputs[0]] = Viewed(node.Inputs[0]!);
                if (_fresh.Contains(node.Inputs[0]!))
                    _fresh.Add(node.Outputs[0]);
                continue;
            }

            for (var output = 0; output < node.Outputs.Count && node.Operator.Aliasing == Aliasing.Update; output++)
            {
                _viewed[node.Outputs[output]] = Viewed(node.Inputs[output]!);
                _fresh.Add(node.Outputs[output]);
            }

            foreach (var input in node.Inputs)
            {
                if (input is null)
                    continue;
                if (_updated.Contains(Viewed(input)) && !_fresh.Contains(input))
                    throw new NetworkException(
                        $"Node '{node.Name}' ({node.Operator.Kind}) reads '{input.Name}' after it was updated; it must run before.");
                _lastUse[Viewed(input)] = i;
            }

            for (var output = 0; output < node.Outputs.Count && node.Operator.Aliasing == Aliasing.Update; output++)
                CheckUpdate(node, output);

            // One that nobody reads is still written.
            foreach (var output in node.Outputs)
                _lastUse[Viewed(output)] = i;
        }

        foreach (var value in _inputs.Concat(network.Outputs).Concat(network.States.Select(state => state.Next)))
            _lastUse[Viewed(value)] = network.Nodes.Count;
        foreach (var output in network.Outputs)
        {
            if (_updated.Contains(Viewed(output)) && !_fresh.Contains(output))
                throw new NetworkException($"Output '{output.Name}' shows a parameter before its update; give what the update gives.");
        }
    }

    private void AssignBuffers(Network network)
    {
        foreach (var input in _inputs)
            AddBuffer(input, -1);
        for (var i = 0; i < network.Nodes.Count; i++)
        {
            var node = network.Nodes[i];
            if (node.Operator.Aliasing == Aliasing.View)
            {
                if (_bufferOf.TryGetValue(Viewed(node.Outputs[0]), out var viewed))
                    _bufferOf[node.Outputs[0]] = viewed;
                continue;
            }

            for (var output = 0; output < node.Outputs.Count && node.Operator.Aliasing != Aliasing.Update; output++)
            {
                var value = node.Outputs[output];
                if (output == 0 && CanOverwriteInput(node, i))
                {
                    var buffer = _bufferOf[Viewed(node.Inputs[0]!)];
                    _bufferOf[value] = buffer;
                    _buffers[buffer] = _buffers[buffer] with { Last = _lastUse[value] };
                }
                else
                {
                    AddBuffer(value, i);
                }
            }
        }
    }

    private void CheckUpdate(Node node, int input)
    {
        if (node.Inputs[input] is not { IsParameter: true } parameter || !_updated.Add(parameter))
            throw new NetworkException(
                $"Node '{node.Name}' ({node.Operator.Kind}) updates '{node.Inputs[input]?.Name}', "
                + "which is no parameter or was updated before.");
    }

    private bool CanOverwriteInput(Node node, int step)
    {
        if (node.Operator.Aliasing != Aliasing.InPlace || node.Inputs[0] is not { } input)
            return false;
        var viewed = Viewed(input);
        if (viewed.IsStored || _inputs.Contains(viewed) || _lastUse[viewed] != step || input.Type.Bytes != node.Outputs[0].Type.Bytes)
            return false;
        for (var i = 1; i < node.Inputs.Count; i++)
        {
            if (node.Inputs[i] is { } other && Viewed(other) == viewed)
                return false;
        }

        return true;
    }

    private void AddBuffer(Value value, int step)
    {
        if (value.Type.Bytes > int.MaxValue)
            throw new NetworkException(
                $"'{value}' takes {value.Type.Bytes} bytes; a tensor of at most {int.MaxValue} can be run. Use a smaller batch or image.");
        _bufferOf[value] = _buffers.Count;
        _buffers.Add(new(value.Type.Bytes, step, _lastUse[value]));
    }
}
