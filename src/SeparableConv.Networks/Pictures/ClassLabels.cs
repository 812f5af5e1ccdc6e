using System.Collections;

namespace SeparableConv.Networks;

/// <summary>The names of a network's classes, in the order of its output.</summary>
public sealed class ClassLabels : IReadOnlyList<string>
{
    // A hundred thousand classes with long names take a few megabytes.
    private const long MostBytes = 64 << 20;

    private readonly string _source;
    private readonly string[] _names;

    /// <summary>Takes names.</summary>
    /// <param name="names">One name a class.</param>
    public ClassLabels(IEnumerable<string> names)
        : this("The list of labels", [.. names])
    {
    }

    private ClassLabels(string source, string[] names)
    {
        _source = source;
        _names = names;
    }

    /// <summary>How many there are.</summary>
    public int Count => _names.Length;

    /// <summary>The name of a class.</summary>
    /// <param name="index">The class, from 0.</param>
    public string this[int index] => _names[index];

    /// <summary>Reads a text file with one name a line; white space around names and empty lines at the end do not count.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The names.</returns>
    /// <exception cref="InvalidDataException">The file is longer than any such list.</exception>
    /// <exception cref="IOException">The file does not exist or cannot be read.</exception>
    public static ClassLabels Load(string path)
    {
        using (var file = File.OpenRead(path))
        {
            if (file.CanSeek && file.Length > MostBytes)
                throw new InvalidDataException(
                    $"'{path}' is longer than {MostBytes} bytes, which no list of labels needs; is it another file?");
        }

        var lines = File.ReadAllLines(path).AsSpan().TrimEnd("");
        return new ClassLabels(path, Array.ConvertAll(lines.ToArray(), line => line.Trim()));
    }

    /// <inheritdoc/>
    public IEnumerator<string> GetEnumerator() => ((IEnumerable<string>)_names).GetEnumerator();

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Refuses labels that would name the wrong classes.</summary>
    /// <exception cref="ArgumentException">There are more or fewer names than classes.</exception>
    internal void Check(int classes)
    {
        if (_names.Length == classes)
            return;
        var remedy = (_names.Length - classes) switch
        {
            -1 => "this network may have a class 0 for the background, which needs a first line",
            1 => "the first line may be a background class, which this network does not have: leave it out",
            _ => "is it the list of another network?",
        };
        throw new ArgumentException(
            $"{_source} has {_names.Length} {(_names.Length == 1 ? "line" : "lines")} but the network has {classes} "
            + $"{(classes == 1 ? "class" : "classes")}; {remedy}");
    }
}
