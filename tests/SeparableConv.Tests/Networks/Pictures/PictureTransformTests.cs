using SeparableConv.Imaging;
using SeparableConv.Networks.Pictures;
using SeparableConv.Tests.Imaging.Color;

namespace SeparableConv.Tests.Networks.Pictures;

/// <summary>From pictures to a network's input.</summary>
public sealed class PictureTransformTests
{
    private static readonly byte[] Pixels = [0, 1, 2, 127, 128, 129, 10, 20, 30, 253, 254, 255];

    [Theory]
    [InlineData(new[] { 1, 96, 64, 3 }, 96, 64, 3, false)]
    [InlineData(new[] { 1, 3, 96, 64 }, 96, 64, 3, true)]
    [InlineData(new[] { 1, 96, 96, 1 }, 96, 96, 1, false)]
    [InlineData(new[] { 1, 1, 28, 28 }, 28, 28, 1, true)]
    [InlineData(new[] { 3, 20, 30 }, 20, 30, 3, true)]
    [InlineData(new[] { 20, 30, 3 }, 20, 30, 3, false)]
    [InlineData(new[] { 1, 3, 3, 1 }, 3, 3, 1, false)]
    [InlineData(new[] { 1, 1, 3, 3 }, 3, 3, 1, true)]
    [InlineData(new[] { 2, 96, 64, 3 }, 96, 64, 3, false, 2)]
    public void The_layout_follows_from_the_shape(int[] shape, int height, int width, int channels, bool channelsFirst, int count = 1) =>
        Assert.Equal(new PictureLayout(count, height, width, channels, channelsFirst), PictureLayout.Of(Input(ElementType.Float32, shape)));

    [Theory]
    [InlineData(1, 96, 96, 4)]
    [InlineData(1, 0, 96, 3)]
    [InlineData(1, 1000)]
    [InlineData(1, 1, 8, 8, 3)]
    public void Other_inputs_take_no_picture(params int[] shape)
    {
        var input = Input(ElementType.Float32, shape);
        Assert.Null(PictureLayout.Of(input));
        Assert.Null(Normalization.UsualFor(input));
        Assert.Contains("no picture of 1 or 3 channels", Assert.Throws<ArgumentException>(() => new PictureTransform(input)).Message);
    }

    [Fact]
    public void Floats_with_channels_last_are_from_minus_one_to_one()
    {
        var numbers = Filled<float>(Input(ElementType.Float32, [1, 2, 2, 3]));
        Assert.Equal(Array.ConvertAll(Pixels, p => (float)((p - 127.5) / 127.5)), numbers);
        Assert.Equal(Array.ConvertAll(Pixels, p => p / 255.0), Filled<double>(Input(ElementType.Float64, [1, 2, 2, 3]), [0], [255]));
    }

    [Fact]
    public void Floats_with_channels_first_are_ImageNets()
    {
        double[] mean = [123.675, 116.28, 103.53];
        double[] deviation = [58.395, 57.12, 57.375];
        var expected = new float[12];
        for (var p = 0; p < 4; p++)
        {
            for (var c = 0; c < 3; c++)
                expected[(c * 4) + p] = (float)((Pixels[(p * 3) + c] - mean[c]) / deviation[c]);
        }

        Assert.Equal(expected, Filled<float>(Input(ElementType.Float32, [1, 3, 2, 2])));
        Assert.Equal((Half)((Pixels[11] - 103.53) / 57.375), Filled<Half>(Input(ElementType.Float16, [1, 3, 2, 2]))[11]);
    }

    [Fact]
    public void Quantized_inputs_get_the_pixels_unless_the_options_say_otherwise()
    {
        var bytes = Input(ElementType.UInt8, [1, 2, 2, 3], new Quantization(1 / 128f, 128));
        var signed = Input(ElementType.Int8, [1, 2, 2, 3], new Quantization(1 / 255f, -128));
        Assert.Equal(Pixels, Filled<byte>(bytes));
        Assert.Equal(Array.ConvertAll(Pixels, p => (sbyte)(p - 128)), Filled<sbyte>(signed));

        // (255 - 127.5) / 127.5 = 1 would be 256.
        var normalized = Filled<byte>(bytes, [127.5], [127.5]);
        Assert.Equal(
            Array.ConvertAll(Pixels, p => (byte)Math.Min(255, Math.Round((p - 127.5) / 127.5 * 128, MidpointRounding.AwayFromZero) + 128)),
            normalized);
        Assert.Equal(Array.ConvertAll(Pixels, p => (sbyte)Math.Round(p - 128.0)), Filled<sbyte>(signed, [0], [255]));
    }

