using SeparableConv.Threading;

namespace SeparableConv;

/// <summary>How a convolution moves over its input, and what follows it.</summary>
public sealed record ConvOptions
{
    /// <summary>Stride 1, dilation 1, no padding, one group, no activation, all processors.</summary>
    public static ConvOptions Default { get; } = new();

    /// <summary>Input positions from one output position to the next, on each axis; 1 by default.</summary>
    public Size2D Stride { get; init; } = 1;

    /// <summary>Input positions from one kernel tap to the next, on each axis; 1 by default. Legal together with any stride.</summary>
    public Size2D Dilation { get; init; } = 1;

    /// <summary>The border of zeros; none by default.</summary>
    public Padding Padding { get; init; } = Padding.Valid;

    /// <summary>Groups that input channels and filters are cut into, each group of filters reading its own group of channels; 1 by default.</summary>
    public int Groups { get; init; } = 1;

    /// <summary>What is applied to each sum in the same pass; none by default.</summary>
    public Activation Activation { get; init; } = Activation.None;

    /// <summary>
    /// Whether a standard 3x3 convolution of stride 1 may be computed after Winograd, F(2x2, 3x3), where that is faster: 2.25
    /// times fewer multiplications; true by default. Whole numbers stay exact, other errors stay near those of the direct form;
    /// but a large number, an infinity or a NaN in the input also shows at the other output pixels of its 2x2 tiles. False gives
    /// the direct form.
    /// </summary>
    public bool Winograd { get; init; } = true;

    /// <summary>The most threads to use, 1 to 1024; one a processor by default. The result does not depend on it.</summary>
    public int Threads { get; init; } = WorkerPool.DefaultThreads;
}
