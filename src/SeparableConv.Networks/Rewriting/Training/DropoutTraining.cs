namespace SeparableConv.Networks.Rewriting;

/// <summary>Makes each dropout one that drops: its numbers come from an input of the network, seed and step.</summary>
internal sealed class DropoutTraining : NetworkPass
{
    /// <summary>The name of the input, int64 (2); it is there where the network has a dropout.</summary>
    public const string RandomInput = "random";

    private Value? _random;
    private int _layers;

    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs)
    {
        if (node.Operator is not DropoutOperator dropout)
            return null;
        _random ??= Graph.Input(RandomInput, new(ElementType.Int64, new TensorShape(2)));
        return [Replace(node, new TrainingDropoutOperator(dropout.Rate, _layers++), inputs[0], _random)];
    }
}
