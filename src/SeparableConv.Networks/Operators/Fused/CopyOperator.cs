
namespace SeparableConv.Networks.Operators;

/// <summary>The same numbers in memory of their own.</summary>
internal sealed class CopyOperator : Operator
{
    public override string Kind => "Copy";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs) => [ConvShapes.Required(inputs, 0, "input")];

    internal override void Forward(ForwardContext context) => context.Inputs[0].Bytes().CopyTo(context.Outputs[0].Bytes());
}