    [Fact]
    public void Whole_numbers_without_quantization_need_to_be_told()
    {
        Assert.Equal(Pixels, Filled<byte>(Input(ElementType.UInt8, [1, 2, 2, 3])));
        Assert.Contains(
            "give a normalization", Assert.Throws<ArgumentException>(() => Filled<int>(Input(ElementType.Int32, [1, 2, 2, 3]))).Message);
        Assert.Contains(
            "not made into",
            Assert.Throws<ArgumentException>(() => Filled<ulong>(Input(ElementType.UInt64, [1, 2, 2, 3]), [0], [1])).Message);
        Assert.Equal(Array.ConvertAll(Pixels, p => p - 100), Filled<int>(Input(ElementType.Int32, [1, 2, 2, 3]), [100], [1]));
        Assert.Equal(Array.ConvertAll(Pixels, p => (short)(p - 100)), Filled<short>(Input(ElementType.Int16, [1, 2, 2, 3]), [100]));
        Assert.Equal(Array.ConvertAll(Pixels, p => (long)p), Filled<long>(Input(ElementType.Int64, [1, 2, 2, 3]), null, [1]));
    }

    [Fact]
    public void Pictures_of_every_kind_become_what_the_network_takes()
    {
        var colour = Input(ElementType.UInt8, [1, 1, 2, 3]);
        var gray = Input(ElementType.UInt8, [1, 1, 2, 1]);
        Assert.Equal<byte>([7, 7, 7, 200, 200, 200], Filled<byte>(colour, Image.Create<byte>(2, 1, 1, [7, 200])));
        Assert.Equal<byte>([7, 7, 7, 200, 200, 200], Filled<byte>(colour, Image.Create<byte>(2, 1, 2, [7, 0, 200, 99])));
        Assert.Equal<byte>([1, 2, 3, 4, 5, 6], Filled<byte>(colour, Image.Create<byte>(2, 1, 4, [1, 2, 3, 0, 4, 5, 6, 255])));
        Assert.Equal<byte>([7, 200], Filled<byte>(gray, Image.Create<byte>(2, 1, 2, [7, 0, 200, 99])));
        Assert.Equal<byte>([10, 76], Filled<byte>(gray, Image.Create<byte>(2, 1, 3, [10, 10, 10, 255, 0, 0])));
        Assert.Equal<byte>([0, 255], Filled<byte>(gray, Image.Create<ushort>(2, 1, 1, [100, 65535])));
        Assert.Equal<byte>([128, 255], Filled<byte>(gray, Image.Create<float>(2, 1, 1, [0.5f, 7])));
        Assert.Equal(
            [1 / 257.0 / 255, 1],
            Filled<double>(Input(ElementType.Float64, [1, 1, 2, 1]), Image.Create<ushort>(2, 1, 1, [1, 65535]), [0], [255]),
            (a, b) => Math.Abs(a - b) < 1e-7);
    }

    [Fact]
    public void Pictures_of_another_size_are_resized()
    {
        var checkered = Image.Create<byte>(4, 2, 1, [0, 200, 100, 100, 200, 0, 100, 100]);
        var half = Filled<float>(Input(ElementType.Float32, [1, 1, 2, 1]), checkered, [0], [1]);
        var expected = ImageResize.Bilinear(checkered, 2, 1).Pixels;
        Assert.Equal(expected, half);
        Assert.InRange(half[0], 90, 110);
        var rounded = Filled<byte>(Input(ElementType.UInt8, [1, 1, 2, 1]), checkered);
        Assert.Equal(Array.ConvertAll(expected, v => (byte)MathF.Round(v, MidpointRounding.AwayFromZero)), rounded);
    }

    [Fact]
    public void Presets_are_what_they_say()
    {
        var input = Input(ElementType.Float32, [1, 2, 2, 3]);
        Assert.Equal(Array.ConvertAll(Pixels, p => (float)(p / 255.0)), Filled<float>(input, Picture, Normalization.ZeroToOne));
        Assert.Equal(Array.ConvertAll(Pixels, p => (float)p), Filled<float>(input, Picture, Normalization.Pixels));
        Assert.Same(Normalization.MinusOneToOne, Normalization.UsualFor(input));
        Assert.Same(Normalization.ImageNet, Normalization.UsualFor(Input(ElementType.Float32, [1, 3, 2, 2])));
        Assert.Same(Normalization.MinusOneToOne, Normalization.UsualFor(Input(ElementType.Float32, [1, 1, 2, 2])));
        Assert.Same(Normalization.Pixels, Normalization.UsualFor(Input(ElementType.UInt8, [1, 2, 2, 3])));
        Assert.Equal("(pixel - 127.5) / 127.5", Normalization.MinusOneToOne.ToString());
    }

    [Fact]
    public void A_normalization_has_one_number_or_one_a_channel()
    {
        var input = Input(ElementType.Float32, [1, 2, 2, 3]);
        Assert.Contains(
            "2 means but the network's pictures have 3 channels",
            Assert.Throws<ArgumentException>(() => Filled<float>(input, [1, 2], [1])).Message);
        Assert.Contains("4 deviations", Assert.Throws<ArgumentException>(() => Filled<float>(input, [1], [1, 2, 3, 4])).Message);
        Assert.Equal(Pixels[2] - 3f, Filled<float>(input, [1, 2, 3], [1])[2]);
        Assert.Throws<ArgumentException>(() => new Normalization([], [1]));
        Assert.Throws<ArgumentException>(() => new Normalization([1, 2], [1, 2, 3]));
        Assert.Throws<ArgumentException>(() => new Normalization([1], [0]));
        Assert.Contains("more than a float holds", Assert.Throws<ArgumentException>(() => new Normalization([0], [1e-300])).Message);
    }

