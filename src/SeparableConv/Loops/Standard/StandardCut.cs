namespace SeparableConv.Loops;

/// <summary>
/// Into how many parts a standard convolution is cut: rectangles of output pixels, and runs of filters. An image with room
/// for it is cut into bands that read their input where it lies, and a frame of four thin rectangles that need zeros around
/// theirs; a small one into bands that are copied with their border.
/// </summary>
internal readonly record struct StandardCut
{
    // A band of the input is read once for every panel and once for every tap: it stays in the second-level cache beside a
    // panel of the weights.
    private const long BandFloats = 96 * 1024;

    // Below so many output columns or rows the frame's short tiles cost more than copying the whole image does.
    private const int LeastForFrame = 28;

    private readonly AxisGeometry _rows;
    private readonly AxisGeometry _columns;
    private readonly OutputRectangle _inside;

    private StandardCut(in ConvGeometry geometry)
    {
        (_rows, _columns) = (geometry.Rows, geometry.Columns);
        var hasFrame = geometry.IsPadded && geometry.Groups == 1 && _rows.Out >= LeastForFrame && _columns.Out >= LeastForFrame
            && _rows.InteriorEnd > _rows.InteriorStart && _columns.InteriorEnd > _columns.InteriorStart;
        _inside = hasFrame
            ? new(_rows.InteriorStart, _rows.InteriorEnd, _columns.InteriorStart, _columns.InteriorEnd)
            : new(0, _rows.Out, 0, _columns.Out);
        var rowFloats = (long)_columns.In * geometry.InChannels / geometry.Groups;
        var rowsInBand = Math.Clamp(((BandFloats / rowFloats) - _rows.Span) / _rows.Stride, 1, _inside.Rows);
        Bands = (int)((_inside.Rows + rowsInBand - 1) / rowsInBand);
        PanelParts = 1;
    }

    /// <summary>Bands of the inside.</summary>
    private int Bands { get; init; }

    /// <summary>Runs of filters that each rectangle is cut into.</summary>
    public int PanelParts { get; private init; }

    /// <summary>Rectangles in an image: the bands, and the frame where there is one.</summary>
    public int Rectangles => Bands + 4;

    /// <summary>Parts of an image: the rectangles once for each run of filters.</summary>
    public int Parts => Rectangles * PanelParts;

    public static StandardCut Create(in ConvGeometry geometry, int panels, bool needsAllChannels, int threads)
    {
        var cut = new StandardCut(geometry);
        if (threads == 1 || (long)geometry.Batch * cut.Bands >= 4 * threads)
            return cut;

        // Too few bands to share out evenly. Where the weights are the larger operand each thread takes filters of its own,
        // so that they are read once; else each takes more and thinner bands.
        var (rows, columns) = (geometry.Rows, geometry.Columns);
        var weights = (long)rows.Kernel * columns.Kernel * (geometry.InChannels / geometry.Groups) * geometry.OutChannels;
        var input = (long)rows.In * columns.In * geometry.InChannels;
        if (weights > input && panels >= threads && !needsAllChannels)
            return cut with { PanelParts = Math.Min(panels, 2 * threads) };
        return cut with { Bands = Math.Min(cut._inside.Rows, cut.Bands >= threads ? cut.Bands * 2 : 2 * threads) };
    }

    /// <summary>A rectangle; empty where that side of the frame has no pixels.</summary>
    public OutputRectangle Rectangle(int index)
    {
        var inside = _inside;
        return (index - Bands) switch
        {
            0 => new(0, inside.FirstRow, 0, _columns.Out),
            1 => new(inside.EndRow, _rows.Out, 0, _columns.Out),
            2 => new(inside.FirstRow, inside.EndRow, 0, inside.FirstColumn),
            3 => new(inside.FirstRow, inside.EndRow, inside.EndColumn, _columns.Out),
            _ => new(
                inside.FirstRow + (int)((long)inside.Rows * index / Bands),
                inside.FirstRow + (int)((long)inside.Rows * (index + 1) / Bands),
                inside.FirstColumn,
                inside.EndColumn),
        };
    }
}
