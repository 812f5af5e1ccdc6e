namespace SeparableConv.Imaging;

/// <summary>How image files are read.</summary>
public sealed record ImageReadOptions
{
    /// <summary>The options where none are given.</summary>
    public static ImageReadOptions Default { get; } = new();

    /// <summary>
    /// The largest number of pixels (width * height) that is read; a larger picture is refused from its header, before
    /// memory is taken for it. Default 268,435,456 (2^28).
    /// </summary>
    public long MaxPixels { get; init; } = 1L << 28;

    /// <summary>
    /// Whether the picture is turned and mirrored as its EXIF orientation says, so that it stands upright. Default true.
    /// </summary>
    public bool ApplyOrientation { get; init; } = true;

    /// <summary>
    /// Whether a picture that is whole is refused for a flaw beside it, which other readers pass over: bytes or rows behind the pixels, a
    /// wrong checksum of a chunk that may be left out, a palette without all colours, warnings of libvips. Default false.
    /// </summary>
    public bool Strict { get; init; }
}
