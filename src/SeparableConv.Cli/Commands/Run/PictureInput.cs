using System.Numerics;
using System.Runtime.InteropServices;
using SeparableConv.Cli.Pictures;
using SeparableConv.Imaging;
using SeparableConv.Networks;

namespace SeparableConv.Cli.Commands;

/// <summary>Makes a network's input of a picture: channels, size, normalization, layout, number type.</summary>
/// <param name="input">The input.</param>
/// <param name="layout">How pictures lie in it.</param>
/// <param name="normalization">How samples become numbers.</param>
internal sealed class PictureInput(Value input, PictureLayout layout, Normalization normalization)
{
    private const double White = 255;

    /// <summary>What is done to samples, for people.</summary>
    public string Normalization => normalization.Description;

    /// <summary>Writes a picture, alpha left out, where the network reads it.</summary>
    public void Write(Image image, Span<byte> memory)
    {
        var unit = image.Type switch
        {
            ElementType.UInt8 => 1,
            ElementType.UInt16 => White / ushort.MaxValue,

            // Float pictures are 0 to 1, as everywhere in this program.
            _ => White,
        };
        var samples = Samples(Resized(WithChannels(image)));
        for (var i = 0; unit != 1 && i < samples.Length; i++)
            samples[i] = (float)(samples[i] * unit);
        switch (input.Type.Element)
        {
            case ElementType.Float32:
                Write(samples, MemoryMarshal.Cast<byte, float>(memory), static value => (float)value);
                break;
            case ElementType.Float64:
                Write(samples, MemoryMarshal.Cast<byte, double>(memory), static value => value);
                break;
            case ElementType.Float16:
                Write(samples, MemoryMarshal.Cast<byte, Half>(memory), static value => (Half)value);
                break;
            case ElementType.UInt8:
                WriteWhole<byte>(samples, memory);
                break;
            case ElementType.Int8:
                WriteWhole<sbyte>(samples, memory);
                break;
            case ElementType.Int16:
                WriteWhole<short>(samples, memory);
                break;
            case ElementType.UInt16:
                WriteWhole<ushort>(samples, memory);
                break;
            case ElementType.Int32:
                WriteWhole<int>(samples, memory);
                break;
            case ElementType.UInt32:
                WriteWhole<uint>(samples, memory);
                break;
            case ElementType.Int64:
                WriteWhole<long>(samples, memory);
                break;
            default:
                throw new InputException($"The input '{input.Name}' takes {input.Type}, which pictures are not made into; give a .npy tensor.");
        }
    }

    // Gray or colour, as the network has it, and no alpha.
    private Image WithChannels(Image image)
    {
        var wanted = layout.Channels == 1 ? Luma.Of(image) : image;
        return wanted switch
        {
            _ when wanted.Channels == layout.Channels => wanted,
            Image<byte> bytes => Picked(bytes),
            Image<ushort> shorts => Picked(shorts),
            _ => Picked((Image<float>)wanted),
        };
    }

    // Gray becomes three equal channels; what lies behind the wanted channels is alpha.
    private Image<T> Picked<T>(Image<T> image)
        where T : unmanaged, INumber<T>
    {
        var (from, to) = (image.Channels, layout.Channels);
        var picked = new T[image.Width * image.Height * to];
        for (int source = 0, target = 0; target < picked.Length; source += from, target += to)
        {
            for (var c = 0; c < to; c++)
                picked[target + c] = image.Pixels[source + (from < 3 ? 0 : c)];
        }

        return Image.Create(image.Width, image.Height, to, picked);
    }

    private Image Resized(Image image) =>
        image.Width == layout.Width && image.Height == layout.Height ? image : ImageResize.Bilinear(image, layout.Width, layout.Height);

    private void WriteWhole<T>(float[] samples, Span<byte> memory)
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        var numbers = MemoryMarshal.Cast<byte, T>(memory);
        var lowest = double.CreateChecked(T.MinValue);
        if (normalization.IsRaw)
        {
            Write(samples, numbers, value => Rounded<T>(value + lowest));
            return;
        }

        var (scale, zeroPoint) = input.Type.Quantization is { } quantization ? (quantization.Scale, quantization.ZeroPoint) : (1f, 0);
        Write(samples, numbers, value => Rounded<T>((value / scale) + zeroPoint));
    }

    // As TensorFlow Lite quantizes: to the nearest, halves away from 0, and no further than the type goes.
    private static T Rounded<T>(double value)
        where T : INumberBase<T> => T.CreateSaturating(Math.Round(value, MidpointRounding.AwayFromZero));

    private static float[] Samples(Image image) => image switch
    {
        Image<byte> bytes => Array.ConvertAll(bytes.Pixels, static sample => (float)sample),
        Image<ushort> shorts => Array.ConvertAll(shorts.Pixels, static sample => (float)sample),
        _ => (float[])((Image<float>)image).Pixels.Clone(),
    };

    private void Write<T>(float[] samples, Span<T> memory, Func<double, T> number)
    {
        var channels = layout.Channels;
        var pixels = layout.Height * layout.Width;
        var (pixelStep, channelStep) = layout.ChannelsFirst ? (1, pixels) : (channels, 1);
        for (var c = 0; c < channels; c++)
        {
            var (mean, deviation) = (normalization.Mean[c], normalization.Deviation[c]);
            for (var p = 0; p < pixels; p++)
                memory[(p * pixelStep) + (c * channelStep)] = number((samples[(p * channels) + c] - mean) / deviation);
        }
    }
}
