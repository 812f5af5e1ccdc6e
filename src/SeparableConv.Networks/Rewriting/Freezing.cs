namespace SeparableConv.Networks.Rewriting;

/// <summary>
/// Makes constants of parameters and statistics: no training will change them any more. The passes behind it may fold what is computed
/// from them.
/// </summary>
internal sealed class Freezing : NetworkPass
{
    private readonly Dictionary<Value, Value> _frozen = [];

    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs) => null;

    protected override Value MapStored(Value value)
    {
        if (!value.IsParameter)
            return value;
        if (!_frozen.TryGetValue(value, out var frozen))
            _frozen[value] = frozen = new Value(value.Name, value.Type, value.Data) { Origin = value.Origin };
        return frozen;
    }
}
