using SeparableConv.Networks.Operators;

namespace SeparableConv.Networks.Inference;

/// <summary>
/// Looks up where the plan put a value, and gathers what is stored and still read by a step: constants that were packed are not among
/// them, so that weights are not kept twice.
/// </summary>
internal sealed class TensorPlaces(MemoryPlan plan)
{
    private readonly StoredBlock _constants = new();
    private readonly StoredBlock _parameters = new();

    /// <summary>The parameters that some step reads or updates.</summary>
    public IEnumerable<Value> Parameters => _parameters.Values;

    /// <summary>Where a step finds its tensors.</summary>
    public PreparedStep Bind(Node node, Step step)
    {
        var inputs = new TensorPlace[node.Inputs.Count];
        for (var i = 0; i < inputs.Length; i++)
        {
            if (node.Inputs[i] is { } input && step.Reads(i))
                inputs[i] = Of(input);
        }

        return new(step, inputs, [.. node.Outputs.Select(Of)]);
    }

    /// <summary>Where a value lies.</summary>
    public TensorPlace Of(Value value)
    {
        if (plan.Offset(value) is { } offset)
            return new(value.Type, MemoryRegion.Arena, offset);
        var stored = plan.Viewed(value);
        return stored.IsParameter
            ? new(value.Type, MemoryRegion.Parameters, _parameters.OffsetOf(stored))
            : new(value.Type, MemoryRegion.Constants, _constants.OffsetOf(stored));
    }

    /// <summary>The constants that were asked for, each where it was said to lie.</summary>
    public NativeBlock CopyConstants() => _constants.Copy();

    /// <summary>A new copy of the parameters that were asked for, as they are stored with the network.</summary>
    public NativeBlock CopyParameters() => _parameters.Copy();

    private sealed unsafe class StoredBlock
    {
        private readonly Dictionary<Value, long> _offsets = [];
        private long _bytes;

        public IEnumerable<Value> Values => _offsets.Keys;

        public long OffsetOf(Value stored)
        {
            if (!_offsets.TryGetValue(stored, out var at))
            {
                _offsets[stored] = at = _bytes;
                _bytes = checked(
                    _bytes + ((stored.Type.Bytes + ArenaLayout.Alignment - 1) / ArenaLayout.Alignment * ArenaLayout.Alignment));
            }

            return at;
        }

        public NativeBlock Copy()
        {
            var block = new NativeBlock(_bytes);
            foreach (var (value, offset) in _offsets)
                value.Data!.Bytes.CopyTo(new Span<byte>(block.Pointer + offset, checked((int)value.Type.Bytes)));
            return block;
        }
    }
}
