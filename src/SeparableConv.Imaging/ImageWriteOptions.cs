namespace SeparableConv.Imaging;

/// <summary>How image files are written.</summary>
public sealed record ImageWriteOptions
{
    private readonly int _pngLevel = 2;
    private readonly int _quality = 90;

    /// <summary>The options where none are given.</summary>
    public static ImageWriteOptions Default { get; } = new();

    /// <summary>
    /// Level of PNG: 0 stores, 1 to 3 look for runs only, which is fast and best for photographs, 4 to 9 look for
    /// repetitions ever further back. Default 2.
    /// </summary>
    public int PngLevel
    {
        get => _pngLevel;
        init => _pngLevel = value is >= 0 and <= 9
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), $"The PNG level is 0 to 9, but {value} was given.");
    }

    /// <summary>Quality of the lossy formats (JPEG, WebP, AVIF, HEIF, JPEG 2000), 1 to 100. Default 90.</summary>
    public int Quality
    {
        get => _quality;
        init => _quality = value is >= 1 and <= 100
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), $"The quality is 1 to 100, but {value} was given.");
    }
}
