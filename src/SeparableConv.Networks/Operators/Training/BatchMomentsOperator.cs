using SeparableConv.Loops;
using SeparableConv.Networks.Gradients;
using SeparableConv.Threading;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// The mean and variance of each channel over a batch, which batch normalization divides by while it is trained: x (..., C) -> mean (C),
/// variance (C), the mean of the squared distances from the mean.
/// </summary>
internal sealed unsafe class BatchMomentsOperator : StepOperator
{
    public override string Kind => "BatchMoments";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var x = OperatorChecks.Required(inputs, 0, "input");
        OperatorChecks.Takes(x.Element == ElementType.Float32 && x.Shape.Rank > 0, x, "float32 with channels");
        if (x.Shape.ElementCount == 0)
            throw new ArgumentException($"The input {x.Shape} is empty; a mean needs at least one number.");
        var channel = new TensorType(ElementType.Float32, new TensorShape(x.Shape[^1]));
        return [channel, channel];
    }

    internal override OperatorCost Cost(Node node) => new(0, 3 * node.Inputs[0]!.Shape.ElementCount);

    private protected override Step CreateStep(TensorType?[] inputs) => new MomentsStep(inputs[0]!.Shape);

    internal override Value?[]? Gradient(GradientContext context) =>
    [
        context.Add(
            "input",
            new BatchMomentsGradientOperator(),
            context.Node.Inputs[0],
            context.Node.Outputs[0],
            context.Output(0),
            context.Output(1)),
    ];

    internal sealed class MomentsStep : Step
    {
        private readonly GradientParts _parts;
        private readonly int _channels;

        public MomentsStep(TensorShape shape)
        {
            _channels = shape[^1];
            _parts = GradientParts.CutRows(checked((int)(shape.ElementCount / _channels)), 1, 1);
        }

        public override long ScratchBytes => _parts.Count * Moments.PartFloats(_channels) * sizeof(float);

        public override void Run(ForwardContext context) => Run(context.Inputs[0], context.Outputs[0], context.Outputs[1], context);

        /// <summary>Computes the moments of a tensor that need not be the context's input.</summary>
        public void Run(TensorBuffer x, TensorBuffer mean, TensorBuffer variance, ForwardContext context)
        {
            var scratch = (float*)context.Scratch;
            var work = new Work { X = x.Pointer<float>(), Scratch = scratch, Channels = _channels, Parts = _parts };
            WorkerPool.Shared.Run(ref work, _parts.Count, context.Threads);
            Span<nint> counts = stackalloc nint[_parts.Count];
            for (var part = 0; part < counts.Length; part++)
            {
                var (_, _, first, end) = _parts.Part(part);
                counts[part] = end - first;
            }

            Moments.Combine(
                scratch, Moments.PartFloats(_channels), counts, mean.Pointer<float>(), variance.Pointer<float>(), _channels);
        }

        private struct Work : IParallelWork
        {
            public float* X;
            public float* Scratch;
            public int Channels;
            public GradientParts Parts;

            public readonly void Execute(int part)
            {
                var (_, _, first, end) = Parts.Part(part);
                var pixels = X + ((nint)first * Channels);
                var memory = Scratch + (part * Moments.PartFloats(Channels));
                Moments.Begin(memory, pixels, Channels);
                Moments.Add(memory, pixels, end - first, Channels, SimdWidths.Best);
            }
        }
    }
}

/// <summary>
/// The gradient of <see cref="BatchMomentsOperator"/>: x (..., C), mean (C), the gradients of mean and variance (C each, or none) -> dx,
/// dx = dmean[c]/N + dvariance[c] * 2*(x - mean[c])/N, N the numbers of a channel.
/// </summary>
internal sealed unsafe class BatchMomentsGradientOperator : Operator
{
    public override string Kind => "BatchMomentsGradient";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs) => [OperatorChecks.Required(inputs, 0, "input")];

    internal override OperatorCost Cost(Node node) => new(0, 3 * node.Outputs[0].Shape.ElementCount);

    internal override void Forward(ForwardContext context)
    {
        var x = context.Inputs[0];
        var (means, variances) = (context.Optional(2), context.Optional(3));
        var channels = x.Shape[^1];
        var count = x.Shape.ElementCount / channels;
        var factors = Scratch.Floats(2 * (nint)channels);
        for (var c = 0; c < channels; c++)
        {
            factors[c] = variances.IsPresent ? 2 * variances.Pointer<float>()[c] / count : 0;
            factors[channels + c] = means.IsPresent ? means.Pointer<float>()[c] / count : 0;
        }

        var work = new ChannelMapWork
        {
            Z = x.Pointer<float>(),
            X = context.Outputs[0].Pointer<float>(),
            Map = new()
            {
                Scale = factors,
                Center = context.Inputs[1].Pointer<float>(),
                Shift = factors + channels,
                Lower = float.NegativeInfinity,
                Upper = float.PositiveInfinity,
            },
            Channels = channels,
        };
        ElementParts.Run(work, count, channels, context.Threads);
    }
}
