using System.Numerics;
using System.Runtime.InteropServices;

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

        if (header.Type is not (ElementType.UInt8 or ElementType.UInt16 or ElementType.Float32 or ElementType.Float64))
        {
            throw new InvalidDataException(
                $"The .npy array's elements are {header.Type}; an image's are u1, u2, f4 or f8: convert it with numpy's astype.");
        }

        ImageLimits.Check(".npy", shape[1], shape[0], (int)channels, options.MaxPixels);
        var array = NpyFile.ReadElements(input, header);
        if (input.ReadByte() >= 0)
            throw new InvalidDataException("The .npy file has more bytes than its shape says: it is damaged, or holds several arrays.");

        return header.Type switch
        {
            ElementType.UInt8 => Make(array, array.As<byte>().ToArray(), (int)channels),
            ElementType.UInt16 => Make(array, array.As<ushort>().ToArray(), (int)channels),
            _ => Make(array, array.ToFloats(), (int)channels),
        };
    }

    /// <summary>Writes an image.</summary>
    public static void Write(Image image, Stream output)
    {
        ReadOnlySpan<int> shape = image.Channels == 1 ? [image.Height, image.Width] : [image.Height, image.Width, image.Channels];
        switch (image)
        {
            case Image<byte> bytes:
                NpyFile.Write(output, ElementType.UInt8, shape, bytes.Pixels);
                break;
            case Image<ushort> shorts:
                NpyFile.Write(output, ElementType.UInt16, shape, MemoryMarshal.AsBytes<ushort>(shorts.Pixels));
                break;
            case Image<float> floats:
                NpyFile.Write(output, ElementType.Float32, shape, MemoryMarshal.AsBytes<float>(floats.Pixels));
                break;
        }
    }

    private static Image<T> Make<T>(NpyArray array, T[] pixels, int channels)
        where T : unmanaged, INumber<T>
        => new(array.Shape[1], array.Shape[0], channels, pixels);
}
