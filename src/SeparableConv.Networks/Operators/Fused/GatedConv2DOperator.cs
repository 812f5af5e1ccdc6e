using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// A pointwise convolution of an image whose channels a gate weighs, as behind squeeze and excite: x (N, H, W, C), gate (N, 1, 1, C),
/// weights (1, 1, C, O), bias (O) or none, and where <paramref name="hasShortcut"/> a tensor of the output's shape that is added to it
/// -> (N, H, W, O). To the bit what the steps give one after the other.
/// </summary>
internal sealed class GatedConv2DOperator(Conv2DOperator convolution, bool hasShortcut) : Operator
{
    /// <summary>The shortcut's place among the inputs.</summary>
    public const int ShortcutInput = 4;

    public override string Kind => "GatedConv2D";

    public Conv2DOperator Convolution { get; } = convolution;

    /// <summary>Whether the last input is added to the output.</summary>
    public bool HasShortcut { get; } = hasShortcut;

    internal override InputRole RoleOf(int input, TensorType type) =>
        input is > 1 and < ShortcutInput ? InputRole.Parameter : InputRole.Data;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var x = OperatorChecks.Required(inputs, 0, "input", ElementType.Float32, 4);
        var gate = OperatorChecks.Required(inputs, 1, "gate", ElementType.Float32, 4);
        if (gate.Shape != new TensorShape(x.Shape[0], 1, 1, x.Shape[3]))
            throw new ArgumentException($"The gate is {gate}; expected ({x.Shape[0]}, 1, 1, {x.Shape[3]}) for the input {x}.");
        var output = Convolution.Infer([x, .. inputs[2..ShortcutInput]]);
        if (HasShortcut)
            OperatorChecks.Shortcut(inputs, ShortcutInput, output[0]);
        return output;
    }

    internal override OperatorCost Cost(Node node) =>
        new(ConvCost.Standard(Convolution.Geometry(node.Inputs[0]!.Type, node.Inputs[2]!.Type)).Macs);

    internal override Step Prepare(Node node)
    {
        var weights = node.Inputs[2]!;
        var bias = node.Inputs[3] is { } value ? value.Constant!.Span<float>() : default;
        var (inChannels, outChannels) = (weights.Shape[2], weights.Shape[3]);
        return new GatedConv2DStep(new PointwiseLoop(
            weights.Constant!.Span<float>(), inChannels, outChannels, bias, Convolution.Options.Activation, SimdWidths.Best));
    }

    // Only the compiler makes it, of constant weights alone.
    internal override void Forward(ForwardContext context) => throw new InvalidOperationException($"{Kind} runs only prepared.");
}

/// <summary>A gated pointwise convolution with its weights packed.</summary>
internal sealed unsafe class GatedConv2DStep(PointwiseLoop loop) : Step
{
    public override bool Reads(int input) => input is < 2 or GatedConv2DOperator.ShortcutInput;

    public override void Run(ForwardContext context)
    {
        var (x, gate, shortcut) = (context.Inputs[0], context.Inputs[1], context.Optional(GatedConv2DOperator.ShortcutInput));
        loop.RunGated(
            x.Pointer<float>(),
            gate.Pointer<float>(),
            shortcut.IsPresent ? shortcut.Pointer<float>() : null,
            context.Outputs[0].Pointer<float>(),
            x.Shape[0],
            (nint)x.Shape[1] * x.Shape[2],
            context.Threads);
    }
}
