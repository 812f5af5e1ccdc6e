using System.Numerics;

namespace SeparableConv.Filtering;

/// <summary>Estimates what a filter costs on one thread, in nanoseconds an element (a channel of a pixel).</summary>
/// <remarks>
/// dense = fixed + tap * (taps that are not zero); separable = fixed + column * (column taps) + row * (row taps) + term * (terms - 1),
/// taps of all terms added up; box = fixed + doubling * log2(columns), whatever the rows. Only ratios matter for the choice, and they
/// differ little between machines. The constants are least-squares
/// fits, here on one Emerald Rapids core, by the suite <c>filters --fit</c> of the bench project, which prints this table anew
/// for the machine it runs on: pictures of 1920x1080x3, 7 dense kernels from 1x1 to 15x15, 10 separable ones from 3x3 to 31x31,
/// 6 sums of 2 to 8 separable ones. Those of boxes are chosen so that they begin where separable ones of 19x19 to 39x39 became slower
/// on an AMD EPYC.
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
        ElementType.UInt8 => new(0.127, 0.0190, 0.015, 0.0216, 0.0323, 0.025, 1.25, 0.12),
        ElementType.UInt16 => new(0.187, 0.0186, 0.015, 0.0246, 0.0339, 0.013, 1.77, 0.07),
        _ => new(0.306, 0.0193, 0.141, 0.0256, 0.0341, 0.000, 0.45, 0.22),
    };
}
