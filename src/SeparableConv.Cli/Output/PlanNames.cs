using System.Globalization;

namespace SeparableConv.Cli.Output;

/// <summary>Writes plans, shapes and element types in the words of the command line.</summary>
internal static class PlanNames
{
    /// <summary>dense, separable, box or rank:R, as <c>--plan</c> takes them.</summary>
    public static string Of(FilterAlternative way) => way.Kind == FilterPlanKind.Separable ? "separable" : Choice(way).ToString();

    /// <summary>The choice that makes a plan of this way; an approximation of one term can only be asked for by its rank.</summary>
    public static FilterPlanChoice Choice(FilterAlternative way) => way.Kind switch
    {
        FilterPlanKind.Dense => FilterPlanChoice.Dense,
        FilterPlanKind.Separable => FilterPlanChoice.OfRank(1),
        FilterPlanKind.Box => FilterPlanChoice.Box,
        _ => FilterPlanChoice.OfRank(way.Rank),
    };

    /// <summary>An element type as NumPy names it: uint8, float32.</summary>
    public static string Of(ElementType type) => type.ToString().ToLowerInvariant();

    /// <summary>For example <c>3840x2160x3 uint8</c>: width, height, channels, type.</summary>
    public static string Of(ImageShape shape) =>
        string.Create(CultureInfo.InvariantCulture, $"{shape.Width}x{shape.Height}x{shape.Channels} {Of(shape.Type)}");
}
