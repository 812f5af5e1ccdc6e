using System.Buffers.Binary;
using SeparableConv.Tests.Support.Fuzz;
using SeparableConv.Training;
using SeparableConv.Training.Data;
using static SeparableConv.Tests.Training.Data.DataFiles;

namespace SeparableConv.Tests.Training.Data.Fuzz;

/// <summary>
/// Damaged data sets are refused in one line, or read: nothing crashes, hangs or takes memory out of proportion to the files. How to try
/// more of them, and one of them again, is in docs/fuzzing.md.
/// </summary>
public sealed class DataSetFuzzTests
{
    // A block of pictures is a megabyte, whatever is in it. Deflate makes 1032 bytes of one, and of a float's bytes there are two copies.
    private const long FreeBytes = 4 << 20;
    private const long BytesPerByte = 4 * 1032;

    [Fact]
    public void Damaged_IDX_files_are_refused_or_read()
    {
        var (pictures, classes) = (Idx([5, 3, 4], Noise(60)), Idx([5], [0, 1, 2, 1, 0]));
        byte[][] seeds =
        [
            Pair(pictures, classes), Pair(Gzip(pictures), classes), Pair(Gzip(pictures), Gzip(classes)),
            Pair(Idx([4, 2, 2, 3], Noise(48)), Idx([4], [3, 2, 1, 0])), Pair(Idx([1, 1, 1], [7]), Idx([1], [0])),
            Pair(Gzip(Idx([200, 8, 8], new byte[12_800])), Gzip(Idx([200], new byte[200]))),
        ];
        Check("idx", seeds, file => Both(file, IdxReader.Read));
    }

    [Fact]
    public void Damaged_npy_pairs_are_refused_or_read()
    {
        byte[][] seeds =
        [
            Pair(Npy(Noise(60), 5, 3, 4), Npy<byte>([0, 1, 2, 1, 0], 5)),
            Pair(Npy(Noise(60), 5, 2, 2, 3), Npy<long>([0, 1, 2, 1, 0], 5, 1)),
            Pair(Npy(new float[12], 3, 2, 2), Npy<int>([0, 1, 2], 3)), Pair(Gzip(Npy(Noise(60), 5, 3, 4)), Npy<short>([0, 1, 2, 1, 0], 5)),
            Pair(Npy(new Half[8], 2, 2, 2), Npy<uint>([1, 0], 2)),
        ];
        Check("npy-pair", seeds, file => Both(file, NpyPairReader.Read));
    }

    [Fact]
    public void Damaged_CIFAR_files_are_refused_or_read()
    {
        // The first byte says how many classes there are to be.
        byte[][] seeds =
        [
            [0, .. Cifar([[3]])], [0, .. Cifar([[3], [9], [0]])], [1, .. Cifar([[3, 50]])], [1, .. Cifar([[0, 99], [19, 0]])],
            [0, .. Gzip(new byte[3073])],
        ];
        Check("cifar", seeds, file =>
        {
            using var data = new DataFile(new MemoryStream(file.Length == 0 ? [] : file[1..]), "x.bin");
            return CifarReader.Read([data], file is [1, ..] ? 100 : 10, null, DataSetOptions.Default);
        });
    }

    [Fact]
    public void Damaged_pictures_without_labels_are_refused_or_read()
    {
        // The first byte says what they are read as.
        byte[][] seeds =
        [
            [0, .. Idx([5, 3, 4], Noise(60))], [0, .. Gzip(Idx([4, 2, 2, 3], Noise(48)))], [1, .. Npy(Noise(60), 5, 3, 4)],
            [1, .. Npy(new float[12], 3, 2, 2)], [1, .. Gzip(Npy(Noise(60), 5, 2, 2, 3))], [2, .. Cifar([[13], [9]])],
        ];
        Check("pictures", seeds, file =>
        {
            using var data = new DataFile(new MemoryStream(file.Length == 0 ? [] : file[1..]), "x");
            return file switch
            {
                [0, ..] => IdxReader.ReadPictures(data, DataSetOptions.Default),
                [1, ..] => NpyPairReader.ReadPictures(data, DataSetOptions.Default),
                _ => CifarReader.ReadPictures([data], 10, DataSetOptions.Default),
            };
        });
    }

    private static void Check(string name, byte[][] seeds, Func<byte[], PictureDataSet> read) => new FuzzRun(name).Check(
        number =>
        {
            var random = new Random(unchecked((FuzzRun.Seed * 1_000_003) + number));
            return ByteMutator.Mutate(seeds[random.Next(seeds.Length)], seeds[random.Next(seeds.Length)], random);
        },
        file => Try(file, read));

    private static FuzzOutcome Try(byte[] file, Func<byte[], PictureDataSet> read)
    {
        var outcome = FuzzOutcome.Refused;
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            var data = read(file);
            outcome = FuzzOutcome.Read;
            Assert.All(Labels(data), label => Assert.InRange(label, 0, Math.Max(1, data.Classes.Count) - 1));
            Assert.Equal(data.Count * data.PictureBytes, Pixels(data).Length);
        }
        catch (InvalidDataException e)
        {
            if (e.Message.Length is 0 or > 1000 || e.Message.AsSpan().IndexOfAny("\r\n\0\u0085\u2028\u2029") >= 0)
                throw new InvalidOperationException($"It was refused in more than a line: {e.Message}", e);
        }

        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        return allocated <= FreeBytes + (BytesPerByte * file.Length) ? outcome
            : throw new InvalidOperationException($"Files of {file.Length} bytes took {allocated} bytes.");
    }

    // Two files in one: the length of the first, then both.
    private static byte[] Pair(byte[] first, byte[] second)
    {
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, first.Length);
        return [.. length, .. first, .. second];
    }

    private static PictureDataSet Both(byte[] file, Func<DataFile, DataFile, DataSetOptions, PictureDataSet> read)
    {
        var rest = file.Length < 4 ? [] : file[4..];
        var length = file.Length < 4 ? 0 : Math.Clamp(BinaryPrimitives.ReadInt32LittleEndian(file), 0, rest.Length);
        using var first = new DataFile(new MemoryStream(rest[..length]), "x");
        using var second = new DataFile(new MemoryStream(rest[length..]), "y");
        return read(first, second, DataSetOptions.Default);
    }
}
