using System.Buffers.Binary;
using SeparableConv.Imaging;
using SeparableConv.Imaging.Png;
using SeparableConv.Tests.Cli;
using SeparableConv.Tests.Imaging.Color;

namespace SeparableConv.Tests.Imaging;

/// <summary>Colour profiles and resolutions pass from file to file.</summary>
public sealed class MetadataTests
{
    private static readonly ColorProfile P3 = ColorProfile.Parse(
        ProfileBuilder.Rgb(ProfileBuilder.DisplayP3, ProfileBuilder.SrgbCurve()));

    [Theory]
    [InlineData(".png", true)]
    [InlineData(".tif", true)]
    [InlineData(".jpg", true)]
    [InlineData(".webp", true)]
    [InlineData(".avif", true)]
    [InlineData(".jxl", false)]
    public void Profile_and_resolution_come_back(string extension, bool holdsResolution)
    {
        if (extension != ".png")
            TestFiles.NeedVips();
        using var folder = new TempFolder();
        var image = Picture(new Resolution(300, 150));
        ImageFile.Save(image, folder["a" + extension]);
        var back = ImageFile.Load(folder["a" + extension]);

        // A lossy JPEG XL has a profile written anew.
        Assert.NotNull(back.Metadata.Profile);
        Assert.Equal(extension != ".jxl", P3.Data.SequenceEqual(back.Metadata.Profile!.Data));
        if (!holdsResolution)
            return;
        Assert.Equal(300, back.Metadata.Resolution!.Value.Horizontal, 0.1);
        Assert.Equal(150, back.Metadata.Resolution!.Value.Vertical, 0.1);

        // Again through a filter.
        back.Filter(KernelLibrary.Box(3)).Save(folder["b" + extension]);
        var filtered = ImageFile.Load(folder["b" + extension]);
        Assert.True(P3.Data.SequenceEqual(filtered.Metadata.Profile!.Data));
        Assert.Equal(300, filtered.Metadata.Resolution!.Value.Horizontal, 0.1);
    }

    [Theory]
    [InlineData(".npy")]
    [InlineData(".ppm")]
    [InlineData(".jp2")]
    public void Where_no_profile_can_be_kept_pixels_become_sRGB(string extension)
    {
        if (extension != ".npy")
            TestFiles.NeedVips();
        using var folder = new TempFolder();
        var image = Picture(null);
        ImageFile.Save(image, folder["a" + extension], new ImageWriteOptions { Quality = 100 });
        var back = Assert.IsType<Image<byte>>(ImageFile.Load(folder["a" + extension]));
        var expected = (Image<byte>)image.ToSrgb();
        Assert.InRange(back.Pixels.Zip(expected.Pixels, (a, b) => Math.Abs(a - b)).Max(), 0, extension == ".jp2" ? 3 : 0);
        Assert.Null(back.Metadata.Profile);
    }

    [Fact]
    public void Floats_are_written_as_they_are()
    {
        using var folder = new TempFolder();
        var image = TestImages.Noise<float>(7, 5, 3);
        image.Metadata = new ImageMetadata { Profile = P3 };
        ImageFile.Save(image, folder["a.npy"]);
        Assert.Equal(image.Pixels, Assert.IsType<Image<float>>(ImageFile.Load(folder["a.npy"])).Pixels);
    }

    [Fact]
    public void A_picture_turned_by_a_quarter_exchanges_its_resolutions()
    {
        for (var orientation = 1; orientation <= 8; orientation++)
        {
            var turned = Orientation.Apply(Picture(new Resolution(300, 150)), orientation);
            Assert.Equal(orientation >= 5 ? new Resolution(150, 300) : new Resolution(300, 150), turned.Metadata.Resolution);
            Assert.Same(P3, turned.Metadata.Profile);
        }
    }

    [Fact]
    public void Other_colour_chunks_pass_from_PNG_to_PNG()
    {
        byte[] gamma = [0, 1, 134, 160];
        var file = new PngBuilder().Header(2, 1).Chunk("gAMA", gamma).Chunk("cHRM", new byte[32]).Chunk("sRGB", 1)
            .Chunk("gAMA", 9, 9, 9, 9).Chunk("pHYs", 0, 0, 0, 2, 0, 0, 0, 1, 0).Data(0, 10, 20).End();
        var image = PngCodec.Decode(file);
        Assert.Null(image.Metadata.Profile);
        Assert.Null(image.Metadata.Resolution);
        Assert.Equal(["IHDR", "gAMA", "cHRM", "sRGB", "IDAT", "IEND"], Chunks(image));

        image.Metadata = image.Metadata with { Profile = ColorProfile.Parse(ProfileBuilder.Gray(ProfileBuilder.Gamma(2.2))) };
        Assert.Equal(["IHDR", "gAMA", "cHRM", "iCCP", "IDAT", "IEND"], Chunks(image));
        Assert.Equal(["IHDR", "IDAT", "IEND"], Chunks(image.ToSrgb()));
    }

