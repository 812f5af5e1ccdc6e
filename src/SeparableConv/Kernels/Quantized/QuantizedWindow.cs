using System.Runtime.InteropServices;

namespace SeparableConv.Kernels;

/// <summary>
/// The widened input that some lines of output pixels read, of one group's channels, with its border: either the rectangle of the
/// image, in which the patches of neighbouring pixels overlap; or, where strides or dilations leave most of that unread, patch after
/// patch.
/// </summary>
internal readonly unsafe struct QuantizedWindow
{
    private readonly ConvGeometry _geometry;
    private readonly int _channels;
    private readonly bool _isPatches;

    private QuantizedWindow(in ConvGeometry geometry, int channels, bool isPatches)
    {
        (_geometry, _channels, _isPatches) = (geometry, channels, isPatches);
        var (rows, columns) = (geometry.Rows, geometry.Columns);
        if (isPatches)
        {
            PixelStride = checked((nint)rows.Kernel * columns.Kernel * channels);
            LineStride = LineShorts = checked(columns.Out * PixelStride);
            Segments = 1;
            return;
        }

        RowStride = checked((nint)WindowColumns(columns) * channels);
        PixelStride = checked((nint)columns.Stride * channels);
        LineStride = LineShorts = checked(rows.Stride * RowStride);
        FirstLineShorts = checked((Math.Max(0, rows.Span - rows.Stride)) * RowStride);
        Segments = columns.Dilation == 1 || columns.Kernel == 1 ? rows.Kernel : rows.Kernel * columns.Kernel;
    }

    /// <summary>Numbers from one output pixel's patch to the next of its line; even.</summary>
    public nint PixelStride { get; }

    /// <summary>Numbers from one line of output pixels to the next.</summary>
    public nint LineStride { get; }

    /// <summary>Numbers that each line takes.</summary>
    public nint LineShorts { get; }

    /// <summary>Numbers that the lines take beside that.</summary>
    public nint FirstLineShorts { get; }

    /// <summary>Runs of neighbouring numbers in a patch.</summary>
    public int Segments { get; }

    private nint RowStride { get; }

    /// <summary>Chooses the form; <paramref name="channels"/> is even.</summary>
    public static QuantizedWindow Create(in ConvGeometry g, int channels)
    {
        // A line's share of the rectangle beside its patches: the rectangle may be the larger one by a little, never out of proportion.
        var rectangle = (long)WindowColumns(g.Columns) * Math.Max(g.Rows.Stride, g.Rows.Span);
        var patches = (long)g.Columns.Out * g.Rows.Kernel * g.Columns.Kernel;
        return new(g, channels, rectangle > 4 * patches);
    }

    /// <summary>Numbers that so many lines take.</summary>
    public nint Shorts(int lines) => checked((lines * LineShorts) + FirstLineShorts);

    /// <summary>Where the segments begin, in pairs of numbers.</summary>
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
                *offsets++ = ((u * _geometry.Rows.Dilation * RowStride) + ((nint)v * _geometry.Columns.Dilation * _channels)) / 2;
        }
    }

    /// <summary>Widens what <paramref name="lines"/> lines from <paramref name="firstLine"/> on read.</summary>
    public void Fill(QuantizedInput input, byte* image, int groupChannels, int firstLine, int lines, short* target)
    {
        if (_isPatches)
            FillPatches(input, image, groupChannels, firstLine, lines, target);
        else
            FillRectangle(input, image, groupChannels, firstLine, lines, target);
    }

    private static int WindowColumns(in AxisGeometry columns) => ((columns.Out - 1) * columns.Stride) + columns.Span;

    private static void Clear(short* target, nint count) => NativeMemory.Clear(target, (nuint)count * sizeof(short));

    private void FillRectangle(QuantizedInput input, byte* image, int groupChannels, int firstLine, int lines, short* target)
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
                Clear(target, RowStride);
                continue;
            }

            var source = image + ((nint)row * columns.In * _geometry.InChannels);
            Clear(target, (nint)left * _channels);
            Widening.Pixels(input, source, _geometry.InChannels, inside, groupChannels, target + ((nint)left * _channels), _channels);
            Clear(target + ((nint)(left + inside) * _channels), (nint)right * _channels);
        }
    }

    private void FillPatches(QuantizedInput input, byte* image, int groupChannels, int firstLine, int lines, short* target)
    {
        var (rows, columns) = (_geometry.Rows, _geometry.Columns);
        for (var line = firstLine; line < firstLine + lines; line++)
        {
            for (var column = 0; column < columns.Out; column++)
            {
                for (var u = 0; u < rows.Kernel; u++)
                {
                    for (var v = 0; v < columns.Kernel; v++, target += _channels)
                    {
                        var (y, x) = (rows.InputStart(line) + (u * rows.Dilation), columns.InputStart(column) + (v * columns.Dilation));
                        if ((uint)y < (uint)rows.In && (uint)x < (uint)columns.In)
                            Widening.Pixels(input, image + ((((nint)y * columns.In) + x) * _geometry.InChannels), 0, 1, groupChannels, target, _channels);
                        else
                            Clear(target, _channels);
                    }
                }
            }
        }
    }
}
