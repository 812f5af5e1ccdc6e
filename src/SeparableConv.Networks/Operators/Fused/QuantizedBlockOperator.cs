using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// A quantized depthwise convolution and the pointwise one that alone reads it, with a convolution before them where there is one, computed
/// a window of rows at a time: x (N, inH, inW, C), first weights and bias or none of both, depthwise weights (kH, kW, E, M) and bias (E*M)
/// or none, pointwise weights (1, 1, E*M, O) and bias (O) or none -> (N, outH, outW, O). The bytes that the steps give one after the other.
/// </summary>
internal sealed class QuantizedBlockOperator(
    QuantizedConv2DOperator? expand, QuantizedDepthwiseConv2DOperator depthwise, QuantizedConv2DOperator project) : Operator
{
    public override string Kind => Expand is null ? "QuantizedSeparableConv2D" : "QuantizedInvertedBottleneck";

    /// <summary>The first convolution; without it the depthwise one reads x.</summary>
    public QuantizedConv2DOperator? Expand { get; } = expand;

    public QuantizedDepthwiseConv2DOperator Depthwise { get; } = depthwise;

    public QuantizedConv2DOperator Project { get; } = project;

    internal override InputRole RoleOf(int input, TensorType type) => input > 0 ? InputRole.Parameter : InputRole.Data;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var expanded = Expand is null ? inputs[0] : Expand.Infer(inputs[..3])[0];
        return Project.Infer([Depthwise.Infer([expanded, inputs[3], inputs[4]])[0], inputs[5], inputs[6]]);
    }

    internal override OperatorCost Cost(Node node)
    {
        var sizes = Sizes(node);
        var g = sizes.Depthwise;
        var projection = checked((long)g.Batch * g.Rows.Out * g.Columns.Out * g.OutChannels * sizes.OutChannels);
        var expansion = Expand is null ? 0 : ConvCost.Standard(sizes.Expansion).Macs;
        return new(checked(expansion + ConvCost.Depthwise(g, g.OutChannels / g.InChannels).Macs + projection));
    }

    internal override Step Prepare(Node node)
    {
        var (sizes, expanded) = (Sizes(node), Expanded(node));
        var between = Depthwise.Infer([expanded, node.Inputs[3]!.Type, node.Inputs[4]?.Type])[0];
        var first = Expand?.Loop(node.Inputs[0]!.Type, node.Inputs[1]!.Type, Bytes(node, 1), Bias(node, 2));
        var depthwise = Depthwise.Loop(expanded, node.Inputs[3]!.Type, Bytes(node, 3), Bias(node, 4));
        var project = Project.Loop(between, node.Inputs[5]!.Type, Bytes(node, 5), Bias(node, 6));
        return new QuantizedBlockStep(new(first, depthwise, project, sizes));
    }

    // Only the compiler makes it, of constants alone.
    internal override void Forward(ForwardContext context) => throw new InvalidOperationException($"{Kind} runs only prepared.");

    private static ReadOnlySpan<byte> Bytes(Node node, int input) => node.Inputs[input]!.Constant!.Bytes;

    private static ReadOnlySpan<int> Bias(Node node, int input) =>
        node.Inputs[input] is { } value ? value.Constant!.Span<int>() : default;

    private TensorType Expanded(Node node) => Expand is null
        ? node.Inputs[0]!.Type
        : Expand.Infer([node.Inputs[0]!.Type, node.Inputs[1]!.Type, node.Inputs[2]?.Type])[0];

    private ExpansionSizes Sizes(Node node) => new(
        Expand?.Geometry(node.Inputs[0]!.Type, node.Inputs[1]!.Type) ?? default,
        Depthwise.Geometry(Expanded(node), node.Inputs[3]!.Type),
        node.Inputs[5]!.Shape[3]);
}

/// <summary>A quantized block with its weights packed, for one size of input.</summary>
internal sealed unsafe class QuantizedBlockStep(QuantizedExpansionLoop loop) : Step
{
    public override bool Reads(int input) => input == 0;

    public override void Run(ForwardContext context) =>
        loop.Run((byte*)context.Inputs[0].Memory, (byte*)context.Outputs[0].Memory, context.Threads);
}
