using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Both gradients of a convolution from one reading of its tensors: z (N, inH, inW, C), weights, g (N, outH, outW, O) -> the gradient of
/// the input, that of the weights, as far as they are wanted. The formulas are the loops' (<see cref="ConvGradientLoop"/>).
/// </summary>
/// <remarks>
/// Further inputs, each of which may be left out: scale, center and shift (C) of a map that the convolution reads its input through
/// (<see cref="ChannelMapOperator"/>); the gradient of the input is then that under the map, and is followed by those of shift and scale.
/// And of what lies behind: the convolution's sums, a scale (O) that g is multiplied by, the sums' mean (O), the gradients of mean and
/// variance (O).
/// </remarks>
internal sealed unsafe class ConvGradientOperator(FloatConvOperator convolution, Activation? clamp, bool wantsInput, bool wantsWeights)
    : StepOperator
{
    // Where inputs stand.
    private const int Map = 3;
    private const int Sums = 6;
    private const int GradientScale = 7;
    private const int Mean = 8;
    private const int MeanGradient = 9;
    private const int VarianceGradient = 10;

    public override string Kind => convolution.Kind + "Gradient";

    /// <summary>The clamp of the input's map; null where the input is read as it is.</summary>
    public Activation? Clamp { get; } = clamp;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var (input, weights) = (OperatorChecks.Required(inputs, 0, "input"), OperatorChecks.Required(inputs, 1, "weights"));
        var geometry = convolution.Geometry(input, weights);
        var gradient = OperatorChecks.Required(inputs, 2, "gradient");
        if (gradient.Shape != ConvShapes.Output(geometry))
            throw new ArgumentException($"The gradient is {gradient}; expected {ConvShapes.Output(geometry)}, the shape of the output.");
        var types = new List<TensorType>();
        if (wantsInput)
            types.Add(input);
        if (Clamp is not null)
        {
            OperatorChecks.ChannelRows(inputs, Map, geometry.InChannels, "scale", "center", "shift");
            var channel = new TensorType(ElementType.Float32, new TensorShape(geometry.InChannels));
            if (wantsInput)
                types.AddRange([channel, channel]);
        }

        if (wantsWeights)
            types.Add(weights);
        return [.. types];
    }

    internal override OperatorCost Cost(Node node)
    {
        var forward = ConvCost.Standard(convolution.Geometry(node.Inputs[0]!.Type, node.Inputs[1]!.Type)).Macs;
        return new((wantsInput ? forward : 0) + (wantsWeights ? forward : 0));
    }

    private protected override Step CreateStep(TensorType?[] inputs)
    {
        var geometry = convolution.Geometry(inputs[0]!, inputs[1]!);
        return new GradientStep(this, ConvGradientLoop.Create(geometry, wantsInput, SimdWidths.Best), geometry);
    }

    private sealed class GradientStep(ConvGradientOperator op, ConvGradientLoop loop, ConvGeometry geometry) : Step
    {
        public override long ScratchBytes => (loop.ScratchFloats + (3 * Row)) * sizeof(float);

        // Scale, slope and offset of the gradient's map.
        private nint Row => (geometry.OutChannels + 15) / 16 * 16;

        public override void Run(ForwardContext context)
        {
            var scratch = (float*)context.Scratch;
            var call = new ConvGradientCall
            {
                Input = context.Inputs[0].Pointer<float>(),
                InputMap = ChannelMapOperator.Map(context, Map, op.Clamp),
                Weights = context.Inputs[1].Pointer<float>(),
                OutputGradient = context.Inputs[2].Pointer<float>(),
                InputGradient = op.WantsInput ? context.Outputs[0].Pointer<float>() : null,
                WeightGradient = op.WantsWeights ? context.Outputs[^1].Pointer<float>() : null,
            };
            if (op.WantsInput && op.Clamp is not null)
            {
                call.ShiftGradient = context.Outputs[1].Pointer<float>();
                call.ScaleGradient = context.Outputs[2].Pointer<float>();
            }

            if (context.Optional(Sums).IsPresent)
            {
                call.Output = context.Inputs[Sums].Pointer<float>();
                call.OutputMap = MapGradient(context, scratch);
            }

            loop.Run(call, scratch + (3 * Row), context.Threads);
        }

        private GradientMap MapGradient(ForwardContext context, float* scratch)
        {
            var channels = geometry.OutChannels;
            var count = (double)geometry.Batch * geometry.Rows.Out * geometry.Columns.Out;
            float* scale = scratch, slope = scratch + Row, offset = scratch + (2 * Row);
            var scales = context.Optional(GradientScale).Span<float>();
            var means = context.Optional(MeanGradient).Span<float>();
            var variances = context.Optional(VarianceGradient).Span<float>();
            for (var o = 0; o < channels; o++)
            {
                scale[o] = scales.IsEmpty ? 1 : scales[o];
                slope[o] = variances.IsEmpty ? 0 : (float)(2 * variances[o] / count);
                offset[o] = means.IsEmpty ? 0 : (float)(means[o] / count);
            }

            return new() { Scale = scale, Slope = slope, Center = context.Inputs[Mean].Pointer<float>(), Offset = offset };
        }
    }

    private bool WantsInput => wantsInput;

    private bool WantsWeights => wantsWeights;
}
