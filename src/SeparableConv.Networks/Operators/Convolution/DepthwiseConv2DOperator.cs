using System.Numerics.Tensors;
using SeparableConv.Loops;
using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Depthwise convolution, bias and activation fused: x (N, inH, inW, C), weights (kH, kW, C, M), bias (C*M) or none ->
/// (N, outH, outW, C*M). The formula is <see cref="DepthwiseConv2D"/>'s. With a channel map of E output channels the weights are
/// (kH, kW, E, 1), the bias (E) and the output (N, outH, outW, E): y[..., e] = sum of x[..., map[e]] * w[..., e].
/// </summary>
/// <remarks>
/// Only the compiler makes mapped ones, of a <see cref="GatherOperator"/> and a depthwise convolution; so they have no gradient.
/// </remarks>
internal sealed class DepthwiseConv2DOperator(ConvOptions options, DepthwiseMap? map = null) : FloatConvOperator(options)
{
    public override string Kind => "DepthwiseConv2D";

    /// <summary>The input channel that each output channel reads; null where output channel c*M+m reads channel c.</summary>
    public DepthwiseMap? Map { get; } = map;

    public override FloatConvOperator With(ConvOptions options) => new DepthwiseConv2DOperator(options, Map);

    /// <summary>The same operator whose output channels read the channels that the map names.</summary>
    public DepthwiseConv2DOperator With(DepthwiseMap? map) => new(Options, map);

    public override ConvGeometry Geometry(TensorType input, TensorType weights)
    {
        var shape = weights.Shape;
        if (Map is null)
            return ConvShapes.Geometry(input, (shape[0], shape[1]), shape[2], checked(shape[2] * shape[3]), Options, shape[2]);
        if (shape[2] != Map.OutChannels || shape[3] != 1)
        {
            throw new ArgumentException(
                $"The weights are {weights}; expected (kH, kW, {Map.OutChannels}, 1) for a map of {Map.OutChannels} output channels.");
        }

        // Each filter reads one channel alone, though the groups need not divide the filters.
        var g = ConvShapes.Geometry(input, (shape[0], shape[1]), Map.InChannels, Map.OutChannels, Options, groups: 1);
        return g with { Groups = Map.InChannels };
    }

    /// <summary>The loop for some weights and a bias or none.</summary>
    public DepthwiseLoop Loop(in ConvGeometry g, ReadOnlySpan<float> weights, ReadOnlySpan<float> bias)
    {
        var map = Map ?? DepthwiseMap.Uniform(g.InChannels, g.OutChannels / g.InChannels);
        return new(weights, g.Kernel, map, bias, Options.Activation, SimdWidths.Best);
    }

    internal override OperatorCost Cost(Node node) => new(ConvCost.Standard(Geometry(node.Inputs[0]!.Type, node.Inputs[1]!.Type)).Macs);

    internal override Value?[]? Gradient(GradientContext context) => Map is null ? base.Gradient(context) : null;

    internal override Convolution Create(
        in ReadOnlyTensorSpan<float> weights, ReadOnlySpan<float> bias, ExecutionOptions? execution = null) => Map is null
        ? new DepthwiseConv2D(weights, bias, Options, execution)
        : new DepthwiseConv2D(weights, Map, bias, Options, execution ?? ExecutionOptions.Default);
}
