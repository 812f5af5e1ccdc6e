using SeparableConv.Imaging;
using SeparableConv.Imaging.Vips;

namespace SeparableConv.Tests.Imaging;

public sealed class VipsTests
{
    [Fact]
    public void Missing_library_is_named_with_its_remedy()
    {
        using var folder = new TempFolder();
        var missing = new VipsLibrary("libvips-that-does-not-exist.so.0", "another-one.so.0");
        File.WriteAllBytes(folder["a.jpg"], [0xFF, 0xD8, 0xFF, 0xE0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        foreach (var load in (Action[])
            [
                () => ImageFile.Load(folder["a.jpg"], ImageReadOptions.Default, missing),
                () => ImageFile.Load(new Pipe(File.ReadAllBytes(folder["a.jpg"])), ImageReadOptions.Default, missing),
            ])
        {
            var refusal = Assert.Throws<DllNotFoundException>(load);
            Assert.Equal(
                "Reading JPEG needs libvips: install the Debian/Ubuntu package libvips42 (macOS: brew install vips), or convert the file "
                + "to PNG.",
                refusal.Message);
        }

        var image = TestImages.Noise<byte>(2, 2, 3);
        var unwritten = Assert.Throws<DllNotFoundException>(
            () => ImageFile.Save(image, folder["b.webp"], ImageWriteOptions.Default, missing));
        Assert.StartsWith("Writing WebP needs libvips", unwritten.Message, StringComparison.Ordinal);
        Assert.Equal(["a.jpg"], folder.Names);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(6)]
    [InlineData(8)]
    public void Every_EXIF_orientation_shows_the_same_picture(int orientation)
    {
        var upright = LoadShared("exif_landscape_0.jpg");
        var turned = LoadShared($"exif_landscape_{orientation}.jpg");
        Assert.Equal(upright.ToString(), turned.ToString());
        Assert.InRange(MeanDifference(upright, turned), 0, 8);

        // The bound means something: the same picture upside down is far from it.
        Assert.True(MeanDifference(upright, (Image<byte>)Orientation.Apply(upright, 3)) > 20);

        var stored = ImageFile.Load(SharedImage($"exif_landscape_{orientation}.jpg"), new ImageReadOptions { ApplyOrientation = false });
        Assert.Equal(orientation == 3, stored.Width == upright.Width);
    }

    [Fact]
    public void Stream_and_file_give_the_same_pixels()
    {
        var path = SharedImage("rocket.jpg");
        var image = ImageFile.Load(path);
        Assert.Equal("640x427x3 UInt8", image.ToString());
        TestImages.AssertSame(image, ImageFile.Load(new Pipe(File.ReadAllBytes(path))));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Tiff_round_trips_every_type(int channels)
    {
        TestFiles.NeedVips();
        using var folder = new TempFolder();
        foreach (var image in (Image[])
            [
                TestImages.Noise<byte>(33, 21, channels), TestImages.Noise<ushort>(33, 21, channels),
                TestImages.Noise<float>(33, 21, channels),
            ])
        {
            ImageFile.Save(image, folder["a.tif"]);
            Assert.Equal(["a.tif"], folder.Names);
            TestImages.AssertSame(image, ImageFile.Load(folder["a.tif"]));
        }
    }

    [Theory]
    // WebP has colour at half the resolution, whatever the quality; PPM loses nothing.
    [InlineData("a.jpg", 1, 1)]
    [InlineData("a.jpeg", 3, 2)]
    [InlineData("a.webp", 3, 6)]
    [InlineData("a.webp", 4, 6)]
    [InlineData("a.ppm", 3, 0)]
    public void Formats_of_libvips_come_back_the_same_or_nearly(string name, int channels, double most)
    {
        TestFiles.NeedVips();
        using var folder = new TempFolder();
        var image = TestImages.Smooth<byte>(40, 24, channels);
        ImageFile.Save(image, folder[name], new ImageWriteOptions { Quality = 98 });
        var back = Assert.IsType<Image<byte>>(ImageFile.Load(folder[name]));
        Assert.Equal(image.ToString(), back.ToString());
        Assert.InRange(MeanDifference(image, back), 0, most);
    }

    [Fact]
    public void Quality_matters()
    {
        TestFiles.NeedVips();
        using var folder = new TempFolder();
        var image = TestImages.Noise<byte>(64, 64, 3);
        ImageFile.Save(image, folder["high.jpg"], new ImageWriteOptions { Quality = 95 });
        ImageFile.Save(image, folder["low.jpg"], new ImageWriteOptions { Quality = 10 });
        Assert.True(new FileInfo(folder["low.jpg"]).Length * 2 < new FileInfo(folder["high.jpg"]).Length);
    }

    [Fact]
    public void What_a_format_cannot_hold_is_refused()
    {
        using var folder = new TempFolder();
        Assert.Throws<ArgumentException>(() => ImageFile.Save(TestImages.Noise<ushort>(4, 4, 3), folder["a.jpg"]));
        Assert.Throws<ArgumentException>(() => ImageFile.Save(TestImages.Noise<float>(4, 4, 3), folder["a.webp"]));
        Assert.Throws<ArgumentException>(() => ImageFile.Save(TestImages.Noise<byte>(4, 4, 4), folder["a.jpg"]));
        Assert.Empty(folder.Names);
    }

    [Fact]
    public void Pixel_limit_holds_for_every_format()
    {
        var path = SharedImage("rocket.jpg");
        var options = new ImageReadOptions { MaxPixels = 640 * 427 - 1 };
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<InvalidDataException>(() => ImageFile.Load(path, options));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 18);
        Assert.Throws<InvalidDataException>(() => ImageFile.Load(new Pipe(File.ReadAllBytes(path)), options));
    }

    [Fact]
    public void Bomb_is_refused_from_its_header()
    {
        // The frame header (marker FFC0, length, depth) gives height and width: 65500 each, the most that JPEG allows.
        var file = File.ReadAllBytes(SharedImage("rocket.jpg"));
        var sizes = file.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, 0xC0, 0x00, 0x11, 0x08]) + 5;
        (file[sizes], file[sizes + 1], file[sizes + 2], file[sizes + 3]) = (0xFF, 0xDC, 0xFF, 0xDC);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var refusal = Assert.Throws<InvalidDataException>(() => ImageFile.Load(new MemoryStream(file)));
        Assert.Contains("65500x65500 = 4290250000 pixels", refusal.Message, StringComparison.Ordinal);
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void Truncated_or_damaged_file_is_refused_in_one_line()
    {
        var file = File.ReadAllBytes(SharedImage("rocket.jpg"));
        foreach (var length in (int[])[3, 20, 200, 2000, file.Length / 2])
        {
            var refusal = Assert.Throws<InvalidDataException>(() => ImageFile.Load(new Pipe(file[..length])));
            Assert.DoesNotContain('\n', refusal.Message);
            Assert.StartsWith("The JPEG file cannot be read", refusal.Message, StringComparison.Ordinal);
        }
    }

    private static string SharedImage(string name)
    {
        TestFiles.NeedVips();
        return TestFiles.Shared("images", name);
    }

    private static Image<byte> LoadShared(string name) => Assert.IsType<Image<byte>>(ImageFile.Load(SharedImage(name)));

    private static double MeanDifference(Image<byte> one, Image<byte> other)
        => one.Pixels.Zip(other.Pixels, (a, b) => Math.Abs(a - b)).Average();
}
