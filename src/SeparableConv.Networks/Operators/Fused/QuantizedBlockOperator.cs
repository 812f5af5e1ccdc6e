using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// A quantized depthwise convolution and the pointwise one that alone reads it, with a convolution before them where there is one, computed
/// a window of rows at a time: x (N, inH, inW, C), first weights and bias or none of both, depthwise weights (kH, kW, E, M) and bias (E*M)
/// or none, pointwise weights (1, 1, E*M, O) and bias (O) or none, and where there is an <see cref="Ending"/> a tensor of the output's
/// shape -> (N, outH, outW, O). The bytes that the steps give one after the other.
/// </summary>
internal sealed class QuantizedBlockOperator(
    QuantizedConv2DOperator? expand,
    QuantizedDepthwiseConv2DOperator depthwise,
    QuantizedConv2DOperator project,
    Operator? ending = null,
    bool isShortcutFirst = false) : Operator
{
    /// <summary>The shortcut's place among the inputs.</summary>
    public const int ShortcutInput = 7;

    public override string Kind => Expand is null ? "QuantizedSeparableConv2D" : "QuantizedInvertedBottleneck";

    /// <summary>The first convolution; without it the depthwise one reads x.</summary>
    public QuantizedConv2DOperator? Expand { get; } = expand;

    public QuantizedDepthwiseConv2DOperator Depthwise { get; } = depthwise;

    public QuantizedConv2DOperator Project { get; } = project;

    /// <summary>
    /// What is done with the last convolution's output and the shortcut, an <see cref="IPairOperator"/>; null for nothing.
    /// </summary>
    public Operator? Ending { get; } = ending;

    /// <summary>Whether the shortcut is the first operand of the end.</summary>
    public bool IsShortcutFirst { get; } = isShortcutFirst;

    internal override InputRole RoleOf(int input, TensorType type) =>
        input is > 0 and < ShortcutInput ? InputRole.Parameter : InputRole.Data;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var expanded = Expand is null ? inputs[0] : Expand.Infer(inputs[..3])[0];
        var output = Project.Infer([Depthwise.Infer([expanded, inputs[3], inputs[4]])[0], inputs[5], inputs[6]]);
        if (Ending is null)
            return output;
        var shortcut = OperatorChecks.Required(inputs, ShortcutInput, "shortcut");
        return shortcut.Shape == output[0].Shape
            ? Ending.Infer(IsShortcutFirst ? [shortcut, output[0]] : [output[0], shortcut])
            : throw new ArgumentException($"The shortcut is {shortcut} but the block's output {output[0]}; both must have one shape.");
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
        // Between the steps nobody sees whether bytes are signed.
        var (expand, depthwise) = (Expand?.AsUnsigned(), Depthwise.AsUnsigned());
        var (x, kernel, weights) = (node.Inputs[0]!.Type, node.Inputs[3]!.Type, node.Inputs[5]!.Type);
        var expanded = expand is null ? x : expand.Infer([x, node.Inputs[1]!.Type, node.Inputs[2]?.Type])[0];
        var between = depthwise.Infer([expanded, kernel, node.Inputs[4]?.Type])[0];
        return new QuantizedBlockStep(new(
            expand?.Loop(x, node.Inputs[1]!.Type, Bytes(node, 1), Bias(node, 2)),
            depthwise.Loop(expanded, kernel, Bytes(node, 3), Bias(node, 4)),
            Project.Loop(between, weights, Bytes(node, 5), Bias(node, 6)),
            Sizes(node),
            Combination(node, between)));
    }

    // Only the compiler makes it, of constants alone.
    internal override void Forward(ForwardContext context) => throw new InvalidOperationException($"{Kind} runs only prepared.");

    private static ReadOnlySpan<byte> Bytes(Node node, int input) => node.Inputs[input]!.Constant!.Bytes;

    private static ReadOnlySpan<int> Bias(Node node, int input) =>
        node.Inputs[input] is { } value ? value.Constant!.Span<int>() : default;

    private unsafe ByteCombination? Combination(Node node, TensorType between)
    {
        if (Ending is not IPairOperator pair)
            return null;
        var (shortcut, output) = (node.Inputs[ShortcutInput]!.Type, node.Outputs[0].Type);
        var sums = Project.Infer([between, node.Inputs[5]!.Type, node.Inputs[6]?.Type])[0];
        var run = IsShortcutFirst ? pair.PairRun(shortcut, sums, output) : pair.PairRun(sums, shortcut, output);
        return IsShortcutFirst
            ? (first, second, target, count) => run.Run(second, 1, first, 1, target, count)
            : (first, second, target, count) => run.Run(first, 1, second, 1, target, count);
    }

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
    public override bool Reads(int input) => input is 0 or QuantizedBlockOperator.ShortcutInput;

    public override void Run(ForwardContext context)
    {
        var shortcut = context.Optional(QuantizedBlockOperator.ShortcutInput);
        loop.Run(
            (byte*)context.Inputs[0].Memory,
            shortcut.IsPresent ? (byte*)shortcut.Memory : null,
            (byte*)context.Outputs[0].Memory,
            context.Threads);
    }
}
