using SeparableConv.Loops;

namespace SeparableConv.Filtering;

/// <summary>Turns a plan of running sums into what <see cref="BoxBands{TIn, TOut}"/> runs on.</summary>
internal static unsafe class BoxSetup
{
    // The lines of a strip, as many as the rectangle has rows, should stay in a second-level cache, and be several times as long as what
    // two strips read twice.
    private const int StripElements = 512;

    public static BoxTaps Create(FilterPlan plan, PinnedTables tables)
    {
        var kernel = plan.Options.Convolve ? plan.Kernel.Flip() : plan.Kernel;
        var box = BoxKernel.Find(kernel)!.Value;
        var borders = new FilterBorders(plan);
        var shape = plan.Shape;
        var taps = new BoxTaps
        {
            Height = shape.Height,
            Width = shape.Width,
            Channels = shape.Channels,
            Rows = box.Height,
            Columns = box.Width,
            Above = borders.Above - box.Top,
            Before = borders.Before - box.Left,
            Border = plan.Options.Border,
            BorderValue = plan.Options.ConstantValue,
            Weight = box.Value * plan.Options.Scale,
            Offset = plan.Options.Offset,
            StripPixels = Math.Max(StripElements / shape.Channels, 3 * box.Width),
        };
        taps.BorderColumns = tables.Add<int>(BorderColumns(taps));
        return taps;
    }

    // The columns that stand for those from the first one read to the last: a table, as each row asks for the outer ones anew.
    private static int[] BorderColumns(in BoxTaps taps)
    {
        var columns = new int[taps.Width + taps.Columns - 1];
        for (var i = 0; i < columns.Length; i++)
            columns[i] = Borders.Resolve(i - taps.Before, taps.Width, taps.Border);
        return columns;
    }
}
