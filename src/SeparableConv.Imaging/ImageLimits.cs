namespace SeparableConv.Imaging;

/// <summary>Checks the size that an image file claims, before memory is taken for it; all readers ask here.</summary>
internal static class ImageLimits
{
    /// <summary>Throws unless a picture of this size may be read; all arguments come unchecked from a file's header.</summary>
    public static void Check(string format, long width, long height, int channels, long maxPixels)
    {
        if (width < 1 || height < 1)
            throw new InvalidDataException($"This {format} file claims {width}x{height} pixels; at least 1x1 is expected.");

        // Neither product can overflow: sides are at most 2^63 and the products are taken in 128 bits.
        var pixels = (Int128)width * height;
        if (pixels > maxPixels)
        {
            throw new InvalidDataException(
                $"This {format} file claims {width}x{height} = {pixels} pixels, more than the limit of {maxPixels}; raise the limit if "
                + "the file is trusted.");
        }

        if (pixels * channels > Array.MaxLength || width > int.MaxValue || height > int.MaxValue)
        {
            throw new InvalidDataException(
                $"This {format} file of {width}x{height}x{channels} has more samples than one array holds ({Array.MaxLength}); cut it "
                + "into tiles first.");
        }
    }
}
