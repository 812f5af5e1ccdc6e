namespace SeparableConv;

/// <summary>
/// What a convolution computes: how it moves over its input, and what follows it. How that is computed is said by
/// <see cref="ExecutionOptions"/>.
/// </summary>
public sealed record ConvOptions
{
    /// <summary>Stride 1, dilation 1, no padding, one group, no activation.</summary>
    public static ConvOptions Default { get; } = new();

    /// <summary>Input positions from one output position to the next, on each axis; 1 by default.</summary>
    public Size2D Stride { get; init; } = 1;

    /// <summary>Input positions from one kernel tap to the next, on each axis; 1 by default. Legal together with any stride.</summary>
    public Size2D Dilation { get; init; } = 1;

    /// <summary>The border of zeros; none by default.</summary>
    public Padding Padding { get; init; } = Padding.Valid;

    /// <summary>
    /// Groups that input channels and filters are cut into, each group of filters reading its own group of channels; 1 by default.
    /// </summary>
    public int Groups { get; init; } = 1;

    /// <summary>What is applied to each sum in the same pass; none by default.</summary>
    public Activation Activation { get; init; } = Activation.None;
}
