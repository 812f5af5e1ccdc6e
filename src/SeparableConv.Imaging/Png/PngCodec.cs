using SeparableConv.Imaging.Png;

namespace SeparableConv.Imaging;

/// <summary>PNG (ISO/IEC 15948, W3C PNG third edition), read and written with nothing but the base library.</summary>
/// <remarks>
/// Reading: every colour type, bit depth, filter and interlacing. Palettes become RGB, or RGBA where the file gives
/// them transparency; gray of 1, 2 and 4 bits is scaled to 0..255; a transparent colour becomes an alpha channel; 16
/// bits stay 16 bits. Samples are given as stored: colour profile and resolution become <see cref="Image.Metadata"/>, gamma and
/// chromaticities are kept for the next PNG and not applied. The checksums of all chunks that make the pixels are checked; with
/// <see cref="ImageReadOptions.Strict"/> those of all others too, and what lies behind the pixels.
/// </remarks>
public static class PngCodec
{
    /// <summary>Decodes a PNG.</summary>
    /// <param name="file">The whole file; bytes behind its last chunk are not looked at.</param>
    /// <param name="options">Limits and orientation; <see cref="ImageReadOptions.Default"/> where null.</param>
    /// <returns>An <see cref="Image{T}"/> of <see cref="byte"/>, or of <see cref="ushort"/> for 16-bit files.</returns>
    /// <exception cref="InvalidDataException">The file is no PNG, is damaged, or has more pixels than allowed.</exception>
    public static Image Decode(byte[] file, ImageReadOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(file);
        return PngDecoder.Decode(file, options ?? ImageReadOptions.Default);
    }

    /// <summary>Writes a PNG, not interlaced, each row with the filter whose differences are smallest.</summary>
    /// <param name="image">8 or 16 bits a sample, 1 to 4 channels.</param>
    /// <param name="output">Where to; need not seek.</param>
    /// <param name="options">The level; <see cref="ImageWriteOptions.Default"/> where null.</param>
    /// <exception cref="ArgumentException">The samples are floating point, which PNG cannot hold.</exception>
    public static void Encode(Image image, Stream output, ImageWriteOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(output);
        var level = (options ?? ImageWriteOptions.Default).PngLevel;
        switch (image)
        {
            case Image<byte> bytes:
                PngEncoder.Encode(bytes, output, level);
                break;
            case Image<ushort> shorts:
                PngEncoder.Encode(shorts, output, level);
                break;
            default:
                throw new ArgumentException(
                    $"PNG holds 8 or 16 bit integers, but the image is {image}; convert it first, or save it as .npy or "
                    + ".tif.",
                    nameof(image));
        }
    }
}
