namespace SeparableConv.Cli.Commands;

/// <summary>The layer whose forms are counted.</summary>
/// <param name="Input">Height and width.</param>
/// <param name="Channels">C.</param>
/// <param name="Filters">O.</param>
/// <param name="Kernel">kH, kW.</param>
/// <param name="Stride">Of each axis.</param>
/// <param name="Dilation">Of each axis.</param>
/// <param name="Padding">The border.</param>
/// <param name="DepthMultiplier">M.</param>
internal sealed record Layer(
    Size2D Input, int Channels, int Filters, Size2D Kernel, Size2D Stride, Size2D Dilation, Padding Padding, int DepthMultiplier)
{
    /// <summary>The sizes of the standard form.</summary>
    /// <exception cref="ArgumentException">The sizes do not fit together.</exception>
    public ConvGeometry Geometry() => ConvGeometry.Create(1, Input, Channels, Filters, Kernel, Stride, Dilation, Padding);
}
