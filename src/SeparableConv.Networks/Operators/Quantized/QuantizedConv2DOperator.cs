using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// What the quantized convolutions share: x (N, inH, inW, C), weights of four dimensions and, where there is one, a bias (O) ->
/// (N, outH, outW, O). Padding reads as the input's zero point.
/// </summary>
internal abstract class QuantizedConvOperator(
    ConvOptions options, ElementType element, Quantization output, int clampMin, int clampMax, Requantization rounding)
    : QuantizedLayerOperator(element, output, clampMin, clampMax, rounding)
{
    /// <summary>Stride, dilation, padding and, where there are any, groups; its activation and threads are not used.</summary>
    public ConvOptions Options { get; } = options;

    /// <summary>The same operator with other options.</summary>
    public abstract QuantizedConvOperator With(ConvOptions options);

    /// <summary>The sizes, from the types of input and weights.</summary>
    /// <exception cref="ArgumentException">They do not fit.</exception>
    public abstract ConvGeometry Geometry(TensorType input, TensorType weights);

    internal sealed override ConvGeometry? Geometry(Node node) => Geometry(node.Inputs[0]!.Type, node.Inputs[1]!.Type);

    internal sealed override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var g = Geometry(OperatorChecks.Required(inputs, 0, "input"), OperatorChecks.Required(inputs, 1, "weights"));
        CheckTypes(inputs, g.OutChannels);
        return [new(Element, ConvShapes.Output(g), Output)];
    }
}

/// <summary>
/// Standard, grouped or pointwise convolution of quantized numbers: x (N, inH, inW, C), weights (kH, kW, C/groups, O), bias (O) or none
/// -> (N, outH, outW, O). Padding reads as the input's zero point.
/// </summary>
internal sealed class QuantizedConv2DOperator(
    ConvOptions options, ElementType element, Quantization output, int clampMin, int clampMax, Requantization rounding)
    : QuantizedConvOperator(options, element, output, clampMin, clampMax, rounding)
{
    public override string Kind => "QuantizedConv2D";

    public override QuantizedConvOperator With(ConvOptions options) =>
        new QuantizedConv2DOperator(options, Element, Output, ClampMin, ClampMax, Rounding);

    public override ConvGeometry Geometry(TensorType input, TensorType weights)
    {
        var shape = weights.Shape;
        if (shape.Rank != 4)
            throw new ArgumentException($"The weights are {weights}; expected 4 dimensions (height, width, channels a group, filters).");
        return ConvShapes.Geometry(input, (shape[0], shape[1]), checked(shape[2] * Options.Groups), shape[3], Options, Options.Groups);
    }

    /// <summary>
    /// The same numbers in unsigned bytes, 128 above signed ones, as products of four bytes read them without a copy.
    /// </summary>
    public QuantizedConv2DOperator AsUnsigned() => Element == ElementType.UInt8
        ? this
        : new(Options, ElementType.UInt8, QuantizedTypes.AsUnsigned(Output), ClampMin + 128, ClampMax + 128, Rounding);

    internal override OperatorCost Cost(Node node) => new(ConvCost.Standard(Geometry(node.Inputs[0]!.Type, node.Inputs[1]!.Type)).Macs);

    /// <summary>The loop with its weights packed.</summary>
    internal QuantizedConvLoop Loop(TensorType input, TensorType weights, ReadOnlySpan<byte> weightBytes, ReadOnlySpan<int> bias)
    {
        var g = Geometry(input, weights);
        var layer = Layer(input, weights, weightBytes, g.OutChannels, bias);
        return new(layer, g.Kernel, g.InChannels, g.OutChannels, g.Groups, SimdWidths.Best);
    }

    private protected override Step Create(TensorType input, TensorType weights, ReadOnlySpan<byte> weightBytes, ReadOnlySpan<int> bias) =>
        new QuantizedConvStep(Loop(input, weights, weightBytes, bias), Geometry(input, weights));
}

/// <summary>A quantized convolution with its weights packed, for one size of input.</summary>
internal sealed unsafe class QuantizedConvStep(QuantizedConvLoop loop, ConvGeometry geometry) : Step
{
    public override bool Reads(int input) => input == 0;

    public override void Run(ForwardContext context) =>
        loop.Run((byte*)context.Inputs[0].Memory, (byte*)context.Outputs[0].Memory, geometry, context.Threads);
}
