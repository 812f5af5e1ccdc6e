using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// A dense layer of quantized numbers: x (..., I), weights (I, O), with one scale or O of them, bias (O) or none -> (..., O).
/// </summary>
internal sealed class QuantizedDenseOperator(ElementType element, Quantization output, int clampMin, int clampMax, Requantization rounding)
    : QuantizedLayerOperator(element, output, clampMin, clampMax, rounding)
{
    public override string Kind => "QuantizedDense";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = OperatorChecks.Required(inputs, 0, "input");
        var weights = OperatorChecks.Required(inputs, 1, "weights");
        if (weights.Shape.Rank != 2 || weights.Shape.ElementCount == 0)
            throw new ArgumentException($"The weights are {weights}; expected 2 dimensions (inputs, outputs), none of them 0.");
        if (input.Shape.Rank == 0 || input.Shape[^1] != weights.Shape[0])
        {
            throw new ArgumentException(
                $"The input is {input} but the weights {weights.Shape} are for {weights.Shape[0]} numbers; "
                + "the input's last dimension must be that.");
        }

        CheckTypes(inputs, weights.Shape[1]);
        var shape = input.Shape.Lengths.ToArray();
        shape[^1] = weights.Shape[1];
        return [new(Element, new TensorShape(shape), Output)];
    }

    internal override OperatorCost Cost(Node node) => new(checked(node.Inputs[0]!.Shape.ElementCount * node.Inputs[1]!.Shape[1]));

    private protected override bool MultipliesScalesAsFloats(TensorType input, TensorType weights) => weights.Quantization!.IsPerTensor;

    private protected override Step Create(TensorType input, TensorType weights, ReadOnlySpan<byte> weightBytes, ReadOnlySpan<int> bias)
    {
        var (inputs, outputs) = (weights.Shape[0], weights.Shape[1]);
        var layer = Layer(input, weights, weightBytes, outputs, bias);
        return new QuantizedDenseStep(
            new QuantizedConvLoop(layer, 1, inputs, outputs, 1, SimdWidths.Best), checked((nint)(input.Shape.ElementCount / inputs)));
    }
}

/// <summary>A quantized dense layer with its weights packed, for one size of input.</summary>
internal sealed unsafe class QuantizedDenseStep(QuantizedConvLoop loop, nint rows) : Step
{
    public override bool Reads(int input) => input == 0;

    public override void Run(ForwardContext context) =>
        loop.RunPointwise((byte*)context.Inputs[0].Memory, (byte*)context.Outputs[0].Memory, rows, context.Threads);
}
