using System.Numerics;

namespace SeparableConv.Imaging.Npy;

/// <summary>Images as .npy files: (height, width) for one channel, (height, width, channels) for more.</summary>
internal static class NpyImage
{
    /// <summary>Reads an image to the stream's end.</summary>
    /// <exception cref="InvalidDataException">The array is no image, is too large, or is damaged.</exception>
    public static Image Read(Stream input, ImageReadOptions options)
    {
        var header = NpyFile.ReadHeader(input);
        var shape = header.Shape;
        var channels = shape.Length == 3 ? shape[2] : 1;
        if (shape.Length is not (2 or 3) || channels is < 1 or > 4)
        {
            throw new InvalidDataException(
                $"The .npy array has the shape {header.ShapeText}; an image is (height, width) or (height, width, 1 to 4).");
        }

        ImageLimits.Check(".npy", shape[1], shape[0], (int)channels, options.MaxPixels);
        var array = NpyFile.ReadElements(input, header);
        if (input.ReadByte() >= 0)
            throw new InvalidDataException("The .npy file has more bytes than its shape says: it is damaged, or holds several arrays.");

        return header.Type switch
        {
            ElementType.UInt8 => Make(array, array.As<byte>().ToArray(), (int)channels),
            ElementType.UInt16 => Make(array, array.As<ushort>().ToArray(), (int)channels),
            ElementType.Bool or ElementType.Float32 or ElementType.Float64 => Make(array, array.ToFloats(), (int)channels),
            ElementType.Float16 => MakeKeepingType(array, array.ToFloats(), (int)channels),
            _ => MakeKeepingType(array, WholeNumbers(array), (int)channels),
        };
    }

    /// <summary>Writes an image.</summary>
    public static void Write(Image image, Stream output) => NpyFile.Write(output, ToArray(image, image.Channels > 1));

    /// <summary>The image as an array, in the type of the .npy file that it came from where pictures have none such.</summary>
    /// <param name="image">The image.</param>
    /// <param name="hasChannelAxis">Whether its shape ends with the channels.</param>
    public static NpyArray ToArray(Image image, bool hasChannelAxis)
    {
        ReadOnlySpan<int> shape = hasChannelAxis ? [image.Height, image.Width, image.Channels] : [image.Height, image.Width];
        return image switch
        {
            Image<byte> bytes => NpyArray.Create<byte>(bytes.Pixels, shape),
            Image<ushort> words => NpyArray.Create<ushort>(words.Pixels, shape),
            _ => ToArray(((Image<float>)image).Pixels, image.Metadata.NpyType, shape),
        };
    }

    private static NpyArray ToArray(float[] pixels, ElementType? type, ReadOnlySpan<int> shape) => type switch
    {
        ElementType.Float16 => NpyArray.Create<Half>(Array.ConvertAll(pixels, pixel => (Half)pixel), shape),
        ElementType.Int8 => NpyArray.Create<sbyte>(Rounded<sbyte>(pixels), shape),
        ElementType.Int16 => NpyArray.Create<short>(Rounded<short>(pixels), shape),
        ElementType.Int32 => NpyArray.Create<int>(Rounded<int>(pixels), shape),
        ElementType.Int64 => NpyArray.Create<long>(Rounded<long>(pixels), shape),
        ElementType.UInt32 => NpyArray.Create<uint>(Rounded<uint>(pixels), shape),
        ElementType.UInt64 => NpyArray.Create<ulong>(Rounded<ulong>(pixels), shape),
        _ => NpyArray.Create<float>(pixels, shape),
    };

    // Half to even, and what is no number is 0, as in pictures of bytes.
    private static T[] Rounded<T>(float[] pixels)
        where T : INumber<T> =>
        Array.ConvertAll(pixels, pixel => float.IsNaN(pixel) ? T.Zero : T.CreateSaturating(MathF.Round(pixel, MidpointRounding.ToEven)));

    private static float[] WholeNumbers(NpyArray array)
    {
        const double Largest = 1 << 24;
        var numbers = array.ToDoubles();
        var odd = Array.FindIndex(numbers, number => Math.Abs(number) > Largest);
        return odd < 0
            ? Array.ConvertAll(numbers, number => (float)number)
            : throw new InvalidDataException(
                $"The .npy array's elements are {array.Type}, one of them {numbers[odd]}; pictures are filtered in float32, which holds "
                + $"whole numbers up to {Largest}. Divide them, or convert them to f4 with numpy's astype.");
    }

    private static Image<T> Make<T>(NpyArray array, T[] pixels, int channels)
        where T : unmanaged, INumber<T>
        => new(array.Shape[1], array.Shape[0], channels, pixels);

    private static Image<float> MakeKeepingType(NpyArray array, float[] pixels, int channels) =>
        new(array.Shape[1], array.Shape[0], channels, pixels) { Metadata = new ImageMetadata { NpyType = array.Type } };
}
