namespace SeparableConv.Networks.Operators;

/// <summary>Which pixel is the nearest to a place between two.</summary>
internal enum NearestRounding
{
    /// <summary>The nearer one, the lower of two that are equally near.</summary>
    RoundPreferFloor,

    /// <summary>The nearer one, the upper of two that are equally near.</summary>
    RoundPreferCeil,

    /// <summary>The lower one.</summary>
    Floor,

    /// <summary>The upper one.</summary>
    Ceil,
}
