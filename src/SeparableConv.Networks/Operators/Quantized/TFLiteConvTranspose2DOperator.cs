using System.Numerics;
using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Transposed convolution of quantized bytes: x (N, inH, inW, C), weights (kH, kW, C, O) of the same elements with one scale or one for
/// each output channel, bias (O) of int32 or none -> (N, outH, outW, O). Input position i reaches output positions i*stride - before + t
/// for the taps t.
/// </summary>
internal sealed unsafe class TFLiteConvTranspose2DOperator(
    Size2D stride, int top, int left, Size2D size, Quantization output, int clampMin, int clampMax) : Operator
{
    public override string Kind => "QuantizedConv2DTranspose";

    internal override InputRole RoleOf(int input, TensorType type) => input > 0 ? InputRole.Parameter : InputRole.Data;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var x = QuantizedTypes.Required(inputs, 0, "input");
        var weights = OperatorChecks.Required(inputs, 1, "weights", x.Element, 4);
        QuantizedTypes.CheckPerTensor(output, x.Element, "output");
        if (x.Shape.Rank != 4 || x.Shape[3] != weights.Shape[2])
            throw new ArgumentException($"The input is {x}; expected 4 dimensions (N, height, width, {weights.Shape[2]}).");
        if (stride.Height < 1 || stride.Width < 1 || size.Height < 1 || size.Width < 1)
            throw new ArgumentException($"The stride is {stride} and the output {size}; both must be 1 or more.");
        OperatorChecks.Bias(inputs, 2, weights.Shape[3], ElementType.Int32);
        _ = Multipliers(x, weights);
        return [new(x.Element, new TensorShape(x.Shape[0], size.Height, size.Width, weights.Shape[3]), output)];
    }

    internal override OperatorCost Cost(Node node) =>
        new(node.Inputs[0]!.Shape.ElementCount * node.Inputs[1]!.Shape[0] * node.Inputs[1]!.Shape[1] * node.Inputs[1]!.Shape[3]);

    internal override Step Prepare(Node node)
    {
        var (x, weights, bias) = (node.Inputs[0]!, node.Inputs[1]!, node.Inputs.Count > 2 ? node.Inputs[2] : null);
        if (weights.Constant is not { } known || bias is { IsConstant: false })
            return Gather(x.Type, weights.Type);
        var (shape, filters) = (x.Shape, weights.Shape[3]);
        var layer = new QuantizedLayer
        {
            Weights = QuantizedLayerOperator.LessZeroPoint(weights.Type, known.Bytes, filters),
            Bias = bias is null ? default : bias.Constant!.Span<int>(),
            Input = new(x.Type.Element == ElementType.Int8, x.Type.Quantization!.ZeroPoint),
            Factors = Factors(x.Type, weights.Type),
            Output = new(Requantization.FixedPoint, x.Type.Element == ElementType.Int8, output.ZeroPoint, clampMin, clampMax),
        };
        var geometry = new ConvTransposeGeometry(
            shape[0], (shape[1], shape[2]), size, (weights.Shape[0], weights.Shape[1]), stride, 1, top, left, shape[3], filters, 1);
        return QuantizedConvTransposeLoop.Create(layer, geometry, SimdWidths.Best) is { } loop
            ? new PhasesStep(loop)
            : Gather(x.Type, weights.Type);
    }

    internal override void Forward(ForwardContext context)
    {
        var step = Gather(context.Inputs[0].Type, context.Inputs[1].Type);
        fixed (byte* scratch = new byte[step.ScratchBytes])
            step.Run(new ForwardContext(context.Inputs, context.Outputs, context.Threads, scratch));
    }

    private Step Gather(TensorType x, TensorType weights)
    {
        var rows = new Axis(stride.Height, top, size.Height, x.Shape[1], weights.Shape[0]);
        var columns = new Axis(stride.Width, left, size.Width, x.Shape[2], weights.Shape[1]);
        var (multipliers, clamp) = (Multipliers(x, weights), (clampMin, clampMax));
        return x.Element == ElementType.Int8
            ? new TransposeStep<sbyte>(x, weights, rows, columns, multipliers, output.ZeroPoint, clamp)
            : new TransposeStep<byte>(x, weights, rows, columns, multipliers, output.ZeroPoint, clamp);
    }

    private FixedPointMultiplier[] Multipliers(TensorType x, TensorType weights)
    {
        var channels = weights.Shape[3];
        if (weights.Quantization is not { } quantization || (!quantization.IsPerTensor && quantization.Scales.Length != channels))
            throw new ArgumentException($"The weights {weights} must have one scale, or {channels}, one for each output channel.");
        if (quantization.ZeroPoints.ContainsAnyExcept(0) && !quantization.IsPerTensor)
            throw new ArgumentException("The weights have zero points other than 0 for single channels; that is not supported.");
        return Array.ConvertAll(Factors(x, weights), QuantizedTypes.Multiplier);
    }

    // One for each output channel.
    private double[] Factors(TensorType x, TensorType weights)
    {
        var scales = weights.Quantization!.Scales;
        var factors = new double[weights.Shape[3]];
        for (var o = 0; o < factors.Length; o++)
            factors[o] = x.Quantization!.Scale * (double)scales[scales.Length == 1 ? 0 : o] / output.Scale;
        return factors;
    }

    /// <summary>With its weights packed.</summary>
    private sealed class PhasesStep(QuantizedConvTransposeLoop loop) : Step
    {
        public override bool Reads(int input) => input == 0;

        public override void Run(ForwardContext context) =>
            loop.Run((byte*)context.Inputs[0].Memory, (byte*)context.Outputs[0].Memory, context.Threads);
    }

    private readonly record struct Axis(int Stride, int Before, int Out, int In, int Taps);

    private sealed class TransposeStep<T>(
        TensorType input,
        TensorType weights,
        Axis rows,
        Axis columns,
        FixedPointMultiplier[] multipliers,
        int zeroPoint,
        (int Min, int Max) clamp) : Step
        where T : unmanaged, IBinaryInteger<T>
    {
        private readonly int _channels = input.Shape[3];
        private readonly int _filters = weights.Shape[3];
        private readonly int _inputZero = input.Quantization!.ZeroPoint;
        private readonly int _weightZero = weights.Quantization!.ZeroPoint;
        private readonly Axis _rows = rows;
        private readonly Axis _columns = columns;
        private readonly ConvTransposeTaps _rowTaps = new(rows.In, rows.Taps, rows.Stride, 1, rows.Before);
        private readonly ConvTransposeTaps _columnTaps = new(columns.In, columns.Taps, columns.Stride, 1, columns.Before);

        public override long ScratchBytes => (long)_filters * sizeof(int);

        public override void Run(ForwardContext context)
        {
            var x = context.Inputs[0].Pointer<T>();
            var w = context.Inputs[1].Pointer<T>();
            var y = context.Outputs[0].Pointer<T>();
            var bias = context.Optional(2).Span<int>();
            var sums = new Span<int>(context.Scratch, _filters);
            for (var n = 0; n < input.Shape[0]; n++)
            {
                var image = x + ((nint)n * _rows.In * _columns.In * _channels);
                for (var outY = 0; outY < _rows.Out; outY++)
                {
                    for (var outX = 0; outX < _columns.Out; outX++, y += _filters)
                    {
                        sums.Clear();
                        bias.CopyTo(sums);
                        Gather(image, w, outY, outX, sums);
                        for (var o = 0; o < _filters; o++)
                            y[o] = T.CreateTruncating(Math.Clamp(multipliers[o].Multiply(sums[o]) + zeroPoint, clamp.Min, clamp.Max));
                    }
                }
            }
        }

        // Adds what each input position that reaches an output position brings to it.
        private void Gather(T* image, T* w, int outY, int outX, Span<int> sums)
        {
            var (firstY, lastY) = _rowTaps.Reaching(outY);
            var (firstX, lastX) = _columnTaps.Reaching(outX);
            for (var tapY = firstY; tapY <= lastY; tapY += _rowTaps.Step)
            {
                var inY = _rowTaps.Input(outY, tapY);
                for (var tapX = firstX; tapX <= lastX; tapX += _columnTaps.Step)
                {
                    var inX = _columnTaps.Input(outX, tapX);
                    var pixel = image + (((nint)(inY * _columns.In) + inX) * _channels);
                    var taps = w + (((nint)(tapY * _columns.Taps) + tapX) * _channels * _filters);
                    for (var c = 0; c < _channels; c++, taps += _filters)
                    {
                        var value = int.CreateTruncating(pixel[c]) - _inputZero;
                        for (var o = 0; o < sums.Length; o++)
                            sums[o] += value * (int.CreateTruncating(taps[o]) - _weightZero);
                    }
                }
            }
        }
    }
}
