using SeparableConv.Loops;
using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Transposed convolution, bias and activation fused: x (N, inH, inW, C), weights (kH, kW, C, O/groups), bias (O) or none ->
/// (N, outH, outW, O), out = stride*(in-1) + outputPadding + dilation*(kernel-1) + 1 - padding. A negative padding adds to the output.
/// </summary>
internal sealed class ConvTranspose2DOperator(
    Size2D stride,
    Size2D dilation,
    int top,
    int bottom,
    int left,
    int right,
    Size2D outputPadding,
    int groups,
    Activation activation) : Operator
{
    public Size2D Stride { get; } = stride;

    public Size2D Dilation { get; } = dilation;

    public int Top { get; } = top;

    public int Bottom { get; } = bottom;

    public int Left { get; } = left;

    public int Right { get; } = right;

    public Size2D OutputPadding { get; } = outputPadding;

    public int Groups { get; } = groups;

    public Activation Activation { get; } = activation;

    public override string Kind => "Conv2DTranspose";

    /// <summary>The same operator with another activation.</summary>
    public ConvTranspose2DOperator With(Activation activation) =>
        new(Stride, Dilation, Top, Bottom, Left, Right, OutputPadding, Groups, activation);

    internal override InputRole RoleOf(int input, TensorType type) => input > 0 ? InputRole.Parameter : InputRole.Data;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = OperatorChecks.Required(inputs, 0, "input", ElementType.Float32, 4);
        var g = Geometry(input, OperatorChecks.Required(inputs, 1, "weights", ElementType.Float32, 4));
        OperatorChecks.Bias(inputs, 2, g.OutChannels, ElementType.Float32);
        OperatorChecks.Activation(Activation, ElementType.Float32, g.OutChannels);
        return [new(ElementType.Float32, new TensorShape(g.Batch, g.Output.Height, g.Output.Width, g.OutChannels))];
    }

    internal override OperatorCost Cost(Node node)
    {
        var g = Geometry(node.Inputs[0]!.Type, node.Inputs[1]!.Type);
        var macs = checked((long)g.Batch * g.Input.Height * g.Input.Width * g.InChannels);
        return new(checked(macs * g.Kernel.Height * g.Kernel.Width * (g.OutChannels / g.Groups)));
    }

    internal override Step Prepare(Node node)
    {
        var (weights, bias) = (node.Inputs[1]!, node.Inputs.Count > 2 ? node.Inputs[2] : null);
        var geometry = Geometry(node.Inputs[0]!.Type, weights.Type);
        if (weights.Constant is null || bias is { IsConstant: false })
        {
            var zeros = new float[checked((int)weights.Shape.ElementCount)];
            return new PackedStep(new ConvTransposeLoop(zeros, default, geometry, Activation, SimdWidths.Best), refills: true);
        }

        var biases = bias is null ? default : bias.Constant!.Span<float>();
        return new PackedStep(new ConvTransposeLoop(weights.Constant.Span<float>(), biases, geometry, Activation, SimdWidths.Best));
    }

    // What is packed for this run alone goes with it, not with some later collection.
    internal override void Forward(ForwardContext context) => PackedBuffer.FreeMadeBy(() => PackAndRun(context));

    private void PackAndRun(ForwardContext context)
    {
        var (x, w) = (context.Inputs[0], context.Inputs[1]);
        var bias = context.Optional(2).Span<float>();
        new PackedStep(new ConvTransposeLoop(w.Span<float>(), bias, Geometry(x.Type, w.Type), Activation, SimdWidths.Best)).Run(context);
    }

    /// <summary>
    /// The convolution that this one is the transpose of, with the weights turned to (kH, kW, O, C): dx is that of dy; dw is its weights'
    /// gradient with dy as its input and x as the gradient of its output. Null with groups, or where a padding adds to the output.
    /// </summary>
    internal override Value?[]? Gradient(GradientContext context)
    {
        var isPlain = Groups == 1 && Math.Min(Math.Min(Top, Bottom), Math.Min(Left, Right)) >= 0;
        if (!isPlain || !Activation.IsNone || context.Output(0) is not { } dy)
            return null;
        var (x, w) = (context.Node.Inputs[0]!, context.Node.Inputs[1]!);
        var convolution = new Conv2DOperator(new()
        {
            Stride = Stride,
            Dilation = Dilation,
            Padding = Padding.Explicit(
                Top, Math.Max(0, Bottom - OutputPadding.Height), Left, Math.Max(0, Right - OutputPadding.Width)),
        });
        int[] turned = [0, 1, 3, 2];
        var weights = context.Add("turned", new TransposeOperator(turned), w);
        var gradients = new Value?[context.Node.Inputs.Count];
        if (context.Wants(0))
            gradients[0] = context.Add("input", convolution, dy, weights);
        if (context.Wants(1))
        {
            var gradient = context.Add("weights", new ConvGradientOperator(convolution, null, false, true), dy, weights, x);
            gradients[1] = context.Add("turned_back", new TransposeOperator(turned), gradient);
        }

        if (context.Wants(2))
            gradients[2] = context.Add("bias", new ReduceOperator(ReduceKind.Sum, [0, 1, 2], keepDimensions: false), dy);
        return gradients;
    }

    private ConvTransposeGeometry Geometry(TensorType input, TensorType weights)
    {
        var (x, w) = (input.Shape, weights.Shape);
        if (x[3] != w[2])
            throw new ArgumentException($"The input {x} has {x[3]} channels but the weights {w} are for {w[2]}.");
        return ConvTransposeGeometry.Create(
            x[0],
            (x[1], x[2]),
            (w[0], w[1]),
            Stride,
            Dilation,
            (Top, Bottom, Left, Right),
            OutputPadding,
            x[3],
            checked(w[3] * Math.Max(1, Groups)),
            Groups);
    }

    /// <summary>With its weights packed once, or, where they change from run to run, anew in each in the same place.</summary>
    private sealed unsafe class PackedStep(ConvTransposeLoop loop, bool refills = false) : Step
    {
        public override long ScratchBytes => refills ? (long)loop.RefillFloats * sizeof(float) : 0;

        public override bool Reads(int input) => input == 0 || refills;

        public override void Run(ForwardContext context)
        {
            if (refills)
            {
                var scratch = new Span<float>(context.Scratch, loop.RefillFloats);
                loop.Refill(context.Inputs[1].Span<float>(), context.Optional(2).Span<float>(), scratch, context.Threads);
            }

            loop.Run(context.Inputs[0].Pointer<float>(), context.Outputs[0].Pointer<float>(), context.Threads);
        }
    }
}
