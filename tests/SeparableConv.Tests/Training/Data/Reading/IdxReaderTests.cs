using SeparableConv.Training;
using static SeparableConv.Tests.Training.Data.DataFiles;

namespace SeparableConv.Tests.Training.Data.Reading;

/// <summary>MNIST and its like.</summary>
public sealed class IdxReaderTests
{
    private static readonly byte[] Pictures = Noise(5 * 3 * 4);
    private static readonly byte[] Classes = [2, 0, 1, 2, 0];

    [Theory]
    [InlineData("train-images-idx3-ubyte", "train-labels-idx1-ubyte", false, false)]
    [InlineData("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", true, true)]
    [InlineData("train-images-idx3-ubyte", "train-labels-idx1-ubyte.gz", false, true)]
    [InlineData("train-images.idx3-ubyte.gz", "train-labels.idx1-ubyte", true, false)]
    [InlineData("train-images-idx3-ubyte", "train-labels-idx1-ubyte", true, true)]
    public void Files_are_read_packed_or_not_by_folder_or_by_file(string pictures, string classes, bool isPacked, bool areClassesPacked)
    {
        using var folder = new TempFolder();
        Write(folder, pictures, Idx([5, 3, 4], Pictures), isPacked);
        Write(folder, classes, Idx([5], Classes), areClassesPacked);
        foreach (var path in new[] { folder.Path, folder[pictures] })
        {
            var data = PictureDataSet.Load(path);
            Assert.Equal("5 pictures of 3x4x1 in 3 classes", data.ToString());
            Assert.Equal(Pictures, Pixels(data));
            Assert.Equal([2, 0, 1, 2, 0], Labels(data));
            Assert.Equal(["0", "1", "2"], data.Classes);
        }
    }

    [Fact]
    public void Channels_and_names_are_taken()
    {
        using var folder = new TempFolder();
        Write(folder, "images-idx4-ubyte", Idx([5, 2, 2, 3], Pictures), false);
        Write(folder, "labels-idx1-ubyte", Idx([5], Classes), false);
        var data = PictureDataSet.Load(folder.Path, new() { Classes = new(["a", "b", "c", "d"]) });
        Assert.Equal((2, 2, 3), (data.Height, data.Width, data.Channels));
        Assert.Equal(Pictures, Pixels(data));
        Assert.Equal(["a", "b", "c", "d"], data.Classes);
        Refused<InvalidDataException>(
            () => PictureDataSet.Load(folder.Path, new() { Classes = new(["a", "b"]) }), "sample 0 has the class 2", "names of 2 classes");
        Refused<ArgumentException>(
            () => PictureDataSet.Load(folder.Path, new() { Height = 2, Width = 4 }), "pictures of 2x2x3", "2x4x3", "leave the size out");
    }

    [Fact]
    public void Of_several_parts_the_training_part_is_read()
    {
        using var folder = new TempFolder();
        Write(folder, "t10k-images-idx3-ubyte", Idx([1, 3, 4], Pictures[..12]), false);
        Write(folder, "t10k-labels-idx1-ubyte", Idx([1], [0]), false);
        Write(folder, "train-images-idx3-ubyte", Idx([5, 3, 4], Pictures), false);
        Write(folder, "train-labels-idx1-ubyte", Idx([5], Classes), false);
        Assert.Equal(5, PictureDataSet.Load(folder.Path).Count);
        Assert.Equal(1, PictureDataSet.Load(folder["t10k-images-idx3-ubyte"]).Count);
        File.Move(folder["train-images-idx3-ubyte"], folder["other-images-idx3-ubyte"]);
        Refused<InvalidDataException>(
            () => PictureDataSet.Load(folder.Path),
            "several data sets",
            "other-images-idx3-ubyte, t10k-images-idx3-ubyte",
            "name the file");
    }

    [Fact]
    public void Missing_files_are_named()
    {
        using var folder = new TempFolder();
        Write(folder, "train-images-idx3-ubyte.gz", Idx([5, 3, 4], Pictures), true);
        Refused<FileNotFoundException>(
            () => PictureDataSet.Load(folder.Path), "no file with its classes beside it", "'labels' for 'images'");
        Write(folder, "train-labels-idx1-ubyte", Idx([5], Classes), false);
        Refused<InvalidDataException>(() => PictureDataSet.Load(folder["train-labels-idx1-ubyte"]), "name the file with its pictures");
        Refused<FileNotFoundException>(() => PictureDataSet.Load(folder["nothing"]), "does not exist", "x.npy");
    }

