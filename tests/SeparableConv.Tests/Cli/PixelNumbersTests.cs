using SeparableConv.Cli;
using SeparableConv.Cli.Commands;

namespace SeparableConv.Tests.Cli;

/// <summary>What <c>--mean</c>, <c>--std</c> and a network's input say of pixels.</summary>
public sealed class PixelNumbersTests
{
    [Theory]
    [InlineData(ElementType.Float32, "2 pictures at once", 2, 96, 96, 3)]
    [InlineData(ElementType.Float32, "no picture", 1, 96, 96, 4)]
    [InlineData(ElementType.Float32, "no picture", 1, 1000)]
    [InlineData(ElementType.Int32, "give --mean and --std", 1, 96, 96, 3)]
    public void Other_inputs_take_no_picture(ElementType element, string piece, params int[] shape) =>
        Assert.Contains(piece, Assert.Throws<InputException>(() => PixelNumbers.For(Input(element, shape), null, null)).Message);

    [Fact]
    public void Options_need_one_number_or_one_a_channel()
    {
        var input = Input(ElementType.Float32, [1, 2, 2, 3]);
        Assert.Contains(
            "--mean has 2 numbers but the network's pictures have 3 channels",
            Assert.Throws<InputException>(() => PixelNumbers.For(input, [1, 2], [1])).Message);
        Assert.Contains("--std has 4 numbers", Assert.Throws<InputException>(() => PixelNumbers.For(input, [1], [1, 2, 3, 4])).Message);
        Assert.Equal([1, 2, 3], PixelNumbers.For(input, [1, 2, 3], null).Transform.Normalization.Mean.ToArray());
        Assert.Contains(
            "not made into",
            Assert.Throws<InputException>(() => PixelNumbers.For(Input(ElementType.UInt64, [1, 2, 2, 3]), [1], null)).Message);
    }

    [Theory]
    [InlineData(1e300, 1)]
    [InlineData(0, 1e-300)]
    [InlineData(1e308, 1e-308)]
    public void Options_must_not_take_pixels_beyond_a_float(double mean, double deviation) =>
        Assert.Contains(
            "more than a float holds; give --mean and --std",
            Assert.Throws<InputException>(() => PixelNumbers.For(Input(ElementType.Float32, [1, 2, 2, 3]), [mean], [deviation])).Message);

    [Fact]
    public void People_are_told_what_is_done_and_why()
    {
        Assert.Equal("(pixel - 1,2,3) / 4, as --mean and --std say", Told(Input(ElementType.Float32, [1, 2, 2, 3]), [1, 2, 3], [4]));
        Assert.Equal("(pixel - 0) / 2, as --mean and --std say", Told(Input(ElementType.Float32, [1, 2, 2, 3]), null, [2]));
        Assert.Equal(
            "(pixel - 127.5) / 127.5, -1 to 1, as is usual for channels last; --mean and --std change it",
            Told(Input(ElementType.Float32, [1, 2, 2, 3])));
        Assert.Equal(
            "(pixel - 127.5) / 127.5, -1 to 1, as is usual for one channel; --mean and --std change it",
            Told(Input(ElementType.Float32, [1, 1, 2, 2])));
        Assert.Equal(
            "(pixel - 123.675,116.28,103.53) / 58.395,57.12,57.375, ImageNet's, as is usual for channels first; --mean and --std change it",
            Told(Input(ElementType.Float32, [1, 3, 2, 2])));
        Assert.Equal("pixels as they are: the network's input takes bytes", Told(Input(ElementType.UInt8, [1, 2, 2, 3])));
        Assert.Equal(
            "pixels as they are: the network's input is quantized, scale 0.5, zero point -128",
            Told(Input(ElementType.Int8, [1, 2, 2, 3], new Quantization(0.5f, -128))));
    }

    private static string Told(Value input, double[]? mean = null, double[]? deviation = null) =>
        PixelNumbers.For(input, mean, deviation).Description;

    private static Value Input(ElementType element, int[] shape, Quantization? quantization = null) =>
        new("x", new TensorType(element, new TensorShape(shape), quantization));
}
