using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// a + b, a - b or a * b of quantized int16 with zero points of 0, with NumPy's broadcasting: for sums both brought to half the larger
/// scale with 15 bits after the binary point; the result brought to the output's scale within the clamp.
/// </summary>
internal sealed unsafe class TFLiteWideBinaryOperator(BinaryKind kind, Quantization output, int clampMin, int clampMax) : QuantizedOperator
{
    private const int FractionBits = 15;

    public override string Kind => "QuantizedWide" + kind;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var a = QuantizedTypes.RequiredWide(inputs, 0, "first operand");
        var b = QuantizedTypes.RequiredWide(inputs, 1, "second operand");
        QuantizedTypes.CheckWide(output, "output");
        if (kind is not (BinaryKind.Add or BinaryKind.Sub or BinaryKind.Mul))
            throw new ArgumentException($"{kind} of int16 is not supported; expected a sum, a difference or a product.");
        _ = Factors(a, b);
        return [new(ElementType.Int16, TensorShapes.Broadcast(a.Shape, b.Shape), output)];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Type.Shape.ElementCount);

    private protected override Step Prepare(TensorType[] inputs, TensorType outputType)
    {
        var (first, second, toOutput) = Factors(inputs[0], inputs[1]);
        return new WideStep(
            kind, new BroadcastRows(inputs[0].Shape, inputs[1].Shape), first, second, toOutput, (clampMin, clampMax));
    }

    // As in the reference the scales of a product are multiplied and divided in single precision.
    private (FixedPointMultiplier First, FixedPointMultiplier Second, FixedPointMultiplier ToOutput) Factors(TensorType a, TensorType b)
    {
        var (first, second) = (a.Quantization!.Scale, b.Quantization!.Scale);
        if (kind == BinaryKind.Mul)
            return (default, default, QuantizedTypes.Multiplier(first * second / output.Scale));
        double unit = 2 * Math.Max(first, second);
        return (
            QuantizedTypes.Multiplier(first / unit),
            QuantizedTypes.Multiplier(second / unit),
            QuantizedTypes.Multiplier(unit / ((1 << FractionBits) * output.Scale)));
    }

    private sealed class WideStep(
        BinaryKind kind,
        BroadcastRows rows,
        FixedPointMultiplier first,
        FixedPointMultiplier second,
        FixedPointMultiplier toOutput,
        (int Min, int Max) clamp) : Step
    {
        public override void Run(ForwardContext context)
        {
            var work = new Work
            {
                Step = this,
                Rows = rows,
                A = context.Inputs[0].Pointer<short>(),
                B = context.Inputs[1].Pointer<short>(),
                Y = context.Outputs[0].Pointer<short>(),
            };
            ElementParts.Run(work, (long)rows.Rows * rows.RowLength, 4, context.Threads);
        }

        private short Combine(short a, short b)
        {
            var number = kind == BinaryKind.Mul ? a * b : first.Multiply(a << FractionBits)
                + (kind == BinaryKind.Sub ? -second.Multiply(b << FractionBits) : second.Multiply(b << FractionBits));
            return (short)Math.Clamp(toOutput.Multiply(number), clamp.Min, clamp.Max);
        }

        private struct Work : IRangeWork
        {
            public WideStep Step;
            public BroadcastRows Rows;
            public short* A;
            public short* B;
            public short* Y;

            public readonly void Run(nint start, nint end)
            {
                foreach (var part in Rows.Parts(start, end))
                {
                    for (nint i = 0; i < part.Count; i++)
                        Y[part.Start + i] = Step.Combine(A[part.First + (i * Rows.FirstStep)], B[part.Second + (i * Rows.SecondStep)]);
                }
            }
        }
    }
}
