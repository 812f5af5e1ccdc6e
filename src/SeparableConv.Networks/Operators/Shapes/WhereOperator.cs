namespace SeparableConv.Networks.Operators;

/// <summary>y = condition ? a : b, element by element; condition (bool), a and b broadcast to one shape.</summary>
internal sealed unsafe class WhereOperator : ShapeOperator
{
    public override string Kind => "Where";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var condition = ConvShapes.Required(inputs, 0, "condition");
        var a = ConvShapes.Required(inputs, 1, "first choice");
        var b = ConvShapes.Required(inputs, 2, "second choice");
        if (condition.Element != ElementType.Bool)
            throw new ArgumentException($"The condition is {condition}; expected bool.");
        if (a.Element != b.Element)
            throw new ArgumentException($"The choices are {a} and {b}; expected one element type.");
        return [ShapeRules.Moved(a, Output(condition.Shape, a.Shape, b.Shape))];
    }

    private protected override Step Plan(TensorType[] inputs) =>
        new WhereStep(Output(inputs[0].Shape, inputs[1].Shape, inputs[2].Shape), inputs);

    private static TensorShape Output(TensorShape condition, TensorShape a, TensorShape b) =>
        ShapeRules.Broadcast(condition, ShapeRules.Broadcast(a, b));
}
