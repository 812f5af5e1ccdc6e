namespace SeparableConv.Networks.Separating;

/// <summary>What a separation ends at.</summary>
internal enum SeparationGoal
{
    Macs,
    Parameters,
    Latency,
    Error,
    Loss,
}

/// <summary>What was asked for.</summary>
/// <param name="Network">The network.</param>
internal sealed record SeparationSettings(Network Network)
{
    public SeparationMethod Method { get; init; }

    public bool IsUniform { get; init; }

    /// <summary>Whether dense layers are taken apart too.</summary>
    public bool TakesDense { get; init; }

    /// <summary>(count, input without its batch); null without a calibration.</summary>
    public float[]? Inputs { get; init; }

    public int InputCount { get; init; }

    public SeparationGoal Goal { get; init; }

    /// <summary>A share of what the goal counts, or the most that may be lost.</summary>
    public double Share { get; init; } = 1.0 / 3;

    public Func<Network, double>? Loss { get; init; }

    public int Threads { get; init; } = Threading.WorkerPool.DefaultThreads;
}
