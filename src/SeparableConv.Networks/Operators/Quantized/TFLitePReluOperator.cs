using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>y = x where x is 0 or more, slope*x below, of quantized bytes; the slopes are broadcast to x's shape.</summary>
internal sealed unsafe class TFLitePReluOperator(Quantization output) : QuantizedOperator
{
    public override string Kind => "QuantizedPRelu";

    internal override InputRole RoleOf(int input, TensorType type) => input == 1 ? InputRole.Parameter : InputRole.Data;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var (x, slope) = QuantizedTypes.RequiredPair(inputs, "input", "slope");
        QuantizedTypes.CheckPerTensor(output, x.Element, "output");
        _ = Multipliers(x, slope);
        return TensorShapes.Broadcast(x.Shape, slope.Shape) == x.Shape
            ? [new(x.Element, x.Shape, output)]
            : throw new ArgumentException($"The slopes {slope.Shape} do not broadcast to the input {x.Shape}.");
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Type.Shape.ElementCount);

    private protected override Step Prepare(TensorType[] inputs, TensorType outputType)
    {
        var (x, slope, rows) = (inputs[0], inputs[1], new BroadcastRows(inputs[0].Shape, inputs[1].Shape));
        var (positive, negative) = Multipliers(x, slope);
        var exact = new PReluRun(x, slope, positive, negative, output.ZeroPoint);
        var formula = TFLiteBinaryRun.Formula(x.Element, output.ZeroPoint, QuantizedTypes.Range(x.Element)) with
        {
            FactorA = BytePairFactor.Of(negative),
            FactorB = BytePairFactor.Of(positive),
            ZeroA = x.Quantization!.ZeroPoint,
            ZeroB = slope.Quantization!.ZeroPoint,
        };
        return TFLiteBinaryRun.IsWorthFitting(outputType)
            && BytePairFit.Fits<BytePairLoop.Slope>(formula, TFLiteBinaryRun.AllPairs(exact), SimdWidths.Best)
            ? new ByteBinaryStep<FittedRun<BytePairLoop.Slope>>(rows, new(formula))
            : new ByteBinaryStep<PReluRun>(rows, exact);
    }

    // Single-precision arithmetic, as in the reference.
    private (FixedPointMultiplier Positive, FixedPointMultiplier Negative) Multipliers(TensorType x, TensorType slope) => (
        QuantizedTypes.Multiplier(x.Quantization!.Scale / output.Scale),
        QuantizedTypes.Multiplier(x.Quantization!.Scale * slope.Quantization!.Scale / output.Scale));

    private readonly struct PReluRun(
        TensorType x, TensorType slope, FixedPointMultiplier positive, FixedPointMultiplier negative, int zeroPoint) : IByteRun
    {
        private readonly ElementType _element = x.Element;
        private readonly int _inputZero = x.Quantization!.ZeroPoint;
        private readonly int _slopeZero = slope.Quantization!.ZeroPoint;

        public void Run(byte* a, int stepA, byte* b, int stepB, byte* y, nint count)
        {
            var (least, most) = QuantizedTypes.Range(_element);
            for (nint i = 0; i < count; i++, a += stepA, b += stepB)
            {
                var value = QuantizedTypes.Value(*a, _element) - _inputZero;
                var scaled = value >= 0
                    ? positive.Multiply(value)
                    : negative.Multiply(value * (QuantizedTypes.Value(*b, _element) - _slopeZero));
                y[i] = (byte)Math.Clamp(scaled + zeroPoint, least, most);
            }
        }
    }
}
