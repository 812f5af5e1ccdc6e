namespace SeparableConv.Networks.Inference;

/// <summary>
/// Looks up where the plan put a value, and gathers what is stored and still read by a step: constants that were packed are not among
/// them, so that weights are not kept twice.
/// </summary>
internal sealed class TensorPlaces(MemoryPlan plan)
{
    /// <summary>The constants that some step reads, or that an output shows.</summary>
    public StoredBlock Constants { get; } = new();

    /// <summary>The parameters that some step reads or updates.</summary>
    public StoredBlock Parameters { get; } = new();

    /// <summary>Where a step finds its tensors, and the condition under which it runs.</summary>
    public PreparedStep Bind(Node node, Step step, BranchGuard? guard)
    {
        var inputs = new TensorPlace[node.Inputs.Count];
        for (var i = 0; i < inputs.Length; i++)
        {
            if (node.Inputs[i] is { } input && step.Reads(i))
                inputs[i] = Of(input);
        }

        return new(step, inputs, [.. node.Outputs.Select(Of)], guard is { } g ? new(Of(g.Condition), g.RunsWhen) : null);
    }

    /// <summary>Where a value lies.</summary>
    public TensorPlace Of(Value value)
    {
        if (plan.Offset(value) is { } offset)
            return new(value.Type, MemoryRegion.Arena, offset);
        var stored = plan.Viewed(value);
        return stored.IsParameter
            ? new(value.Type, MemoryRegion.Parameters, Parameters.Add(stored))
            : new(value.Type, MemoryRegion.Constants, Constants.Add(stored));
    }
}

/// <summary>Stored tensors that lie in one piece of memory, each at a place of its own.</summary>
internal sealed unsafe class StoredBlock
{
    private readonly Dictionary<Value, long> _offsets = [];
    private long _bytes;

    /// <summary>Whether nothing lies here.</summary>
    public bool IsEmpty => _offsets.Count == 0;

    /// <summary>Gives a tensor a place, and tells it; the same place again for one that has one.</summary>
    public long Add(Value stored)
    {
        if (!_offsets.TryGetValue(stored, out var at))
        {
            _offsets[stored] = at = _bytes;
            _bytes = checked(_bytes + ((stored.Type.Bytes + ArenaLayout.Alignment - 1) / ArenaLayout.Alignment * ArenaLayout.Alignment));
        }

        return at;
    }

    /// <summary>Where a tensor lies.</summary>
    /// <exception cref="ArgumentException">It was given no place.</exception>
    public long OffsetOf(Value stored) => _offsets.TryGetValue(stored, out var at)
        ? at
        : throw new ArgumentException($"'{stored}' is no parameter that a step of the network reads or updates.");

    /// <summary>New memory with the numbers that the tensors are stored with.</summary>
    public NativeBlock Copy()
    {
        var block = new NativeBlock(_bytes);
        foreach (var (value, offset) in _offsets)
            value.Data!.Bytes.CopyTo(new Span<byte>(block.Pointer + offset, checked((int)value.Type.Bytes)));
        return block;
    }
}
