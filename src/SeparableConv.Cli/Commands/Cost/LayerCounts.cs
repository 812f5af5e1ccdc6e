namespace SeparableConv.Cli.Commands;

/// <summary>What each form of a layer costs, without computing any of it.</summary>
/// <param name="Geometry">The sizes.</param>
/// <param name="Standard">Every filter over all channels.</param>
/// <param name="Depthwise">The first half of the separable form.</param>
/// <param name="Pointwise">Its second half.</param>
/// <param name="Separable">Both halves, one after the other.</param>
/// <param name="Fused">Both halves, tile by tile; the tile itself is not counted.</param>
internal sealed record LayerCounts(
    ConvGeometry Geometry, ConvCost Standard, ConvCost Depthwise, ConvCost Pointwise, ConvCost Separable, ConvCost Fused)
{
    /// <summary>How many times fewer multiplications the separable form needs.</summary>
    public double Ratio => (double)Standard.Multiplications / Separable.Multiplications;

    /// <summary>Counts a layer.</summary>
    /// <exception cref="InputException">A count exceeds 2^63-1.</exception>
    public static LayerCounts Of(Layer layer)
    {
        var geometry = layer.Geometry();
        try
        {
            return new LayerCounts(
                geometry,
                ConvCost.Standard(geometry),
                ConvCost.Depthwise(geometry, layer.DepthMultiplier),
                ConvCost.Pointwise(geometry, layer.DepthMultiplier),
                ConvCost.DepthwiseSeparable(geometry, layer.DepthMultiplier),
                ConvCost.DepthwiseSeparableFused(geometry, 0, layer.DepthMultiplier));
        }
        catch (OverflowException e)
        {
            throw new InputException("A count of this layer is too large for 64 bits; use smaller sizes.", e);
        }
    }
}

/// <summary>The layer whose forms are counted.</summary>
/// <param name="Input">Height and width of the input.</param>
/// <param name="Channels">Channels of the input.</param>
/// <param name="Filters">Channels of the output.</param>
/// <param name="Kernel">Height and width of the kernel.</param>
/// <param name="Stride">Stride along each axis.</param>
/// <param name="Dilation">Dilation along each axis.</param>
/// <param name="Padding">Rows and columns of zeros around the input.</param>
/// <param name="DepthMultiplier">Depthwise kernels a channel.</param>
internal sealed record Layer(
    Size2D Input, int Channels, int Filters, Size2D Kernel, Size2D Stride, Size2D Dilation, Padding Padding, int DepthMultiplier)
{
    /// <summary>The sizes of the standard form.</summary>
    /// <exception cref="ArgumentException">The sizes do not fit together.</exception>
    public ConvGeometry Geometry() => ConvGeometry.Create(1, Input, Channels, Filters, Kernel, Stride, Dilation, Padding);
}
