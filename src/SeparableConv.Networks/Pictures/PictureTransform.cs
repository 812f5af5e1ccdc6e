using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using SeparableConv.Imaging;
using SeparableConv.Networks.Pictures;

namespace SeparableConv.Networks;

/// <summary>How a picture is brought to the size that a network takes.</summary>
public enum PictureFit
{
    /// <summary>The whole picture, stretched where its sides are of another ratio.</summary>
    Stretch,

    /// <summary>The largest part in the middle of the picture whose sides have the network's ratio.</summary>
    Crop,
}

/// <summary>Makes a network's input of pictures: gray or colour, size, normalization, layout, number type.</summary>
/// <remarks>
/// Size, channels, layout and number type follow from the input: (N, height, width, channels) or (N, channels, height, width) or the same
/// without N, with 1 channel (gray) or 3 (colour). A picture with a colour profile becomes sRGB, as by <see cref="Image.ToSrgb"/>. Colour
/// becomes gray as by <see cref="Image.ToGray"/>, gray becomes three equal channels,
/// and alpha is left out: what transparent pixels hide is seen. Sizes are changed as by <see cref="ImageResize.Bilinear"/>. Integers are
/// rounded to the nearest, halves away from 0, and saturated. Rows and tables are kept, so that nothing is allocated for a
/// picture without a profile that is as wide as the one before; one thread at a time.
/// </remarks>
/// <example><code>
/// using var session = new InferenceSession(network);
/// var transform = new PictureTransform(session.Inputs[0]);
/// transform.Write(ImageFile.Load("cat.jpg"), session);
/// session.Run();
/// </code></example>
public sealed class PictureTransform
{
    private const double White = 255;

    private readonly Value _input;
    private readonly PictureLayout _layout;
    private readonly PictureFit _fit;
    private readonly float[] _samples;
    private readonly BilinearResizer _resizer;

    /// <summary>Prepares for an input.</summary>
    /// <param name="input">An input of a network or session.</param>
    /// <param name="normalization">How samples become numbers; <see cref="Normalization.UsualFor"/> where null.</param>
    /// <param name="fit">How pictures of another size are fitted.</param>
    /// <exception cref="ArgumentException">The input takes no pictures, or the normalization does not suit it.</exception>
    public PictureTransform(Value input, Normalization? normalization = null, PictureFit fit = PictureFit.Stretch)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (!Enum.IsDefined(fit))
            throw new ArgumentException($"The fit {(int)fit} is unknown; use one of {string.Join(", ", Enum.GetNames<PictureFit>())}.");
        _layout = PictureLayout.Of(input) ?? throw new ArgumentException(
            $"The input '{input.Name}' takes {input.Type}, which is no picture of 1 or 3 channels; write its numbers into the session "
            + "yourself.");
        if (input.Type.Element is ElementType.Bool or ElementType.UInt64)
        {
            throw new ArgumentException(
                $"The input '{input.Name}' takes {input.Type}, which pictures are not made into; write its numbers into the session "
                + "yourself.");
        }

        Normalization = normalization ?? Normalization.UsualFor(input) ?? throw new ArgumentException(
            $"The input '{input.Name}' takes {input.Type}, and nothing says how pixels become such numbers; give a normalization.");
        Normalization.Check(_layout.Channels);
        (_input, _fit) = (input, fit);
        var samples = (long)Height * Width * Channels;
        if (samples > Array.MaxLength)
        {
            throw new ArgumentException(
                $"The input '{input.Name}' takes {input.Type}, pictures of {samples} samples; at most {Array.MaxLength} are supported.");
        }

