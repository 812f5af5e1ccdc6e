using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// zeroPoint + round(x / scale), half away from zero and saturating: float32 -> int8, uint8 or int16 of the same shape, as TensorFlow Lite
/// quantizes. NaN becomes the zero point.
/// </summary>
internal sealed unsafe class TFLiteQuantizeOperator(ElementType element, Quantization output) : QuantizedOperator
{
    public override string Kind => "Quantize";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = OperatorChecks.Required(inputs, 0, "input");
        if (input.Element != ElementType.Float32)
            throw new ArgumentException($"The input is {input}; expected float32.");
        if (!element.IsByte() && element != ElementType.Int16)
            throw new ArgumentException($"The output is to be {element.ToString().ToLowerInvariant()}; expected int8, uint8 or int16.");
        QuantizedTypes.CheckPerTensor(output, element, "output");
        return [new(element, input.Shape, output)];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Type.Shape.ElementCount);

    private protected override Step Prepare(TensorType[] inputs, TensorType outputType) => new QuantizeStep(element, output);

    private sealed class QuantizeStep(ElementType element, Quantization output) : Step
    {
        public override void Run(ForwardContext context)
        {
            var (x, y) = (context.Inputs[0], context.Outputs[0]);
            ElementParts.Run(
                new Work { X = x.Pointer<float>(), Y = y.Memory, Element = element, Output = output },
                x.Shape.ElementCount,
                1,
                context.Threads);
        }
    }

    private struct Work : IRangeWork
    {
        public float* X;
        public void* Y;
        public ElementType Element;
        public Quantization Output;

        public readonly void Run(nint start, nint end)
        {
            var (scale, zeroPoint) = (Output.Scale, Output.ZeroPoint);
            if (Element == ElementType.Int16)
            {
                LinearBytes.Quantize<LinearBytes.HalfAway>(X + start, (short*)Y + start, end - start, scale, zeroPoint);
                return;
            }

            var (least, most) = QuantizedTypes.Range(Element);
            LinearBytes.Quantize<LinearBytes.HalfAway>(
                X + start, (byte*)Y + start, end - start, new(Element == ElementType.Int8, scale, zeroPoint), least, most);
        }
    }
}
