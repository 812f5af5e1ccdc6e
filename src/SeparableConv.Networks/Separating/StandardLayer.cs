namespace SeparableConv.Networks.Separating;

/// <summary>
/// A standard convolution as separating sees it. A patch is what a filter reads at one position: (tap, channel) of its group, the channel
/// running fastest, as the weights lie.
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

    public int Taps => Kernel.Height * Kernel.Width;

    /// <summary>Numbers of a patch.</summary>
    public int PatchLength => Taps * GroupChannels;

    public long Macs => ConvCost.Standard(Geometry).Macs;

    public long Parameters => Weights.LongLength + (Bias?.Length ?? 0);

    /// <summary>
    /// Sees a node as a standard convolution that could be taken apart; null where it is another operator, has a 1x1 kernel, or is
    /// depthwise already, and where its weights are not constants.
    /// </summary>
    public static StandardLayer? Of(Node node)
    {
        if (node.Operator is not Conv2DOperator { Options: { Activation.IsNone: true } options } conv
            || node.Inputs[1]!.Constant is not { } weights
            || (node.Inputs.Count > 2 && node.Inputs[2] is { IsConstant: false }))
        {
            return null;
        }

        var geometry = conv.Geometry(node.Inputs[0]!.Type, weights.Type);
        if (geometry.Kernel == new Size2D(1, 1) || geometry.InChannels == geometry.Groups)
            return null;
        return new(node, options, weights, node.Inputs.Count > 2 ? node.Inputs[2]?.Constant : null, geometry);
    }

    /// <summary>The weight of a filter, counted from 0 over all groups, for a tap and a channel of its group.</summary>
    public float Weight(int tap, int channel, int filter) => Weights[(((tap * GroupChannels) + channel) * Filters) + filter];
}
