using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// A block that squeezes and excites: x (N, inH, inW, C), first weights (kH, kW, C, E) and bias (E) or neither, depthwise weights
/// (kH, kW, E, M) and bias (E*M) or none, the mean of each of the E*M channels, weights (1, 1, E*M, S) and bias (S) or none, weights
/// (1, 1, S, E*M) and bias (E*M) or none, whose result weighs the channels, last weights (1, 1, E*M, O) and bias (O) or none, and where
/// <paramref name="hasShortcut"/> a tensor of the output's shape that is added to it -> (N, outH, outW, O). To the bit what the steps give
/// one after the other, but for the means: those sum each row by itself, then the rows.
/// </summary>
internal sealed class GatedBlockOperator(
    Conv2DOperator? expand, DepthwiseConv2DOperator depthwise, Conv2DOperator squeeze, Conv2DOperator excite, Conv2DOperator project,
    bool hasShortcut) : Operator
{
    /// <summary>The shortcut's place among the inputs.</summary>
    public const int ShortcutInput = 11;

    public override string Kind => "GatedBottleneck";

    /// <summary>The first convolution; without it the depthwise one reads x.</summary>
    public Conv2DOperator? Expand { get; } = expand;

    public DepthwiseConv2DOperator Depthwise { get; } = depthwise;

    public Conv2DOperator Squeeze { get; } = squeeze;

    public Conv2DOperator Excite { get; } = excite;

    public Conv2DOperator Project { get; } = project;

    /// <summary>Whether the last input is added to the output.</summary>
    public bool HasShortcut { get; } = hasShortcut;

    internal override InputRole RoleOf(int input, TensorType type) =>
        input is > 0 and < ShortcutInput ? InputRole.Parameter : InputRole.Data;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var image = Depthwise.Infer([Expanded(inputs), inputs[3], inputs[4]])[0];
        var means = new TensorType(ElementType.Float32, new TensorShape(image.Shape[0], 1, 1, image.Shape[3]));
        var gates = Excite.Infer([Squeeze.Infer([means, inputs[5], inputs[6]])[0], inputs[7], inputs[8]])[0];
        if (gates != means)
            throw new ArgumentException($"The gates are {gates}; expected {means} for the image {image}.");
        var output = Project.Infer([image, inputs[9], inputs[10]]);
        if (HasShortcut)
            OperatorChecks.Shortcut(inputs, ShortcutInput, output[0]);
        return output;
    }

    internal override OperatorCost Cost(Node node)
    {
        var sizes = Sizes(node);
        var g = sizes.Depthwise;
        var pixels = checked((long)g.Batch * g.Rows.Out * g.Columns.Out);
        var expansion = Expand is null ? 0 : ConvCost.Standard(sizes.Expansion).Macs;
        var gates = checked(2L * g.Batch * g.OutChannels * node.Inputs[5]!.Shape[3]);
        return new(
            checked(expansion + ConvCost.Standard(g).Macs + gates + (pixels * g.OutChannels * sizes.OutChannels)),
            checked(pixels * g.OutChannels));
    }

    internal override Step Prepare(Node node)
    {
        var sizes = Sizes(node);
        var depthwise = Depthwise.Loop(sizes.Depthwise, Weights(node, 3), Weights(node, 4));
        var expand = Expand?.RowLoop(sizes.Expansion, Weights(node, 1), Weights(node, 2));
        var loop = new GatedBlockLoop(
            expand, depthwise, Pointwise(node, 5, Squeeze), Pointwise(node, 7, Excite), Pointwise(node, 9, Project), sizes);
        return new GatedBlockStep(loop);
    }

    // Only the compiler makes it, of constants alone.
    internal override void Forward(ForwardContext context) => throw new InvalidOperationException($"{Kind} runs only prepared.");

    private static ReadOnlySpan<float> Weights(Node node, int input) =>
        node.Inputs[input] is { } value ? value.Constant!.Span<float>() : default;

    private static PointwiseLoop Pointwise(Node node, int input, Conv2DOperator op)
    {
        var shape = node.Inputs[input]!.Shape;
        return new(Weights(node, input), shape[2], shape[3], Weights(node, input + 1), op.Options.Activation, SimdWidths.Best);
    }

    private TensorType Expanded(ReadOnlySpan<TensorType?> inputs) =>
        Expand is null ? OperatorChecks.Required(inputs, 0, "input", ElementType.Float32, 4) : Expand.Infer(inputs[..3])[0];

    private ExpansionSizes Sizes(Node node)
    {
        var inputs = node.Inputs;
        var expanded = Expanded([inputs[0]!.Type, inputs[1]?.Type, inputs[2]?.Type]);
        return new(
            Expand?.Geometry(inputs[0]!.Type, inputs[1]!.Type) ?? default,
            Depthwise.Geometry(expanded, inputs[3]!.Type),
            inputs[9]!.Shape[3]);
    }
}

/// <summary>A gated block with its weights packed, for one size of input.</summary>
internal sealed unsafe class GatedBlockStep(GatedBlockLoop loop) : Step
{
    public override long ScratchBytes => (long)loop.ScratchFloats * sizeof(float);

    public override bool Reads(int input) => input is 0 or GatedBlockOperator.ShortcutInput;

    public override void Run(ForwardContext context)
    {
        var shortcut = context.Optional(GatedBlockOperator.ShortcutInput);
        loop.Run(
            context.Inputs[0].Pointer<float>(),
            shortcut.IsPresent ? shortcut.Pointer<float>() : null,
            context.Outputs[0].Pointer<float>(),
            (float*)context.Scratch,
            context.Threads);
    }
}
