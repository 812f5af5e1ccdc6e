using System.Runtime.ExceptionServices;
using SeparableConv.Imaging;
using SeparableConv.Networks.Graph;

namespace SeparableConv.Training.Data;

/// <summary>
/// A folder a class of images, of any format that <see cref="ImageFile"/> reads, brought to one size as <see cref="PictureTransform"/>
/// does it when the network is used; or images without classes, those of a folder and of the folders in it. Folders and files are taken in
/// ordinal order, so that it is the same on every machine.
/// </summary>
internal sealed class FolderReader
{
    // So many pictures are decoded at a time, by several threads, before they are stored in order; fewer where they are large.
    private const int PicturesAtOnce = 64;
    private const int BytesAtOnce = 1 << 24;

    private const int MostExamples = 10;
    private const int LeastSize = 4;

    private readonly string _path;
    private readonly DataSetOptions _options;
    private readonly List<string> _classes = [];
    private readonly List<(string Path, int Class)> _files = [];
    private readonly List<string> _examples = [];
    private int _skipped;

    private FolderReader(string path, DataSetOptions options) => (_path, _options) = (path, options);

    /// <summary>Reads all pictures.</summary>
    /// <exception cref="InvalidDataException">A class has no picture, or one cannot be read and that is an error.</exception>
    public static PictureDataSet Read(string path, DataSetOptions options)
    {
        var reader = new FolderReader(path, options);
        reader.Find();
        return reader.Read();
    }

    /// <summary>Reads all pictures without classes: those of the folder, then those of its folders.</summary>
    /// <exception cref="InvalidDataException">There is no picture, or one cannot be read and that is an error.</exception>
    public static PictureDataSet ReadPictures(string path, DataSetOptions options)
    {
        var reader = new FolderReader(path, options);
        reader.FindPictures();
        return reader.Read();
    }

    /// <summary>The names of a folder's folders, in order; hidden ones do not count.</summary>
    public static string[] Folders(string path) => Names(Directory.GetDirectories(path));

    /// <summary>The names of a folder's files, in order; hidden ones do not count.</summary>
    public static string[] Files(string path) => Names(Directory.GetFiles(path));

    private static string[] Names(string[] paths)
    {
        var names = Array.FindAll(Array.ConvertAll(paths, Path.GetFileName), name => !name!.StartsWith('.'));
        Array.Sort(names, StringComparer.Ordinal);
        return names!;
    }

    private void Find()
    {
        if (_options.Classes is not null)
        {
            throw new ArgumentException(
                $"Names of classes were given, but '{_path}' is a folder a class of pictures, and classes are named after their folders: "
                + "leave the names out.");
        }

        foreach (var name in Folders(_path))
        {
            var folder = Path.Combine(_path, name);
            var files = Files(folder);
            if (files.Length == 0)
            {
                var inner = Folders(folder);
                throw new InvalidDataException(
                    inner.Length == 0
                        ? $"The folder '{folder}' has no pictures; a class has at least one: fill it or remove it."
                        : $"The folder '{folder}' has no pictures but folders, '{inner[0]}' first; pictures are expected in a folder a "
                        + "class: read that folder by itself.");
            }

            foreach (var file in files)
                _files.Add((Path.Combine(folder, file), _classes.Count));
            _classes.Add(name);
        }
    }

    private void FindPictures()
    {
        foreach (var folder in Folders(_path).Select(name => Path.Combine(_path, name)).Prepend(_path))
        {
            foreach (var file in Files(folder))
                _files.Add((Path.Combine(folder, file), 0));
        }

        if (_files.Count == 0)
        {
            throw new InvalidDataException(
                $"The folder '{_path}' and the folders in it have no pictures; they are not looked for deeper: name the folder that has "
                + "them.");
        }
    }

