using SeparableConv.Imaging;
using SeparableConv.Tests.Imaging;
using SeparableConv.Training;
using static SeparableConv.Tests.Training.Data.DataFiles;

namespace SeparableConv.Tests.Training.Data.Reading;

/// <summary>A folder a class of pictures.</summary>
public sealed class FolderReaderTests
{
    [Fact]
    public void Pictures_are_in_ordinal_order_whatever_the_file_system_gives()
    {
        using var folder = new TempFolder();
        Image<byte>[] pictures = [.. Enumerable.Range(0, 4).Select(i => TestImages.Noise<byte>(5, 4, 3, i))];
        Save(folder, pictures[3], "b", "1.png");
        Save(folder, pictures[2], "a", "b.npy");
        Save(folder, pictures[1], "a", "Z.png");
        Save(folder, pictures[0], "B", "10.png");
        Directory.CreateDirectory(folder[".hidden"]);
        File.WriteAllText(Path.Combine(folder["a"], ".DS_Store"), "nothing");
        var data = PictureDataSet.Load(folder.Path);
        Assert.Equal(["B", "a", "b"], data.Classes);
        Assert.Equal([0, 1, 1, 2], Labels(data));
        Assert.Equal((4, 5, 3, 0), (data.Height, data.Width, data.Channels, data.SkippedCount));
        Assert.Equal(pictures.SelectMany(picture => picture.Pixels), Pixels(data));
    }

    [Fact]
    public void More_pictures_than_are_decoded_at_once_stay_in_order()
    {
        using var folder = new TempFolder();
        var expected = new List<byte>();
        for (var i = 0; i < 150; i++)
        {
            var picture = TestImages.Noise<byte>(4, 4, 1, i);
            Save(folder, picture, i < 100 ? "a" : "b", $"{i:000}.npy");
            expected.AddRange(picture.Pixels);
        }

        File.WriteAllText(Path.Combine(folder["a"], "0005.png"), "no picture");
        var data = PictureDataSet.Load(folder.Path);
        Assert.Equal(expected, Pixels(data));
        Assert.Equal((150, 1), (data.Count, data.SkippedCount));
        Assert.Equal(100, Labels(data).Count(label => label == 0));
    }

    [Fact]
    public void Pictures_are_fitted_as_they_are_when_the_network_is_used()
    {
        using var folder = new TempFolder();
        var colour = TestImages.Smooth<byte>(9, 6, 3);
        var gray = TestImages.Smooth<ushort>(6, 6, 1);
        Save(folder, colour, "a", "1.png");
        Save(folder, gray, "a", "2.png");
        foreach (var fit in new[] { PictureFit.Stretch, PictureFit.Crop })
        {
            var data = PictureDataSet.Load(folder.Path, new() { Height = 5, Width = 5, Fit = fit });
            var transform = new PictureTransform(
                new Value("x", new TensorType(ElementType.UInt8, new TensorShape(1, 5, 5, 3))), Normalization.Pixels, fit);
            var expected = new byte[2 * 75];
            transform.Write(colour, expected.AsSpan(0, 75));
            transform.Write(gray, expected.AsSpan(75));
            Assert.Equal(expected, Pixels(data));
        }

        Assert.Equal((6, 9, 1), Size(PictureDataSet.Load(folder.Path, new() { Channels = 1 })));
        Assert.Equal((7, 9, 3), Size(PictureDataSet.Load(folder.Path, new() { Height = 7 })));
        Refused<ArgumentException>(() => PictureDataSet.Load(folder.Path, new() { Width = 3 }), "6x3", "at least 4x4");
        Refused<ArgumentException>(() => PictureDataSet.Load(folder.Path, new() { Channels = 2 }), "2 channels", "1 for gray");
        Refused<ArgumentException>(() => PictureDataSet.Load(folder.Path, new() { Classes = new(["a"]) }), "named after their folders");
        Refused<ArgumentException>(() => PictureDataSet.Load(folder.Path, new() { Fit = (PictureFit)7 }), "fit 7 is unknown");
        Refused<InvalidDataException>(() => PictureDataSet.Load(folder.Path, new() { MaxBytes = 200 }), "MaxBytes");
    }

    [Fact]
    public void Damaged_pictures_are_left_out_counted_and_named_or_refused()
    {
        using var folder = new TempFolder();
        var picture = TestImages.Noise<byte>(5, 4, 1);
        for (var i = 0; i < 20; i++)
        {
            Save(folder, picture, "a", $"{i:00}.png");
            if (i % 5 != 1)
                File.WriteAllBytes(Path.Combine(folder["a"], $"{i:00}.png"), [0x89, (byte)'P', (byte)'N', (byte)'G', 1]);
        }

        var data = PictureDataSet.Load(folder.Path);
        Assert.Equal((4, 16), (data.Count, data.SkippedCount));
        Assert.Equal(10, data.SkippedExamples.Count);
        Assert.Contains("00.png' cannot be read: ", data.SkippedExamples[0]);
        Assert.All(data.SkippedExamples, example => Assert.DoesNotContain('\n', example));
        Refused<InvalidDataException>(() => PictureDataSet.Load(folder.Path, new() { Strict = true }), "00.png' cannot be read: ");
        Refused<InvalidDataException>(
            () => PictureDataSet.Load(folder.Path, new() { Strict = true, Height = 4, Width = 4, Channels = 1 }),
            "00.png' cannot be read: ");
    }

    [Fact]
    public void Folders_that_are_no_classes_are_refused()
    {
        using var folder = new TempFolder();
        Save(folder, TestImages.Noise<byte>(5, 4, 1), "a", "1.png");
        Directory.CreateDirectory(folder["b"]);
        Refused<InvalidDataException>(() => PictureDataSet.Load(folder.Path), "b' has no pictures;", "remove it");
        Directory.CreateDirectory(Path.Combine(folder["b"], "inner"));
        Refused<InvalidDataException>(() => PictureDataSet.Load(folder.Path), "no pictures but folders, 'inner' first");
        File.WriteAllText(Path.Combine(folder["b"], "1.txt"), "nothing");
        Refused<InvalidDataException>(() => PictureDataSet.Load(folder.Path), "b' no file can be read", "1.txt' cannot be read");
        File.WriteAllText(Path.Combine(folder["a"], "1.png"), "nothing");
        Refused<InvalidDataException>(() => PictureDataSet.Load(folder.Path), "None of the 2 files", "1.png' cannot be read");
    }

    [Fact]
    public void Pictures_that_libvips_reads_are_read()
    {
        TestFiles.NeedVips();
        using var folder = new TempFolder();
        Save(folder, TestImages.Smooth<byte>(16, 16, 3), "a", "1.jpg");
        Save(folder, TestImages.Smooth<byte>(16, 16, 3), "b", "1.webp");
        Assert.Equal((16, 16, 3), Size(PictureDataSet.Load(folder.Path)));
    }

    private static (int Height, int Width, int Channels) Size(PictureDataSet data) => (data.Height, data.Width, data.Channels);

    private static void Save(TempFolder folder, Image picture, string name, string file)
    {
        Directory.CreateDirectory(folder[name]);
        picture.Save(Path.Combine(folder[name], file));
    }
}
