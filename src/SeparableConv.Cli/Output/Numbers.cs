using System.Globalization;

namespace SeparableConv.Cli.Output;

/// <summary>Writes numbers for people.</summary>
internal static class Numbers
{
    /// <summary>A whole number with commas between thousands: 1,228,800.</summary>
    public static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A number with six digits at most: 22.7753.</summary>
    public static string Short(double value) => value.ToString("G6", CultureInfo.InvariantCulture);

    /// <summary>A time with three digits and its unit: 4.12 ms.</summary>
    public static string Milliseconds(double value) => Three(value) + " ms";

    /// <summary>A number with three digits and without an exponent.</summary>
    public static string Three(double value) => value switch
    {
        >= 100 => value.ToString("N0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.0", CultureInfo.InvariantCulture),
        >= 1 => value.ToString("0.00", CultureInfo.InvariantCulture),
        _ => value.ToString("0.0000", CultureInfo.InvariantCulture),
    };

    /// <summary>Bytes in the largest unit that keeps the number at 1 or more: 1.5 MB.</summary>
    public static string Bytes(long value) => value switch
    {
        >= 1_000_000_000 => Three(value / 1e9) + " GB",
        >= 1_000_000 => Three(value / 1e6) + " MB",
        >= 1_000 => Three(value / 1e3) + " kB",
        _ => Count(value) + " bytes",
    };
}
