namespace SeparableConv.Networks.Formats;

/// <summary>Another batch than the one that a file fixes.</summary>
/// <param name="Before">The file's.</param>
/// <param name="After">What the caller wants.</param>
internal sealed record BatchChange(int Before, int After)
{
    /// <summary>The network with the batch that is wanted.</summary>
    /// <exception cref="NetworkException">It works for its own batch only; the message says why.</exception>
    public Network Of(Network network) => network.Inputs.Count > 0 && network.Inputs[0].Shape is { Rank: > 0 } shape && shape[0] == Before
        ? network.WithBatch(After)
        : throw new NetworkException(
            $"The batch is {Before} in the model and {After} is wanted, but the first input has another; make the model with that batch.");
}
