using SeparableConv.Threading;

namespace SeparableConv.Networks;

/// <summary>How a network is compiled: what is joined, what may be used, how much memory.</summary>
public sealed record CompileOptions
{
    /// <summary>The most threads to use, 1 to 1024; one a processor by default. The result does not depend on it.</summary>
    public int Threads { get; init; } = WorkerPool.DefaultThreads;

    /// <summary>
    /// Whether constants are folded, batch normalization, scales and borders merged into convolutions, activations fused, and
    /// neighbouring operators joined, and quantized layers run in integers; true by default. False runs the network node by node as it is.
    /// Answers differ by rounding.
    /// </summary>
    public bool Optimize { get; init; } = true;

    /// <summary>
    /// The most bytes that what flows between the operators may take; 4 GiB by default. A network that needs more is refused
    /// before anything is allocated.
    /// </summary>
    public long MemoryLimit { get; init; } = 4L << 30;
}
