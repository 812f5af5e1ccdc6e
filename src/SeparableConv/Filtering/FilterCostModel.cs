using System.Numerics;

namespace SeparableConv.Filtering;

/// <summary>Estimates what a filter costs on one thread, in nanoseconds an element (a channel of a pixel).</summary>
/// <remarks>
/// dense = fixed + tap * (taps that are not zero); separable = fixed + column * (column taps) + row * (row taps) + term * (terms - 1),
/// taps of all terms added up; box = fixed + doubling * log2(columns), whatever the rows. Only ratios matter for the choice, and they
/// differ little between machines. The constants are least-squares
/// fits, here on one Zen 5 core, by the suite <c>filters --fit</c> of the bench project, which prints this table anew
/// for the machine it runs on: pictures of 1920x1080x3, 7 dense kernels from 1x1 to 15x15, 10 separable ones from 3x3 to 31x31,
/// 6 sums of 2 to 8 separable ones, 5 boxes from 21x21 to 101x101. Wide separable ones mirror, as most filters do.
/// </remarks>
internal static class FilterCostModel
{
    private readonly record struct Constants(
        double DenseFixed,
        double DenseTap,
        double SeparableFixed,
        double Column,
        double Row,
        double Term,
        double BoxFixed,
        double BoxDoubling);

    public static double Dense(ElementType type, int taps)
    {
        var c = For(type);
        return c.DenseFixed + (c.DenseTap * taps);
    }

    public static double Separable(ElementType type, int columnTaps, int rowTaps, int terms)
    {
        var c = For(type);
        return c.SeparableFixed + (c.Column * columnTaps) + (c.Row * rowTaps) + (c.Term * (terms - 1));
    }

    public static double Box(ElementType type, int columns)
    {
        var c = For(type);
        return c.BoxFixed + (c.BoxDoubling * BitOperations.Log2((uint)columns));
    }

    private static Constants For(ElementType type) => type switch
    {
        ElementType.UInt8 => new(0.125, 0.0152, 0.026, 0.0135, 0.0166, 0.133, 1.32, 0.051),
        ElementType.UInt16 => new(0.204, 0.0148, 0.108, 0.0137, 0.0179, 0.219, 1.38, 0.071),
        _ => new(0.342, 0.0142, 0.129, 0.0204, 0.0218, 0.355, 0.963, 0.199),
    };
}
