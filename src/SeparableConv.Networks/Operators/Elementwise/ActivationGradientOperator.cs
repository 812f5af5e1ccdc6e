using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// The gradient of an activation that is no clamp and looks at one element at a time: gradient dy and input x (..., C), or the output y
/// instead of x where <see cref="SeparableConv.Activation.GradientReadsOutput"/> -> dx = dy * f'(x), float32.
/// </summary>
/// <remarks>
/// At kinks LeakyReLU, PReLU and ELU have the derivative from the left, HardSigmoid 0, as in PyTorch; HardSwish has 0 at -3 and 1 at 3.
/// </remarks>
internal sealed unsafe class ActivationGradientOperator(Activation activation) : Operator
{
    public override string Kind => "ActivationGradient";

    public Activation Activation { get; } = activation;

    internal override Aliasing Aliasing => Aliasing.InPlace;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var gradient = GradientChecks.SameShape(inputs, "gradient", Activation.GradientReadsOutput ? "output" : "input");
        OperatorChecks.Takes(gradient.Element == ElementType.Float32, gradient, "float32");
        OperatorChecks.Activation(Activation, gradient.Element, gradient.Shape.Rank > 0 ? gradient.Shape[^1] : 1);
        return Activation.IsClamp || Activation.NeedsAllChannels
            ? throw new ArgumentException($"{Activation} has a gradient operator of its own.")
            : [gradient];
    }

    internal override OperatorCost Cost(Node node) => new(0, 2 * node.Outputs[0].Shape.ElementCount);

    internal override void Forward(ForwardContext context)
    {
        var dx = context.Outputs[0];
        var channels = Activation.RequiredChannels > 0 ? Activation.RequiredChannels : 1;
        var work = new Work
        {
            Gradient = context.Inputs[0].Pointer<float>(),
            Value = context.Inputs[1].Pointer<float>(),
            Result = dx.Pointer<float>(),
            Activation = Activation,
            Channels = channels,
        };
        ElementParts.Run(work, dx.Shape.ElementCount / channels, channels, context.Threads);
    }

    private struct Work : IRangeWork
    {
        public float* Gradient;
        public float* Value;
        public float* Result;
        public Activation Activation;
        public int Channels;

        public readonly void Run(nint start, nint end)
        {
            var offset = start * Channels;
            Activation.ApplyGradient(Gradient + offset, Value + offset, Result + offset, end - start, Channels, SimdWidths.Best);
        }
    }
}
