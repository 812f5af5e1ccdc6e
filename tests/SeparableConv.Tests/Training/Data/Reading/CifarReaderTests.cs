using SeparableConv.Training;
using static SeparableConv.Tests.Training.Data.DataFiles;

namespace SeparableConv.Tests.Training.Data.Reading;

/// <summary>CIFAR-10 and CIFAR-100 in their binary form.</summary>
public sealed class CifarReaderTests
{
    [Fact]
    public void Batches_are_read_in_order_and_planes_become_pixels()
    {
        using var folder = new TempFolder();
        File.WriteAllBytes(folder["data_batch_2.bin"], Cifar([[3]], 10));
        File.WriteAllBytes(folder["data_batch_1.bin"], Cifar([[9], [0]], 20));
        File.WriteAllBytes(folder["test_batch.bin"], Cifar([[1]]));
        File.WriteAllLines(folder["batches.meta.txt"], Enumerable.Range(0, 10).Select(c => $"class {c}"));
        var data = PictureDataSet.Load(folder.Path);
        Assert.Equal("3 pictures of 32x32x3 in 10 classes", data.ToString());
        Assert.Equal([9, 0, 3], Labels(data));
        Assert.Equal("class 9", data.Classes[9]);
        var (planes, pixels) = (Noise(3072, 10), new byte[3072]);
        data.Read(2, pixels);
        for (var i = 0; i < 1024; i++)
            Assert.Equal((planes[i], planes[1024 + i], planes[2048 + i]), (pixels[3 * i], pixels[(3 * i) + 1], pixels[(3 * i) + 2]));
        Assert.Equal([1], Labels(PictureDataSet.Load(folder["test_batch.bin"])));
    }

    [Fact]
    public void Of_two_classes_the_fine_one_counts()
    {
        using var folder = new TempFolder();
        File.WriteAllBytes(folder["train.bin"], Cifar([[19, 99], [0, 7]]));
        var data = PictureDataSet.Load(folder.Path);
        Assert.Equal("2 pictures of 32x32x3 in 100 classes", data.ToString());
        Assert.Equal([99, 7], Labels(data));
        Assert.Equal("99", data.Classes[99]);
        File.WriteAllLines(folder["fine_label_names.txt"], Enumerable.Range(0, 100).Select(c => $"fine {c}"));
        Assert.Equal("fine 99", PictureDataSet.Load(folder["train.bin"]).Classes[99]);
        var names = new ClassLabels(Enumerable.Range(0, 100).Select(c => $"x{c}"));
        Assert.Equal("x99", PictureDataSet.Load(folder.Path, new() { Classes = names }).Classes[99]);
    }

    [Fact]
    public void Files_of_other_names_are_told_apart_by_their_length()
    {
        using var folder = new TempFolder();
        File.WriteAllBytes(folder["a.bin"], Cifar([[3]]));
        File.WriteAllBytes(folder["b.bin"], Cifar([[3, 50]]));
        Assert.Equal(10, PictureDataSet.Load(folder["a.bin"]).Classes.Count);
        Assert.Equal(100, PictureDataSet.Load(folder["b.bin"]).Classes.Count);
    }

    [Fact]
    public void Damage_is_refused()
    {
        using var folder = new TempFolder();
        var file = Cifar([[3], [10]]);
        File.WriteAllBytes(folder["data_batch_1.bin"], file);
        Refused<InvalidDataException>(() => PictureDataSet.Load(folder.Path), "record 1 has the class 10", "CIFAR-10 has 10");
        File.WriteAllBytes(folder["data_batch_1.bin"], file[..^1]);
        Refused<InvalidDataException>(() => PictureDataSet.Load(folder.Path), "has 6145 bytes", "records of 3073");
        File.WriteAllBytes(folder["data_batch_1.bin"], []);
        Refused<InvalidDataException>(() => PictureDataSet.Load(folder.Path), "has 0 bytes");
        File.WriteAllBytes(folder["data_batch_1.bin"], file[..3073]);
        Refused<InvalidDataException>(() => PictureDataSet.Load(folder.Path, new() { MaxBytes = 3071 }), "MaxBytes");
        Refused<ArgumentException>(() => PictureDataSet.Load(folder.Path, new() { Height = 64 }), "32x32x3", "64x32x3");
        File.WriteAllText(folder["batches.meta.txt"], "plane\ncar\n");
        Refused<InvalidDataException>(() => PictureDataSet.Load(folder.Path), "10 classes, but there are 2 names");
    }
}
