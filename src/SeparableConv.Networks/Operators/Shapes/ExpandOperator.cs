using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>Repeats dimensions of length 1 until the tensor has the shape to which its own and <see cref="Shape"/> broadcast.</summary>
internal sealed class ExpandOperator(TensorShape shape) : ShapeOperator
{
    public override string Kind => "Expand";

    /// <summary>The shape to broadcast with.</summary>
    public TensorShape Shape => shape;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = ShapeRules.Only(inputs);
        return [ShapeRules.Moved(input, TensorShapes.Broadcast(input.Shape, shape))];
    }

    /// <summary>dx is the sum of dy along the dimensions that were repeated.</summary>
    internal override Value?[]? Gradient(GradientContext context) => context.Output(0) is { } dy && dy.Type.Element.IsFloat()
        ? [context.SumTo(dy, context.Input(0).Shape)]
        : null;

    private protected override Step Plan(TensorType[] inputs)
    {
        var output = TensorShapes.Broadcast(inputs[0].Shape, shape);
        var copy = new StridedCopy(
            output.Lengths, ShapeRules.BroadcastStrides(inputs[0].Shape, output), ShapeRules.Strides(output), inputs[0].Element.Size());
        return new StridedCopyStep((copy, 0, 0));
    }
}
