using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>y = x: a value of its own for a tensor that is there already, such as an output that is also an input.</summary>
internal sealed class IdentityOperator : ShapeOperator
{
    public override string Kind => "Identity";

    internal override Aliasing Aliasing => Aliasing.View;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs) => [ShapeRules.Only(inputs)];

    internal override Value?[]? Gradient(GradientContext context) => [context.Output(0)];

    private protected override Step Plan(TensorType[] inputs) => CopyAll(inputs[0]);

    /// <summary>Copies a tensor as it lies.</summary>
    internal static StridedCopyStep CopyAll(TensorType type) =>
        new((new(type.Shape.Lengths, ShapeRules.Strides(type.Shape), ShapeRules.Strides(type.Shape), type.Element.Size()), 0, 0));
}
