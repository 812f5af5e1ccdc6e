using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// a + b or a - b of quantized bytes, with NumPy's broadcasting: both brought to half the larger scale with 20 bits after the binary
/// point, added, and brought to the output's scale within the clamp.
/// </summary>
internal sealed unsafe class QuantizedAddOperator(Quantization output, int clampMin, int clampMax, bool subtract) : QuantizedOperator
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
        var first = Table(inputs[0], a);
        var second = Table(inputs[1], subtract ? b with { Mantissa = -b.Mantissa } : b);
        var largest = first.Max(number => Math.Abs((long)number)) + second.Max(number => Math.Abs((long)number));
        return new AddStep(
            new BroadcastRows(inputs[0].Shape, inputs[1].Shape),
            first,
            second,
            new RescaledBytes(toOutput, largest, outputType.Element, output.ZeroPoint, (clampMin, clampMax)));
    }

    // Twice the larger scale is exact in single precision; the quotients are double ones.
    private (FixedPointMultiplier First, FixedPointMultiplier Second, double ToOutput) Multipliers(TensorType a, TensorType b)
    {
        var (first, second) = (a.Quantization!.Scale, b.Quantization!.Scale);
        double unit = 2 * Math.Max(first, second);
        var toOutput = unit / ((double)(1 << FractionBits) * output.Scale);
        _ = QuantizedTypes.Multiplier(toOutput);
        return (QuantizedTypes.Multiplier(first / unit), QuantizedTypes.Multiplier(second / unit), toOutput);
    }

    private static int[] Table(TensorType type, FixedPointMultiplier multiplier)
    {
        var table = new int[256];
        for (var raw = 0; raw < 256; raw++)
            table[raw] = multiplier.Multiply((QuantizedTypes.Value((byte)raw, type.Element) - type.Quantization!.ZeroPoint) << FractionBits);
        return table;
    }

    private sealed class AddStep(BroadcastRows rows, int[] first, int[] second, RescaledBytes toOutput) : Step
    {
        private BroadcastRows Rows => rows;

        public override void Run(ForwardContext context) => ElementParts.Run(
            new AddWork { Step = this, A = (byte*)context.Inputs[0].Memory, B = (byte*)context.Inputs[1].Memory, Y = (byte*)context.Outputs[0].Memory },
            (long)rows.Rows * rows.RowLength,
            1,
            context.Threads);

        private void Part(byte* a, byte* b, byte* y, nint count)
        {
            var (stepA, stepB) = (rows.FirstStep, rows.SecondStep);
            var sums = stackalloc int[RescaledBytes.Chunk];
            fixed (int* tableA = first, tableB = second)
            {
                for (; count > 0; count -= RescaledBytes.Chunk, y += RescaledBytes.Chunk)
                {
                    var some = (int)Math.Min(count, RescaledBytes.Chunk);
                    for (var k = 0; k < some; k++, a += stepA, b += stepB)
                        sums[k] = tableA[*a] + tableB[*b];
                    toOutput.Run(sums, y, some);
                }
            }
        }

        private struct AddWork : IRangeWork
        {
            public AddStep Step;
            public byte* A;
            public byte* B;
            public byte* Y;

            public readonly void Run(nint start, nint end)
            {
                foreach (var part in Step.Rows.Parts(start, end))
                    Step.Part(A + part.First, B + part.Second, Y + part.Start, part.Count);
            }
        }
    }
}
