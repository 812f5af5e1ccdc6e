using System.Globalization;
using SeparableConv.Imaging.Bmp;
using SeparableConv.Imaging.Npy;
using SeparableConv.Imaging.Png;
using SeparableConv.Imaging.Vips;

namespace SeparableConv.Imaging;

/// <summary>Image files: recognized by content when read, chosen by extension when written.</summary>
/// <remarks>
/// PNG and NumPy's .npy need nothing installed. JPEG, WebP, TIFF, GIF, AVIF, HEIF, BMP, PNM, JPEG 2000, JPEG XL and
/// OpenEXR go through libvips, as far as the installed one was built with them; CMYK, Lab and the like become sRGB, and of several pages
/// or frames the first is read. Colour profile and resolution are kept (<see cref="Image.Metadata"/>) and written to PNG, JPEG, WebP, TIFF,
/// AVIF, HEIF and JPEG XL; for a format that holds no profile integer samples become sRGB. An .npy
/// file is an image where its shape is (height, width) or (height, width, 1 to 4). u1 and u2 are bytes and words; all other types become
/// floats, numbers as they are, f8 rounded and b1 as 0 and 1. Integers and f2 are written to .npy in their type again, rounded half to even
/// and saturated; integers beyond 2^24, which floats do not tell apart, are refused.
/// </remarks>
public static class ImageFile
{
    /// <summary>Reads an image.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">Limits and orientation; <see cref="ImageReadOptions.Default"/> where null.</param>
    /// <returns>An <see cref="Image{T}"/> of byte, ushort or float, as the file has them.</returns>
    /// <exception cref="InvalidDataException">The file is of no known kind, is damaged, or has more pixels than allowed.</exception>
    /// <exception cref="DllNotFoundException">Its format needs libvips, which is not installed.</exception>
    /// <exception cref="IOException">The file does not exist or cannot be read.</exception>
    public static Image Load(string path, ImageReadOptions? options = null)
        => Load(path, options ?? ImageReadOptions.Default, VipsLibrary.System);

    /// <summary>Reads an image from a stream to its end.</summary>
    /// <param name="input">Where from; need not seek.</param>
    /// <param name="options">Limits and orientation; <see cref="ImageReadOptions.Default"/> where null.</param>
    /// <returns>An <see cref="Image{T}"/> of byte, ushort or float, as the file has them.</returns>
    /// <exception cref="InvalidDataException">The file is of no known kind, is damaged, or has more pixels than allowed.</exception>
    /// <exception cref="DllNotFoundException">Its format needs libvips, which is not installed.</exception>
    public static Image Load(Stream input, ImageReadOptions? options = null)
        => Load(input, options ?? ImageReadOptions.Default, VipsLibrary.System);

    /// <summary>Writes an image in the format of the extension; an existing file is replaced once the new one is complete.</summary>
    /// <param name="image">The image.</param>
    /// <param name="path">
    /// The file: .png, .npy, .jpg, .jpeg, .webp, .tif, .tiff, .gif, .avif, .heif, .heic, .jp2, .jxl, .ppm, .pgm or .pnm.
    /// </param>
    /// <param name="options">Level and quality; <see cref="ImageWriteOptions.Default"/> where null.</param>
    /// <exception cref="ArgumentException">The extension is unknown, or the format cannot hold such an image.</exception>
    /// <exception cref="DllNotFoundException">The format needs libvips, which is not installed.</exception>
    /// <exception cref="InvalidDataException">libvips cannot write the file.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Save(Image image, string path, ImageWriteOptions? options = null)
        => Save(image, path, options ?? ImageWriteOptions.Default, VipsLibrary.System);

    /// <summary>Writes a PNG or .npy to a stream.</summary>
    /// <param name="image">The image.</param>
    /// <param name="output">Where to; need not seek.</param>
    /// <param name="extension">".png" or ".npy".</param>
    /// <param name="options">The level; <see cref="ImageWriteOptions.Default"/> where null.</param>
    /// <exception cref="ArgumentException">The extension is another, or the format cannot hold such an image.</exception>
    public static void Save(Image image, Stream output, string extension, ImageWriteOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(extension);
        switch (extension.ToLowerInvariant())
        {
            case ".png":
                PngCodec.Encode(image, output, options);
                break;
            case ".npy":
                NpyImage.Write(InKnownColors(image, ImageFormat.Npy), output);
                break;
            default:
                throw new ArgumentException(
                    $"A stream is written as .png or .npy, but '{extension}' was asked for; write a file instead.", nameof(extension));
        }
    }

