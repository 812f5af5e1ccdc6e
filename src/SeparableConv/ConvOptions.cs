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
    /// Whether algorithms with fewer multiplications may be used where they are faster; true by default. Standard 3x3 of stride 1:
    /// Winograd, F(2x2, 3x3), 2.25 times fewer. 1x1 with many channels: a level of Strassen, an eighth fewer. Whole numbers stay exact,
    /// other errors stay near those of the plain sums; but a large number, an infinity or a NaN in the input also shows at the other
    /// output pixels of its 2x2 tile (Winograd) or at the pixel beside it (Strassen), and there in all channels. False gives the plain sums.
    /// </summary>
    public bool FastAlgorithms { get; init; } = true;

    /// <summary>The most threads to use, 1 to 1024; one a processor by default. The result does not depend on it.</summary>
    public int Threads { get; init; } = WorkerPool.DefaultThreads;
}
