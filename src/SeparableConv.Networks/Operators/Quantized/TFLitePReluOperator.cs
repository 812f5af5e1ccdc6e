using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>y = x where x is 0 or more, slope*x below, of quantized bytes; the slopes are broadcast to x's shape.</summary>
internal sealed class TFLitePReluOperator(Quantization output) : QuantizedOperator
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
        var (positive, negative) = Multipliers(inputs[0], inputs[1]);
        return new PReluStep(new BroadcastRows(inputs[0].Shape, inputs[1].Shape), inputs, positive, negative, output.ZeroPoint);
    }

    // Single-precision arithmetic, as in the reference.
    private (FixedPointMultiplier Positive, FixedPointMultiplier Negative) Multipliers(TensorType x, TensorType slope) => (
        QuantizedTypes.Multiplier(x.Quantization!.Scale / output.Scale),
        QuantizedTypes.Multiplier(x.Quantization!.Scale * slope.Quantization!.Scale / output.Scale));

    private sealed class PReluStep(
        BroadcastRows rows, TensorType[] inputs, FixedPointMultiplier positive, FixedPointMultiplier negative, int zeroPoint) : Step
    {
        private readonly ElementType _element = inputs[0].Element;
        private readonly int _inputZero = inputs[0].Quantization!.ZeroPoint;
        private readonly int _slopeZero = inputs[1].Quantization!.ZeroPoint;

        public override void Run(ForwardContext context)
        {
            var (least, most) = QuantizedTypes.Range(_element);
            var x = context.Inputs[0].Bytes();
            var slopes = context.Inputs[1].Bytes();
            var y = context.Outputs[0].Bytes();
            for (var row = 0; row < rows.Rows; row++)
            {
                var (i, j) = rows.Row(row);
                foreach (ref var result in y.Slice(row * rows.RowLength, rows.RowLength))
                {
                    var value = QuantizedTypes.Value(x[i], _element) - _inputZero;
                    var scaled = value >= 0
                        ? positive.Multiply(value)
                        : negative.Multiply(value * (QuantizedTypes.Value(slopes[j], _element) - _slopeZero));
                    result = (byte)Math.Clamp(scaled + zeroPoint, least, most);
                    i += rows.FirstStep;
                    j += rows.SecondStep;
                }
            }
        }
    }
}
