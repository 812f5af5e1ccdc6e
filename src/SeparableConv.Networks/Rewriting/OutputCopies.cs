namespace SeparableConv.Networks.Rewriting;

/// <summary>
/// Gives an output that shows nothing but an input or something stored bytes of its own: so it stays what it was when the next input is
/// written, when a parameter is updated, and when the compiled network is disposed.
/// </summary>
internal sealed class OutputCopies : NetworkPass
{
    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs) => null;

    protected override Value FinishOutput(Value output)
    {
        var value = Map(output);
        var viewed = value;
        while (viewed.Producer is { } producer && producer.Operator.Aliasing == Aliasing.View)
            viewed = producer.Inputs[0]!;
        return viewed.Producer is null ? Graph.Add($"{output.Name}/copy", new CopyOperator(), value) : value;
    }
}
