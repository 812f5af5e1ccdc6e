namespace SeparableConv.Networks.Separating;

/// <summary>
/// A standard convolution as separating sees it. A patch is what a filter reads at one position: (tap, channel) of its group, the channel
/// running fastest, as the weights lie. A dense layer is seen as a 1x1 convolution of images of one pixel.
/// </summary>
internal sealed class StandardLayer
{
    private StandardLayer(Node node, ConvOptions options, TensorData weights, TensorData? bias, ConvGeometry geometry)
    {
        (Node, Options, Geometry) = (node, options, geometry);
        Weights = (float[])weights.Values;
        Bias = (float[]?)bias?.Values;
    }

    /// <summary>The node of the network that is taken apart.</summary>
    public Node Node { get; }

    public ConvOptions Options { get; }

    public ConvGeometry Geometry { get; }

    /// <summary>(kH, kW, C/groups, O).</summary>
    public float[] Weights { get; }

    public float[]? Bias { get; }

    public int Groups => Geometry.Groups;

    public int Channels => Geometry.InChannels;

    public int Filters => Geometry.OutChannels;

    public int GroupChannels => Channels / Groups;

    public int GroupFilters => Filters / Groups;

    public Size2D Kernel => Geometry.Kernel;

    /// <summary>(N, height, width, C).</summary>
    public TensorShape Input => new(Geometry.Batch, Geometry.Rows.In, Geometry.Columns.In, Channels);

    /// <summary>Whether the node is a dense layer.</summary>
    public bool IsDense => Node.Operator is DenseOperator;

    public int Taps => Kernel.Height * Kernel.Width;

    /// <summary>Numbers of a patch.</summary>
    public int PatchLength => Taps * GroupChannels;

    public long Macs => ConvCost.Standard(Geometry).Macs;

    public long Parameters => Weights.LongLength + (Bias?.Length ?? 0);

    /// <summary>
    /// Sees a node as a standard convolution or a dense layer that could be taken apart; null where it is another operator, is a
    /// convolution that has a 1x1 kernel or is depthwise already, and where its weights are not constants.
    /// </summary>
    public static StandardLayer? Of(Node node)
    {
        if (node.Operator is not (FloatConvOperator or DenseOperator)
            || node.Inputs[1]!.Constant is not { } weights
            || (node.Inputs.Count > 2 && node.Inputs[2] is { IsConstant: false }))
        {
            return null;
        }

        var bias = node.Inputs.Count > 2 ? node.Inputs[2]?.Constant : null;
        var input = node.Inputs[0]!.Type;
        switch (node.Operator)
        {
            case Conv2DOperator { Options: { Activation.IsNone: true } options } conv:
                var geometry = conv.Geometry(input, weights.Type);
                return geometry.Kernel == new Size2D(1, 1) || geometry.InChannels == geometry.Groups
                    ? null
                    : new(node, options, weights, bias, geometry);
            case DenseOperator { Activation.IsNone: true } when input.Shape.Rank == 2:
                var (channels, filters) = (weights.Type.Shape[0], weights.Type.Shape[1]);
                return new(
                    node, new(), weights, bias, ConvGeometry.Create(input.Shape[0], 1, channels, filters, 1, 1, 1, Padding.Valid));
            default:
                return null;
        }
    }

    /// <summary>The weight of a filter, counted from 0 over all groups, for a tap and a channel of its group.</summary>
    public float Weight(int tap, int channel, int filter) => Weights[(((tap * GroupChannels) + channel) * Filters) + filter];
}
