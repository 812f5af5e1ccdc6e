namespace SeparableConv.Networks.Operators;

/// <summary>
/// zeroPoint + round(x / scale), half away from zero and saturating: float32 -> int8, uint8 or int16 of the same shape, as TensorFlow Lite
/// quantizes. NaN becomes the zero point.
/// </summary>
internal sealed class TFLiteQuantizeOperator(ElementType element, Quantization output) : QuantizedOperator
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
            var x = context.Inputs[0].Span<float>();
            if (element == ElementType.Int16)
            {
                var wide = context.Outputs[0].Span<short>();
                for (var i = 0; i < x.Length; i++)
                    wide[i] = (short)QuantizedTypes.Quantize(x[i], output, element);
                return;
            }

            var y = context.Outputs[0].Bytes();
            for (var i = 0; i < x.Length; i++)
                y[i] = (byte)QuantizedTypes.Quantize(x[i], output, element);
        }
    }
}
