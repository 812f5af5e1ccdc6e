using SeparableConv.Kernels;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// a + b or a - b of quantized bytes, with NumPy's broadcasting: both brought to half the larger scale with 20 bits after the binary
/// point, added, and brought to the output's scale within the clamp.
/// </summary>
internal sealed class QuantizedAddOperator(Quantization output, int clampMin, int clampMax, bool subtract) : QuantizedOperator
{
    private const int FractionBits = 20;

    public override string Kind => subtract ? "QuantizedSub" : "QuantizedAdd";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var (a, b) = QuantizedTypes.RequiredPair(inputs, "first operand", "second operand");
        QuantizedTypes.CheckPerTensor(output, a.Element, "output");
        _ = Multipliers(a, b);
        return [new(a.Element, ShapeRules.Broadcast(a.Shape, b.Shape), output)];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Type.Shape.ElementCount);

    private protected override Step Prepare(TensorType[] inputs, TensorType outputType)
    {
        var (a, b, toOutput) = Multipliers(inputs[0], inputs[1]);
        return new AddStep(
            new BroadcastRows(inputs[0].Shape, inputs[1].Shape),
            Table(inputs[0], a),
            Table(inputs[1], subtract ? b with { Mantissa = -b.Mantissa } : b),
            toOutput,
            output.ZeroPoint,
            (clampMin, clampMax));
    }

    // Twice the larger scale is exact in single precision; the quotients are double ones.
    private (FixedPointMultiplier First, FixedPointMultiplier Second, FixedPointMultiplier ToOutput) Multipliers(TensorType a, TensorType b)
    {
        var (first, second) = (a.Quantization!.Scale, b.Quantization!.Scale);
        double unit = 2 * Math.Max(first, second);
        return (
            QuantizedTypes.Multiplier(first / unit),
            QuantizedTypes.Multiplier(second / unit),
            QuantizedTypes.Multiplier(unit / ((double)(1 << FractionBits) * output.Scale)));
    }

    private static int[] Table(TensorType type, FixedPointMultiplier multiplier)
    {
        var table = new int[256];
        for (var raw = 0; raw < 256; raw++)
            table[raw] = multiplier.Multiply((QuantizedTypes.Value((byte)raw, type.Element) - type.Quantization!.ZeroPoint) << FractionBits);
        return table;
    }

    private sealed class AddStep(BroadcastRows rows, int[] first, int[] second, FixedPointMultiplier toOutput, int zeroPoint, (int Min, int Max) clamp) : Step
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
                    result = (byte)Math.Clamp(toOutput.Multiply(first[a[i]] + second[b[j]]) + zeroPoint, clamp.Min, clamp.Max);
                    i += rows.FirstStep;
                    j += rows.SecondStep;
                }
            }
        }
    }
}
