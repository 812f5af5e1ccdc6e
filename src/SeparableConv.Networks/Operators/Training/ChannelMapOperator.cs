using SeparableConv.Loops;
using SeparableConv.Networks.Gradients;
using SeparableConv.Threading;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// A scale, a shift and a clamp of each channel: z (..., C), scale, center and shift (C) -> (..., C),
/// x[..., c] = clamp(scale[c]*(z[..., c] - center[c]) + shift[c]): batch normalization with the batch's own moments, and the ReLU behind.
/// </summary>
internal sealed unsafe class ChannelMapOperator(Activation clamp) : Operator
{
    public override string Kind => "ChannelMap";

    /// <summary>Its two bounds; no other activation.</summary>
    public Activation Clamp { get; } = clamp;

    internal override Aliasing Aliasing => Aliasing.InPlace;

    internal override InputRole RoleOf(int input, TensorType type) => input == 3 ? InputRole.Parameter : InputRole.Data;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var z = OperatorChecks.Required(inputs, 0, "input");
        OperatorChecks.Takes(z.Element == ElementType.Float32 && z.Shape.Rank > 0, z, "float32 with channels");
        OperatorChecks.ChannelRows(inputs, 1, z.Shape[^1], "scale", "center", "shift");
        return [z with { Quantization = null }];
    }

    internal override OperatorCost Cost(Node node) => new(0, 3 * node.Outputs[0].Shape.ElementCount);

    internal override void Forward(ForwardContext context)
    {
        var z = context.Inputs[0];
        var channels = z.Shape[^1];
        if (z.Shape.ElementCount == 0)
            return;
        var work = new ChannelMapWork
        {
            Map = Map(context, 1, Clamp),
            Z = z.Pointer<float>(),
            X = context.Outputs[0].Pointer<float>(),
            Channels = channels,
        };
        ElementParts.Run(work, z.Shape.ElementCount / channels, channels, context.Threads);
    }

    /// <summary>The map whose scale, center and shift are these inputs; none where they are not there.</summary>
    public static ChannelMap Map(ForwardContext context, int first, Activation? clamp) => context.Optional(first).IsPresent
        ? new()
        {
            Scale = context.Inputs[first].Pointer<float>(),
            Center = context.Inputs[first + 1].Pointer<float>(),
            Shift = context.Inputs[first + 2].Pointer<float>(),
            Lower = clamp!.LowerBound,
            Upper = clamp.UpperBound,
        }
        : default;

    /// <summary>
    /// From the gradient g of what is clamped: dz = scale*g, dcenter = -scale * sum of g; those of shift and scale are the two sums.
    /// </summary>
    public static Value?[] Gradients(GradientContext context, Value g, Value shiftGradient, Value scaleGradient, Value scale)
    {
        var product = context.Add("product", new BinaryOperator(BinaryKind.Mul, Activation.None), shiftGradient, scale);
        return
        [
            context.Add("scaled", new BinaryOperator(BinaryKind.Mul, Activation.None), g, scale),
            scaleGradient,
            context.Add("center", new UnaryOperator(UnaryKind.Neg), product),
            shiftGradient,
        ];
    }

    internal override Value?[]? Gradient(GradientContext context)
    {
        var inputs = context.Node.Inputs;
        var node = context.AddNode(
            "map", new ChannelMapGradientOperator(Clamp), context.Output(0), inputs[0], inputs[1], inputs[2], inputs[3]);
        return Gradients(context, node.Outputs[0], node.Outputs[1], node.Outputs[2], inputs[1]!);
    }
}

/// <summary>Maps rows of channels from one tensor to another.</summary>
internal unsafe struct ChannelMapWork : IRangeWork
{
    public ChannelMap Map;
    public float* Z;
    public float* X;
    public int Channels;

    public readonly void Run(nint start, nint end)
    {
        var rows = new ChannelRows.MapWork
        {
            Map = Map,
            Z = Z + (start * Channels),
            X = X + (start * Channels),
            XStride = Channels,
            Pixels = end - start,
            Channels = Channels,
        };
        SimdWidths.ForChannels(SimdWidths.Best, Channels).Dispatch(ref rows);
    }
}

/// <summary>
/// The gradient of <see cref="ChannelMapOperator"/>: dx, z (..., C), scale, center and shift (C) -> g (..., C), which is dx, but 0 where x
/// is at a bound; the sums over all pixels of g and of g*(z - center), (C) each.
/// </summary>
internal sealed unsafe class ChannelMapGradientOperator(Activation clamp) : StepOperator
{
    public override string Kind => "ChannelMapGradient";

    internal override Aliasing Aliasing => Aliasing.InPlace;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var type = OperatorChecks.Required(inputs, 0, "gradient");
        var channel = new TensorType(ElementType.Float32, new TensorShape(type.Shape[^1]));
        return [type, channel, channel];
    }

    internal override OperatorCost Cost(Node node) => new(0, 5 * node.Outputs[0].Shape.ElementCount);

    private protected override Step CreateStep(TensorType?[] inputs) => new MaskStep(inputs[0]!.Shape, clamp);

    private sealed class MaskStep : Step
    {
        private readonly GradientParts _parts;
        private readonly int _channels;
        private readonly int _sumFloats;
        private readonly SimdWidth _width;
        private readonly Activation _clamp;

        public MaskStep(TensorShape shape, Activation clamp)
        {
            _channels = shape[^1];
            _clamp = clamp;
            _width = SimdWidths.ForChannels(SimdWidths.Best, _channels);
            _sumFloats = MaskedSums.Floats(_channels, _width);
            _parts = GradientParts.CutRows(checked((int)(shape.ElementCount / _channels)), 1, 1);
        }

        public override long ScratchBytes => _parts.Count * (nint)_sumFloats * sizeof(float);

        public override void Run(ForwardContext context)
        {
            var scratch = (float*)context.Scratch;
            var work = new Work
            {
                Step = this,
                Map = ChannelMapOperator.Map(context, 2, _clamp),
                Dx = context.Inputs[0].Pointer<float>(),
                Z = context.Inputs[1].Pointer<float>(),
                G = context.Outputs[0].Pointer<float>(),
                Scratch = scratch,
            };
            WorkerPool.Shared.Run(ref work, _parts.Count, context.Threads);
            var (shift, scale) = (context.Outputs[1], context.Outputs[2]);
            MaskedSums.Total(
                scratch, _sumFloats, _parts.Count, shift.Pointer<float>(), scale.Pointer<float>(), _channels, _width);
        }

        private struct Work : IParallelWork
        {
            public MaskStep Step;
            public ChannelMap Map;
            public float* Dx;
            public float* Z;
            public float* G;
            public float* Scratch;

            public readonly void Execute(int part)
            {
                var (_, _, first, end) = Step._parts.Part(part);
                var at = (nint)first * Step._channels;
                var count = (nint)(end - first) * Step._channels;
                if (Dx != G)
                    Buffer.MemoryCopy(Dx + at, G + at, count * sizeof(float), count * sizeof(float));
                var sums = Scratch + (part * (nint)Step._sumFloats);
                new Span<float>(sums, Step._sumFloats).Clear();
                var mask = new MaskedSums
                {
                    Map = Map,
                    Z = Z + at,
                    Dx = G + at,
                    Pixels = end - first,
                    Channels = Step._channels,
                    Sums = sums,
                };
                Step._width.Dispatch(ref mask);
            }
        }
    }
}
