using SeparableConv.Imaging;

namespace SeparableConv.Tests.Imaging.Color;

public sealed class ColorProfileTests
{
    public static TheoryData<string> Curves => ["gamma", "table", "identity", "para0", "para1", "para2", "para3", "para4"];

    // The formula itself, in doubles, beside every kind of curve.
    [Theory]
    [MemberData(nameof(Curves))]
    public void Colours_become_sRGB_as_the_formula_says(string kind)
    {
        var (element, light) = Curve(kind);
        foreach (var primaries in new[] { ProfileBuilder.DisplayP3, ProfileBuilder.Srgb })
        {
            var profile = ColorProfile.Parse(ProfileBuilder.Rgb(primaries, element));
            CheckRgb(TestImages.Noise<byte>(37, 11, 3), profile, primaries, light);
            CheckRgb(TestImages.Noise<byte>(5, 11, 4), profile, primaries, light);
            CheckRgb(TestImages.Noise<ushort>(37, 5, 3), profile, primaries, light);
        }

        var gray = ColorProfile.Parse(ProfileBuilder.Gray(element));
        foreach (var channels in new[] { 1, 2 })
        {
            var image = TestImages.Noise<byte>(64, 9, channels);
            image.Metadata = new ImageMetadata { Profile = gray };
            var converted = Assert.IsType<Image<byte>>(image.ToSrgb());
            for (var i = 0; i < image.Pixels.Length; i++)
            {
                var expected = i % channels == 1 ? image.Pixels[i] : 255 * Encode(light(image.Pixels[i] / 255.0));
                Assert.InRange(converted.Pixels[i], expected - 0.6, expected + 0.6);
            }
        }
    }

    [Fact]
    public void Full_red_of_Display_P3_is_more_than_sRGB_shows()
    {
        var profile = ColorProfile.Parse(ProfileBuilder.Rgb(ProfileBuilder.DisplayP3, ProfileBuilder.SrgbCurve()));
        var image = Image.Create<byte>(4, 1, 3, [255, 0, 0, 200, 100, 50, 255, 255, 255, 0, 0, 0]);
        image.Metadata = new ImageMetadata { Profile = profile, Resolution = new Resolution(300, 200) };
        var converted = Assert.IsType<Image<byte>>(image.ToSrgb());
        Assert.Equal<byte>([255, 0, 0, 215, 93, 31, 255, 255, 255, 0, 0, 0], converted.Pixels);
        Assert.Equal(new ImageMetadata { Resolution = new Resolution(300, 200) }, converted.Metadata);
        Assert.Same(profile, image.Metadata.Profile);
    }

    [Fact]
    public void An_sRGB_profile_changes_no_bit()
    {
        var image = TestImages.Noise<ushort>(50, 50, 3);
        image.Metadata = new ImageMetadata
        {
            Profile = ColorProfile.Parse(ProfileBuilder.Rgb(ProfileBuilder.Srgb, ProfileBuilder.SrgbCurve())),
        };
        var converted = Assert.IsType<Image<ushort>>(image.ToSrgb());
        Assert.Equal(image.Pixels, converted.Pixels);
        Assert.Null(converted.Metadata.Profile);
        Assert.Same(converted, converted.ToSrgb());
    }

    [Fact]
    public void Tables_are_converted_by_libvips_to_what_curves_and_primaries_say()
    {
        TestFiles.NeedVips();
        var curves = ColorProfile.Parse(ProfileBuilder.Rgb(ProfileBuilder.DisplayP3, ProfileBuilder.SrgbCurve()));
        var tables = new ProfileBuilder().Colors(ProfileBuilder.DisplayP3).Profile();
        foreach (var image in new Image[]
            {
                TestImages.Noise<byte>(40, 9, 3), TestImages.Noise<byte>(40, 9, 4), TestImages.Noise<ushort>(40, 9, 3),
            })
        {
            image.Metadata = new ImageMetadata { Profile = curves };
            var expected = Numbers(image.ToSrgb());
            image.Metadata = new ImageMetadata { Profile = tables };
            var converted = image.ToSrgb();
            Assert.Null(converted.Metadata.Profile);
            Assert.Equal(image.ToString(), converted.ToString());
            var off = expected.Zip(Numbers(converted), (a, b) => Math.Abs(a - b)).Max();

            // libvips looks colours up in a coarser table, which shows where sRGB clips.
            Assert.InRange(off, 0, image.Shape.MaxValue / 25);
            Assert.True(expected.Zip(Numbers(image), (a, b) => Math.Abs(a - b)).Max() > image.Shape.MaxValue / 10);
        }
    }

    [Fact]
    public void Gray_is_made_of_sRGB()
    {
        var image = Image.Create<byte>(1, 1, 3, [200, 100, 50]);
        image.Metadata = new ImageMetadata
        {
            Profile = ColorProfile.Parse(ProfileBuilder.Rgb(ProfileBuilder.DisplayP3, ProfileBuilder.SrgbCurve())),
        };
        var gray = Assert.IsType<Image<byte>>(image.ToGray());
        Assert.Equal<byte>([122], gray.Pixels);
        Assert.Null(gray.Metadata.Profile);
    }

