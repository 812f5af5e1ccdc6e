using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// The sum of two tensors of bytes of one shape, int8 or uint8 with one scale each: what dequantizing both, adding and quantizing gives, in
/// single precision and bit for bit, within a clamp in the output's numbers.
/// </summary>
internal sealed unsafe class DequantizedAddOperator(ElementType element, Quantization output, int clampMin, int clampMax)
    : QuantizedOperator
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

    private protected override Step Prepare(TensorType[] inputs, TensorType outputType) => new ByteBinaryStep<AddRun>(
        new BroadcastRows(inputs[0].Shape, inputs[1].Shape),
        new AddRun(Linear(inputs[0]), Linear(inputs[1]), Linear(outputType), clampMin, clampMax));

    private static LinearByte Linear(TensorType type) =>
        new(type.Element == ElementType.Int8, type.Quantization!.Scale, type.Quantization.ZeroPoint);

    // Both operands have one shape: no step is 0.
    private readonly struct AddRun(LinearByte inputA, LinearByte inputB, LinearByte output, int min, int max) : IByteRun
    {
        public void Run(byte* a, int stepA, byte* b, int stepB, byte* y, nint count) =>
            LinearBytes.Add(a, inputA, b, inputB, y, count, output, min, max);
    }
}
