using System.Globalization;

namespace SeparableConv;

/// <summary>Which plan to use: what costs least (the default), or one that is named.</summary>
/// <param name="Kind">The kind; null for the cheapest.</param>
/// <param name="Rank">The rank where the kind is <see cref="FilterPlanKind.RankR"/>; otherwise 0.</param>
public readonly record struct FilterPlanChoice(FilterPlanKind? Kind, int Rank)
{
    /// <summary>The cheapest plan that keeps <see cref="FilterOptions.MaxError"/>.</summary>
    public static FilterPlanChoice Auto => default;

    /// <summary>The dense plan.</summary>
    public static FilterPlanChoice Dense => new(FilterPlanKind.Dense, 0);

    /// <summary>The separable plan; it is refused where the kernel's rank is not 1.</summary>
    public static FilterPlanChoice Separable => new(FilterPlanKind.Separable, 0);

    /// <summary>Running sums; they are refused where the kernel is not one number in a rectangle.</summary>
    public static FilterPlanChoice Box => new(FilterPlanKind.Box, 0);

    /// <summary>A sum of separable filters; exact from the kernel's own rank on, an approximation below.</summary>
    /// <param name="rank">Terms, 1 to min(kH, kW).</param>
    /// <returns>The choice.</returns>
    public static FilterPlanChoice OfRank(int rank) => new(FilterPlanKind.RankR, rank);

    /// <summary>Reads <c>auto</c>, <c>dense</c>, <c>separable</c>, <c>box</c> or <c>rank:R</c>.</summary>
    /// <param name="text">The text; case does not matter.</param>
    /// <returns>The choice.</returns>
    /// <exception cref="FormatException">The text is none of them.</exception>
    public static FilterPlanChoice Parse(string text)
    {
        var lower = text.Trim().ToLowerInvariant();
        if (lower.StartsWith("rank:", StringComparison.Ordinal)
            && int.TryParse(lower.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out var rank) && rank > 0)
            return OfRank(rank);
        return lower switch
        {
            "auto" => Auto,
            "dense" => Dense,
            "separable" => Separable,
            "box" => Box,
            _ => throw new FormatException($"The plan '{text}' is unknown; use auto, dense, separable, box or rank:R with R at least 1."),
        };
    }

    /// <summary>The text that <see cref="Parse"/> reads.</summary>
    /// <returns>auto, dense, separable, box or rank:R.</returns>
    public override string ToString() => Kind switch
    {
        null => "auto",
        FilterPlanKind.Dense => "dense",
        FilterPlanKind.Separable => "separable",
        FilterPlanKind.Box => "box",
        _ => string.Create(CultureInfo.InvariantCulture, $"rank:{Rank}"),
    };
}
