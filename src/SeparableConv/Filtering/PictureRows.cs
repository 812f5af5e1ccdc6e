namespace SeparableConv.Filtering;

/// <summary>How the rows of a picture lie in a tensor (H, W, C), or (H, W) of one channel.</summary>
internal static class PictureRows
{
    /// <summary>The distance from row to row in elements.</summary>
    /// <param name="what">The input or the output, for messages.</param>
    /// <param name="lengths">The tensor's lengths.</param>
    /// <param name="strides">Its strides.</param>
    /// <param name="expected">The shape that it must have.</param>
    /// <param name="planned">The shape that the filter was planned for.</param>
    /// <exception cref="ArgumentException">Shape or strides do not suit.</exception>
    public static nint Stride(
        string what, ReadOnlySpan<nint> lengths, ReadOnlySpan<nint> strides, ImageShape expected, ImageShape planned)
    {
        var fits = (lengths.Length == 3 || (lengths.Length == 2 && expected.Channels == 1))
            && lengths[0] == expected.Height && lengths[1] == expected.Width && (lengths.Length == 2 || lengths[2] == expected.Channels);
        if (!fits)
        {
            throw new ArgumentException(
                $"The {what} has shape ({string.Join(',', lengths.ToArray())}) but "
                + $"{(expected == planned ? "the filter was planned for" : "the region is")} {expected}; "
                + "shapes are (H, W, C), or (H, W) for one channel.");
        }

        // A dimension of length 1 is never stepped along, and its stride is then 0.
        var dense = (expected.Width == 1 || strides[1] == expected.Channels)
            && (lengths.Length == 2 || expected.Channels == 1 || strides[2] == 1);
        var rowStride = expected.Height == 1 ? expected.RowElements : strides[0];
        if (!dense || rowStride < expected.RowElements)
        {
            throw new ArgumentException(
                $"The {what} of shape ({string.Join(',', lengths.ToArray())}) has strides ({string.Join(',', strides.ToArray())}); "
                + "the pixels of a row must lie side by side and rows must not overlap. Copy it into a dense tensor first.");
        }

        return rowStride;
    }
}
