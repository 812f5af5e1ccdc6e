namespace SeparableConv.Networks.Operators;

/// <summary>
/// Elements that a condition lets through: x and a bool condition that broadcasts to its shape -> x where the condition is
/// <paramref name="kept"/>, else 0, also for what is not finite.
/// </summary>
internal sealed class MaskOperator(bool kept) : Operator
{
    public override string Kind => "Mask";

    /// <summary>What the condition is where elements stay.</summary>
    public bool Kept { get; } = kept;

    internal override Aliasing Aliasing => Aliasing.InPlace;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var (x, condition) = (OperatorChecks.Required(inputs, 0, "input"), OperatorChecks.Required(inputs, 1, "condition"));
        OperatorChecks.Takes(ElementDispatch.IsWide(x.Element), x, ElementDispatch.WideNames);
        OperatorChecks.Takes(condition.Element == ElementType.Bool, condition, "bool");
        if (TensorShapes.Broadcast(x.Shape, condition.Shape) != x.Shape)
            throw new ArgumentException($"The condition {condition.Shape} does not broadcast to the input's shape {x.Shape}.");
        _ = StridedLoops.Broadcast(x.Shape, condition.Shape, x.Shape);
        return [x with { Quantization = null }];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Shape.ElementCount);

    internal override void Forward(ForwardContext context)
    {
        var (x, condition, y) = (context.Inputs[0], context.Inputs[1], context.Outputs[0]);
        var work = new BroadcastWork(BinaryRow.ForMask(x.Type.Element, Kept), x, condition, y, Activation.None);
        ElementParts.Run(work, y.Shape.ElementCount, 1, context.Threads);
    }
}
