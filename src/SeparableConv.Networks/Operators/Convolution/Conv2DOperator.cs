using System.Numerics.Tensors;
using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Standard, grouped or pointwise convolution, bias and activation fused: x (N, inH, inW, C), weights (kH, kW, C/groups, O),
/// bias (O) or none -> (N, outH, outW, O). The formula is <see cref="Conv2D"/>'s.
/// </summary>
internal sealed class Conv2DOperator(ConvOptions options) : FloatConvOperator(options)
{
    public override string Kind => "Conv2D";

    public override FloatConvOperator With(ConvOptions options) => new Conv2DOperator(options);

    public override ConvGeometry Geometry(TensorType input, TensorType weights)
    {
        var shape = weights.Shape;
        return ConvShapes.Geometry(input, (shape[0], shape[1]), checked(shape[2] * Options.Groups), shape[3], Options, Options.Groups);
    }

    internal override OperatorCost Cost(Node node) => new(ConvCost.Standard(Geometry(node.Inputs[0]!.Type, node.Inputs[1]!.Type)).Macs);

    internal override Convolution Create(
        in ReadOnlyTensorSpan<float> weights, ReadOnlySpan<float> bias, ExecutionOptions? execution = null) =>
        new Conv2D(weights, bias, Options, execution);

    /// <summary>The loop that computes some rows at a time, for a convolution of one group.</summary>
    public IRowLoop RowLoop(in ConvGeometry g, ReadOnlySpan<float> weights, ReadOnlySpan<float> bias)
    {
        var kernel = new Size2D(g.Rows.Kernel, g.Columns.Kernel);
        return PointwiseConv2D.Fits(kernel, Options)
            ? new PointwiseLoop(weights, g.InChannels, g.OutChannels, bias, Options.Activation, SimdWidths.Best)
            : new StandardLoop(
                weights, kernel, g.InChannels, g.OutChannels, 1, Options.Dilation.Width, bias, Options.Activation, SimdWidths.Best);
    }
}
