
using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>Copies its input, so that an output that only shows another value has memory of its own.</summary>
internal sealed class CopyOperator : Operator
{
    public override string Kind => "Copy";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs) => [OperatorChecks.Required(inputs, 0, "input")];

    internal override void Forward(ForwardContext context) => context.Inputs[0].Bytes().CopyTo(context.Outputs[0].Bytes());

    internal override Value?[]? Gradient(GradientContext context) => [context.Output(0)];
}
