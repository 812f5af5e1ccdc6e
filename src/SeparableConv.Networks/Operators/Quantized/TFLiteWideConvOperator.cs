using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Convolution of 16-bit activations with 8-bit weights: x (N, inH, inW, C) of int16, weights (kH, kW, C/groups, O) of int8 with one scale
/// or one for each output channel, bias (O) of int64 or int32 or none -> (N, outH, outW, O) of int16. All zero points are 0.
/// </summary>
/// <remarks>
/// With a bias of int32 sums have 32 bits and factors 31; else sums have 64 bits and factors 15, as in TensorFlow Lite's reference kernels.
/// </remarks>
internal sealed unsafe class TFLiteWideConvOperator(ConvOptions options, Quantization output, int clampMin, int clampMax)
    : QuantizedOperator
{
    public override string Kind => "QuantizedWideConv2D";

    internal override InputRole RoleOf(int input, TensorType type) => input > 0 ? InputRole.Parameter : InputRole.Data;

    internal override ConvGeometry? Geometry(Node node) => Sizes(node.Inputs[0]!.Type, node.Inputs[1]!.Type);

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var x = QuantizedTypes.RequiredWide(inputs, 0, "input");
        var weights = OperatorChecks.Required(inputs, 1, "weights", ElementType.Int8, 4);
        var g = Sizes(x, weights);
        if (weights.Quantization is not { } quantization || quantization.ZeroPoints.ContainsAnyExcept(0)
            || (!quantization.IsPerTensor && quantization.Scales.Length != g.OutChannels))
        {
            throw new ArgumentException(
                $"The weights {weights} must have one scale, or {g.OutChannels}, one for each output channel, and zero points of 0.");
        }

        var bias = inputs.Length > 2 ? inputs[2] : null;
        if (bias is { } given && given.Element is not (ElementType.Int32 or ElementType.Int64))
            throw new ArgumentException($"The bias is {given}; expected int64 or int32.");
        OperatorChecks.Bias(inputs, 2, g.OutChannels, bias?.Element ?? ElementType.Int64);
        QuantizedTypes.CheckWide(output, "output");
        _ = Multipliers(x, weights);
        return [new(ElementType.Int16, ConvShapes.Output(g), output)];
    }

    internal override OperatorCost Cost(Node node) => new(ConvCost.Standard(Sizes(node.Inputs[0]!.Type, node.Inputs[1]!.Type)).Macs);

    private protected override Step Prepare(TensorType[] inputs, TensorType outputType)
    {
        var isNarrow = inputs.Length > 2 && inputs[2].Element == ElementType.Int32;
        return new WideConvStep(Sizes(inputs[0], inputs[1]), Multipliers(inputs[0], inputs[1]), isNarrow, (clampMin, clampMax));
    }

    private ConvGeometry Sizes(TensorType x, TensorType weights)
    {
        var shape = weights.Shape;
        return ConvShapes.Geometry(x, (shape[0], shape[1]), checked(shape[2] * options.Groups), shape[3], options, options.Groups);
    }

    private FixedPointMultiplier[] Multipliers(TensorType x, TensorType weights)
    {
        var scales = weights.Quantization!.Scales;
        var multipliers = new FixedPointMultiplier[weights.Shape[3]];
        for (var o = 0; o < multipliers.Length; o++)
            multipliers[o] = QuantizedTypes.Multiplier((double)x.Quantization!.Scale * scales[scales.Length == 1 ? 0 : o] / output.Scale);
        return multipliers;
    }

    private sealed class WideConvStep(ConvGeometry g, FixedPointMultiplier[] multipliers, bool isNarrow, (int Min, int Max) clamp) : Step
    {
        public override void Run(ForwardContext context)
        {
            var work = new Work
            {
                Step = this,
                X = context.Inputs[0].Pointer<short>(),
                Weights = context.Inputs[1].Pointer<sbyte>(),
                Bias = context.Optional(2),
                Y = context.Outputs[0].Pointer<short>(),
            };
            var perRow = (long)g.Columns.Out * g.OutChannels * g.Rows.Kernel * g.Columns.Kernel * (g.InChannels / g.Groups);
            ElementParts.Run(work, (long)g.Batch * g.Rows.Out, perRow, context.Threads);
        }

        private long Sum(short* image, sbyte* weights, int outY, int outX, int filter)
        {
            var ((startY, endY), (startX, endX)) = (g.Rows.Taps(outY), g.Columns.Taps(outX));
            var (depth, filters) = (g.InChannels / g.Groups, g.OutChannels);
            var first = filter / (filters / g.Groups) * depth;
            long sum = 0;
            for (var tapY = startY; tapY < endY; tapY++)
            {
                for (var tapX = startX; tapX < endX; tapX++)
                {
                    var row = g.Rows.InputStart(outY) + (tapY * g.Rows.Dilation);
                    var column = g.Columns.InputStart(outX) + (tapX * g.Columns.Dilation);
                    var pixel = image + ((((nint)row * g.Columns.In) + column) * g.InChannels) + first;
                    var taps = weights + ((((nint)tapY * g.Columns.Kernel) + tapX) * depth * filters) + filter;
                    for (var c = 0; c < depth; c++, taps += filters)
                        sum += pixel[c] * *taps;
                }
            }

            return sum;
        }

        private short Output(long sum, TensorBuffer bias, int filter)
        {
            if (isNarrow)
                sum = (int)sum + bias.Pointer<int>()[filter];
            else if (bias.IsPresent)
                sum += bias.Pointer<long>()[filter];
            var scaled = isNarrow ? multipliers[filter].Multiply((int)sum) : multipliers[filter].MultiplyWide(sum);
            return (short)Math.Clamp(scaled, clamp.Min, clamp.Max);
        }

        private struct Work : IRangeWork
        {
            public WideConvStep Step;
            public short* X;
            public sbyte* Weights;
            public TensorBuffer Bias;
            public short* Y;

            public readonly void Run(nint start, nint end)
            {
                var g = Step.Sizes;
                var y = Y + (start * g.Columns.Out * g.OutChannels);
                for (var row = start; row < end; row++)
                {
                    var (n, outY) = Math.DivRem(row, g.Rows.Out);
                    var image = X + (n * g.Rows.In * g.Columns.In * g.InChannels);
                    for (var outX = 0; outX < g.Columns.Out; outX++)
                    {
                        for (var o = 0; o < g.OutChannels; o++)
                            *y++ = Step.Output(Step.Sum(image, Weights, (int)outY, outX, o), Bias, o);
                    }
                }
            }
        }

        private ConvGeometry Sizes => g;
    }
}
