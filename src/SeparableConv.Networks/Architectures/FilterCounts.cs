namespace SeparableConv.Networks.Architectures;

/// <summary>How MobileNetV2 and V3 round a number of filters that a width has multiplied.</summary>
internal static class FilterCounts
{
    /// <summary>The nearest multiple of 8, but never less than nine tenths.</summary>
    public static int Rounded(double filters)
    {
        var rounded = Math.Max(8, (int)(filters + 4) / 8 * 8);
        return rounded < 0.9 * filters ? rounded + 8 : rounded;
    }
}
