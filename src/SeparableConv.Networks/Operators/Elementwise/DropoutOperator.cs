using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>Dropout as it is outside of training: y = x.</summary>
/// <param name="rate">The share of elements that a training sets to 0, from 0 to 1.</param>
internal sealed class DropoutOperator(float rate) : Operator
{
    public override string Kind => "Dropout";

    public float Rate { get; } = rate;

    internal override Aliasing Aliasing => Aliasing.View;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        if (!(Rate >= 0 && Rate <= 1))
            throw new ArgumentException(FormattableString.Invariant($"Dropout has rate {Rate}; it must be from 0 to 1."));
        return [OperatorChecks.Required(inputs, 0, "input")];
    }

    internal override unsafe void Forward(ForwardContext context)
    {
        if (context.Inputs[0].Memory != context.Outputs[0].Memory)
            context.Inputs[0].Bytes().CopyTo(context.Outputs[0].Bytes());
    }

    internal override Value?[]? Gradient(GradientContext context) => [context.Output(0)];
}
