using SeparableConv.Imaging;

namespace SeparableConv.Tests.Imaging;

public sealed class ImageFileTests
{
    [Theory]
    [InlineData("a.png")]
    [InlineData("a.PNG")]
    [InlineData("a.npy")]
    public void Image_is_saved_by_extension_and_nothing_is_left_beside_it(string name)
    {
        using var folder = new TempFolder();
        var image = TestImages.Smooth<byte>(20, 10, 3);
        File.WriteAllText(folder[name], "an older file");
        ImageFile.Save(image, folder[name]);
        Assert.Equal([name], folder.Names);
        TestImages.AssertSame(image, ImageFile.Load(folder[name]));
    }

    [Fact]
    public void Content_and_not_extension_says_what_a_file_is()
    {
        using var folder = new TempFolder();
        var image = TestImages.Smooth<ushort>(20, 10, 2);
        ImageFile.Save(image, folder["a.png"]);
        File.Move(folder["a.png"], folder["a.npy"]);
        TestImages.AssertSame(image, ImageFile.Load(folder["a.npy"]));
        using var stream = File.OpenRead(folder["a.npy"]);
        TestImages.AssertSame(image, ImageFile.Load(new Pipe(File.ReadAllBytes(folder["a.npy"]))));
        TestImages.AssertSame(image, ImageFile.Load(stream));
    }

    [Fact]
    public void Failure_leaves_the_old_file_and_no_other()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder["a.png"], "an older file");
        Assert.Throws<ArgumentException>(() => ImageFile.Save(TestImages.Noise<float>(4, 4, 1), folder["a.png"]));
        Assert.Equal(["a.png"], folder.Names);
        Assert.Equal("an older file", File.ReadAllText(folder["a.png"]));
    }

    [Fact]
    public void Link_stays_a_link_and_its_target_is_replaced()
    {
        using var folder = new TempFolder();
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Making links needs a privilege on Windows.");
        File.WriteAllText(folder["target.png"], "an older file");
        File.CreateSymbolicLink(folder["link.png"], folder["target.png"]);
        ImageFile.Save(TestImages.Noise<byte>(4, 4, 1), folder["link.png"]);
        Assert.NotNull(new FileInfo(folder["link.png"]).LinkTarget);
        Assert.Equal(4, ImageFile.Load(folder["target.png"]).Width);
    }

    [Fact]
    public void Device_is_written_and_not_replaced()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "/dev/null is asked for.");
        var device = File.GetAttributes("/dev/null");
        AtomicFile.Write("/dev/null", output => output.WriteByte(1));
        Assert.Equal(device, File.GetAttributes("/dev/null"));
        Assert.Equal(0, new FileInfo("/dev/null").Length);
    }

    [Fact]
    public void Places_that_cannot_be_used_are_refused()
    {
        using var folder = new TempFolder();
        var image = TestImages.Noise<byte>(4, 4, 1);
        Assert.Throws<DirectoryNotFoundException>(() => ImageFile.Save(image, folder["none/a.png"]));
        Directory.CreateDirectory(folder["b.png"]);
        Assert.Throws<IOException>(() => ImageFile.Save(image, folder["b.png"]));
        Assert.Throws<IOException>(() => ImageFile.Load(folder["b.png"]));
        Assert.Throws<FileNotFoundException>(() => ImageFile.Load(folder["c.png"]));
        Assert.Throws<ArgumentException>(() => ImageFile.Save(image, folder["a.xyz"]));
        Assert.Throws<ArgumentException>(() => ImageFile.Save(image, folder["a"]));
        Assert.Throws<ArgumentException>(() => ImageFile.Save(image, new MemoryStream(), ".jpg"));
        Assert.Empty(folder.Names);
    }

    [Theory]
    [InlineData("")]
    [InlineData("%")]
    [InlineData("hello, this is a text and no image")]
    [InlineData("\u0089PNH\r\n\u001a\n")]
    public void Unknown_content_is_refused(string content)
    {
        using var folder = new TempFolder();
        File.WriteAllBytes(folder["a.png"], System.Text.Encoding.Latin1.GetBytes(content));
        Assert.Throws<InvalidDataException>(() => ImageFile.Load(folder["a.png"]));
        Assert.Throws<InvalidDataException>(() => ImageFile.Load(new Pipe(File.ReadAllBytes(folder["a.png"]))));
    }

    [Fact]
    public void Image_checks_its_size_and_type()
    {
        Assert.Throws<ArgumentException>(() => Image.Create(2, 2, 3, new byte[11]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Image.Create(0, 2, 3, Array.Empty<byte>()));
        Assert.Throws<ArgumentOutOfRangeException>(() => Image.Create(1, 1, 5, new byte[5]));
        Assert.Throws<ArgumentException>(() => Image.Create(1, 1, 1, new double[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Image.Create(1, 1, 1, new byte[1]).Row(1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ImageWriteOptions { PngLevel = 10 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new ImageWriteOptions { Quality = 0 });
    }

    [Fact]
    public void Tensor_shares_the_image_s_memory()
    {
        var image = TestImages.Noise<byte>(5, 4, 3);
        var tensor = image.AsTensor();
        Assert.Equal([4, 5, 3], tensor.Lengths);
        tensor[3, 2, 1] = 77;
        Assert.Equal(77, image.Row(3)[2 * 3 + 1]);
        Assert.Equal(
            [false, true, false, true], Enumerable.Range(1, 4).Select(channels => TestImages.Noise<byte>(1, 1, channels).HasAlpha));
    }
}
