using System.Runtime.InteropServices;

namespace SeparableConv.Loops;

/// <summary>Output pixels of one image: rows FirstRow up to and without EndRow, columns likewise.</summary>
internal readonly record struct OutputRectangle(int FirstRow, int EndRow, int FirstColumn, int EndColumn)
{
    public int Rows => EndRow - FirstRow;

    public int Columns => EndColumn - FirstColumn;
}

/// <summary>
/// A rectangle of output pixels, and the input it reads for the channels of one group: in place, or copied with its border of
/// zeros.
/// </summary>
internal readonly unsafe struct StandardWindow
{
    private readonly ConvGeometry _geometry;
    private readonly int _channels;
    private readonly int _firstInputRow;
    private readonly int _firstInputColumn;
    private readonly int _inputRows;
    private readonly int _inputColumns;

    public StandardWindow(in ConvGeometry geometry, in OutputRectangle rectangle)
    {
        var (rows, columns) = (geometry.Rows, geometry.Columns);
        _geometry = geometry;
        _channels = geometry.InChannels / geometry.Groups;
        _firstInputRow = rows.InputStart(rectangle.FirstRow);
        _firstInputColumn = columns.InputStart(rectangle.FirstColumn);
        _inputRows = ((rectangle.EndRow - 1 - rectangle.FirstRow) * rows.Stride) + rows.Span;
        _inputColumns = ((rectangle.EndColumn - 1 - rectangle.FirstColumn) * columns.Stride) + columns.Span;

        // Taps of one group among several do not lie next to each other; a copy of the group's channels makes them so.
        var isInside = _firstInputRow >= 0 && _firstInputColumn >= 0
            && _firstInputRow + _inputRows <= rows.In && _firstInputColumn + _inputColumns <= columns.In;
        NeedsCopy = !isInside || (geometry.Groups > 1 && columns.Kernel > 1);
        PixelStride = NeedsCopy ? _channels : geometry.InChannels;
        RowStride = (nint)PixelStride * (NeedsCopy ? _inputColumns : columns.In);
    }

    public bool NeedsCopy { get; }

    /// <summary>Floats from one pixel of the window to the next.</summary>
    public int PixelStride { get; }

    /// <summary>Floats from one input row to the next.</summary>
    public nint RowStride { get; }

    public nint CopyFloats => checked(_inputRows * RowStride);

    /// <summary>Runs of neighbouring floats in a patch: a kernel row where its taps touch, else a tap.</summary>
    public int Segments => TapsTouch ? _geometry.Rows.Kernel : _geometry.Rows.Kernel * _geometry.Columns.Kernel;

    private bool TapsTouch => _geometry.Columns.Kernel == 1 || (_geometry.Columns.Dilation == 1 && PixelStride == _channels);

    public void FillSegmentOffsets(nint* offsets)
    {
        var across = TapsTouch ? 1 : _geometry.Columns.Kernel;
        for (var u = 0; u < _geometry.Rows.Kernel; u++)
        {
            for (var v = 0; v < across; v++)
                offsets[(u * across) + v] =
                    (u * _geometry.Rows.Dilation * RowStride) + ((nint)v * _geometry.Columns.Dilation * PixelStride);
        }
    }

    /// <summary>Where the first pixel's patch begins: in the image itself, or in <paramref name="copy"/>, which is filled.</summary>
    /// <param name="image">The image at the group's first channel.</param>
    /// <param name="copy">Room for <see cref="CopyFloats"/> floats, where a copy is needed.</param>
    public float* Prepare(float* image, float* copy)
    {
        var imageRow = (nint)_geometry.Columns.In * _geometry.InChannels;
        if (!NeedsCopy)
            return image + (_firstInputRow * imageRow) + ((nint)_firstInputColumn * _geometry.InChannels);

        var left = Math.Clamp(-_firstInputColumn, 0, _inputColumns);
        var first = _firstInputColumn + left;
        var columns = Math.Clamp(_geometry.Columns.In - first, 0, _inputColumns - left);
        var right = _inputColumns - left - columns;
        for (var r = 0; r < _inputRows; r++)
        {
            var target = copy + (r * RowStride);
            var y = _firstInputRow + r;
            if (y < 0 || y >= _geometry.Rows.In || columns == 0)
            {
                Clear(target, RowStride);
                continue;
            }

            Clear(target, (nint)left * _channels);
            CopyPixels(image + (y * imageRow) + ((nint)first * _geometry.InChannels), target + ((nint)left * _channels), columns);
            Clear(target + ((nint)(left + columns) * _channels), (nint)right * _channels);
        }

        return copy;
    }

    /// <summary>
    /// Copies every pixel's patch: row after row of the rectangle, pixel after pixel, <paramref name="patchStride"/> floats from one to
    /// the next. One matrix product then serves all pixels, where a row of them is too short to fill a tile.
    /// </summary>
    /// <param name="source">What <see cref="Prepare"/> returned.</param>
    /// <param name="rectangle">The output pixels.</param>
    /// <param name="offsets">The segments of a patch.</param>
    /// <param name="segmentLength">Floats in a segment.</param>
    /// <param name="patches">Room for the patches.</param>
    /// <param name="patchStride">Floats from one patch to the next.</param>
    public void Unfold(
        float* source, in OutputRectangle rectangle, ReadOnlySpan<nint> offsets, int segmentLength, float* patches, nint patchStride)
    {
        for (var row = 0; row < rectangle.Rows; row++)
        {
            for (var column = 0; column < rectangle.Columns; column++)
            {
                var pixel = source + (row * _geometry.Rows.Stride * RowStride) + ((nint)column * _geometry.Columns.Stride * PixelStride);
                for (var s = 0; s < offsets.Length; s++)
                    NativeMemory.Copy(pixel + offsets[s], patches + (s * (nint)segmentLength), (nuint)segmentLength * sizeof(float));
                patches += patchStride;
            }
        }
    }

    private static void Clear(float* target, nint floats) => NativeMemory.Clear(target, (nuint)floats * sizeof(float));

    private void CopyPixels(float* source, float* target, int columns)
    {
        if (_channels == _geometry.InChannels)
        {
            NativeMemory.Copy(source, target, (nuint)columns * (nuint)_channels * sizeof(float));
            return;
        }

        for (var x = 0; x < columns; x++)
        {
            NativeMemory.Copy(source, target, (nuint)_channels * sizeof(float));
            source += _geometry.InChannels;
            target += _channels;
        }
    }
}
