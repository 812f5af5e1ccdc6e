using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// An activation by itself: x (..., C), float32 -> the same shape. Where the function has channels, softmax or a PReLU's slopes, they
/// are the last dimension. The formula is the <see cref="SeparableConv.Activation"/>'s.
/// </summary>
internal sealed class ActivationOperator(Activation activation) : Operator
{
    public override string Kind => Activation.NeedsAllChannels ? "Softmax" : "Activation";

    public Activation Activation { get; } = activation;

    internal override Aliasing Aliasing => Aliasing.InPlace;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = ConvShapes.Required(inputs, 0, "input");
        OperatorChecks.Takes(input.Element == ElementType.Float32, input, "float32");
        OperatorChecks.Activation(Activation, input.Element, input.Shape.Rank > 0 ? input.Shape[^1] : 1);
        return [input with { Quantization = null }];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Shape.ElementCount);

    internal override void Forward(ForwardContext context) =>
        ActivationWork.Run(Activation, context.Inputs[0], context.Outputs[0], context.Threads);

    internal override Value?[]? Gradient(GradientContext context) => Activation.IsClamp
        ? [context.Add("input", new ClampGradientOperator(Activation.LowerBound, Activation.UpperBound), context.Output(0), context.Node.Outputs[0])]
        : null;
}
