using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>The same elements in the same order, in another shape: Reshape, Flatten, Squeeze and Unsqueeze.</summary>
internal sealed class ReshapeOperator(TensorShape shape) : ShapeOperator
{
    public override string Kind => "Reshape";

    /// <summary>The output's shape.</summary>
    public TensorShape Shape => shape;

    internal override Aliasing Aliasing => Aliasing.View;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = ShapeRules.Only(inputs);
        if (input.Shape.ElementCount != shape.ElementCount)
        {
            throw new ArgumentException(
                $"The input {input.Shape} has {input.Shape.ElementCount} elements, the shape {shape} {shape.ElementCount}; "
                + "they must be as many.");
        }

        return [ShapeRules.Moved(input, shape)];
    }

    internal override Value?[]? Gradient(GradientContext context) =>
        [context.Reshape(context.Output(0)!, context.Input(0).Shape)];

    private protected override Step Plan(TensorType[] inputs) => IdentityOperator.CopyAll(inputs[0]);
}
