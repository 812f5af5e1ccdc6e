using SeparableConv.Training;
using static SeparableConv.Tests.Training.Data.DataFiles;

namespace SeparableConv.Tests.Training.Data.Reading;

/// <summary>Pictures and classes as NumPy writes them.</summary>
public sealed class NpyPairReaderTests
{
    private static readonly byte[] Pictures = Noise(24);

    [Theory]
    [InlineData("x.npy", "y.npy")]
    [InlineData("x_train.npy", "y_train.npy")]
    [InlineData("X.npy", "Y.npy")]
    [InlineData("train_images.npy", "train_labels.npy")]
    public void Bytes_are_read_by_folder_or_by_file(string pictures, string classes)
    {
        using var folder = new TempFolder();
        File.WriteAllBytes(folder[pictures], Npy(Pictures, 2, 3, 4));
        File.WriteAllBytes(folder[classes], Npy<byte>([1, 0], 2));
        foreach (var path in new[] { folder.Path, folder[pictures] })
        {
            var data = PictureDataSet.Load(path);
            Assert.Equal("2 pictures of 3x4x1 in 2 classes", data.ToString());
            Assert.Equal(Pictures, Pixels(data));
            Assert.Equal([1, 0], Labels(data));
        }
    }

    [Fact]
    public void Floats_of_0_to_1_become_bytes_and_classes_are_of_any_whole_type()
    {
        using var folder = new TempFolder();
        var floats = Array.ConvertAll(Pictures, sample => sample / 255f);
        File.WriteAllBytes(folder["x.npy"], Npy(floats, 2, 2, 2, 3));
        File.WriteAllBytes(folder["y.npy"], Npy<long>([1, 0], 2, 1));
        Assert.Equal(Pictures, Pixels(PictureDataSet.Load(folder.Path)));
        File.WriteAllBytes(folder["x.npy"], Npy(Array.ConvertAll(floats, sample => (double)sample), 2, 2, 2, 3));
        File.WriteAllBytes(folder["y.npy"], Npy<sbyte>([1, 5], 2));
        var data = PictureDataSet.Load(folder.Path);
        Assert.Equal(Pictures, Pixels(data));
        Assert.Equal((2, 2, 3, 6), (data.Height, data.Width, data.Channels, data.Classes.Count));
    }

    [Fact]
    public void Of_several_pairs_the_training_part_is_read()
    {
        using var folder = new TempFolder();
        foreach (var (part, count) in new[] { ("train", 2), ("test", 1) })
        {
            File.WriteAllBytes(folder[$"x_{part}.npy"], Npy(new byte[count], count, 1, 1));
            File.WriteAllBytes(folder[$"y_{part}.npy"], Npy(new byte[count], count));
        }

        Assert.Equal(2, PictureDataSet.Load(folder.Path).Count);
    }

    [Fact]
    public void What_does_not_suit_is_refused()
    {
        Check(Npy(Pictures, 2, 12), Npy(new byte[2], 2), "(2, 12)", "(N, height, width)");
        Check(Npy(Pictures, 1, 3, 1, 8), Npy(new byte[1], 1), "pictures of 8 channels", "x.transpose(0, 2, 3, 1)");
        Check(Npy(new int[24], 2, 3, 4), Npy(new byte[2], 2), "elements of Int32", "x.astype('u1')");
        Check(Npy(new byte[0], 0, 3, 4), Npy(new byte[0], 0), "no pictures");
        Check(Npy(new byte[0], 2, 0, 4), Npy(new byte[2], 2), "pictures of 0 bytes");
        Check(Npy<float>([0, 0.5f, 0, 1.5f], 2, 1, 2), Npy(new byte[2], 2), "picture 1 has the number 1.5", "divide by 255");
        Check(Npy<float>([float.NaN], 1, 1, 1), Npy(new byte[1], 1), "NaN");
        Check(Npy(Pictures, 2, 3, 4), Npy(new byte[3], 3), "2 pictures", "3 classes");
        Check(Npy(Pictures, 2, 3, 4), Npy(new byte[20], 2, 10), "(2, 10)", "argmax(1)");
        Check(Npy(Pictures, 2, 3, 4), Npy(new float[2], 2), "elements of Float32", "whole numbers");
        Check(Npy(Pictures, 2, 3, 4), Npy<long>([0, -1], 2), "sample 1 has the class -1");
        Check(Npy(Pictures, 2, 3, 4), Npy<long>([0, 1L << 40], 2), "sample 1 has the class");
        Check(Npy(Pictures, 2, 3, 4), Npy<int>([0, 1 << 20], 2), "sample 1 has the class 1048576", "at most 32768 classes");
        Check(Npy(Pictures, 2, 3, 4)[..^1], Npy(new byte[2], 2), "cut off", "should have 24 bytes, but 23 are there");
        Check([.. Npy(Pictures, 2, 3, 4), 0], Npy(new byte[2], 2), "more bytes");
    }

    [Fact]
    public void A_file_without_classes_is_refused()
    {
        using var folder = new TempFolder();
        File.WriteAllBytes(folder["x.npy"], Npy(Pictures, 2, 3, 4));
        Refused<FileNotFoundException>(() => PictureDataSet.Load(folder["x.npy"]), "y.npy for x.npy");
        Refused<InvalidDataException>(() => PictureDataSet.Load(folder.Path), "no data set that is known");
        File.WriteAllText(folder["notes.txt"], "nothing\n");
        Refused<InvalidDataException>(() => PictureDataSet.Load(folder["notes.txt"]), "begins with the bytes 6E6F7468");
    }

    private static void Check(byte[] pictures, byte[] classes, string first, string second = "")
    {
        using var folder = new TempFolder();
        File.WriteAllBytes(folder["x.npy"], pictures);
        File.WriteAllBytes(folder["y.npy"], classes);
        Refused<InvalidDataException>(() => PictureDataSet.Load(folder.Path), first, second);
    }
}
