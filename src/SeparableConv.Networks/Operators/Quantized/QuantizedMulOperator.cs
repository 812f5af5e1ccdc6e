namespace SeparableConv.Networks.Operators;

/// <summary>a * b of quantized bytes, with NumPy's broadcasting: the product of the two distances from zero, rescaled within the clamp.</summary>
internal sealed unsafe class QuantizedMulOperator(Quantization output, int clampMin, int clampMax) : QuantizedOperator
{
    public override string Kind => "QuantizedMul";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var (a, b) = QuantizedTypes.RequiredPair(inputs, "first operand", "second operand");
        QuantizedTypes.CheckPerTensor(output, a.Element, "output");
        _ = QuantizedTypes.Multiplier(Factor(a, b));
        return [new(a.Element, ShapeRules.Broadcast(a.Shape, b.Shape), output)];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Type.Shape.ElementCount);

    private protected override Step Prepare(TensorType[] inputs, TensorType outputType)
    {
        const long largest = 255 * 255;
        return new MulStep(
            new BroadcastRows(inputs[0].Shape, inputs[1].Shape),
            Table(inputs[0]),
            Table(inputs[1]),
            new RescaledBytes(Factor(inputs[0], inputs[1]), largest, outputType.Element, output.ZeroPoint, (clampMin, clampMax)));
    }

    // The reference multiplies and divides the scales in single precision.
    private double Factor(TensorType a, TensorType b) => a.Quantization!.Scale * b.Quantization!.Scale / output.Scale;

    private static short[] Table(TensorType type)
    {
        var table = new short[256];
        for (var raw = 0; raw < 256; raw++)
            table[raw] = (short)(QuantizedTypes.Value((byte)raw, type.Element) - type.Quantization!.ZeroPoint);
        return table;
    }

    private sealed class MulStep(BroadcastRows rows, short[] first, short[] second, RescaledBytes toOutput) : Step
    {
        private BroadcastRows Rows => rows;

        public override void Run(ForwardContext context) => ElementParts.Run(
            new MulWork { Step = this, A = (byte*)context.Inputs[0].Memory, B = (byte*)context.Inputs[1].Memory, Y = (byte*)context.Outputs[0].Memory },
            (long)rows.Rows * rows.RowLength,
            1,
            context.Threads);

        private void Part(byte* a, byte* b, byte* y, nint count)
        {
            var (stepA, stepB) = (rows.FirstStep, rows.SecondStep);
            var products = stackalloc int[RescaledBytes.Chunk];
            fixed (short* tableA = first, tableB = second)
            {
                for (; count > 0; count -= RescaledBytes.Chunk, y += RescaledBytes.Chunk)
                {
                    var some = (int)Math.Min(count, RescaledBytes.Chunk);
                    for (var k = 0; k < some; k++, a += stepA, b += stepB)
                        products[k] = tableA[*a] * tableB[*b];
                    toOutput.Run(products, y, some);
                }
            }
        }

        private struct MulWork : IRangeWork
        {
            public MulStep Step;
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
