using SeparableConv.Cli.Pictures;

namespace SeparableConv.Cli.Commands;

/// <summary>The place that filtered pictures are written to: a file, a directory, or standard output.</summary>
/// <param name="Output">The place as typed: a path, or - for standard output.</param>
/// <param name="Format">The extension, with its dot, that was asked for; null where none was.</param>
internal sealed record FilterTarget(string Output, string? Format)
{
    /// <summary>Whether it is standard output.</summary>
    public bool IsStandardOutput => Output == Terminal.Dash;

    /// <summary>Whether it is a directory: there is one, or the name ends as one.</summary>
    public bool IsDirectory => !IsStandardOutput && (Path.EndsInDirectorySeparator(Output) || Directory.Exists(Output));

    /// <summary>The file for one input; in a directory it has the input's name.</summary>
    public string PathFor(string input)
    {
        if (!IsDirectory)
            return Output;
        var name = Path.GetFileName(input);
        return Path.Combine(Output, Format is null ? name : Path.ChangeExtension(name, Format));
    }

    /// <summary>
    /// The extension of what is written to standard output: the one asked for; else .npy for a picture that came as .npy, and .png for
    /// others.
    /// </summary>
    public string StreamExtension(Picture picture) => Format ?? (picture.IsNpy ? PictureFile.Npy : PictureFile.Png);

    /// <summary>Throws where nothing can be written to the place, and creates the directory where it is missing.</summary>
    /// <param name="inputs">All inputs.</param>
    /// <exception cref="InputException">Two inputs would become one file, or there is no such directory.</exception>
    public void Prepare(IReadOnlyList<string> inputs)
    {
        if (IsStandardOutput)
            return;

        if (!IsDirectory)
        {
            var parent = Path.GetDirectoryName(Path.GetFullPath(Output));
            if (!Directory.Exists(parent))
            {
                throw new InputException(
                    $"'{Output}' cannot be written: its directory does not exist; make it first, for example with mkdir -p '{parent}'.");
            }

            return;
        }

        var taken = new Dictionary<string, string>();
        foreach (var input in inputs)
        {
            var path = PathFor(input);
            if (!taken.TryAdd(path, input))
            {
                throw new InputException(
                    $"'{taken[path]}' and '{input}' would both become '{path}'; filter them into different directories.");
            }
        }

        try
        {
            Directory.CreateDirectory(Output);
        }
        catch (Exception e) when (Failure.IsExpected(e))
        {
            throw new InputException(PictureFile.Named(Output, e), e);
        }
    }
}
