namespace SeparableConv;

/// <summary>The ways to compute a filter.</summary>
public enum FilterPlanKind
{
    /// <summary>One sum over all kH*kW taps.</summary>
    Dense,

    /// <summary>A column of kH taps, then a row of kW: for kernels of rank 1.</summary>
    Separable,

    /// <summary>A sum of r separable filters: r*(kH + kW) taps.</summary>
    RankR,
}
