using SeparableConv.Cli;
using SeparableConv.Cli.Commands;
using SeparableConv.Imaging;
using SeparableConv.Networks;
using SeparableConv.Tests.Support;
using Xunit;

namespace SeparableConv.Tests.Cli;

/// <summary>From pictures to a network's input.</summary>
public sealed class RunInputTests
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
    public void The_layout_follows_from_the_shape(int[] shape, int height, int width, int channels, bool channelsFirst) =>
        Assert.Equal(new PictureLayout(height, width, channels, channelsFirst), PictureLayout.Of(Input(ElementType.Float32, shape)));

    [Theory]
    [InlineData(new[] { 2, 96, 96, 3 }, "2 pictures at once")]
    [InlineData(new[] { 1, 96, 96, 4 }, "no picture")]
    [InlineData(new[] { 1, 0, 96, 3 }, "no picture")]
    [InlineData(new[] { 1, 1000 }, "no picture")]
    [InlineData(new[] { 1, 1, 8, 8, 3 }, "no picture")]
    public void Other_inputs_take_no_picture(int[] shape, string piece) =>
        Assert.Contains(piece, Assert.Throws<InputException>(() => PictureLayout.Of(Input(ElementType.Float32, shape))).Message);

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
        Assert.Equal(Array.ConvertAll(Pixels, p => (byte)Math.Min(255, Math.Round((p - 127.5) / 127.5 * 128, MidpointRounding.AwayFromZero) + 128)), normalized);
        Assert.Equal(Array.ConvertAll(Pixels, p => (sbyte)Math.Round(p - 128.0)), Filled<sbyte>(signed, [0], [255]));
    }

    [Fact]
    public void Whole_numbers_without_quantization_need_to_be_told()
    {
        Assert.Equal(Pixels, Filled<byte>(Input(ElementType.UInt8, [1, 2, 2, 3])));
        Assert.Contains("--mean", Assert.Throws<InputException>(() => Filled<int>(Input(ElementType.Int32, [1, 2, 2, 3]))).Message);
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
        Assert.Equal([1 / 257.0 / 255, 1], Filled<double>(Input(ElementType.Float64, [1, 1, 2, 1]), Image.Create<ushort>(2, 1, 1, [1, 65535]), [0], [255]), (a, b) => Math.Abs(a - b) < 1e-7);
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
    public void Options_need_one_number_or_one_a_channel()
    {
        var input = Input(ElementType.Float32, [1, 2, 2, 3]);
        Assert.Contains("--mean has 2 numbers but the network's pictures have 3 channels", Assert.Throws<InputException>(() => Filled<float>(input, [1, 2], [1])).Message);
        Assert.Contains("--std has 4 numbers", Assert.Throws<InputException>(() => Filled<float>(input, [1], [1, 2, 3, 4])).Message);
        Assert.Equal(Pixels[2] - 3f, Filled<float>(input, [1, 2, 3])[2]);
    }

    [Theory]
    [InlineData(1e300, 1)]
    [InlineData(0, 1e-300)]
    [InlineData(1e308, 1e-308)]
    public void Options_must_not_take_pixels_beyond_a_float(double mean, double deviation) =>
        Assert.Contains("more than a float holds", Assert.Throws<InputException>(() => Filled<float>(Input(ElementType.Float32, [1, 2, 2, 3]), [mean], [deviation])).Message);

    [Fact]
    public void The_best_classes_come_first_and_equal_ones_by_index()
    {
        var best = ClassScore.Best([0.5, double.NaN, 0.9, 0.5, double.NegativeInfinity], 9, null);
        Assert.Equal([2, 0, 3, 4, 1], best.Select(score => score.Index));
        Assert.Equal([2, 0], ClassScore.Best([0.5, 0, 0.9], 2, null).Select(score => score.Index));
    }

    [Fact]
    public void Labels_of_another_number_are_refused()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder["labels.txt"], "\ufeffbackground\r\ncat \r\ndog\r\n\r\n\n");
        var labels = ClassLabels.Read(folder["labels.txt"]);
        labels.Check(3);
        Assert.Equal(("background", "cat", "dog"), (labels[0], labels[1], labels[2]));
        Assert.Contains("has 3 lines but the network has 4 classes; this network may have a class 0", Assert.Throws<InputException>(() => labels.Check(4)).Message);
        Assert.Contains("has 3 lines but the network has 2 classes; the first line may be", Assert.Throws<InputException>(() => labels.Check(2)).Message);
        Assert.Contains("has 3 lines but the network has 1001 classes; is it", Assert.Throws<InputException>(() => labels.Check(1001)).Message);
    }

    private static Value Input(ElementType element, int[] shape, Quantization? quantization = null) =>
        new("x", new TensorType(element, new TensorShape(shape), quantization));

    private static T[] Filled<T>(Value input, double[]? mean = null, double[]? deviation = null)
        where T : unmanaged => Filled<T>(input, Image.Create(2, 2, 3, Pixels), mean, deviation);

    private static T[] Filled<T>(Value input, Image image, double[]? mean = null, double[]? deviation = null)
        where T : unmanaged
    {
        var layout = PictureLayout.Of(input);
        var numbers = new T[input.Type.Shape.ElementCount];
        new PictureInput(input, layout, Normalization.Of(input, layout, mean, deviation)).Write(image, System.Runtime.InteropServices.MemoryMarshal.AsBytes(numbers.AsSpan()));
        return numbers;
    }
}
