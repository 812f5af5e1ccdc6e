namespace SeparableConv.Networks;

/// <summary>
/// What a network remembers from run to run, such as the last frames of a stream: each session has its own, which begins with
/// <see cref="Initial"/> and is after each run what the run computed for it.
/// </summary>
public sealed class NetworkState
{
    internal NetworkState(Value current, Value next, TensorData initial) => (Current, Next, Initial) = (current, next, initial);

    /// <summary>What the nodes read: what the run before left.</summary>
    public Value Current { get; }

    /// <summary>What the run leaves for the next one, of the same type.</summary>
    public Value Next { get; }

    /// <summary>What the first run reads.</summary>
    public TensorData Initial { get; }
}
