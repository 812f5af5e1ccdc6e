using System.Numerics;

namespace SeparableConv.Imaging;

/// <summary>
/// Turns and mirrors pictures as their EXIF orientation says, which tells where the first stored row and column belong when the picture is
/// shown.
/// </summary>
/// <remarks>Values as in the EXIF standard (CIPA DC-008), tag 0x0112.</remarks>
internal static class Orientation
{
    /// <summary>The orientation of a picture that is stored as it is shown.</summary>
    public const int Upright = 1;

    private const ushort OrientationTag = 0x0112;

    /// <summary>
    /// The orientation that a block of EXIF data (a TIFF header and its first directory) names; <see cref="Upright"/>
    /// where it names none or is damaged, since a picture is readable without its metadata.
    /// </summary>
    public static int FromExif(ReadOnlySpan<byte> exif) =>
        new ExifDirectory(exif).Short(OrientationTag) is { } value and >= 1 and <= 8 ? value : Upright;

    /// <summary>The picture turned upright; the same object where there is nothing to do.</summary>
    public static Image Apply(Image image, int orientation)
        => orientation is <= Upright or > 8
            ? image
            : image switch
            {
                Image<byte> bytes => Apply(bytes, orientation),
                Image<ushort> shorts => Apply(shorts, orientation),
                _ => Apply((Image<float>)image, orientation),
            };

    private static Image<T> Apply<T>(Image<T> source, int orientation)
        where T : unmanaged, INumber<T>
    {
        int width = source.Width, height = source.Height, channels = source.Channels;

        // Output pixel (0, 0) is input pixel `start`; one step right or down in the output moves by these in the input.
        int right = 1, down = width;
        if (orientation is 2 or 3)
            right = -right;
        if (orientation is 3 or 4)
            down = -down;
        if (orientation >= 5)
        {
            (right, down) = (width, 1);
            if (orientation is 6 or 7)
                right = -right;
            if (orientation is 7 or 8)
                down = -down;
        }

        var swapped = orientation >= 5;
        var (outWidth, outHeight) = swapped ? (height, width) : (width, height);
        var start = (right < 0 ? -right * (outWidth - 1) : 0) + (down < 0 ? -down * (outHeight - 1) : 0);
        var pixels = GC.AllocateUninitializedArray<T>(source.Pixels.Length);
        CopyTiles(source.Pixels, pixels, outWidth, outHeight, channels, start, right, down);
        return new Image<T>(outWidth, outHeight, channels, pixels)
        {
            Metadata = swapped ? source.Metadata.Turned() : source.Metadata,
        };
    }

    private static void CopyTiles<T>(T[] source, T[] target, int outWidth, int outHeight, int channels, int start, int right, int down)
    {
        // Small squares keep both the rows read and the rows written in the cache when rows become columns.
        const int Tile = 32;
        for (var tileY = 0; tileY < outHeight; tileY += Tile)
        {
            for (var tileX = 0; tileX < outWidth; tileX += Tile)
            {
                var endY = Math.Min(tileY + Tile, outHeight);
                var endX = Math.Min(tileX + Tile, outWidth);
                for (var y = tileY; y < endY; y++)
                {
                    var from = (start + y * down + tileX * right) * channels;
                    var to = (y * outWidth + tileX) * channels;
                    for (var x = tileX; x < endX; x++, from += right * channels, to += channels)
                    {
                        for (var c = 0; c < channels; c++)
                            target[to + c] = source[from + c];
                    }
                }
            }
        }
    }
}
