using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// The sum of two tensors of bytes of one shape, int8 or uint8 with one scale each: what dequantizing both, adding and quantizing gives, in
/// single precision and bit for bit, within a clamp in the output's numbers.
/// </summary>
internal sealed unsafe class DequantizedAddOperator(ElementType element, Quantization output, int clampMin, int clampMax)
    : QuantizedOperator, IPairOperator
{
    public override string Kind => "QuantizedAdd";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var (a, b) = (QuantizedTypes.Required(inputs, 0, "first operand"), QuantizedTypes.Required(inputs, 1, "second operand"));
        if (a.Shape != b.Shape)
            throw new ArgumentException($"The operands are {a} and {b}; both must have one shape.");
        QuantizedTypes.CheckPerTensor(output, element, "output");
        return [new(element, a.Shape, output)];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Type.Shape.ElementCount);

    public IByteRun PairRun(TensorType a, TensorType b, TensorType outputType)
    {
        var exact = new AddRun(Linear(a), Linear(b), Linear(outputType), clampMin, clampMax);
        return a.Element == b.Element
            && a.Element == element
            && TFLiteBinaryRun.IsWorthFitting(outputType)
            && BytePairFit.Sum(
                TFLiteBinaryRun.SumFormula(a, 1, b, output, (clampMin, clampMax)),
                TFLiteBinaryRun.AllPairs(exact),
                SimdWidths.Best) is { } formula
            ? new FittedRun<BytePairLoop.Sum>(formula)
            : exact;
    }

    private protected override Step Prepare(TensorType[] inputs, TensorType outputType) => new ByteBinaryStep<IByteRun>(
        new BroadcastRows(inputs[0].Shape, inputs[1].Shape), PairRun(inputs[0], inputs[1], outputType));

    private static LinearByte Linear(TensorType type) =>
        new(type.Element == ElementType.Int8, type.Quantization!.Scale, type.Quantization.ZeroPoint);

    // Both operands have one shape, so that no step is 0 but where one byte meets all others, to find factors.
    private readonly struct AddRun(LinearByte inputA, LinearByte inputB, LinearByte output, int min, int max) : IByteRun
    {
        public void Run(byte* a, int stepA, byte* b, int stepB, byte* y, nint count)
        {
            if (stepA != 0)
            {
                LinearBytes.Add(a, inputA, b, inputB, y, count, output, min, max);
                return;
            }

            var all = stackalloc byte[(int)count];
            new Span<byte>(all, (int)count).Fill(*a);
            LinearBytes.Add(all, inputA, b, inputB, y, count, output, min, max);
        }
    }
}
