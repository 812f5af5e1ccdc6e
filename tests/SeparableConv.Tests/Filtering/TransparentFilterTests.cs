using SeparableConv.Imaging;
using SeparableConv.Loops;
using SeparableConv.Tests.Cli;

namespace SeparableConv.Tests.Filtering;

/// <summary>Colours weigh as much as they are seen. Random alphas are in every test of filters; here is what they leave out.</summary>
public sealed class TransparentFilterTests
{
    public static TheoryData<string, bool> Kernels
    {
        get
        {
            var kernels = new TheoryData<string, bool>();
            foreach (var kernel in new[] { "gauss:15:4", "box:3", "box:31", "disk:4", "sharpen", "sobel-x", "1 0 2; 0 0 0; 3 0 -4" })
            {
                kernels.Add(kernel, false);
                kernels.Add(kernel, true);
            }

            return kernels;
        }
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void What_transparent_pixels_hide_reaches_no_other(string kernel, bool filterAlpha)
    {
        foreach (var border in Enum.GetValues<BorderMode>())
        {
            var options = new FilterOptions { FilterAlpha = filterAlpha, Border = border };
            Check<byte>(TestPicture<byte>(4, 255), 255, kernel, options);
            Check<byte>(TestPicture<byte>(2, 255), 255, kernel, options);
            Check<ushort>(TestPicture<ushort>(4, 65535), 65535, kernel, options);
            Check<float>(TestPicture<float>(4, 1), float.NaN, kernel, options);
        }
    }

    [Theory]
    [InlineData("gauss:15:4")]
    [InlineData("sharpen")]
    [InlineData("box:5")]
    public void One_colour_stays_that_colour(string kernel)
    {
        byte[] color = [72, 242, 91];
        var picture = TestPicture<byte>(4, 255);
        for (var i = 0; i < picture.Pixels.Length; i += 4)
        {
            if (picture.Pixels[i + 3] > 0)
                color.CopyTo(picture.Pixels.AsSpan(i));
        }

        foreach (var filterAlpha in new[] { false, true })
        {
            var options = new FilterOptions { FilterAlpha = filterAlpha };
            var result = ((Image<byte>)picture.Filter(KernelParser.Parse(kernel), options)).Pixels;
            for (var i = 0; i < result.Length; i += 4)
            {
                if (result[i + 3] > 0)
                    Assert.Equal(color, result[i..(i + 3)]);
            }
        }
    }

    // Premultiplied, filtered channel by channel, divided.
    [Fact]
    public void Filtered_alpha_gives_what_premultiplied_colours_give()
    {
        var kernel = KernelLibrary.Gauss(7);
        var picture = TestPicture<byte>(4, 255);
        var weighed = new double[picture.Pixels.Length];
        for (var i = 0; i < weighed.Length; i++)
            weighed[i] = i % 4 == 3 ? picture.Pixels[i] : picture.Pixels[i] * (picture.Pixels[i | 3] / 255.0);
        var expected = new double[weighed.Length];
        for (var c = 0; c < 4; c++)
        {
            var plane = Enumerable.Range(0, weighed.Length / 4).Select(p => weighed[(4 * p) + c]).ToArray();
            var filtered = FilterReference.Run(
                plane, new ImageShape(picture.Height, picture.Width, 1, ElementType.UInt8), kernel, FilterOptions.Default, []);
            for (var p = 0; p < plane.Length; p++)
                expected[(4 * p) + c] = filtered[p];
        }

        var actual = ((Image<byte>)picture.Filter(kernel, new FilterOptions { FilterAlpha = true })).Pixels;
        for (var i = 0; i < actual.Length; i++)
        {
            var wanted = i % 4 == 3 ? expected[i] : expected[i | 3] > 0.01 ? expected[i] / (expected[i | 3] / 255) : actual[i];
            Assert.InRange(actual[i], wanted - 0.501, wanted + 0.501);
        }
    }

    [Fact]
    public void The_identity_and_shifts_with_their_alpha_keep_every_bit()
    {
        var picture = TestPicture<ushort>(4, 65535);
        Assert.Equal(picture.Pixels, ((Image<ushort>)picture.Filter(KernelLibrary.Identity(3))).Pixels);
        var shift = new FilterKernel([1, 0, 0], 1, 3);
        var shifted = (Image<ushort>)picture.Filter(shift, new FilterOptions { FilterAlpha = true });
        Assert.Equal(picture.Row(3)[..^4], shifted.Row(3)[4..]);

        // Alone, alpha would leave its colour behind: a pixel that then sees nothing keeps its own.
        var kept = (Image<ushort>)picture.Filter(shift);
        for (var p = 1; p < picture.Width; p++)
        {
            var from = picture.Row(3)[(4 * p) - 1] > 0 ? p - 1 : p;
            for (var c = 0; c < 3 && picture.Row(3)[(4 * p) + 3] > 0; c++)
                Assert.Equal(picture.Row(3)[(4 * from) + c], kept.Row(3)[(4 * p) + c]);
        }
    }

    [Fact]
    public void An_opaque_picture_has_the_bits_of_its_channels()
    {
        var picture = OpaquePicture();
        var colors = Image.Create<byte>(picture.Width, picture.Height, 3, [.. picture.Pixels.Where((_, i) => i % 4 != 3)]);
        foreach (var kernel in new[] { "gauss:9", "sharpen", "disk:3" })
        {
            var expected = ((Image<byte>)colors.Filter(KernelParser.Parse(kernel))).Pixels;
            var actual = ((Image<byte>)picture.Filter(KernelParser.Parse(kernel))).Pixels;
            Assert.Equal(expected, actual.Where((_, i) => i % 4 != 3));
        }
    }

    // Bands, strips, regions, in place and threads: the bits of the whole.
    [Theory]
    [InlineData("gauss:9")]
    [InlineData("sharpen")]
    [InlineData("disk:5")]
    public void Regions_and_threads_have_the_bits_of_the_whole(string name)
    {
        var kernel = KernelParser.Parse(name);
        var picture = TestPicture<byte>(4, 255, 143, 201);
        foreach (var filterAlpha in new[] { false, true })
        {
            var whole = (Image<byte>)picture.Filter(kernel, new FilterOptions { FilterAlpha = filterAlpha, Threads = 1 });
            foreach (var threads in new[] { 2, 3 })
            {
                var options = new FilterOptions { FilterAlpha = filterAlpha, Threads = threads };
                Assert.Equal(whole.Pixels, ((Image<byte>)picture.Filter(kernel, options)).Pixels);
                foreach (var region in new ImageRegion[]
                    {
                        new(0, 0, 143, 201), new(3, 31, 100, 1), new(50, 17, 93, 99), new(142, 64, 1, 33),
                    })
                {
                    var part = (Image<byte>)picture.Filter(kernel, options, region);
                    for (var y = 0; y < region.Height; y++)
                        Assert.Equal(whole.Row(region.Top + y).Slice(4 * region.Left, 4 * region.Width), part.Row(y));
                }

                var copy = TestPicture<byte>(4, 255, 143, 201);
                copy.FilterInPlace(kernel, options);
                Assert.Equal(whole.Pixels, copy.Pixels);
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Shared_pictures_that_look_alike_give_the_same(bool filterAlpha)
    {
        using var folder = new TempFolder();
        string[] options = filterAlpha ? ["--filter-alpha"] : [];
        foreach (var name in new[] { "in.png", "in-hidden-magenta.png" })
        {
            string[] filter = ["filter", TestFiles.Shared("cases", "alpha-bleed", name), "-o", folder[name], "-k", "gauss:15:4"];
            Assert.Equal(0, CommandRun.Of([.. filter, .. options]).Code);
        }

        var result = Assert.IsType<Image<byte>>(ImageFile.Load(folder["in.png"]));
        Assert.Equal(result.Pixels, Assert.IsType<Image<byte>>(ImageFile.Load(folder["in-hidden-magenta.png"])).Pixels);
        for (var i = 0; i < result.Pixels.Length; i += 4)
        {
            if (result.Pixels[i + 3] > 0)
                Assert.Equal<byte>([72, 242, 91], result.Pixels[i..(i + 3)]);
        }
    }

    private static void Check<T>(Image<T> picture, T hidden, string name, FilterOptions options)
        where T : unmanaged, System.Numerics.INumber<T>
    {
        var kernel = KernelParser.Parse(name);
        var expected = (Image<T>)picture.Filter(kernel, options);
        var other = Image.Create(picture.Width, picture.Height, picture.Channels, (T[])picture.Pixels.Clone());
        for (var i = 0; i < other.Pixels.Length; i++)
        {
            var alpha = (i / other.Channels * other.Channels) + other.Channels - 1;
            if (i != alpha && other.Pixels[alpha] == T.Zero)
                other.Pixels[i] = hidden;
        }

        Assert.NotEqual(picture.Pixels, other.Pixels);
        Assert.Equal(expected.Pixels, ((Image<T>)other.Filter(kernel, options)).Pixels);
    }

    // Half of it transparent, with a hole and alphas between.
    private static Image<T> TestPicture<T>(int channels, double opaque, int width = 47, int height = 39)
        where T : unmanaged, System.Numerics.INumber<T>
    {
        var random = new Random(3);
        var picture = Image<T>.CreateEmpty(width, height, channels);
        for (var i = 0; i < picture.Pixels.Length; i++)
        {
            var (x, y) = (i / channels % width, i / channels / width);
            var isAlpha = i % channels == channels - 1;
            var number = !isAlpha ? random.NextDouble() * opaque
                : x < 11 || (x - 25) * (x - 25) < 30 - y ? 0
                : y % 5 == 0 ? random.NextDouble() * opaque
                : opaque;
            picture.Pixels[i] = T.CreateTruncating(number);
        }

        return picture;
    }

    private static Image<byte> OpaquePicture()
    {
        var picture = Imaging.TestImages.Noise<byte>(61, 44, 4);
        for (var i = 3; i < picture.Pixels.Length; i += 4)
            picture.Pixels[i] = 255;
        return picture;
    }
}
