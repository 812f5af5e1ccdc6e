using System.Buffers.Binary;
using System.IO.Compression;
using SeparableConv.Imaging;

namespace SeparableConv.Tests.Training.Data;

/// <summary>Bytes of data sets, made up.</summary>
internal static class DataFiles
{
    /// <summary>Random bytes, the same for the same seed.</summary>
    public static byte[] Noise(int count, int seed = 1)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>An IDX file of bytes; the shape is what it claims.</summary>
    public static byte[] Idx(uint[] shape, byte[] elements)
    {
        var header = new byte[4 + (4 * shape.Length)];
        (header[2], header[3]) = (8, (byte)shape.Length);
        for (var i = 0; i < shape.Length; i++)
            BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4 + (4 * i)), shape[i]);
        return [.. header, .. elements];
    }

    /// <summary>Records of CIFAR: as many as there are labels, each of one or two bytes.</summary>
    public static byte[] Cifar(byte[][] labels, int seed = 1) =>
        [.. labels.SelectMany((label, i) => label.Concat(Noise(3072, seed + i)))];

    public static byte[] Gzip(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal))
            gzip.Write(bytes);
        return packed.ToArray();
    }

    public static byte[] Npy<T>(T[] elements, params ReadOnlySpan<int> shape)
        where T : unmanaged
    {
        using var stream = new MemoryStream();
        NpyFile.Write(stream, NpyArray.Create<T>(elements, shape));
        return stream.ToArray();
    }

    /// <summary>All pixels of a data set.</summary>
    public static byte[] Pixels(SeparableConv.Training.PictureDataSet data)
    {
        var pixels = new byte[data.Count * data.PictureBytes];
        for (var i = 0; i < data.Count; i++)
            data.Read(i, pixels.AsSpan(i * data.PictureBytes, data.PictureBytes));
        return pixels;
    }

    public static int[] Labels(SeparableConv.Training.PictureDataSet data) =>
        [.. Enumerable.Range(0, data.Count).Select(data.ClassOf)];

    /// <summary>Fails unless a call is refused in one line that has all of these words.</summary>
    public static void Refused<T>(Action call, params ReadOnlySpan<string> words)
        where T : Exception
    {
        var message = Assert.Throws<T>(call).Message;
        foreach (var word in words)
            Assert.Contains(word, message);
        Assert.DoesNotContain('\n', message);
    }
}