    [Theory]
    [InlineData(new uint[] { 5, 3, 4 }, 59, 5, "is cut off: 12 bytes more are expected, but 11 are there")]
    [InlineData(new uint[] { 5, 3, 4 }, 61, 5, "has more bytes than its header says")]
    [InlineData(new uint[] { 6, 3, 4 }, 72, 5, "has 6 pictures, but")]
    [InlineData(new uint[] { 5, 3, 4 }, 60, 4, "is cut off: 5 bytes more are expected, but 4 are there")]
    [InlineData(new uint[] { 1u << 31, 28, 28 }, 60, 5, "bytes, but can hold 76 at most")]
    [InlineData(new uint[] { uint.MaxValue, uint.MaxValue, uint.MaxValue }, 60, 5, "but can hold 76 at most")]
    [InlineData(new uint[] { uint.MaxValue, uint.MaxValue, uint.MaxValue, uint.MaxValue }, 60, 5, "but can hold 80 at most")]
    [InlineData(new uint[] { 5, 0, 4 }, 0, 5, "pictures of 0 bytes")]
    [InlineData(new uint[] { 0, 3, 4 }, 0, 5, "has 0 pictures, but")]
    [InlineData(new uint[] { 2, 2, 3, 5 }, 60, 5, "pictures of 5 channels")]
    [InlineData(new uint[] { 5, 12 }, 60, 5, "three dimensions (pictures, height, width)")]
    public void Files_that_lie_are_refused_plain_and_packed(uint[] shape, int bytes, int classes, string message)
    {
        using var folder = new TempFolder();
        foreach (var isPacked in new[] { false, true })
        {
            Write(folder, "images-idx3-ubyte", Idx(shape, Noise(bytes)), isPacked);
            Write(folder, "labels-idx1-ubyte", Idx([5], Classes[..classes]), isPacked);

            // How much a packed file can hold is known only roughly; it may be found out at its end.
            Refused<InvalidDataException>(() => PictureDataSet.Load(folder.Path), isPacked ? "ubyte'" : message);
        }
    }

    [Fact]
    public void A_packed_file_is_refused_by_what_it_can_hold()
    {
        using var folder = new TempFolder();
        Write(folder, "images-idx3-ubyte", Idx([1u << 31, 28, 28], new byte[1 << 20]), true);
        Write(folder, "labels-idx1-ubyte", Idx([5], Classes), false);
        Assert.InRange(new FileInfo(folder["images-idx3-ubyte"]).Length, 1, 2000);
        Refused<InvalidDataException>(
            () => PictureDataSet.Load(folder.Path), "claims (2147483648, 28, 28) = 1683627180032 bytes", "at most");
    }

    [Fact]
    public void A_packed_file_that_unpacks_to_more_than_allowed_is_refused_before_it_is_unpacked()
    {
        // What it claims it has: only the limit keeps it out.
        using var folder = new TempFolder();
        Write(folder, "images-idx3-ubyte", Idx([1000, 100, 100], new byte[10_000_000]), true);
        Write(folder, "labels-idx1-ubyte", Idx([1000], new byte[1000]), true);
        Assert.Equal(1000, PictureDataSet.Load(folder.Path).Count);
        var options = new DataSetOptions { MaxBytes = 9_999_999 };
        Refused<InvalidDataException>(() => PictureDataSet.Load(folder.Path, options), "claims 1000 pictures of 10000 bytes", "MaxBytes");
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<InvalidDataException>(() => PictureDataSet.Load(folder.Path, options));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, 1 << 20);
    }

    [Fact]
    public void Damaged_compression_is_told()
    {
        using var folder = new TempFolder();
        var packed = Gzip(Idx([5, 3, 4], Pictures));
        Write(folder, "labels-idx1-ubyte", Idx([5], Classes), false);
        foreach (var file in new[] { packed[..^12], [.. packed[..40], 0xFF, .. packed[41..]], [.. packed[..^6], 0, 0, .. packed[^4..]] })
        {
            File.WriteAllBytes(folder["images-idx3-ubyte"], file);
            Refused<InvalidDataException>(() => PictureDataSet.Load(folder.Path), "images-idx3-ubyte'");
        }
    }

    [Fact]
    public void Fashion_MNIST_is_read()
    {
        var data = PictureDataSet.Load(TestFiles.Shared("fashion-mnist"));
        Assert.Equal("60000 pictures of 28x28x1 in 10 classes", data.ToString());
        var counts = new int[10];
        foreach (var label in Labels(data))
            counts[label]++;
        Assert.All(counts, count => Assert.Equal(6000, count));
        var (training, validation) = data.SplitLast(10_000);
        Assert.Equal((50_000, 10_000), (training.Count, validation.Count));
        Assert.Equal(data.ClassOf(50_000), validation.ClassOf(0));

        // What everybody uses for it: 0.2860 and 0.3530 of 255.
        var normalization = data.MeasureNormalization();
        Assert.Equal(0.2860, normalization.Mean[0] / 255, 4);
        Assert.Equal(0.3530, normalization.Deviation[0] / 255, 4);
    }

    private static void Write(TempFolder folder, string name, byte[] bytes, bool isPacked) =>
        File.WriteAllBytes(folder[name], isPacked ? Gzip(bytes) : bytes);
}
