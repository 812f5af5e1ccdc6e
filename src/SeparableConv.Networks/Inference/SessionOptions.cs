using SeparableConv.Threading;

namespace SeparableConv.Networks;

/// <summary>How a network is run.</summary>
public sealed record SessionOptions
{
    /// <summary>The most threads to use, 1 to 1024; one a processor by default. The result does not depend on it.</summary>
    public int Threads { get; init; } = WorkerPool.DefaultThreads;
}
