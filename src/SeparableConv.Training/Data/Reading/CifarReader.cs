using System.Globalization;

namespace SeparableConv.Training.Data;

/// <summary>
/// CIFAR-10 and CIFAR-100 in their binary form: records of the class (in CIFAR-100 the coarse and the fine one, of which the fine one
/// counts) and 32x32 pixels, a plane a colour.
/// </summary>
/// <remarks>Format: A. Krizhevsky, The CIFAR-10 and CIFAR-100 datasets.</remarks>
internal static class CifarReader
{
    /// <summary>The file that has the names of the ten classes.</summary>
    public const string NamesOf10 = "batches.meta.txt";

    /// <summary>The file that has the names of the hundred classes.</summary>
    public const string NamesOf100 = "fine_label_names.txt";

    private const int Size = 32;
    private const int Plane = Size * Size;
    private const int Channels = 3;

    /// <summary>Bytes of a record.</summary>
    public static int RecordBytes(int classes) => LabelBytes(classes) + (Channels * Plane);

    /// <summary>Reads records of one or several files.</summary>
    /// <param name="files">The files, in order.</param>
    /// <param name="classes">10 or 100.</param>
    /// <param name="names">The names of the classes; numbers where null.</param>
    /// <param name="options">The limit.</param>
    /// <exception cref="InvalidDataException">A file is no such file, is cut off, or has a class that is none.</exception>
    public static PictureDataSet Read(ReadOnlySpan<DataFile> files, int classes, ClassLabels? names, DataSetOptions options)
    {
        var labels = new List<int>();
        var store = ReadRecords(files, classes, labels, options);
        names ??= new ClassLabels(Enumerable.Range(0, classes).Select(c => c.ToString(CultureInfo.InvariantCulture)));
        if (names.Count != classes)
        {
            throw new InvalidDataException(
                $"'{files[0].Name}' has {classes} classes, but there are {names.Count} names of classes; give one a class.");
        }

        return new MemoryDataSet(names, Size, Size, Channels, store, [.. labels]);
    }

    /// <summary>Reads the pictures of records and passes over their classes.</summary>
    /// <exception cref="InvalidDataException">A file is no such file, or is cut off.</exception>
    public static PictureDataSet ReadPictures(ReadOnlySpan<DataFile> files, int classes, DataSetOptions options) =>
        MemoryDataSet.Unlabelled(Size, Size, Channels, ReadRecords(files, classes, null, options));

    private static PictureStore ReadRecords(ReadOnlySpan<DataFile> files, int classes, List<int>? labels, DataSetOptions options)
    {
        var store = new PictureStore(files[0].Name, Channels * Plane, options.MaxBytes);
        options.CheckSize(files[0].Name, Size, Size, Channels);
        var record = new byte[RecordBytes(classes)];
        foreach (var file in files)
        {
            var count = file.MostBytes / record.Length;
            if (file.MostBytes % record.Length != 0 || count == 0)
            {
                throw new InvalidDataException(
                    $"'{file.Name}' has {file.MostBytes} bytes; a file of CIFAR-{classes} is made of records of {record.Length}: it is cut "
                    + "off, or another kind of file.");
            }

            store.CheckCount((Int128)store.Count + count);
            for (var i = 0; i < count; i++)
            {
                file.Fill(record);
                var label = record[LabelBytes(classes) - 1];
                if (labels is not null && label >= classes)
                {
                    throw new InvalidDataException(
                        $"In '{file.Name}' record {i} has the class {label}, but CIFAR-{classes} has {classes}, counted from 0: it is "
                        + "damaged, or another kind of file.");
                }

                labels?.Add(label);
                Interleave(record.AsSpan(LabelBytes(classes)), store.Add());
            }
        }

        return store;
    }

    private static int LabelBytes(int classes) => classes == 10 ? 1 : 2;

    private static void Interleave(ReadOnlySpan<byte> planes, Span<byte> pixels)
    {
        for (var c = 0; c < Channels; c++)
        {
            var plane = planes.Slice(c * Plane, Plane);
            for (var i = 0; i < plane.Length; i++)
                pixels[(i * Channels) + c] = plane[i];
        }
    }
}
