namespace SeparableConv.Networks.Operators;

/// <summary>The same bytes with another scale and zero point, or none: x -> x with another quantization.</summary>
internal sealed class QuantizationViewOperator(Quantization? quantization) : Operator
{
    public override string Kind => "Identity";

    internal override Aliasing Aliasing => Aliasing.View;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs) =>
        [OperatorChecks.Required(inputs, 0, "input") with { Quantization = quantization }];

    internal override void Forward(ForwardContext context) => context.Inputs[0].Bytes().CopyTo(context.Outputs[0].Bytes());
}
