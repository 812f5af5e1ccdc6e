using SeparableConv.Cli.Pictures;

namespace SeparableConv.Cli.Commands;

/// <summary>The names of a network's classes, one a line of a file.</summary>
internal sealed class ClassLabels
{
    // A hundred thousand classes with long names take a few megabytes.
    private const long MostBytes = 64 << 20;

    private readonly string _path;
    private readonly string[] _names;

    private ClassLabels(string path, string[] names)
    {
        _path = path;
        _names = names;
    }

    /// <summary>The name of a class.</summary>
    public string this[int index] => _names[index];

    /// <summary>Reads a file; empty lines at its end are none.</summary>
    /// <exception cref="InputException">It cannot be read.</exception>
    public static ClassLabels Read(string path)
    {
        try
        {
            using (var file = File.OpenRead(path))
            {
                if (file.CanSeek && file.Length > MostBytes)
                    throw new InvalidDataException($"longer than {MostBytes} bytes, which no list of labels needs; is it another file?");
            }

            var lines = File.ReadAllLines(path).AsSpan().TrimEnd("");
            return new ClassLabels(path, Array.ConvertAll(lines.ToArray(), line => Failure.OneLine(line.Trim())));
        }
        catch (Exception e) when (Failure.IsExpected(e))
        {
            throw new InputException(PictureFile.Named(path, e), e);
        }
    }

    /// <summary>Refuses labels that would name the wrong classes.</summary>
    /// <exception cref="InputException">There are more or fewer lines than classes.</exception>
    public void Check(int classes)
    {
        if (_names.Length == classes)
            return;
        var remedy = (_names.Length - classes) switch
        {
            -1 => "this network may have a class 0 for the background, which needs a first line",
            1 => "the first line may be a background class, which this network does not have: leave it out",
            _ => "is it the list of another network?",
        };
        throw new InputException($"{_path} has {_names.Length} {(_names.Length == 1 ? "line" : "lines")} but the network has {classes} {(classes == 1 ? "class" : "classes")}; {remedy}");
    }
}
