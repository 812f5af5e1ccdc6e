namespace SeparableConv.Networks.Separating;

/// <summary>A way to take a layer apart, and how much of it is kept.</summary>
/// <param name="Method">What it becomes.</param>
/// <param name="Rank">
/// Depthwise kernels in all for <see cref="SeparationMethod.DepthwisePointwise"/>, channels a filter for
/// <see cref="SeparationMethod.PointwiseDepthwise"/>, channels between the two convolutions of a group for the spatial ones.
/// </param>
/// <param name="Vertical">Depthwise kernels a channel of the first convolution, where both are taken apart.</param>
/// <param name="Horizontal">Depthwise kernels a channel of the second.</param>
/// <param name="IsUniform">Whether every channel has as many depthwise kernels.</param>
internal sealed record LayerForm(
    SeparationMethod Method, int Rank, int Vertical = 0, int Horizontal = 0, bool IsUniform = false)
{
    /// <summary>For example <c>spatial, rank 24</c>.</summary>
    public string Describe(StandardLayer layer) => Method switch
    {
        SeparationMethod.DepthwisePointwise => FormattableString.Invariant(
            $"dp, {Rank} kernels, {(double)Rank / layer.Channels:0.##} a channel"),
        SeparationMethod.PointwiseDepthwise => FormattableString.Invariant($"pd, {Rank} a filter"),
        SeparationMethod.Spatial when layer.IsDense => $"dense, through {Rank}",
        SeparationMethod.Spatial => FormattableString.Invariant($"spatial, rank {Rank}"),
        _ => FormattableString.Invariant($"spatial+dp, rank {Rank}, {Vertical} and {Horizontal} a channel"),
    };
}