    [Fact]
    public void What_is_no_profile_of_pictures_is_refused()
    {
        var whole = ProfileBuilder.Rgb(ProfileBuilder.Srgb, ProfileBuilder.Gamma(2.2));
        foreach (var (bytes, words) in new (byte[], string)[]
            {
                ([], "cut off in its header"),
                (whole[..100], "cut off in its header"),
                (whole[..^40], "claims"),
                (new ProfileBuilder("CMYK").Colors(ProfileBuilder.Srgb).Bytes(), "neither gray nor RGB"),
                (new ProfileBuilder().Bytes(), "neither by curves nor by tables"),
                (ProfileBuilder.Rgb(ProfileBuilder.Srgb, ProfileBuilder.Parametric(7, 1)), "neither by curves nor by tables"),
                (ProfileBuilder.Rgb(ProfileBuilder.Srgb, [.. "curv\0\0\0\0"u8, 255, 255, 255, 255]), "neither by curves nor by tables"),
            })
        {
            Assert.Contains(words, Assert.Throws<InvalidDataException>(() => ColorProfile.Parse(bytes)).Message, StringComparison.Ordinal);
        }
    }

    private static (byte[] Element, Func<double, double> Light) Curve(string kind) => kind switch
    {
        "gamma" => (ProfileBuilder.Gamma(1.75), x => Math.Pow(x, 1.75)),
        "table" => (ProfileBuilder.Table(0, 10000, 65535), x => x < 0.5 ? x * 20000 / 65535 : (10000 + ((x - 0.5) * 111070)) / 65535),
        "identity" => (ProfileBuilder.Table(), x => x),
        "para0" => (ProfileBuilder.Parametric(0, 2.2), x => Math.Pow(x, 2.2)),
        "para1" => (ProfileBuilder.Parametric(1, 2, 1.25, -0.25), x => x < 0.2 ? 0 : Math.Pow((1.25 * x) - 0.25, 2)),
        "para2" => (ProfileBuilder.Parametric(2, 2, 1, -0.25, 0.125), x => x < 0.25 ? 0.125 : Math.Pow(x - 0.25, 2) + 0.125),
        "para3" => (ProfileBuilder.Parametric(3, 2, 0.75, 0.25, 0.5, 0.25), x => x < 0.25 ? x / 2 : Math.Pow((0.75 * x) + 0.25, 2)),
        _ => (ProfileBuilder.Parametric(4, 2, 0.75, 0.125, 0.5, 0.25, 0.0625, 0.03125),
            x => x < 0.25 ? (x / 2) + 0.03125 : Math.Pow((0.75 * x) + 0.125, 2) + 0.0625),
    };

    private static void CheckRgb<T>(Image<T> image, ColorProfile profile, double[] primaries, Func<double, double> light)
        where T : unmanaged, System.Numerics.INumber<T>
    {
        image.Metadata = new ImageMetadata { Profile = profile };
        var converted = Numbers(image.ToSrgb());
        var (source, most) = (Numbers(image), image.Shape.MaxValue);
        for (var p = 0; p < source.Length; p += image.Channels)
        {
            var xyz = new double[3];
            for (var i = 0; i < 9; i++)
                xyz[i % 3] += primaries[i] * light(source[p + (i / 3)] / most);
            double[] expected =
            [
                (3.1338561 * xyz[0]) - (1.6168667 * xyz[1]) - (0.4906146 * xyz[2]),
                (-0.9787684 * xyz[0]) + (1.9161415 * xyz[1]) + (0.0334540 * xyz[2]),
                (0.0719453 * xyz[0]) - (0.2289914 * xyz[1]) + (1.4052427 * xyz[2]),
            ];

            // Numbers in a profile are rounded to 1/65536, which in the dark is more than a step of 16 bits.
            var tolerance = 0.55 + (most * 2e-3);
            for (var c = 0; c < 3; c++)
                Assert.InRange(converted[p + c] - (most * Encode(Math.Clamp(expected[c], 0, 1))), -tolerance, tolerance);
            if (image.HasAlpha)
                Assert.Equal(source[p + 3], converted[p + 3]);
        }
    }

    private static double Encode(double light) => light <= 0.0031308 ? 12.92 * light : (1.055 * Math.Pow(light, 1 / 2.4)) - 0.055;

    private static double[] Numbers(Image image) => image switch
    {
        Image<byte> bytes => Array.ConvertAll(bytes.Pixels, sample => (double)sample),
        Image<ushort> words => Array.ConvertAll(words.Pixels, sample => (double)sample),
        _ => Array.ConvertAll(((Image<float>)image).Pixels, sample => (double)sample),
    };
}
