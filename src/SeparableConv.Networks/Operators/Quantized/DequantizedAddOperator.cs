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

    private protected override Step Prepare(TensorType[] inputs, TensorType outputType) =>
        new AddStep(Linear(inputs[0]), Linear(inputs[1]), Linear(outputType), clampMin, clampMax);

    private static LinearByte Linear(TensorType type) =>
        new(type.Element == ElementType.Int8, type.Quantization!.Scale, type.Quantization.ZeroPoint);

    private sealed class AddStep(LinearByte a, LinearByte b, LinearByte y, int min, int max) : Step
    {
        public override void Run(ForwardContext context) => ElementParts.Run(
            new AddWork
            {
                Step = this,
                A = (byte*)context.Inputs[0].Memory,
                B = (byte*)context.Inputs[1].Memory,
                Y = (byte*)context.Outputs[0].Memory,
            },
            context.Outputs[0].Shape.ElementCount,
            1,
            context.Threads);

        private void Part(AddWork work, nint start, nint end) =>
            LinearBytes.Add(work.A + start, a, work.B + start, b, work.Y + start, end - start, y, min, max);

        private struct AddWork : IRangeWork
        {
            public AddStep Step;
            public byte* A;
            public byte* B;
            public byte* Y;

            public readonly void Run(nint start, nint end) => Step.Part(this, start, end);
        }
    }
}
