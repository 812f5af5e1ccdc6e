using System.Numerics.Tensors;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Depthwise convolution, bias and activation fused: x (N, inH, inW, C), weights (kH, kW, C, M), bias (C*M) or none ->
/// (N, outH, outW, C*M). The formula is <see cref="DepthwiseConv2D"/>'s.
/// </summary>
internal sealed class DepthwiseConv2DOperator(ConvOptions options) : FloatConvOperator(options)
{
    public override string Kind => "DepthwiseConv2D";

    public override FloatConvOperator With(ConvOptions options) => new DepthwiseConv2DOperator(options);

    public override ConvGeometry Geometry(TensorType input, TensorType weights)
    {
        var shape = weights.Shape;
        return ConvShapes.Geometry(input, (shape[0], shape[1]), shape[2], checked(shape[2] * shape[3]), Options, shape[2]);
    }

    internal override OperatorCost Cost(Node node)
    {
        var g = Geometry(node.Inputs[0]!.Type, node.Inputs[1]!.Type);
        return new(ConvCost.Depthwise(g, g.OutChannels / g.InChannels).Macs);
    }

    internal override Convolution Create(in ReadOnlyTensorSpan<float> weights, ReadOnlySpan<float> bias) =>
        new DepthwiseConv2D(weights, bias, Options);
}
