using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// A pointwise convolution and the depthwise separable one that alone reads it, computed a window of rows at a time: x (N, inH, inW, C),
/// expanding weights (1, 1, C, E) and bias (E) or none, then what <see cref="FusedSeparableConvOperator"/> takes behind its first input.
/// To the bit what the steps give one after the other.
/// </summary>
internal sealed class FusedExpansionOperator(Conv2DOperator expand, FusedSeparableConvOperator separable) : Operator
{
    public override string Kind => "InvertedBottleneck";

    public Conv2DOperator Expand { get; } = expand;

    public FusedSeparableConvOperator Separable { get; } = separable;

    internal override InputRole RoleOf(int input, TensorType type) => input > 0 ? InputRole.Parameter : InputRole.Data;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs) =>
        Separable.Infer([Expand.Infer(inputs[..3])[0], .. inputs[3..]]);

    internal override OperatorCost Cost(Node node)
    {
        var g = Depthwise(node);
        var pixels = (long)g.Batch * g.Rows.In * g.Columns.In;
        var expansion = checked(pixels * node.Inputs[0]!.Shape[3] * g.InChannels);
        var projection = checked((long)g.Batch * g.Rows.Out * g.Columns.Out * g.OutChannels * node.Inputs[5]!.Shape[3]);
        return new(checked(expansion + ConvCost.Standard(g).Macs + projection));
    }

    internal override Step Prepare(Node node)
    {
        var g = Depthwise(node);
        var (channels, outChannels) = (node.Inputs[0]!.Shape[3], node.Inputs[5]!.Shape[3]);
        var expansion = new PointwiseLoop(
            Weights(node, 1), channels, g.InChannels, Weights(node, 2), Expand.Options.Activation, SimdWidths.Best);
        var depthwise = Separable.Depthwise.Loop(g, Weights(node, 3), Weights(node, 4));
        var projection = new PointwiseLoop(
            Weights(node, 5), g.OutChannels, outChannels, Weights(node, 6), Separable.Pointwise.Options.Activation, SimdWidths.Best);
        return new FusedExpansionStep(new FusedExpansionLoop(expansion, depthwise, projection), g, channels, outChannels);
    }

    // Only the compiler makes it, of constants alone.
    internal override void Forward(ForwardContext context) => throw new InvalidOperationException($"{Kind} runs only prepared.");

    private static ReadOnlySpan<float> Weights(Node node, int input) =>
        node.Inputs[input] is { } value ? value.Constant!.Span<float>() : default;

    private ConvGeometry Depthwise(Node node) => Separable.Depthwise.Geometry(
        Expand.Infer([node.Inputs[0]!.Type, node.Inputs[1]!.Type, node.Inputs[2]?.Type])[0], node.Inputs[3]!.Type);
}

/// <summary>A fused block with its weights packed, for one size of input.</summary>
internal sealed unsafe class FusedExpansionStep(FusedExpansionLoop loop, ConvGeometry geometry, int inChannels, int outChannels) : Step
{
    public override bool Reads(int input) => input == 0;

    public override void Run(ForwardContext context) =>
        loop.Run(
            context.Inputs[0].Pointer<float>(), context.Outputs[0].Pointer<float>(), geometry, inChannels, outChannels, context.Threads);
}
