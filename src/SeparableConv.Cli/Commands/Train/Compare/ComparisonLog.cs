using System.Text;

namespace SeparableConv.Cli.Commands;

/// <summary>The trainings of a comparison in a file: a line for what they have in common, then one each. It is gone on from.</summary>
internal sealed class ComparisonLog
{
    private readonly string _path;
    private readonly string _header;
    private readonly List<ComparedTraining> _trainings = [];

    /// <summary>Begins, or goes on.</summary>
    /// <exception cref="InputException">The file that should be gone on from is missing, or that of another comparison.</exception>
    public ComparisonLog(ComparisonSettings settings)
    {
        _path = settings.Runs;
        using var header = new StringWriter { NewLine = "" };
        Json.Print(header, json =>
        {
            json.WriteStartObject();
            foreach (var (name, value) in settings.Common)
                json.WriteString(name, value);
            json.WriteEndObject();
        });
        _header = header.ToString();
        if (!settings.Training.Resume)
            return;
        if (!File.Exists(_path))
            throw new InputException($"'{_path}' was not found; leave --resume out to begin anew.");
        var lines = File.ReadAllLines(_path);
        if (lines.Length == 0 || lines[0] != _header)
        {
            throw new InputException(
                $"'{_path}' has trainings with other options; give the same ones, or leave --resume out to begin anew.");
        }

        _trainings.AddRange(lines.Skip(1).Select(ComparedTraining.Parse).OfType<ComparedTraining>());
    }

    /// <summary>The trainings so far.</summary>
    public IReadOnlyList<ComparedTraining> Trainings => _trainings;

    /// <summary>Adds one and writes the file.</summary>
    public void Add(ComparedTraining training)
    {
        _trainings.Add(training);
        var text = new StringBuilder();
        using var lines = new StringWriter(text) { NewLine = "\n" };
        lines.WriteLine(_header);
        foreach (var done in _trainings)
            Json.Print(lines, done.Write);
        TrainFiles.WriteText(_path, text.ToString());
    }
}
