using SeparableConv.Cli.Pictures;

namespace SeparableConv.Cli.Commands;

/// <summary>The files that a training writes, all beside the network.</summary>
/// <param name="Model">The network: OUT.onnx.</param>
internal sealed record TrainFiles(string Model)
{
    /// <summary>The names of the classes, one a line.</summary>
    public string Labels => Path.ChangeExtension(Model, ".labels.txt");

    /// <summary>A line of JSON for the training, and one an epoch.</summary>
    public string Metrics => Path.ChangeExtension(Model, ".metrics.jsonl");

    /// <summary>The report for people.</summary>
    public string Report => Path.ChangeExtension(Model, ".report.html");

    /// <summary>Throws where nothing can be written there, before hours are spent on what cannot be saved.</summary>
    /// <exception cref="InputException">A directory is missing, or what is read would be overwritten.</exception>
    public void Check(TrainSettings settings)
    {
        CheckPlace(Model);
        if (settings.Checkpoint is { } checkpoint)
        {
            CheckPlace(checkpoint);
            if (settings.Resume && !File.Exists(checkpoint))
                throw new InputException($"'{checkpoint}' was not found; leave --resume out to begin anew.");
        }

        string?[] read = [settings.Model.IsFile ? settings.Model.Text : null, settings.Teacher?.Text];
        if (read.Any(file => file is not null && Path.GetFullPath(file) == Path.GetFullPath(Model)))
            throw new InputException($"'{Model}' is read by this training and would be overwritten; give --output another name.");
    }

    /// <summary>Removes what trainings that were killed while they wrote these files have left beside them.</summary>
    /// <param name="files">The files; null for one that is not asked for.</param>
    public static void RemoveLeftovers(params ReadOnlySpan<string?> files)
    {
        foreach (var file in files)
        {
            if (file is not null)
                AtomicFile.RemoveLeftovers(file);
        }
    }

    /// <summary>Writes a file whole or not at all.</summary>
    /// <exception cref="InputException">It cannot be written; the message names it.</exception>
    public static void Write(string path, Action<string> write)
    {
        try
        {
            Interruption.WriteWhole(() => write(path));
        }
        catch (Exception e) when (Failure.IsExpected(e))
        {
            throw new InputException(PictureFile.Named(path, e), e);
        }
    }

    /// <summary>Writes a text file whole or not at all.</summary>
    public static void WriteText(string path, string text) =>
        Write(path, target => AtomicFile.Write(target, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(text))));

    /// <summary>Throws where no file can be written, before hours are spent on what cannot be saved.</summary>
    /// <exception cref="InputException">It is a directory, or in none.</exception>
    public static void CheckPlace(string path)
    {
        if (Directory.Exists(path))
            throw new InputException($"'{path}' is a directory; the name of a file is expected.");
        var parent = Path.GetDirectoryName(Path.GetFullPath(path));
        if (!Directory.Exists(parent))
        {
            throw new InputException(
                $"'{path}' cannot be written: its directory does not exist; make it first, for example with mkdir -p '{parent}'.");
        }
    }
}
