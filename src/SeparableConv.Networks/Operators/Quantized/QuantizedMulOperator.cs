using SeparableConv.Kernels;

namespace SeparableConv.Networks.Operators;

/// <summary>a * b of quantized bytes, with NumPy's broadcasting: the product of the two distances from zero, rescaled within the clamp.</summary>
internal sealed class QuantizedMulOperator(Quantization output, int clampMin, int clampMax) : QuantizedOperator
{
    public override string Kind => "QuantizedMul";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var (a, b) = QuantizedTypes.RequiredPair(inputs, "first operand", "second operand");
        QuantizedTypes.CheckPerTensor(output, a.Element, "output");
        _ = Multiplier(a, b);
        return [new(a.Element, ShapeRules.Broadcast(a.Shape, b.Shape), output)];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Type.Shape.ElementCount);

    private protected override Step Prepare(TensorType[] inputs, TensorType outputType)
    {
        return new MulStep(
            new BroadcastRows(inputs[0].Shape, inputs[1].Shape),
            Table(inputs[0]),
            Table(inputs[1]),
            Multiplier(inputs[0], inputs[1]),
            output.ZeroPoint,
            (clampMin, clampMax));
    }

    // The reference multiplies and divides the scales in single precision.
    private FixedPointMultiplier Multiplier(TensorType a, TensorType b) =>
        QuantizedTypes.Multiplier(a.Quantization!.Scale * b.Quantization!.Scale / output.Scale);

    private static short[] Table(TensorType type)
    {
        var table = new short[256];
        for (var raw = 0; raw < 256; raw++)
            table[raw] = (short)(QuantizedTypes.Value((byte)raw, type.Element) - type.Quantization!.ZeroPoint);
        return table;
    }

    private sealed class MulStep(BroadcastRows rows, short[] first, short[] second, FixedPointMultiplier multiplier, int zeroPoint, (int Min, int Max) clamp) : Step
    {
        public override void Run(ForwardContext context)
        {
            var a = context.Inputs[0].Bytes();
            var b = context.Inputs[1].Bytes();
            var y = context.Outputs[0].Bytes();
            for (var row = 0; row < rows.Rows; row++)
            {
                var (i, j) = rows.Row(row);
                foreach (ref var result in y.Slice(row * rows.RowLength, rows.RowLength))
                {
                    result = (byte)Math.Clamp(multiplier.Multiply(first[a[i]] * second[b[j]]) + zeroPoint, clamp.Min, clamp.Max);
                    i += rows.FirstStep;
                    j += rows.SecondStep;
                }
            }
        }
    }
}
