using SeparableConv.Networks.Operators;

namespace SeparableConv.Networks.Inference;

/// <summary>
/// Looks up where the plan put a value, and gathers the constants that steps still read: those that were packed are not among
/// them, so that weights are not kept twice.
/// </summary>
internal sealed unsafe class TensorPlaces(MemoryPlan plan)
{
    private readonly Dictionary<Value, long> _constants = [];
    private long _bytes;

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
            return new(value.Type, IsConstant: false, offset);
        var constant = plan.Viewed(value);
        if (!_constants.TryGetValue(constant, out var at))
        {
            _constants[constant] = at = _bytes;
            _bytes = checked(_bytes + ((constant.Type.Bytes + ArenaLayout.Alignment - 1) / ArenaLayout.Alignment * ArenaLayout.Alignment));
        }

        return new(value.Type, IsConstant: true, at);
    }

    /// <summary>The constants that were asked for, each where it was said to lie.</summary>
    public NativeBlock CopyConstants()
    {
        var block = new NativeBlock(_bytes);
        foreach (var (value, offset) in _constants)
            value.Constant!.Bytes.CopyTo(new Span<byte>(block.Pointer + offset, checked((int)value.Type.Bytes)));
        return block;
    }
}
