namespace SeparableConv.Networks.Rewriting;

/// <summary>Gives parameters and statistics other numbers of the same type; their names and kinds stay.</summary>
/// <param name="numbers">The new numbers by the network's values; what is not there keeps its own.</param>
internal sealed class ParameterReplacement(IReadOnlyDictionary<Value, TensorData> numbers) : NetworkPass
{
    private readonly Dictionary<Value, Value> _replaced = [];

    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs) => null;

    protected override Value MapStored(Value value)
    {
        if (!numbers.TryGetValue(value, out var data))
            return value;
        if (!_replaced.TryGetValue(value, out var replaced))
        {
            _replaced[value] = replaced = new Value(value.Name, value.Type, data) { Origin = value.Origin };
            replaced.MarkAs(value.Kind);
        }

        return replaced;
    }
}
