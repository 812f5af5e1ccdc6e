using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// A depthwise convolution and the pointwise one that alone reads it, computed tile by tile: x (N, inH, inW, C), depthwise weights
/// (kH, kW, C, M) and bias (C*M) or none, pointwise weights (1, 1, C*M, O) and bias (O) or none, and where <paramref name="hasShortcut"/>
/// a tensor of the output's shape that is added to it -> (N, outH, outW, O); with a channel map of E output channels E in place of C*M. To
/// the bit what the steps give one after the other.
/// </summary>
internal sealed class FusedSeparableConvOperator(DepthwiseConv2DOperator depthwise, Conv2DOperator pointwise, bool hasShortcut) : Operator
{
    /// <summary>The shortcut's place among the inputs.</summary>
    public const int ShortcutInput = 5;

    public override string Kind => "SeparableConv2D";

    public DepthwiseConv2DOperator Depthwise { get; } = depthwise;

    public Conv2DOperator Pointwise { get; } = pointwise;

    /// <summary>Whether the last input is added to the output.</summary>
    public bool HasShortcut { get; } = hasShortcut;

    internal override InputRole RoleOf(int input, TensorType type) =>
        input is > 0 and < ShortcutInput ? InputRole.Parameter : InputRole.Data;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var output = Pointwise.Infer([Depthwise.Infer(inputs[..3])[0], inputs[3], inputs[4]]);
        if (HasShortcut)
            OperatorChecks.Shortcut(inputs, ShortcutInput, output[0]);
        return output;
    }

    internal override OperatorCost Cost(Node node)
    {
        var g = Geometry(node.Inputs[0]!.Type, node.Inputs[1]!.Type);
        var pointwise = checked((long)g.Batch * g.Rows.Out * g.Columns.Out * g.OutChannels * node.Inputs[3]!.Shape[3]);
        return new(checked(ConvCost.Standard(g).Macs + pointwise));
    }

    internal override Step Prepare(Node node)
    {
        for (var i = 1; i < ShortcutInput; i++)
        {
            if (node.Inputs[i] is { IsConstant: false })
                return new ForwardStep(this);
        }

        return Create(
            Geometry(node.Inputs[0]!.Type, node.Inputs[1]!.Type),
            node.Inputs[1]!.Constant!.Span<float>(),
            Bias(node.Inputs[2]),
            node.Inputs[3]!.Constant!.Span<float>(),
            Bias(node.Inputs[4]));

        static ReadOnlySpan<float> Bias(Value? bias) => bias is null ? default : bias.Constant!.Span<float>();
    }

    internal override void Forward(ForwardContext context)
    {
        var inputs = context.Inputs;
        Create(
            Geometry(inputs[0].Type, inputs[1].Type),
            inputs[1].Span<float>(),
            inputs[2].IsPresent ? inputs[2].Span<float>() : default,
            inputs[3].Span<float>(),
            inputs[4].IsPresent ? inputs[4].Span<float>() : default).Run(context);
    }

    private FusedSeparableStep Create(
        in ConvGeometry geometry,
        ReadOnlySpan<float> depthwiseWeights,
        ReadOnlySpan<float> depthwiseBias,
        ReadOnlySpan<float> pointwiseWeights,
        ReadOnlySpan<float> pointwiseBias)
    {
        var expanded = geometry.OutChannels;
        var outChannels = pointwiseWeights.Length / expanded;
        var first = Depthwise.Loop(geometry, depthwiseWeights, depthwiseBias);
        var second = new PointwiseLoop(
            pointwiseWeights, expanded, outChannels, pointwiseBias, Pointwise.Options.Activation, SimdWidths.Best);
        return new FusedSeparableStep(new FusedSeparableLoop(first, second), geometry, outChannels);
    }

    private ConvGeometry Geometry(TensorType input, TensorType weights) => Depthwise.Geometry(input, weights);
}

/// <summary>A fused pair with its weights packed, for one size of input.</summary>
internal sealed unsafe class FusedSeparableStep(FusedSeparableLoop loop, ConvGeometry geometry, int outChannels) : Step
{
    public override bool Reads(int input) => input is 0 or FusedSeparableConvOperator.ShortcutInput;

    public override void Run(ForwardContext context)
    {
        var shortcut = context.Optional(FusedSeparableConvOperator.ShortcutInput);
        loop.Run(
            context.Inputs[0].Pointer<float>(),
            context.Outputs[0].Pointer<float>(),
            geometry,
            outChannels,
            context.Threads,
            shortcut.IsPresent ? shortcut.Pointer<float>() : null);
    }
}
