using SeparableConv.Threading;

namespace SeparableConv;

/// <summary>How a convolution is computed, as opposed to what it computes (<see cref="ConvOptions"/>).</summary>
public sealed record ExecutionOptions
{
    /// <summary>All processors, and Winograd's form where it is faster.</summary>
    public static ExecutionOptions Default { get; } = new();

    /// <summary>The most threads to use, 1 to 1024; one a processor by default. The result does not depend on it.</summary>
    public int Threads { get; init; } = WorkerPool.DefaultThreads;

    /// <summary>
    /// Whether a standard 3x3 convolution of stride 1 may be computed after Winograd, F(2x2, 3x3), where that is faster: 2.25
    /// times fewer multiplications; true by default. Whole numbers stay exact, other errors stay near those of the direct form;
    /// but a large number, an infinity or a NaN in the input also shows at the other output pixels of its 2x2 tiles. False gives
    /// the direct form.
    /// </summary>
    public bool Winograd { get; init; } = true;
}
