using SeparableConv.Loops;
using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// A convolution as a training runs it, joined with what stands before and behind it in a network with batch normalization, so that a
/// tensor is written once and never copied: z (N, inH, inW, C), weights, then scale, center and shift (C) of a map
/// that the input is read through (<see cref="ChannelMapOperator"/>) or none -> the sums (N, outH, outW, O), their mean and variance (O) as
/// <see cref="BatchMomentsOperator"/> gives them, where they are wanted.
/// </summary>
/// <remarks>Only pointwise and depthwise convolutions can map what they read.</remarks>
internal sealed unsafe class TrainedConvOperator(FloatConvOperator convolution, Activation? clamp, bool givesMoments) : StepOperator
{
    private const int Map = 2;

    public override string Kind => Convolution.Kind;

    /// <summary>The convolution, without a bias and an activation.</summary>
    public FloatConvOperator Convolution { get; } = convolution;

    /// <summary>The clamp of the input's map; null where the input is read as it is.</summary>
    public Activation? Clamp { get; } = clamp;

    /// <summary>Whether the moments are outputs.</summary>
    public bool GivesMoments { get; } = givesMoments;

    internal override InputRole RoleOf(int input, TensorType type) => input is 1 or 4 ? InputRole.Parameter : InputRole.Data;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var sums = Convolution.Infer(inputs[..2])[0];
        if (Clamp is not null)
            OperatorChecks.ChannelRows(inputs, Map, inputs[0]!.Shape[3], "scale", "center", "shift");
        var channel = new TensorType(ElementType.Float32, new TensorShape(sums.Shape[3]));
        return GivesMoments ? [sums, channel, channel] : [sums];
    }

    internal override OperatorCost Cost(Node node) => Convolution.Cost(node);

    internal override ConvGeometry? Geometry(Node node) => Convolution.Geometry(node);

    internal override Value?[]? Gradient(GradientContext context)
    {
        var (node, inputs) = (context.Node, context.Node.Inputs);
        if (context.Output(0) is not { } gradient)
            return null;

        // A gradient that is only scaled was not written for it: the loop scales what it reads.
        Value? scale = null;
        if (gradient.Producer is { Operator: BinaryOperator { BinaryKind: BinaryKind.Mul, Activation.IsNone: true } } product
            && product.Inputs[1]!.Shape.Rank == 1 && product.Inputs[0]!.Shape == gradient.Shape)
        {
            (gradient, scale) = (product.Inputs[0]!, product.Inputs[1]);
        }

        var (means, variances) = GivesMoments ? (context.Output(1), context.Output(2)) : (null, null);
        var isMapped = scale is not null || means is not null || variances is not null;
        var gradients = new Value?[inputs.Count];
        var wantsInput = context.Wants(0) || context.Wants(2) || context.Wants(4);
        var (first, center, shift) = Clamp is null ? (null, null, null) : (inputs[Map], inputs[Map + 1], inputs[Map + 2]);
        var added = context.AddNode(
            "weights",
            new ConvGradientOperator(Convolution, Clamp, wantsInput, context.Wants(1)),
            inputs[0],
            inputs[1],
            gradient,
            first,
            center,
            shift,
            isMapped ? node.Outputs[0] : null,
            scale,
            isMapped ? (GivesMoments ? node.Outputs[1] : scale) : null,
            means,
            variances);
        if (context.Wants(1))
            gradients[1] = added.Outputs[^1];
        if (!wantsInput)
            return gradients;
        gradients[0] = added.Outputs[0];
        if (Clamp is not null)
        {
            var mapped = ChannelMapOperator.Gradients(context, added.Outputs[0], added.Outputs[1], added.Outputs[2], inputs[Map]!);
            (gradients[0], gradients[2], gradients[3], gradients[4]) = (mapped[0], mapped[1], mapped[2], mapped[3]);
        }

        return gradients;
    }

    private protected override Step CreateStep(TensorType?[] inputs) =>
        ConvGradientLoop.CanMap(Convolution.Geometry(inputs[0]!, inputs[1]!))
            ? new TrainedConvStep(this, inputs[0]!, inputs[1]!)
            : new StandardStep(RefilledConvStep.Create(Convolution, inputs[0]!, inputs[1]!), inputs[0]!, inputs[1]!, Convolution);

    // Moments of a standard convolution are gathered when it is done: beside its arithmetic another reading is little.
    private sealed class StandardStep(RefilledConvStep convolution, TensorType input, TensorType weights, FloatConvOperator op) : Step
    {
        private readonly BatchMomentsOperator.MomentsStep _moments = new(ConvShapes.Output(op.Geometry(input, weights)));

        public override long ScratchBytes => Math.Max(convolution.ScratchBytes, _moments.ScratchBytes);

        public override void Run(ForwardContext context)
        {
            convolution.Run(context);
            _moments.Run(context.Outputs[0], context.Outputs[1], context.Outputs[2], context);
        }
    }

    private sealed class TrainedConvStep : Step
    {
        private readonly TrainedConvOperator _op;
        private readonly MappedConvLoop _loop;
        private readonly PointwiseLoop? _pointwise;
        private readonly DepthwiseLoop? _depthwise;

        public TrainedConvStep(TrainedConvOperator op, TensorType input, TensorType weights)
        {
            _op = op;
            var g = op.Convolution.Geometry(input, weights);
            var zeros = new float[checked((int)weights.Shape.ElementCount)];
            if (ConvGradientLoop.IsPointwise(g))
            {
                _pointwise = new PointwiseLoop(zeros, g.InChannels, g.OutChannels, default, Activation.None, SimdWidths.Best);
                var rows = checked(g.Batch * g.Rows.In);
                var tall = g with { Batch = 1, Rows = g.Rows with { In = rows, Out = rows } };
                var parts = GradientParts.CutRows(rows, g.Columns.In, weights.Shape.ElementCount);
                _loop = new MappedConvLoop(_pointwise, tall, parts, SimdWidths.Best);
            }
            else
            {
                _depthwise = new DepthwiseLoop(
                    zeros, g.Kernel, g.InChannels, g.OutChannels / g.InChannels, default, Activation.None, SimdWidths.Best);
                _loop = new MappedConvLoop(_depthwise, g, GradientParts.Cut(g.Batch, g.Rows.Out), SimdWidths.Best);
            }
        }

        public override long ScratchBytes => _loop.ScratchFloats * sizeof(float);

        public override void Run(ForwardContext context)
        {
            var weights = context.Inputs[1].Span<float>();
            _pointwise?.Refill(weights, default, context.Threads);
            _depthwise?.Refill(weights, default);
            var mean = _op.GivesMoments ? context.Outputs[1].Pointer<float>() : null;
            var variance = _op.GivesMoments ? context.Outputs[2].Pointer<float>() : null;
            _loop.Run(
                context.Inputs[0].Pointer<float>(),
                ChannelMapOperator.Map(context, Map, _op.Clamp),
                context.Outputs[0].Pointer<float>(),
                mean,
                variance,
                (float*)context.Scratch,
                context.Threads);
        }
    }
}
