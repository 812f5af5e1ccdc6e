using SeparableConv.Imaging;
using SeparableConv.Imaging.Npy;

namespace SeparableConv.Training.Data;

/// <summary>
/// Pictures and their classes in two .npy files: (N, height, width) or (N, height, width, channels), bytes or floats of 0 to 1, and N
/// whole numbers.
/// </summary>
internal static class NpyPairReader
{
    private const float White = 255;

    /// <summary>Reads both.</summary>
    /// <exception cref="InvalidDataException">A file is of another shape or type, is damaged, or claims more than it can hold.</exception>
    public static PictureDataSet Read(DataFile pictures, DataFile classes, DataSetOptions options)
    {
        var store = ReadPictures(pictures, options, out var size);
        var labels = ReadClasses(classes);
        if (labels.Length != store.Count)
        {
            throw new InvalidDataException(
                $"'{pictures.Name}' has {store.Count} pictures, but '{classes.Name}' has {labels.Length} classes; give two files of one "
                + "part.");
        }

        var names = MemoryDataSet.NamesOf(labels, options.Classes, classes.Name);
        return new MemoryDataSet(names, size.Height, size.Width, size.Channels, store, labels);
    }

    /// <summary>Reads pictures alone.</summary>
    /// <exception cref="InvalidDataException">
    /// The file is of another shape or type, is damaged, or claims more than it can hold.
    /// </exception>
    public static PictureDataSet ReadPictures(DataFile pictures, DataSetOptions options)
    {
        var store = ReadPictures(pictures, options, out var size);
        return MemoryDataSet.Unlabelled(size.Height, size.Width, size.Channels, store);
    }

    private static PictureStore ReadPictures(DataFile file, DataSetOptions options, out (int Height, int Width, int Channels) size)
    {
        var header = file.Read(NpyFile.ReadHeader);
        var shape = header.Shape;
        if (shape.Length is not (3 or 4))
        {
            throw new InvalidDataException(
                $"'{file.Name}' has the shape {header.ShapeText}; pictures are (N, height, width) or (N, height, width, channels).");
        }

        var channels = shape.Length == 4 ? shape[3] : 1;
        if (channels is < 1 or > 4)
        {
            var remedy = shape[1] is 1 or 3 ? ": channels come last, use x.transpose(0, 2, 3, 1)" : "";
            throw new InvalidDataException(
                $"'{file.Name}' has the shape {header.ShapeText}, pictures of {channels} channels; 1 to 4 are expected{remedy}.");
        }

        if (header.Type is not (ElementType.UInt8 or ElementType.Float16 or ElementType.Float32 or ElementType.Float64))
        {
            throw new InvalidDataException(
                $"'{file.Name}' has elements of {header.Type}; pictures are u1 of 0 to 255 or f4 of 0 to 1: use x.astype('u1').");
        }

        var store = new PictureStore(file.Name, (Int128)shape[1] * shape[2] * channels, options.MaxBytes);
        store.CheckCount(shape[0]);
        size = ((int)shape[1], (int)shape[2], (int)channels);
        options.CheckSize(file.Name, size.Height, size.Width, size.Channels);
        var array = ReadElements(file, header);
        Store(file.Name, array, store);
        return store;
    }

    private static int[] ReadClasses(DataFile file)
    {
        var header = file.Read(NpyFile.ReadHeader);
        if (header.Shape is not ([_] or [_, 1]))
        {
            var remedy = header.Shape.Length == 2 ? ": of one-hot rows take y.argmax(1)" : "";
            throw new InvalidDataException($"'{file.Name}' has the shape {header.ShapeText}; classes are (N,){remedy}.");
        }

        if (header.Type.IsFloat() || header.Type == ElementType.Bool)
        {
            throw new InvalidDataException(
                $"'{file.Name}' has elements of {header.Type}; classes are whole numbers, counted from 0: use y.astype('u1').");
        }

        // What is no class saturates, and is refused with those that are none.
        return Array.ConvertAll(ReadElements(file, header).ToDoubles(), label => label is >= 0 and < int.MaxValue ? (int)label : -1);
    }

    private static NpyArray ReadElements(DataFile file, NpyHeader header)
    {
        var bytes = header.Count * header.Type.Size();
        if (bytes > file.MostBytes)
        {
            throw new InvalidDataException(
                $"'{file.Name}' claims {header.ShapeText} = {bytes} bytes, but can hold {file.MostBytes} at most: it is cut off or "
                + "damaged.");
        }

        var array = file.Read(input => NpyFile.ReadElements(input, header));
        file.CheckEnd();
        return array;
    }

    private static void Store(string name, NpyArray array, PictureStore store)
    {
        var count = array.Shape[0];
        var each = array.Count / count;
        if (array.Type == ElementType.UInt8)
        {
            for (var i = 0; i < count; i++)
                array.Data.Slice(i * each, each).CopyTo(store.Add());
            return;
        }

        ReadOnlySpan<float> floats = array.Type == ElementType.Float32 ? array.As<float>() : array.ToFloats();
        for (var i = 0; i < count; i++)
        {
            var pixels = store.Add();
            for (var p = 0; p < each; p++)
            {
                var sample = floats[(i * each) + p];
                if (!(sample is >= 0 and <= 1))
                {
                    throw new InvalidDataException(FormattableString.Invariant(
                        $"In '{name}' picture {i} has the number {sample}; floats are 0 to 1: divide by 255, or save u1 of 0 to 255."));
                }

                pixels[p] = (byte)((sample * White) + 0.5f);
            }
        }
    }
}
