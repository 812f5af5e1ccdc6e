using System.Numerics;

namespace SeparableConv.Imaging;

/// <summary>
/// A picture in memory: (height, width, channels), row-major, channels interleaved. Its pixels are in the derived
/// <see cref="Image{T}"/>; match on it: <c>image is Image&lt;byte&gt; bytes</c>.
/// </summary>
/// <example><code>
/// ImageFile.Load("in.png").Filter(KernelLibrary.Gauss(15, sigma: 2.6)).Save("out.png");
/// </code></example>
public abstract class Image
{
    private protected Image(int width, int height, int channels, ElementType type)
    {
        if (width < 1 || height < 1)
        {
            throw new ArgumentOutOfRangeException(
                nameof(width), $"An image has at least 1x1 pixels, but {width}x{height} (width x height) was given.");
        }

        if (channels is < 1 or > ImageShape.MaxChannels)
        {
            throw new ArgumentOutOfRangeException(
                nameof(channels), $"An image has 1 to 4 channels (gray, gray+alpha, RGB, RGBA), but {channels} were given.");
        }

        Shape = new ImageShape(height, width, channels, type);
    }

    /// <summary>Size and type, as filters are planned for them.</summary>
    public ImageShape Shape { get; }

    /// <summary>Pixels in a row.</summary>
    public int Width => Shape.Width;

    /// <summary>Rows.</summary>
    public int Height => Shape.Height;

    /// <summary>Samples a pixel: 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA. Alpha is not premultiplied.</summary>
    public int Channels => Shape.Channels;

    /// <summary>
    /// The type of a sample: <see cref="ElementType.UInt8"/>, <see cref="ElementType.UInt16"/> or <see cref="ElementType.Float32"/>.
    /// </summary>
    public ElementType Type => Shape.Type;

    /// <summary>
    /// What its file says beside the pixels, colour profile and resolution, and what the next file will say;
    /// <see cref="ImageMetadata.None"/> for a picture that was made in memory.
    /// </summary>
    public ImageMetadata Metadata { get; set; } = ImageMetadata.None;

    /// <summary>Whether the last channel is alpha: 2 or 4 channels.</summary>
    public bool HasAlpha => Shape.HasAlpha;

    /// <summary>Wraps pixels without copying them.</summary>
    /// <typeparam name="T"><see cref="byte"/>, <see cref="ushort"/> or <see cref="float"/>.</typeparam>
    /// <param name="width">Pixels in a row, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="channels">Samples a pixel, 1 to 4.</param>
    /// <param name="pixels">Exactly height * width * channels samples, row-major, channels interleaved.</param>
    /// <returns>The image, which shares <paramref name="pixels"/>.</returns>
    /// <exception cref="ArgumentException">The number of samples is another, or the type is none of the three.</exception>
    public static Image<T> Create<T>(int width, int height, int channels, T[] pixels)
        where T : unmanaged, INumber<T>
        => new(width, height, channels, pixels);

    /// <summary>Copies a picture whose rows are padded, as cameras and bitmaps have them.</summary>
    /// <typeparam name="T"><see cref="byte"/>, <see cref="ushort"/> or <see cref="float"/>.</typeparam>
    /// <param name="width">Pixels in a row, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="channels">Samples a pixel, 1 to 4.</param>
    /// <param name="pixels">The rows, the first one at the beginning; what lies between them is left out.</param>
    /// <param name="stride">Samples from the beginning of one row to that of the next, at least width * channels.</param>
    /// <returns>A new image.</returns>
    /// <exception cref="ArgumentException">The rows overlap, there are too few samples, or the type is none of the three.</exception>
    public static Image<T> FromRows<T>(int width, int height, int channels, ReadOnlySpan<T> pixels, int stride)
        where T : unmanaged, INumber<T>
    {
        var row = (long)width * channels;
        if (stride < row)
        {
            throw new ArgumentException(
                $"A row of {width}x{channels} samples does not fit a stride of {stride} samples; give a stride of {row} or more.",
                nameof(stride));
        }

        if (height > 0 && pixels.Length < ((height - 1) * (long)stride) + row)
        {
            throw new ArgumentException(
                $"{height} rows of {row} samples, {stride} apart, take {((height - 1) * (long)stride) + row} samples, "
                + $"but there are {pixels.Length}.",
                nameof(pixels));
        }

        var image = Image<T>.CreateEmpty(width, height, channels);
        for (var y = 0; y < height; y++)
            pixels.Slice(y * stride, (int)row).CopyTo(image.Row(y));
        return image;
    }

    /// <summary>A new picture of this one's type, channels and metadata, all samples 0.</summary>
    /// <param name="width">Pixels in a row, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <returns>The picture.</returns>
    public abstract Image CreateLike(int width, int height);