    [Fact]
    public void Cropping_takes_the_middle()
    {
        // 6x2 to 2x1: the middle 4x2 is resized; to 2x2: the middle 2x2 is taken as it is.
        var wide = Image.Create<byte>(6, 2, 1, [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110]);
        var square = new PictureTransform(Input(ElementType.UInt8, [1, 2, 2, 1]), fit: PictureFit.Crop);
        var numbers = new byte[4];
        square.Write(wide, numbers);
        Assert.Equal<byte>([20, 30, 80, 90], numbers);

        var middle = Image.Create<byte>(4, 2, 1, [10, 20, 30, 40, 70, 80, 90, 100]);
        var cropped = new float[2];
        new PictureTransform(Input(ElementType.Float32, [1, 1, 2, 1]), Normalization.Pixels, PictureFit.Crop).Write(
            wide, System.Runtime.InteropServices.MemoryMarshal.AsBytes(cropped.AsSpan()));
        Assert.Equal(ImageResize.Bilinear(middle, 2, 1).Pixels, cropped);

        var high = Image.Create<byte>(1, 5, 1, [1, 2, 3, 4, 5]);
        var one = new byte[1];
        new PictureTransform(Input(ElementType.UInt8, [1, 1, 1, 1]), fit: PictureFit.Crop).Write(high, one);
        Assert.Equal<byte>([3], one);
    }

    [Fact]
    public void A_picture_with_a_profile_is_seen_as_sRGB()
    {
        var picture = Image.Create<byte>(2, 1, 3, [200, 100, 50, 255, 0, 0]);
        picture.Metadata = new ImageMetadata
        {
            Profile = ColorProfile.Parse(ProfileBuilder.Rgb(ProfileBuilder.DisplayP3, ProfileBuilder.SrgbCurve())),
        };
        var seen = new byte[6];
        new PictureTransform(Input(ElementType.UInt8, [1, 1, 2, 3])).Write(picture, seen);
        Assert.Equal<byte>([215, 93, 31, 255, 0, 0], seen);
    }

    [Fact]
    public void Pictures_of_a_batch_lie_one_behind_the_other()
    {
        using var session = new InferenceSession(Identity(2, 1, 2, 1));
        var transform = new PictureTransform(session.Inputs[0], Normalization.Pixels);
        transform.Write(Image.Create<byte>(2, 1, 1, [1, 2]), session, index: 0);
        transform.Write(Image.Create<byte>(2, 1, 1, [3, 4]), session, index: 1);
        Assert.Equal<float>([1, 2, 3, 4], System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(session.InputBytes(0)).ToArray());
        Assert.Contains(
            "takes 2",
            Assert.Throws<ArgumentException>(() => transform.Write(Image.Create<byte>(2, 1, 1, [3, 4]), session, index: 2)).Message);
        Assert.Contains(
            "there are 4",
            Assert.Throws<ArgumentException>(() => transform.Write(Image.Create<byte>(2, 1, 1, [3, 4]), new byte[4])).Message);
        using var other = new InferenceSession(Identity(1, 2, 2, 1));
        Assert.Contains(
            "make one for it", Assert.Throws<ArgumentException>(() => transform.Write(Image.Create<byte>(2, 1, 1, [3, 4]), other)).Message);
    }

    private static Network Identity(params int[] shape)
    {
        var net = new NetworkBuilder();
        var x = net.Input(new(shape[1], shape[2], shape[3]), batchSize: shape[0]);
        return net.Build(net.Activation(x, Activation.ReLU));
    }

    private static Value Input(ElementType element, int[] shape, Quantization? quantization = null) =>
        new("x", new TensorType(element, new TensorShape(shape), quantization));

    private static Image<byte> Picture => Image.Create(2, 2, 3, Pixels);

    private static T[] Filled<T>(Value input, double[]? mean = null, double[]? deviation = null)
        where T : unmanaged => Filled<T>(input, Picture, mean, deviation);

    private static T[] Filled<T>(Value input, Image image, double[]? mean = null, double[]? deviation = null)
        where T : unmanaged => Filled<T>(
            input, image, mean is null && deviation is null ? null : new Normalization(mean ?? [0], deviation ?? [1]));

    private static T[] Filled<T>(Value input, Image image, Normalization? normalization)
        where T : unmanaged
    {
        var numbers = new T[input.Type.Shape.ElementCount];
        new PictureTransform(input, normalization).Write(image, System.Runtime.InteropServices.MemoryMarshal.AsBytes(numbers.AsSpan()));
        return numbers;
    }
}