    internal static Image Load(string path, ImageReadOptions options, VipsLibrary vips)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path))
            throw new IOException($"'{path}' is a directory; the name of an image file is expected.");

        using var file = File.OpenRead(path);
        if (!file.CanSeek)
            return Load(file, options, vips);

        var start = new byte[BmpHeader.Bytes];
        var count = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        file.Position = 0;
        var format = ImageFormat.Of(start.AsSpan(0, count));
        if (format.IsOwn)
            return Load(file, options, vips);

        vips.Require($"Reading {format.Name}");
        return format == ImageFormat.Bmp
            ? BmpHeader.Read(start.AsSpan(0, count)).Apply(VipsCodec.Load(path, format.Name, options))
            : VipsCodec.Load(path, format.Name, options);
    }

    internal static Image Load(Stream input, ImageReadOptions options, VipsLibrary vips)
    {
        ArgumentNullException.ThrowIfNull(input);

        // A PNG's signature and header chunk: enough to refuse a bomb before the rest is read.
        var start = new byte[8 + 12 + PngHeader.Length];
        var count = input.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        var format = ImageFormat.Of(start.AsSpan(0, count));
        if (format == ImageFormat.Npy)
            return NpyImage.Read(new PrefixedStream(start.AsMemory(0, count), input), options);

        if (format == ImageFormat.Png)
            PngParts.ReadHeader(start.AsSpan(0, count), options.MaxPixels);
        else
            vips.Require($"Reading {format.Name}");

        var file = ReadToEnd(start.AsSpan(0, count), input);
        if (format == ImageFormat.Png)
            return PngDecoder.Decode(file, options);
        return format == ImageFormat.Bmp
            ? BmpHeader.Read(file).Apply(VipsCodec.Load(file, format.Name, options))
            : VipsCodec.Load(file, format.Name, options);
    }

    internal static void Save(Image image, string path, ImageWriteOptions options, VipsLibrary vips)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentException.ThrowIfNullOrEmpty(path);
        var extension = Path.GetExtension(path);
        var format = ImageFormat.OfExtension(extension, path);
        if (format.IsOwn)
        {
            AtomicFile.Write(path, output => Save(image, output, extension, options));
            return;
        }

        format.Check(image);
        vips.Require($"Writing {format.Name}");
        var quality = options.Quality.ToString(CultureInfo.InvariantCulture);
        image = InKnownColors(image, format);
        AtomicFile.WriteBeside(path, beside => VipsCodec.Save(image, beside, format.Name, format.HasQuality ? [("Q", quality)] : []));
    }

    // Floats are measurements as often as colours, and stay what they are.
    private static Image InKnownColors(Image image, ImageFormat format) =>
        format.HoldsProfile || image is Image<float> ? image : image.ToSrgb();

    // Grows as bytes arrive, so that memory follows the file and not a claim.
    private static byte[] ReadToEnd(ReadOnlySpan<byte> start, Stream input)
    {
        const int FirstPiece = 1 << 20;
        var left = input.CanSeek ? input.Length - input.Position : 0;
        if (left > Array.MaxLength - start.Length)
            throw TooLong();

        var file = new byte[start.Length + (input.CanSeek ? (int)left + 1 : FirstPiece)];
        start.CopyTo(file);
        for (var filled = start.Length; ;)
        {
            filled += input.ReadAtLeast(file.AsSpan(filled), file.Length - filled, throwOnEndOfStream: false);
            if (filled < file.Length)
            {
                Array.Resize(ref file, filled);
                return file;
            }

            if (filled == Array.MaxLength)
                throw TooLong();
            Array.Resize(ref file, (int)Math.Min(Array.MaxLength, 2L * filled));
        }
    }

    private static InvalidDataException TooLong() => new(
        $"The image file is longer than {Array.MaxLength} bytes, the most that is read; split the picture.");
}