        _samples = new float[samples];
        _resizer = new BilinearResizer(Width, Height, Channels);
    }

    /// <summary>How samples become numbers.</summary>
    public Normalization Normalization { get; }

    /// <summary>Rows of the pictures that the network takes.</summary>
    public int Height => _layout.Height;

    /// <summary>Columns of the pictures that the network takes.</summary>
    public int Width => _layout.Width;

    /// <summary>Channels of the pictures that the network takes: 1 for gray, 3 for colour.</summary>
    public int Channels => _layout.Channels;

    /// <summary>Pictures that the input takes at once.</summary>
    public int Count => _layout.Count;

    /// <summary>Writes a picture into a session's input.</summary>
    /// <param name="picture">The picture, of any size, type and number of channels.</param>
    /// <param name="session">A session whose input has the type and shape that the transform was made for.</param>
    /// <param name="input">Which input.</param>
    /// <param name="index">Which of the <see cref="Count"/> pictures of the input.</param>
    /// <exception cref="ArgumentException">The session's input is another, or there is no such picture in it.</exception>
    public void Write(Image picture, InferenceSession session, int input = 0, int index = 0)
    {
        ArgumentNullException.ThrowIfNull(session);
        var type = session.Inputs[input].Type;
        if (type.Element != _input.Type.Element || type.Shape != _input.Type.Shape)
        {
            throw new ArgumentException(
                $"The session's input '{session.Inputs[input].Name}' takes {type}, but the transform was made for {_input.Type}; make one "
                + "for it.");
        }

        if ((uint)index >= (uint)Count)
            throw new ArgumentException($"Picture {index} was written, but the input '{_input.Name}' takes {Count}; count from 0.");
        var bytes = session.InputBytes(input);
        var each = bytes.Length / Count;
        Write(picture, bytes.Slice(index * each, each));
    }

    /// <summary>Writes a picture into memory.</summary>
    /// <param name="picture">The picture, of any size, type and number of channels.</param>
    /// <param name="memory">Receives the numbers of one picture, in the input's type and layout.</param>
    /// <exception cref="ArgumentException">The memory is of another size.</exception>
    public void Write(Image picture, Span<byte> memory)
    {
        ArgumentNullException.ThrowIfNull(picture);
        var bytes = (long)_samples.Length * _input.Type.Element.Size();
        if (memory.Length != bytes)
            throw new ArgumentException($"A picture of the input '{_input.Name}' takes {bytes} bytes, but there are {memory.Length}.");
        switch (picture.ToSrgb())
        {
            case Image<byte> image:
                Write(image, 1, memory);
                break;
            case Image<ushort> image:
                Write(image, White / ushort.MaxValue, memory);
                break;
            case Image<float> image:
                Write(image, White, memory);
                break;
        }
    }

    private void Write<T>(Image<T> image, double unit, Span<byte> memory)
        where T : unmanaged, INumber<T>
    {
        var part = Part(image);
        var rows = new Rows<T>(image, part, Channels);
        if (part.Width != Width || part.Height != Height)
        {
            _resizer.Run(rows, part.Width, part.Height, _samples);
        }
        else
        {
            for (var y = 0; y < Height; y++)
                rows.Read(y, _samples.AsSpan(y * Width * Channels, Width * Channels));
        }

        WriteSamples(unit, memory);
    }

    private ImageRegion Part(Image image)
    {
        var (width, height) = (image.Width, image.Height);
        if (_fit == PictureFit.Crop)
        {
            width = (int)Math.Clamp(((2L * height * Width) + Height) / (2L * Height), 1, image.Width);
            height = (int)Math.Clamp(((2L * image.Width * Height) + Width) / (2L * Width), 1, image.Height);
        }

        return new ImageRegion((image.Width - width) / 2, (image.Height - height) / 2, width, height);
    }

    private unsafe void WriteSamples(double unit, Span<byte> memory)
    {
        fixed (byte* start = memory)
        {
            var work = new SampleWork { Transform = this, Unit = unit, Memory = start, Length = memory.Length };
            ElementDispatch.Numbers(_input.Type.Element, ref work);
        }
    }

    private void WriteNumbers<T>(double unit, Span<byte> memory)
        where T : unmanaged, INumber<T>, IMinMaxValue<T>
    {
        var numbers = MemoryMarshal.Cast<byte, T>(memory);
        var isFloat = typeof(T) == typeof(float) || typeof(T) == typeof(double) || typeof(T) == typeof(Half);
        var quantization = isFloat || Normalization.KeepsPixels ? null : _input.Type.Quantization;
        var (scale, zero) = (quantization?.Scale ?? 1f, (double)(quantization?.ZeroPoint ?? 0));
        if (!isFloat && Normalization.KeepsPixels)
            zero = double.CreateChecked(T.MinValue);
        var pixels = Height * Width;
        var (pixelStep, channelStep) = _layout.ChannelsFirst ? (1, pixels) : (Channels, 1);
        for (var c = 0; c < Channels; c++)
        {
            var (mean, deviation) = (Normalization.MeanOf(c), Normalization.DeviationOf(c));
            for (var p = 0; p < pixels; p++)
            {
                var sample = (float)(_samples[(p * Channels) + c] * unit);
                var value = (sample - mean) / deviation;
                numbers[(p * pixelStep) + (c * channelStep)] = isFloat
                    ? T.CreateTruncating(value)
                    : T.CreateSaturating(Math.Round((value / scale) + zero, MidpointRounding.AwayFromZero));
            }
        }
    }

    /// <summary>A part of a picture in as many channels as the network takes.</summary>
    private readonly struct Rows<T>(Image<T> image, ImageRegion part, int channels) : IFloatRows
        where T : unmanaged, INumber<T>
    {
        public void Read(int y, Span<float> row)
        {
            var from = image.Channels;
            var source = image.Row(part.Top + y).Slice(part.Left * from, part.Width * from);
            if (from == channels)
            {
                TensorPrimitives.ConvertTruncating<T, float>(source, row);
                return;
            }

            for (int at = 0, to = 0; to < row.Length; at += from, to += channels)
            {
                for (var c = 0; c < channels; c++)
                {
                    row[to + c] = float.CreateTruncating(
                        from < 3 ? source[at] : channels == 1 ? Luma.Of(source[at], source[at + 1], source[at + 2]) : source[at + c]);
                }
            }
        }
    }

    private unsafe struct SampleWork : INumberWork
    {
        public PictureTransform Transform;
        public double Unit;
        public byte* Memory;
        public int Length;

        public readonly void Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T> => Transform.WriteNumbers<T>(Unit, new Span<byte>(Memory, Length));
    }
}
