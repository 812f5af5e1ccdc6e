using System.Globalization;

namespace SeparableConv.Cli.Output;

/// <summary>
/// What separating costs a small network in accuracy, as <c>sepconv train --compare</c> measured it: three blocks of F, 2F and 4F filters
/// on Fashion-MNIST. docs/training.md has the command and the whole table.
/// </summary>
internal static class SeparationEvidence
{
    // Above these a network loses less than 2 points, and those that are separated in practice are above.
    private const long MostParameters = 5_000;
    private const int MostChannels = 16;

    /// <summary>The networks that were compared.</summary>
    public static readonly Network[] Networks =
    [
        new(Filters: 2, Parameters: 282, Lost: 4.76, LostWithTwo: 1.00),
        new(Filters: 4, Parameters: 634, Lost: 4.14, LostWithTwo: 1.40),
        new(Filters: 8, Parameters: 1_578, Lost: 3.38, LostWithTwo: 1.21),
        new(Filters: 16, Parameters: 4_426, Lost: 2.57, LostWithTwo: 0.91),
        new(Filters: 32, Parameters: 13_962, Lost: 1.26, LostWithTwo: 0.52),
    ];

    /// <summary>
    /// What a network has to expect that has so many parameters with separable convolutions; null where it is large enough.
    /// </summary>
    public static string? OfNetwork(long parameters)
    {
        if (parameters > MostParameters)
            return null;
        var near = Networks.MinBy(network => Math.Abs(Math.Log((double)network.Parameters / Math.Max(1, parameters))))!;
        return $"with separable convolutions it would have {Numbers.Count(parameters)} parameters, and too few of them stop a network "
            + $"from learning: one with {Numbers.Count(near.Parameters)} lost {Points(near.Lost)} points of accuracy to its standard twin, "
            + $"{Points(near.LostWithTwo)} with two depthwise kernels a channel (docs/training.md)";
    }

    /// <summary>The same for a layer with so many channels between its depthwise and its pointwise half.</summary>
    public static string? OfLayer(long channels)
    {
        if (channels >= MostChannels)
            return null;
        var near = Networks.MinBy(network => Math.Abs(Math.Log((double)network.Filters / channels)))!;
        return $"only {channels} {(channels == 1 ? "channel lies" : "channels lie")} between the depthwise and the pointwise half, and too "
            + $"few stop a network from learning: one with layers of {near.Filters} and {2 * near.Filters} lost {Points(near.Lost)} points "
            + $"of accuracy to its standard twin, {Points(near.LostWithTwo)} with --depth-multiplier 2 (docs/training.md)";
    }

    private static string Points(double points) => points.ToString("0.0", CultureInfo.InvariantCulture);

    /// <summary>A network that was compared.</summary>
    /// <param name="Filters">Filters of its first block: channels of its first separable layer; its second has twice as many.</param>
    /// <param name="Parameters">Parameters with separable convolutions.</param>
    /// <param name="Lost">Points of accuracy below the standard network, mean over three seeds.</param>
    /// <param name="LostWithTwo">The same with two depthwise kernels a channel.</param>
    public sealed record Network(int Filters, long Parameters, double Lost, double LostWithTwo);
}
