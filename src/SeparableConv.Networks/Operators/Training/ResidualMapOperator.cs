using SeparableConv.Loops;
using SeparableConv.Networks.Gradients;
using SeparableConv.Threading;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// The end of a residual block: a (..., C), scale, center and shift (C) of its map, b (..., C), and those of its map or none -> (..., C),
/// y = clamp(scaleA*(a - centerA) + shiftA + mapped b).
/// </summary>
internal sealed unsafe class ResidualMapOperator(Activation clamp) : Operator
{
    public const int B = 4;

    public override string Kind => "ResidualMap";

    /// <summary>Its two bounds; no other activation.</summary>
    public Activation Clamp { get; } = clamp;

    internal override InputRole RoleOf(int input, TensorType type) => input is 3 or 7 ? InputRole.Parameter : InputRole.Data;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var (a, b) = (OperatorChecks.Required(inputs, 0, "first operand"), OperatorChecks.Required(inputs, B, "second operand"));
        OperatorChecks.Takes(a.Element == ElementType.Float32 && a.Shape.Rank > 0, a, "float32 with channels");
        OperatorChecks.SameElement(a, b);
        OperatorChecks.SameShape(a, b);
        OperatorChecks.ChannelRows(inputs, 1, a.Shape[^1], "scale", "center", "shift");
        if (inputs.Length > B + 1)
            OperatorChecks.ChannelRows(inputs, B + 1, a.Shape[^1], "second scale", "second center", "second shift");
        return [a with { Quantization = null }];
    }

    internal override OperatorCost Cost(Node node) => new(0, 6 * node.Outputs[0].Shape.ElementCount);

    internal override void Forward(ForwardContext context)
    {
        var y = context.Outputs[0];
        var channels = y.Shape[^1];
        if (y.Shape.ElementCount == 0)
            return;
        var work = new Work { Rows = Rows(context, 0, Clamp, channels) };
        work.Rows.Y = y.Pointer<float>();
        ElementParts.Run(work, y.Shape.ElementCount / channels, channels, context.Threads);
    }

    internal override Value?[]? Gradient(GradientContext context)
    {
        var inputs = context.Node.Inputs;
        var isMapped = inputs.Count > B + 1;
        Value?[] all = [context.Output(0), context.Node.Outputs[0], .. inputs];
        var node = context.AddNode("sum", new ResidualMapGradientOperator(Clamp), all);
        var (g, shift) = (node.Outputs[0], node.Outputs[1]);
        var first = ChannelMapOperator.Gradients(context, g, shift, node.Outputs[2], inputs[1]!);
        return isMapped
            ? [.. first, .. ChannelMapOperator.Gradients(context, g, shift, node.Outputs[3], inputs[B + 1]!)]
            : [.. first, g];
    }

    /// <summary>Both operands and their maps, from the input on that is the first operand.</summary>
    public static ResidualRows Rows(ForwardContext context, int first, Activation clamp, int channels) => new()
    {
        A = context.Inputs[first].Pointer<float>(),
        MapA = ChannelMapOperator.Map(context, first + 1, clamp),
        B = context.Inputs[first + B].Pointer<float>(),
        MapB = ChannelMapOperator.Map(context, first + B + 1, clamp),
        Lower = clamp.LowerBound,
        Upper = clamp.UpperBound,
        Channels = channels,
    };

    private struct Work : IRangeWork
    {
        public ResidualRows Rows;

        public readonly void Run(nint start, nint end)
        {
            var part = Rows;
            part.A += start * Rows.Channels;
            part.B += start * Rows.Channels;
            part.Y += start * Rows.Channels;
            part.Pixels = end - start;
            ResidualRows.Forward(part, SimdWidths.ForChannels(SimdWidths.Best, Rows.Channels));
        }
    }
}

/// <summary>
/// The gradient of <see cref="ResidualMapOperator"/>: dy, y, then its inputs -> g (..., C), which is dy, but 0 where y is at a bound; the
/// sums over all pixels of g, of g*(a - centerA), and, where b is mapped, of g*(b - centerB), (C) each.
/// </summary>
internal sealed unsafe class ResidualMapGradientOperator(Activation clamp) : StepOperator
{
    private const int Operands = 2;

    public override string Kind => "ResidualMapGradient";

    internal override Aliasing Aliasing => Aliasing.InPlace;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var type = OperatorChecks.Required(inputs, 0, "gradient");
        var channel = new TensorType(ElementType.Float32, new TensorShape(type.Shape[^1]));
        return inputs.Length > Operands + ResidualMapOperator.B + 1 ? [type, channel, channel, channel] : [type, channel, channel];
    }

    internal override OperatorCost Cost(Node node) => new(0, 8 * node.Outputs[0].Shape.ElementCount);

    private protected override Step CreateStep(TensorType?[] inputs) => new SumStep(inputs[0]!.Shape, clamp);

    private sealed class SumStep : Step
    {
        private readonly GradientParts _parts;
        private readonly int _channels;
        private readonly int _row;
        private readonly SimdWidth _width;
        private readonly Activation _clamp;

        public SumStep(TensorShape shape, Activation clamp)
        {
            (_channels, _clamp) = (shape[^1], clamp);
            _width = SimdWidths.ForChannels(SimdWidths.Best, _channels);
            _row = ResidualRows.Row(_channels, _width);
            _parts = GradientParts.CutRows(checked((int)(shape.ElementCount / _channels)), 1, 1);
        }

        public override long ScratchBytes => 3 * _parts.Count * (long)_row * sizeof(float);

        public override void Run(ForwardContext context)
        {
            var rows = ResidualMapOperator.Rows(context, Operands, _clamp, _channels);
            rows.Gradient = context.Inputs[0].Pointer<float>();
            rows.Y = context.Inputs[1].Pointer<float>();
            rows.Masked = context.Outputs[0].Pointer<float>();
            rows.Sums = (float*)context.Scratch;
            var work = new Work { Step = this, Rows = rows };
            WorkerPool.Shared.Run(ref work, _parts.Count, context.Threads);
            for (var output = 1; output < context.Outputs.Length; output++)
                Total((float*)context.Scratch + ((output - 1) * _row), context.Outputs[output].Pointer<float>());
        }

        private void Total(float* first, float* target)
        {
            var lanes = (int)_width;
            for (var c = 0; c < _channels; c++)
            {
                var start = c / lanes * lanes;
                var lane = start + c - Math.Min(start, _channels - lanes);
                var sum = 0.0;
                for (var part = 0; part < _parts.Count; part++)
                    sum += first[(3 * (nint)part * _row) + lane];
                target[c] = (float)sum;
            }
        }

        private struct Work : IParallelWork
        {
            public SumStep Step;
            public ResidualRows Rows;

            public readonly void Execute(int part)
            {
                var (_, _, first, end) = Step._parts.Part(part);
                var at = (nint)first * Step._channels;
                var rows = Rows;
                rows.A += at;
                rows.B += at;
                rows.Y += at;
                rows.Gradient += at;
                rows.Masked += at;
                rows.Sums += 3 * (nint)part * Step._row;
                rows.Pixels = end - first;
                new Span<float>(rows.Sums, 3 * Step._row).Clear();
                ResidualRows.Backward(rows, Step._width);
            }
        }
    }
}
