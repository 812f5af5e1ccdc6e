using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// A convolution and the depthwise separable one that alone reads it, computed a window of rows at a time: x (N, inH, inW, C),
/// first weights (kH, kW, C, E), in MobileNetV2's blocks (1, 1, C, E), and bias (E) or none, then what
/// <see cref="FusedSeparableConvOperator"/> takes behind its first input, and where the <paramref name="shortcut"/> is a tensor one of the
/// output's shape that is added to it. To the bit what the steps give one after the other.
/// </summary>
internal sealed class FusedExpansionOperator(Conv2DOperator expand, FusedSeparableConvOperator separable, BlockShortcut shortcut) : Operator
{
    /// <summary>The shortcut's place among the inputs.</summary>
    public const int ShortcutInput = 7;

    public override string Kind => "InvertedBottleneck";

    public Conv2DOperator Expand { get; } = expand;

    public FusedSeparableConvOperator Separable { get; } = separable;

    /// <summary>What is added to the output.</summary>
    public BlockShortcut Shortcut { get; } = shortcut;

    internal override InputRole RoleOf(int input, TensorType type) =>
        input is > 0 and < ShortcutInput ? InputRole.Parameter : InputRole.Data;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var expanded = Expand.Infer(inputs[..3])[0];
        var output = Separable.Infer([expanded, .. inputs[3..ShortcutInput]]);
        if (Shortcut == BlockShortcut.Tensor)
            OperatorChecks.Shortcut(inputs, ShortcutInput, output[0]);
        else if (Shortcut == BlockShortcut.Expanded)
            OperatorChecks.Shortcut([expanded], 0, output[0]);
        return output;
    }

    internal override OperatorCost Cost(Node node)
    {
        var sizes = Sizes(node);
        var g = sizes.Depthwise;
        var projection = checked((long)g.Batch * g.Rows.Out * g.Columns.Out * g.OutChannels * sizes.OutChannels);
        return new(checked(ConvCost.Standard(sizes.Expansion).Macs + ConvCost.Standard(g).Macs + projection));
    }

    internal override Step Prepare(Node node)
    {
        var sizes = Sizes(node);
        var g = sizes.Depthwise;
        var expansion = Expand.RowLoop(sizes.Expansion, Weights(node, 1), Weights(node, 2));
        var depthwise = Separable.Depthwise.Loop(g, Weights(node, 3), Weights(node, 4));
        var projection = new PointwiseLoop(
            Weights(node, 5), g.OutChannels, sizes.OutChannels, Weights(node, 6), Separable.Pointwise.Options.Activation, SimdWidths.Best);
        return new FusedExpansionStep(new FusedExpansionLoop(
            expansion, depthwise, projection, Shortcut == BlockShortcut.Expanded), sizes);
    }

    // Only the compiler makes it, of constants alone.
    internal override void Forward(ForwardContext context) => throw new InvalidOperationException($"{Kind} runs only prepared.");

    private static ReadOnlySpan<float> Weights(Node node, int input) =>
        node.Inputs[input] is { } value ? value.Constant!.Span<float>() : default;

    private ExpansionSizes Sizes(Node node)
    {
        var inputs = node.Inputs;
        var expanded = Expand.Infer([inputs[0]!.Type, inputs[1]!.Type, inputs[2]?.Type])[0];
        return new(
            Expand.Geometry(inputs[0]!.Type, inputs[1]!.Type),
            Separable.Depthwise.Geometry(expanded, inputs[3]!.Type),
            inputs[5]!.Shape[3]);
    }
}

/// <summary>A fused block with its weights packed, for one size of input.</summary>
internal sealed unsafe class FusedExpansionStep(FusedExpansionLoop loop, ExpansionSizes sizes) : Step
{
    public override bool Reads(int input) => input is 0 or FusedExpansionOperator.ShortcutInput;

    public override void Run(ForwardContext context)
    {
        var shortcut = context.Optional(FusedExpansionOperator.ShortcutInput);
        loop.Run(
            context.Inputs[0].Pointer<float>(),
            shortcut.IsPresent ? shortcut.Pointer<float>() : null,
            context.Outputs[0].Pointer<float>(),
            sizes,
            context.Threads);
    }
}
