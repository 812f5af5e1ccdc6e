namespace SeparableConv.Networks.Separating;

/// <summary>One of the convolutions that a layer becomes.</summary>
/// <param name="Operator">A Conv2D or a DepthwiseConv2D without an activation.</param>
/// <param name="Shape">(kH, kW, C/groups, O), or (kH, kW, C, M).</param>
/// <param name="Weights">The numbers.</param>
/// <param name="ChannelMap">The channel that each depthwise kernel reads; null where they stand in the order of the channels.</param>
internal sealed record ConvStage(FloatConvOperator Operator, TensorShape Shape, float[] Weights, int[]? ChannelMap = null)
{
    public static ConvStage Standard(Size2D kernel, int groupChannels, int filters, ConvOptions options, float[] weights) =>
        new(new Conv2DOperator(options), new(kernel.Height, kernel.Width, groupChannels, filters), weights);

    public static ConvStage Pointwise(int groupChannels, int filters, int groups, float[] weights) =>
        Standard(1, groupChannels, filters, new() { Groups = groups }, weights);

    public static ConvStage Depthwise(Size2D kernel, int channels, int multiplier, ConvOptions options, float[] weights) =>
        new(new DepthwiseConv2DOperator(options), new(kernel.Height, kernel.Width, channels, multiplier), weights);

    /// <summary>A kernel for each entry of the map: weights (kH, kW, entries).</summary>
    public static ConvStage Mapped(Size2D kernel, int[] map, ConvOptions options, float[] weights) =>
        new(new DepthwiseConv2DOperator(options), new(kernel.Height, kernel.Width, map.Length, 1), weights, map);

    /// <summary>Channels of the output.</summary>
    public int Filters => Operator is DepthwiseConv2DOperator ? Shape[2] * Shape[3] : Shape[3];

    /// <summary>Its sizes behind an input (N, height, width, channels).</summary>
    public ConvGeometry Geometry(TensorShape input)
    {
        int[] read = ChannelMap is null ? input.Lengths.ToArray() : [.. input.Lengths[..3], ChannelMap.Length];
        return Operator.Geometry(new(ElementType.Float32, new TensorShape(read)), new(ElementType.Float32, Shape));
    }
}
