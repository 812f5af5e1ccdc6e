using System.Buffers.Binary;

namespace SeparableConv.Training.Data;

/// <summary>
/// IDX files, as MNIST and its like have them: two zero bytes, the type 8 (bytes), the number of dimensions, each length in four bytes, the
/// highest first, then the elements.
/// </summary>
/// <remarks>Format: Y. LeCun, C. Cortes, C. Burges, The MNIST database of handwritten digits.</remarks>
internal static class IdxReader
{
    /// <summary>The bytes of a header's beginning: the mark, the type, the number of dimensions.</summary>
    public const int MarkBytes = 4;

    private const byte ByteType = 8;

    /// <summary>The number of dimensions where a file begins as IDX files of bytes do; 0 where it does not.</summary>
    public static int Dimensions(ReadOnlySpan<byte> start) =>
        start is [0, 0, ByteType, >= 1 and <= 4 and var dimensions, ..] ? dimensions : 0;

    /// <summary>Reads pictures (N, height, width) or (N, height, width, channels) and their classes (N).</summary>
    /// <exception cref="InvalidDataException">A file is of another kind, is damaged, or claims more than it can hold.</exception>
    public static PictureDataSet Read(DataFile pictures, DataFile classes, DataSetOptions options)
    {
        var (total, height, width, channels) = ReadPictureShape(pictures);
        var count = ReadShape(classes, "one dimension (the classes)", 1, 1)[0];
        if (count != total)
        {
            throw new InvalidDataException(
                $"'{pictures.Name}' has {total} pictures, but '{classes.Name}' has {count} classes; give two files of one part.");
        }

        var store = ReadElements(pictures, (total, height, width, channels), options);

        // As many as there are pictures, which have been read: no claim any more.
        var bytes = new byte[count];
        classes.Fill(bytes);
        classes.CheckEnd();
        var labels = Array.ConvertAll(bytes, label => (int)label);
        var names = MemoryDataSet.NamesOf(labels, options.Classes, classes.Name);
        return new MemoryDataSet(names, (int)height, (int)width, (int)channels, store, labels);
    }

    /// <summary>Reads pictures alone.</summary>
    /// <exception cref="InvalidDataException">The file is of another kind, is damaged, or claims more than it can hold.</exception>
    public static PictureDataSet ReadPictures(DataFile pictures, DataSetOptions options)
    {
        var shape = ReadPictureShape(pictures);
        var store = ReadElements(pictures, shape, options);
        return MemoryDataSet.Unlabelled((int)shape.Height, (int)shape.Width, (int)shape.Channels, store);
    }

    private static (uint Count, uint Height, uint Width, uint Channels) ReadPictureShape(DataFile file)
    {
        var shape = ReadShape(file, "three dimensions (pictures, height, width), or four with channels", 3, 4);
        var channels = shape.Length == 4 ? shape[3] : 1;
        return channels is >= 1 and <= 4
            ? (shape[0], shape[1], shape[2], channels)
            : throw new InvalidDataException(
                $"'{file.Name}' has pictures of {channels} channels; 1 to 4 are expected, behind the width.");
    }

    private static PictureStore ReadElements(
        DataFile file, (uint Count, uint Height, uint Width, uint Channels) shape, DataSetOptions options)
    {
        var store = new PictureStore(file.Name, (Int128)shape.Height * shape.Width * shape.Channels, options.MaxBytes);
        store.CheckCount(shape.Count);
        options.CheckSize(file.Name, (int)shape.Height, (int)shape.Width, (int)shape.Channels);
        for (var i = 0; i < shape.Count; i++)
            file.Fill(store.Add());
        file.CheckEnd();
        return store;
    }

    private static uint[] ReadShape(DataFile file, string expected, int least, int most)
    {
        Span<byte> header = stackalloc byte[MarkBytes];
        file.Fill(header);
        var dimensions = Dimensions(header);
        if (dimensions < least || dimensions > most)
        {
            throw new InvalidDataException(
                $"'{file.Name}' begins with the bytes {Convert.ToHexString(header)}; an IDX file of bytes with {expected} is expected.");
        }

        var shape = new uint[dimensions];
        UInt128 bytes = 1;
        foreach (ref var length in shape.AsSpan())
        {
            file.Fill(header);
            length = BinaryPrimitives.ReadUInt32BigEndian(header);
            bytes *= length;
        }

        if (bytes > (UInt128)file.MostBytes)
        {
            throw new InvalidDataException(
                $"'{file.Name}' claims ({string.Join(", ", shape)}) = {bytes} bytes, but can hold {file.MostBytes} at most: it is cut "
                + "off or damaged.");
        }

        return shape;
    }
}