    [Fact]
    public void A_damaged_profile_or_one_of_another_kind_says_nothing()
    {
        var profile = PngBuilder.Deflate(P3.Data.ToArray());
        var endless = PngBuilder.Deflate(new byte[(16 << 20) + (1 << 16)]);
        foreach (var data in new byte[][]
            {
                [], [65], [65, 0], [65, 0, 1, .. profile], [65, 0, 0, .. profile[..^20]], [65, 0, 0, 1, 2, 3], [65, 0, 0, .. endless],
                [.. new byte[90].Select(_ => (byte)65), 0, 0, .. profile],
            })
        {
            var file = new PngBuilder().Header(1, 1, 8, 2).Chunk("iCCP", data).Data(0, 10, 20, 30).End();
            Assert.Null(PngCodec.Decode(file).Metadata.Profile);
        }

        byte[] right = [65, 0, 0, .. profile];
        Assert.NotNull(PngCodec.Decode(new PngBuilder().Header(1, 1, 8, 2).Chunk("iCCP", right).Data(0, 1, 2, 3).End()).Metadata.Profile);
        Assert.Null(PngCodec.Decode(new PngBuilder().Header(1, 1).Chunk("iCCP", right).Data(0, 1).End()).Metadata.Profile);
    }

    [Theory]
    [InlineData("out.png", true)]
    [InlineData("out.npy", false)]
    public void The_command_line_keeps_a_profile_or_converts(string output, bool keeps)
    {
        using var folder = new TempFolder();
        var image = Picture(new Resolution(300, 300));
        ImageFile.Save(image, folder["in.png"]);
        Assert.Equal(0, CommandRun.Of("filter", folder["in.png"], "-o", folder[output], "-k", "identity").Code);
        var result = Assert.IsType<Image<byte>>(ImageFile.Load(folder[output]));
        Assert.Equal(keeps, result.Metadata.Profile is not null);
        Assert.Equal(keeps ? image.Pixels : ((Image<byte>)image.ToSrgb()).Pixels, result.Pixels);

        // Sums are of sRGB's samples, for they could not be converted any more.
        Assert.Equal(0, CommandRun.Of("filter", folder["in.png"], "-o", folder["sums.npy"], "-k", "identity", "--float").Code);
        Assert.Equal(
            Array.ConvertAll(((Image<byte>)image.ToSrgb()).Pixels, sample => (float)sample),
            Assert.IsType<Image<float>>(ImageFile.Load(folder["sums.npy"])).Pixels);
    }

    [Theory]
    [InlineData("p3.jpg")]
    [InlineData("p3.png")]
    public void A_shared_photograph_of_Display_P3_becomes_the_sRGB_that_is_expected(string name)
    {
        TestFiles.NeedVips();
        var image = ImageFile.Load(TestFiles.Shared("cases", "icc-dropped", name));
        Assert.Equal(300, image.Metadata.Resolution!.Value.Horizontal, 0.1);
        var expected = Assert.IsType<Image<byte>>(ImageFile.Load(TestFiles.Shared("cases", "icc-dropped", "expected_srgb.npy")));
        var converted = Assert.IsType<Image<byte>>(image.ToSrgb());
        Assert.InRange(converted.Pixels.Zip(expected.Pixels, (a, b) => Math.Abs(a - b)).Max(), 0, 1);
        Assert.NotEqual(expected.Pixels, ((Image<byte>)image).Pixels);
    }

    [Fact]
    public void Impossible_resolutions_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new ImageMetadata { Resolution = new Resolution(0, 72) });
        Assert.Throws<ArgumentException>(() => new ImageMetadata { Resolution = new Resolution(72, double.NaN) });
    }

    private static Image<byte> Picture(Resolution? resolution)
    {
        var image = TestImages.Smooth<byte>(40, 24, 3);
        image.Metadata = new ImageMetadata { Profile = P3, Resolution = resolution };
        return image;
    }

    private static List<string> Chunks(Image image)
    {
        using var file = new MemoryStream();
        PngCodec.Encode(image, file);
        var bytes = file.ToArray();
        var names = new List<string>();
        for (var at = PngChunkReader.Signature.Length; at < bytes.Length; at += 12 + BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(at)))
            names.Add(System.Text.Encoding.ASCII.GetString(bytes, at + 4, 4));
        return names;
    }
}
