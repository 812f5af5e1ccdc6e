using SeparableConv.Loops;

namespace SeparableConv.Filtering;

/// <summary>How far a filter reaches to each side of a pixel, and which pixels stand for those beyond the edge.</summary>
internal readonly unsafe struct FilterBorders
{
    private readonly ImageShape _shape;
    private readonly BorderMode _mode;

    public FilterBorders(FilterPlan plan)
    {
        _shape = plan.Shape;
        _mode = plan.Options.Border;
        (Above, Below) = Reach(plan.Kernel.Height, plan.Options.Convolve);
        (Before, After) = Reach(plan.Kernel.Width, plan.Options.Convolve);
    }

    public int Above { get; }

    public int Below { get; }

    public int Before { get; }

    public int After { get; }

    /// <summary>
    /// How many strips of about so many elements the width is cut into. Every strip is several kernels wide, so that what a
    /// mirroring border reads lies in the strip at the edge; a wrapping one reads the far edge and gets a single strip.
    /// </summary>
    public int Strips(int elements)
    {
        var pixels = Math.Max(elements / _shape.Channels, (4 * (Before + After + 1)) + 64);
        return _mode == BorderMode.Wrap ? 1 : Math.Max(1, _shape.Width / pixels);
    }

    /// <summary>The columns that stand for the Before pixels left and the After pixels right of the image.</summary>
    public int* Columns(PinnedTables tables)
    {
        var columns = new int[Before + After];
        for (var i = 0; i < Before; i++)
            columns[i] = Borders.Resolve(i - Before, _shape.Width, _mode);
        for (var i = 0; i < After; i++)
            columns[Before + i] = Borders.Resolve(_shape.Width + i, _shape.Width, _mode);
        return tables.Add<int>(columns);
    }

    /// <summary>
    /// The rectangle that is read to write another: what lies within the kernel's reach, and what stands for pixels beyond the edge.
    /// </summary>
    public ImageRegion Read(ImageRegion written)
    {
        var (top, bottom) = Read(written.Top, written.Top + written.Height, _shape.Height, Above, Below);
        var (left, right) = Read(written.Left, written.Left + written.Width, _shape.Width, Before, After);
        return new ImageRegion(left, top, right - left, bottom - top);
    }

    private (int Start, int End) Read(int start, int end, int length, int before, int after)
    {
        var (first, last) = (Math.Max(0, start - before), Math.Min(length, end + after));
        for (var position = start - before; position < 0; position++)
            Include(Borders.Resolve(position, length, _mode));
        for (var position = length; position < end + after; position++)
            Include(Borders.Resolve(position, length, _mode));
        return (first, last);

        void Include(int position)
        {
            if (position != Borders.Outside)
                (first, last) = (Math.Min(first, position), Math.Max(last, position + 1));
        }
    }

    // Correlation anchors at size/2; flipping the kernel flips the anchor too, which shows where the size is even.
    private static (int Before, int After) Reach(int size, bool convolve) =>
        convolve ? (size - 1 - (size / 2), size / 2) : (size / 2, size - 1 - (size / 2));
}
