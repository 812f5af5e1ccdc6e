namespace SeparableConv.Loops;

/// <summary>
/// A copy of the input that some lines of output pixels read, in lanes: one group's channels, with the border. It is either the rectangle
/// of the image, in which the patches of neighbouring pixels overlap, or, where strides or dilations leave most of that unread, patch after
/// patch.
/// </summary>
internal readonly unsafe struct QuantizedWindow
{
    private readonly ConvGeometry _geometry;
    private readonly QuantizedLanes _lanes;
    private readonly int _groupChannels;
    private readonly int _pixelLanes;
    private readonly bool _isPatches;

    private QuantizedWindow(in ConvGeometry geometry, QuantizedLanes lanes, int groupChannels, bool isPatches)
    {
        (_geometry, _lanes, _groupChannels, _isPatches) = (geometry, lanes, groupChannels, isPatches);
        _pixelLanes = lanes.Lanes(groupChannels);
        var (rows, columns) = (geometry.Rows, geometry.Columns);
        if (isPatches)
        {
            PixelStride = checked((nint)rows.Kernel * columns.Kernel * _pixelLanes);
            LineStride = LineLanes = checked(columns.Out * PixelStride);
            Segments = 1;
            return;
        }

        RowStride = checked((nint)WindowColumns(columns) * _pixelLanes);
        PixelStride = checked((nint)columns.Stride * _pixelLanes);
        LineStride = LineLanes = checked(rows.Stride * RowStride);
        FirstLineLanes = checked((Math.Max(0, rows.Span - rows.Stride)) * RowStride);
        Segments = columns.Dilation == 1 || columns.Kernel == 1 ? rows.Kernel : rows.Kernel * columns.Kernel;
    }

    /// <summary>Lanes from one output pixel's patch to the next of its line.</summary>
    public nint PixelStride { get; }

    /// <summary>Lanes from one line of output pixels to the next.</summary>
    public nint LineStride { get; }

    /// <summary>Lanes that each line takes.</summary>
    public nint LineLanes { get; }

    /// <summary>Lanes that the first line takes beyond <see cref="LineLanes"/>, because its patches are taller than a step down.</summary>
    public nint FirstLineLanes { get; }

    /// <summary>Runs of neighbouring lanes in a patch.</summary>
    public int Segments { get; }

    private nint RowStride { get; }

    /// <summary>Chooses between the rectangle and patches.</summary>
    public static QuantizedWindow Create(in ConvGeometry g, QuantizedLanes lanes, int groupChannels)
    {
        // A line's share of the rectangle beside its patches: the rectangle may be the larger one by a little, never out of proportion.
        var rectangle = (long)WindowColumns(g.Columns) * Math.Max(g.Rows.Stride, g.Rows.Span);
        var patches = (long)g.Columns.Out * g.Rows.Kernel * g.Columns.Kernel;
        return new(g, lanes, groupChannels, rectangle > 4 * patches);
    }

    /// <summary>Lanes that so many lines take.</summary>
    public nint Lanes(int lines) => checked((lines * LineLanes) + FirstLineLanes);

    /// <summary>Where the segments begin.</summary>
    public void FillSegmentOffsets(nint* offsets)
    {
        if (_isPatches)
        {
            *offsets = 0;
            return;
        }

        var across = Segments / _geometry.Rows.Kernel;
        for (var u = 0; u < _geometry.Rows.Kernel; u++)
        {
            for (var v = 0; v < across; v++)
                *offsets++ = (u * _geometry.Rows.Dilation * RowStride) + ((nint)v * _geometry.Columns.Dilation * _pixelLanes);
        }
    }

    /// <summary>Fills in what <paramref name="lines"/> lines from <paramref name="firstLine"/> on read.</summary>
    public void Fill(byte* image, int firstLine, int lines, int* target)
    {
        if (_isPatches)
            FillPatches(image, firstLine, lines, target);
        else
            FillRectangle(image, firstLine, lines, target);
    }

    private static int WindowColumns(in AxisGeometry columns) => ((columns.Out - 1) * columns.Stride) + columns.Span;

    private void FillRectangle(byte* image, int firstLine, int lines, int* target)
    {
        var (rows, columns) = (_geometry.Rows, _geometry.Columns);
        var windowColumns = WindowColumns(columns);
        var left = Math.Clamp(columns.PadBefore, 0, windowColumns);
        var inside = Math.Clamp(columns.In, 0, windowColumns - left);
        var right = windowColumns - left - inside;
        var firstRow = rows.InputStart(firstLine);
        var count = ((lines - 1) * rows.Stride) + rows.Span;
        for (var row = firstRow; row < firstRow + count; row++, target += RowStride)
        {
            if ((uint)row >= (uint)rows.In)
            {
                _lanes.FillZeros(target, RowStride);
                continue;
            }

            var source = image + ((nint)row * columns.In * _geometry.InChannels);
            _lanes.FillZeros(target, (nint)left * _pixelLanes);
            _lanes.Fill(source, _geometry.InChannels, inside, _groupChannels, target + ((nint)left * _pixelLanes), _pixelLanes);
            _lanes.FillZeros(target + ((nint)(left + inside) * _pixelLanes), (nint)right * _pixelLanes);
        }
    }

    private void FillPatches(byte* image, int firstLine, int lines, int* target)
    {
        var (rows, columns) = (_geometry.Rows, _geometry.Columns);
        for (var line = firstLine; line < firstLine + lines; line++)
        {
            for (var column = 0; column < columns.Out; column++)
            {
                for (var u = 0; u < rows.Kernel; u++)
                {
                    for (var v = 0; v < columns.Kernel; v++, target += _pixelLanes)
                    {
                        var (y, x) = (rows.InputStart(line) + (u * rows.Dilation), columns.InputStart(column) + (v * columns.Dilation));
                        if ((uint)y < (uint)rows.In && (uint)x < (uint)columns.In)
                            _lanes.Fill(
                                image + ((((nint)y * columns.In) + x) * _geometry.InChannels), 0, 1, _groupChannels, target, _pixelLanes);
                        else
                            _lanes.FillZeros(target, _pixelLanes);
                    }
                }
            }
        }
    }
}