    /// <summary>Filters the picture by the cheapest exact plan, or as the options say.</summary>
    /// <remarks>
    /// The filter is planned and prepared in this call. For many pictures of one shape prepare an <see cref="ImageFilter"/> once.
    /// </remarks>
    /// <param name="kernel">The kernel, for example from <see cref="KernelLibrary"/>.</param>
    /// <param name="options">Border, scale, offset, plan and the rest; <see cref="FilterOptions.Default"/> where null.</param>
    /// <param name="region">What is filtered, with the picture's own pixels around it; the whole picture where null.</param>
    /// <returns>A new picture of the same type, as large as the region.</returns>
    /// <exception cref="ArgumentException">An option does not suit, or the region is not inside the picture.</exception>
    public Image Filter(FilterKernel kernel, FilterOptions? options = null, ImageRegion? region = null)
        => Filter(ImageFilter.Create(kernel, Shape, options), region);

    /// <summary>Filters the picture into a new one.</summary>
    /// <param name="filter">A filter that was planned for pictures of this <see cref="Shape"/>.</param>
    /// <param name="region">What is filtered, with the picture's own pixels around it; the whole picture where null.</param>
    /// <returns>A new picture of the same type, as large as the region.</returns>
    /// <exception cref="ArgumentException">The filter is for another shape, or the region is not inside the picture.</exception>
    public Image Filter(ImageFilter filter, ImageRegion? region = null)
    {
        var result = CreateLike(region?.Width ?? Width, region?.Height ?? Height);
        FilterInto(filter, result, region);
        return result;
    }

    /// <summary>Filters the picture into one that is there already, and allocates nothing after a first call.</summary>
    /// <param name="filter">A filter that was planned for pictures of this <see cref="Shape"/>.</param>
    /// <param name="result">
    /// As large as the region, with as many channels; of the same type, or of floats, which are then neither rounded nor saturated.
    /// It may be the picture itself where that is filtered whole.
    /// </param>
    /// <param name="region">What is filtered, with the picture's own pixels around it; the whole picture where null.</param>
    /// <exception cref="ArgumentException">
    /// The filter is for another shape, the result does not suit, or the region is not inside the picture.
    /// </exception>
    public abstract void FilterInto(ImageFilter filter, Image result, ImageRegion? region = null);

    /// <summary>Filters the picture, or a part of it, in place: what is read is copied first, into a pooled array.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="options">Border, scale, offset, plan and the rest; <see cref="FilterOptions.Default"/> where null.</param>
    /// <param name="region">
    /// What is filtered, with the picture's own pixels around it; the rest stays as it is. The whole picture where null.
    /// </param>
    /// <returns>The picture itself.</returns>
    /// <exception cref="ArgumentException">An option does not suit, or the region is not inside the picture.</exception>
    public Image FilterInPlace(FilterKernel kernel, FilterOptions? options = null, ImageRegion? region = null)
        => FilterInPlace(ImageFilter.Create(kernel, Shape, options), region);

    /// <summary>Filters the picture, or a part of it, in place: what is read is copied first, into a pooled array.</summary>
    /// <param name="filter">A filter that was planned for pictures of this <see cref="Shape"/>.</param>
    /// <param name="region">
    /// What is filtered, with the picture's own pixels around it; the rest stays as it is. The whole picture where null.
    /// </param>
    /// <returns>The picture itself.</returns>
    /// <exception cref="ArgumentException">The filter is for another shape, or the region is not inside the picture.</exception>
    public abstract Image FilterInPlace(ImageFilter filter, ImageRegion? region = null);

    /// <summary>
    /// Makes colour gray: 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601, as OpenCV and Pillow do), rounded half to even; alpha is kept.
    /// A picture with a profile becomes sRGB first.
    /// </summary>
    /// <returns>A picture of 1 or 2 channels; the picture itself where it is gray already.</returns>
    public abstract Image ToGray();

    /// <summary>
    /// The picture in sRGB's colours, which is what networks are trained on and what is assumed of a file without a profile: samples are
    /// converted as <see cref="ImageMetadata.Profile"/> says, relative colorimetric, and rounded; what sRGB cannot show is clipped.
    /// </summary>
    /// <returns>A picture without a profile; the picture itself where it has none. Alpha and resolution are kept.</returns>
    /// <exception cref="DllNotFoundException">The profile holds tables of colours, and libvips is not installed.</exception>
    /// <exception cref="InvalidDataException">The profile's tables are damaged.</exception>
    public abstract Image ToSrgb();

    /// <summary>Writes the picture to a file; see <see cref="ImageFile.Save(Image, string, ImageWriteOptions?)"/>.</summary>
    /// <param name="path">The file, whose extension says the format: .png, .npy, .jpg, ...</param>
    /// <param name="options">Level and quality; <see cref="ImageWriteOptions.Default"/> where null.</param>
    /// <exception cref="ArgumentException">The extension is unknown, or the format cannot hold such an image.</exception>
    /// <exception cref="DllNotFoundException">The format needs libvips, which is not installed.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(string path, ImageWriteOptions? options = null) => ImageFile.Save(this, path, options);

    /// <summary>For example <c>640x480x3 UInt8</c>: width, height, channels, type.</summary>
    /// <returns>Size and type.</returns>
    public override string ToString() => $"{Width}x{Height}x{Channels} {Type}";
}
