using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Depthwise convolution of quantized numbers: x (N, inH, inW, C), weights (kH, kW, C, M), with one scale or C*M of them, bias (C*M) or
/// none -> (N, outH, outW, C*M). Padding reads as the input's zero point.
/// </summary>
internal sealed class QuantizedDepthwiseConv2DOperator(
    ConvOptions options, ElementType element, Quantization output, int clampMin, int clampMax, Requantization rounding)
    : QuantizedConvOperator(options, element, output, clampMin, clampMax, rounding)
{
    public override string Kind => "QuantizedDepthwiseConv2D";

    public override QuantizedConvOperator With(ConvOptions options) =>
        new QuantizedDepthwiseConv2DOperator(options, Element, Output, ClampMin, ClampMax, Rounding);

    public override ConvGeometry Geometry(TensorType input, TensorType weights)
    {
        var shape = weights.Shape;
        if (shape.Rank != 4)
            throw new ArgumentException($"The weights are {weights}; expected 4 dimensions (height, width, channels, multiplier).");
        return ConvShapes.Geometry(input, (shape[0], shape[1]), shape[2], checked(shape[2] * shape[3]), Options, shape[2]);
    }

    /// <summary>The same numbers in unsigned bytes: see <see cref="QuantizedConv2DOperator.AsUnsigned"/>.</summary>
    public QuantizedDepthwiseConv2DOperator AsUnsigned() => Element == ElementType.UInt8
        ? this
        : new(Options, ElementType.UInt8, QuantizedTypes.AsUnsigned(Output), ClampMin + 128, ClampMax + 128, Rounding);

    internal override OperatorCost Cost(Node node)
    {
        var g = Geometry(node.Inputs[0]!.Type, node.Inputs[1]!.Type);
        return new(ConvCost.Depthwise(g, g.OutChannels / g.InChannels).Macs);
    }

    /// <summary>The loop with its weights packed.</summary>
    internal QuantizedDepthwiseLoop Loop(TensorType input, TensorType weights, ReadOnlySpan<byte> weightBytes, ReadOnlySpan<int> bias)
    {
        var g = Geometry(input, weights);
        return new(Layer(input, weights, weightBytes, g.OutChannels, bias), g, SimdWidths.Best);
    }

    private protected override Step Create(TensorType input, TensorType weights, ReadOnlySpan<byte> weightBytes, ReadOnlySpan<int> bias)
    {
        var g = Geometry(input, weights);
        if (g.InChannels > 1)
            return new QuantizedDepthwiseStep(Loop(input, weights, weightBytes, bias));

        // One channel makes a standard convolution of it, which reads that once for all filters.
        var layer = Layer(input, weights, weightBytes, g.OutChannels, bias);
        return new QuantizedConvStep(new(layer, g.Kernel, 1, g.OutChannels, 1, SimdWidths.Best), g);
    }
}

/// <summary>A quantized depthwise convolution with its weights packed, for one size of input.</summary>
internal sealed unsafe class QuantizedDepthwiseStep(QuantizedDepthwiseLoop loop) : Step
{
    public override bool Reads(int input) => input == 0;

    public override void Run(ForwardContext context) =>
        loop.Run((byte*)context.Inputs[0].Memory, (byte*)context.Outputs[0].Memory, context.Threads);
}
