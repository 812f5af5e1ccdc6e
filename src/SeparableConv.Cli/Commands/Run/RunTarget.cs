using System.Text;
using SeparableConv.Cli.Pictures;

namespace SeparableConv.Cli.Commands;

/// <summary>The place that a network's outputs are written to as .npy: a file, a directory, or standard output.</summary>
/// <param name="Output">The place as typed: a path, or - for standard output.</param>
internal sealed record RunTarget(string Output)
{
    // File systems take 255 bytes; the rest is for what makes names differ and for the extension.
    private const int LongestName = 100;

    /// <summary>Whether it is standard output.</summary>
    public bool IsStandardOutput => Output == Terminal.Dash;

    /// <summary>Whether it is one file: its name says so, and no directory has that name.</summary>
    public bool IsFile =>
        !IsStandardOutput && Output.EndsWith(PictureFile.Npy, StringComparison.OrdinalIgnoreCase) && !Directory.Exists(Output);

    /// <summary>Throws where nothing can be written to the place; it creates nothing yet.</summary>
    /// <param name="images">What will be run.</param>
    /// <param name="others">What else is read.</param>
    /// <exception cref="InputException">
    /// There is no such directory, two inputs would share a folder, or what is read would be overwritten.
    /// </exception>
    public void Check(IReadOnlyList<string> images, IReadOnlyList<string> others)
    {
        if (IsFile)
        {
            var whole = Path.GetFullPath(Output);
            if (images.Concat(others).Any(file => file.Length > 0 && file != Terminal.Dash && Path.GetFullPath(file) == whole))
                throw new InputException($"'{Output}' is read by this run and would be overwritten; give --output another name.");
            var parent = Path.GetDirectoryName(Path.GetFullPath(Output));
            if (!Directory.Exists(parent))
            {
                throw new InputException(
                    $"'{Output}' cannot be written: its directory does not exist; make it first, for example with mkdir -p '{parent}'.");
            }

            return;
        }

        if (File.Exists(Output))
            throw new InputException($"'{Output}' is a file; outputs go to a directory, or to a file that ends in .npy.");
        var taken = new Dictionary<string, string>();
        foreach (var image in images)
        {
            var folder = FolderFor(image, images.Count);
            if (images.Count > 1 && !taken.TryAdd(folder, image))
            {
                throw new InputException(
                    $"The outputs of '{taken[folder]}' and '{image}' would both go to '{folder}'; run them into different directories.");
            }
        }
    }

    /// <summary>The files that the outputs for one input go to. Of several inputs, each has a folder of its own.</summary>
    /// <exception cref="InputException">Several outputs cannot go to one file.</exception>
    public string[] PathsFor(string image, int images, IReadOnlyList<Value> outputs)
    {
        if (outputs.Count > 1 && (IsFile || IsStandardOutput))
        {
            throw new InputException(
                $"The network has {outputs.Count} outputs, which cannot all go to "
                + $"{(IsStandardOutput ? "standard output" : $"'{Output}'")}; give --output a directory.");
        }

        if (IsFile || IsStandardOutput)
            return [Output];
        var names = FileNames(outputs);
        return Array.ConvertAll(names, name => Path.Combine(FolderFor(image, images), name));
    }

    /// <summary>Writes every output, or none.</summary>
    /// <exception cref="InputException">One cannot be written.</exception>
    public static void Save(NpyArray[] outputs, string[] paths)
    {
        var written = new List<string>();
        try
        {
            Interruption.WriteWhole(() =>
            {
                foreach (var (array, path) in outputs.Zip(paths))
                {
                    Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
                    NpyFile.Save(path, array);
                    written.Add(path);
                }
            });
        }
        catch (Exception e) when (Failure.IsExpected(e))
        {
            foreach (var path in written)
                File.Delete(path);
            var failed = paths[Math.Min(written.Count, paths.Length - 1)];
            throw new InputException(
                e is FileNotFoundException or DirectoryNotFoundException
                    ? $"'{failed}' cannot be made there; choose another directory."
                    : PictureFile.Named(failed, e), e);
        }
    }

    private string FolderFor(string image, int images) =>
        images > 1 ? Path.Combine(Output, Path.GetFileNameWithoutExtension(image)) : Output;

    // Names of tensors hold slashes and colons, and two that differ only in these must not share a file.
    private static string[] FileNames(IReadOnlyList<Value> outputs)
    {
        var names = new string[outputs.Count];
        var taken = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < names.Length; i++)
        {
            var name = FileName(outputs[i].Name);
            var unique = name;
            for (var n = 1; !taken.Add(unique); n++)
                unique = $"{name}_{n}";
            names[i] = unique + PictureFile.Npy;
        }

        return names;
    }

    private static string FileName(string name)
    {
        var safe = new StringBuilder(Math.Min(name.Length, LongestName));
        foreach (var c in name.AsSpan(0, Math.Min(name.Length, LongestName)))
            safe.Append(char.IsAsciiLetterOrDigit(c) || c is '-' or '_' || (c == '.' && safe.Length > 0) ? c : '_');
        return safe.Length == 0 ? "output" : safe.ToString();
    }
}
