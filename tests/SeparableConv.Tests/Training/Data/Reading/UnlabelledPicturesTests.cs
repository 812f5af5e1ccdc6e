using SeparableConv.Imaging;
using SeparableConv.Tests.Imaging;
using SeparableConv.Training;
using static SeparableConv.Tests.Training.Data.DataFiles;

namespace SeparableConv.Tests.Training.Data.Reading;

/// <summary>Pictures without labels: where there are none, and where they are passed over.</summary>
public sealed class UnlabelledPicturesTests
{
    private static readonly byte[] Samples = Noise(5 * 3 * 4);

    [Fact]
    public void A_folder_of_pictures_is_read_and_then_its_folders()
    {
        using var folder = new TempFolder();
        Image<byte>[] pictures = [.. Enumerable.Range(0, 5).Select(i => TestImages.Noise<byte>(5, 4, 3, i))];
        pictures[1].Save(folder["b.png"]);
        pictures[0].Save(folder["a.npy"]);
        Check(pictures[..2], 0);
        File.WriteAllText(folder[".hidden"], "nothing");
        File.WriteAllText(folder["notes.txt"], "nothing");
        Check(pictures[..2], 1);
        Refused<InvalidDataException>(() => PictureDataSet.LoadPictures(folder.Path, new() { Strict = true }), "notes.txt");

        foreach (var (name, i) in new[] { ("y/2.png", 4), ("x/1.png", 2), ("y/1.png", 3) })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(folder[name])!);
            pictures[i].Save(folder[name]);
        }

        Directory.CreateDirectory(folder["empty"]);
        Check(pictures, 1);

        void Check(Image<byte>[] expected, int skipped)
        {
            var data = PictureDataSet.LoadPictures(folder.Path);
            Assert.Equal(($"{expected.Length} pictures of 4x5x3 without labels", false), (data.ToString(), data.IsLabelled));
            Assert.Equal(expected.SelectMany(picture => picture.Pixels), Pixels(data));
            Assert.Equal(skipped, data.SkippedCount);
            Assert.All(Labels(data), label => Assert.Equal(0, label));
            Assert.Empty(data.Classes);
        }
    }

    [Fact]
    public void A_folder_a_class_gives_the_same_pictures_without_its_classes()
    {
        using var folder = new TempFolder();
        foreach (var name in new[] { "a", "b" })
        {
            Directory.CreateDirectory(folder[name]);
            TestImages.Noise<byte>(9, 6, 3, name[0]).Save(Path.Combine(folder[name], "1.png"));
        }

        var options = new DataSetOptions { Height = 5, Width = 4, Channels = 1 };
        var labelled = PictureDataSet.Load(folder.Path, options);
        Assert.True(labelled.IsLabelled);
        Assert.Equal(Pixels(labelled), Pixels(PictureDataSet.LoadPictures(folder.Path, options)));
    }

    [Theory]
    [InlineData("train-images-idx3-ubyte", "train-labels-idx1-ubyte", false)]
    [InlineData("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", true)]
    public void IDX_pictures_need_no_classes_and_pass_over_those_that_are_there(string pictures, string classes, bool isPacked)
    {
        using var folder = new TempFolder();
        var file = Idx([5, 3, 4], Samples);
        File.WriteAllBytes(folder[pictures], isPacked ? Gzip(file) : file);
        Check(folder, pictures);
        Refused<FileNotFoundException>(() => PictureDataSet.Load(folder.Path), "no file with its classes");
        File.WriteAllBytes(folder[classes], [1, 2, 3]);
        Check(folder, pictures);
        File.WriteAllBytes(folder["x"], Idx([5], [0, 1, 2, 3, 4]));
        Refused<InvalidDataException>(() => PictureDataSet.LoadPictures(folder["x"]), "name the file with its pictures");
        File.WriteAllBytes(folder["x"], Idx([1u << 31, 1u << 31, 1u << 31], Samples));
        Refused<InvalidDataException>(() => PictureDataSet.LoadPictures(folder["x"]), "claims");
    }

    [Fact]
    public void Npy_pictures_need_no_classes_and_pass_over_those_that_are_there()
    {
        using var folder = new TempFolder();
        File.WriteAllBytes(folder["photos.npy"], Npy(Samples, 5, 3, 4));
        Check(folder, "photos.npy");
        Refused<FileNotFoundException>(() => PictureDataSet.Load(folder["photos.npy"]), "no file with its classes");
        File.Move(folder["photos.npy"], folder["x.npy"]);
        File.WriteAllBytes(folder["y.npy"], Npy<float>([0.5f], 1));
        Check(folder, "x.npy");
        Refused<InvalidDataException>(() => PictureDataSet.LoadPictures(folder["y.npy"]), "(1,)", "(N, height, width)");
    }

    [Fact]
    public void CIFAR_pictures_pass_over_their_classes()
    {
        using var folder = new TempFolder();
        File.WriteAllBytes(folder["data_batch_1.bin"], Cifar([[9], [200]]));
        Refused<InvalidDataException>(() => PictureDataSet.Load(folder.Path), "class 200");
        var data = PictureDataSet.LoadPictures(folder.Path);
        Assert.Equal("2 pictures of 32x32x3 without labels", data.ToString());
        File.WriteAllBytes(folder["data_batch_1.bin"], Cifar([[9], [0]]));
        Assert.Equal(Pixels(PictureDataSet.Load(folder.Path)), Pixels(data));
    }

    [Fact]
    public void What_has_no_pictures_is_refused()
    {
        using var folder = new TempFolder();
        Refused<InvalidDataException>(() => PictureDataSet.LoadPictures(folder.Path), "no data set that is known", "a folder of pictures");
        Directory.CreateDirectory(Path.Combine(folder["a"], "b"));
        Refused<InvalidDataException>(() => PictureDataSet.LoadPictures(folder.Path), "have no pictures", "deeper");
        File.WriteAllText(folder["1.txt"], "nothing");
        foreach (var options in new DataSetOptions[] { new(), new() { Height = 4, Width = 4, Channels = 1 } })
        {
            Refused<InvalidDataException>(
                () => PictureDataSet.LoadPictures(folder.Path, options), "None of the 1 files", "1.txt' cannot be read");
        }

        Refused<FileNotFoundException>(() => PictureDataSet.LoadPictures(folder["none"]), "does not exist");
        Refused<InvalidDataException>(() => PictureDataSet.LoadPictures(folder["1.txt"]), "which no data set does");
        Refused<ArgumentException>(
            () => PictureDataSet.LoadPictures(folder.Path, new() { Classes = new(["a"]) }), "leave the names out");
    }

    [Fact]
    public void Parts_have_no_labels_either()
    {
        using var folder = new TempFolder();
        File.WriteAllBytes(folder["x.npy"], Npy(Samples, 5, 3, 4));
        var data = PictureDataSet.LoadPictures(folder["x.npy"]);
        foreach (var (training, validation) in new[] { data.Split(0.4), data.SplitLast(2) })
        {
            Assert.Equal((3, 2), (training.Count, validation.Count));
            Assert.False(training.IsLabelled || validation.IsLabelled);
        }
    }

    private static void Check(TempFolder folder, string file)
    {
        foreach (var path in new[] { folder.Path, folder[file] })
        {
            var data = PictureDataSet.LoadPictures(path);
            Assert.Equal("5 pictures of 3x4x1 without labels", data.ToString());
            Assert.Equal(Samples, Pixels(data));
            Assert.Equal([0, 0, 0, 0, 0], Labels(data));
        }
    }
}