    private PictureDataSet Read()
    {
        var (height, width, channels) = Size();
        var store = new PictureStore(_path, (Int128)height * width * channels, _options.MaxBytes);
        store.CheckCount(1);
        var labels = new List<int>();
        var inClass = new int[Math.Max(1, _classes.Count)];
        using var transforms = new ThreadLocal<PictureTransform>(() => Transform(height, width, channels));

        // A fit that is none is refused here, and not by several threads.
        _ = transforms.Value;
        var most = Math.Min(_files.Count, Math.Clamp(BytesAtOnce / (height * width * channels), 1, PicturesAtOnce));
        var bytes = new byte[most][];
        for (var i = 0; i < most; i++)
            bytes[i] = new byte[height * width * channels];
        var failures = new Exception?[most];
        for (var first = 0; first < _files.Count; first += most)
        {
            var count = Math.Min(most, _files.Count - first);
            Parallel.For(0, count, i => failures[i] = Decode(_files[first + i].Path, Reading, transforms.Value!, bytes[i]));
            for (var i = 0; i < count; i++)
            {
                var (path, label) = _files[first + i];
                if (failures[i] is { } failure)
                {
                    Skip(path, failure);
                    continue;
                }

                bytes[i].CopyTo(store.Add());
                labels.Add(label);
                inClass[label]++;
            }
        }

        if (store.Count == 0)
            throw NoneReadable(_examples[0]);
        if (Array.IndexOf(inClass, 0) is >= 0 and var empty)
        {
            throw new InvalidDataException(
                $"Of the folder '{Path.Combine(_path, _classes[empty])}' no file can be read, and a class has at least one picture. The "
                + $"first of all: {_examples[0]}");
        }

        return new MemoryDataSet(new ClassLabels(_classes), height, width, channels, store, [.. labels])
        {
            Skipped = (_skipped, _examples),
        };
    }

    // What was asked for, and else what the first picture that can be read has.
    private (int Height, int Width, int Channels) Size()
    {
        if (_options.Channels is not (null or 1 or 3))
            throw new ArgumentException($"Pictures of {_options.Channels} channels were asked for; give 1 for gray or 3 for colour.");
        var size = (Height: _options.Height ?? 0, Width: _options.Width ?? 0, Channels: _options.Channels ?? 0);
        if (_options.Height is null || _options.Width is null || _options.Channels is null)
        {
            var first = First();
            size = (
                _options.Height ?? first.Height, _options.Width ?? first.Width, _options.Channels ?? (first.Channels <= 2 ? 1 : 3));
        }

        return size.Height >= LeastSize && size.Width >= LeastSize
            ? size
            : throw new ArgumentException(
                $"Pictures of {size.Height}x{size.Width} (height x width) were asked for; at least {LeastSize}x{LeastSize} are expected.");
    }

    private ImageReadOptions Reading => new() { Strict = _options.Strict };

    private Image First()
    {
        string? problem = null;
        foreach (var (path, _) in _files)
        {
            try
            {
                return ImageFile.Load(path, Reading);
            }
            catch (Exception e) when (IsDamage(e) && !_options.Strict)
            {
                problem ??= Describe(path, e);
            }
            catch (Exception e) when (IsDamage(e))
            {
                throw new InvalidDataException(Describe(path, e), e);
            }
        }

        throw NoneReadable(problem);
    }

    private InvalidDataException NoneReadable(string? first) =>
        new($"None of the {_files.Count} files in '{_path}' can be read. The first: {first}");

    // Exceptions are kept and not thrown, for the order of the files decides which one counts.
    private static Exception? Decode(string path, ImageReadOptions reading, PictureTransform transform, Span<byte> bytes)
    {
        try
        {
            transform.Write(ImageFile.Load(path, reading), bytes);
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }

    private void Skip(string path, Exception failure)
    {
        if (!IsDamage(failure))
            ExceptionDispatchInfo.Throw(failure);
        if (_options.Strict)
            throw new InvalidDataException(Describe(path, failure), failure);
        _skipped++;
        if (_examples.Count < MostExamples)
            _examples.Add(Describe(path, failure));
    }

    private static bool IsDamage(Exception e) => e is InvalidDataException or IOException or UnauthorizedAccessException;

    private static string Describe(string path, Exception e) => $"'{path}' cannot be read: {e.Message}";

    private PictureTransform Transform(int height, int width, int channels)
    {
        var type = new TensorType(ElementType.UInt8, new TensorShape(1, height, width, channels));
        return new PictureTransform(new Value("pictures", type), Normalization.Pixels, _options.Fit);
    }
}
