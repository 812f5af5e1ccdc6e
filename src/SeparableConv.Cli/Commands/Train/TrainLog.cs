using System.Text;
using System.Text.Json;

namespace SeparableConv.Cli.Commands;

/// <summary>An epoch's figures.</summary>
/// <param name="Epoch">The epoch, from 1.</param>
/// <param name="Loss">The mean loss over its steps.</param>
/// <param name="Accuracy">The share of pictures told right while the network learned from them.</param>
/// <param name="ValidationLoss">The loss on the pictures for validation, or null.</param>
/// <param name="ValidationAccuracy">The share of these told right, or null.</param>
/// <param name="Seconds">Seconds of training so far.</param>
internal sealed record EpochFigures(
    int Epoch, double Loss, double Accuracy, double? ValidationLoss, double? ValidationAccuracy, double Seconds);

/// <summary>The figures of all epochs, in a file: a line for the training, then one an epoch, from the first one on.</summary>
internal sealed class TrainLog
{
    private readonly string _path;
    private readonly Action<Utf8JsonWriter> _writeRun;
    private readonly List<EpochFigures> _epochs = [];

    /// <summary>Begins, or goes on.</summary>
    /// <param name="path">The file.</param>
    /// <param name="kept">Whole epochs whose figures are taken from the file that is there.</param>
    /// <param name="writeRun">Writes the properties that tell of the training.</param>
    public TrainLog(string path, int kept, Action<Utf8JsonWriter> writeRun)
    {
        (_path, _writeRun) = (path, writeRun);
        if (kept > 0 && File.Exists(path))
            _epochs.AddRange(File.ReadLines(path).Select(Parse).OfType<EpochFigures>().Where(figures => figures.Epoch <= kept));
        SecondsBefore = _epochs.Count == 0 ? 0 : _epochs[^1].Seconds;
    }

    /// <summary>The epochs so far.</summary>
    public IReadOnlyList<EpochFigures> Epochs => _epochs;

    /// <summary>Seconds that were trained before the checkpoint, where it is gone on from one.</summary>
    public double SecondsBefore { get; }

    /// <summary>Adds an epoch and writes the file.</summary>
    public void Add(EpochFigures epoch)
    {
        _epochs.Add(epoch);
        var text = new StringBuilder();
        using var lines = new StringWriter(text) { NewLine = "\n" };
        Json.Print(lines, json =>
        {
            json.WriteStartObject();
            _writeRun(json);
            json.WriteEndObject();
        });
        foreach (var figures in _epochs)
            Json.Print(lines, json => Write(json, figures));
        TrainFiles.WriteText(_path, text.ToString());
    }

    private static void Write(Utf8JsonWriter json, EpochFigures figures)
    {
        json.WriteStartObject();
        json.WriteNumber("epoch", figures.Epoch);
        json.Number("loss", figures.Loss);
        json.Number("accuracy", figures.Accuracy);
        if (figures.ValidationLoss is { } loss)
            json.Number("validationLoss", loss);
        if (figures.ValidationAccuracy is { } accuracy)
            json.Number("validationAccuracy", accuracy);
        json.Number("seconds", Math.Round(figures.Seconds, 3));
        json.WriteEndObject();
    }

    // What is no line of an epoch, damaged or of somebody else, is passed over: these are figures to show, and nothing depends on them.
    private static EpochFigures? Parse(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var root = json.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("epoch", out var epoch))
                return null;
            return new(
                epoch.GetInt32(), Number("loss") ?? 0, Number("accuracy") ?? 0, Number("validationLoss"), Number("validationAccuracy"),
                Number("seconds") ?? 0);

            double? Number(string name) =>
                root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            return null;
        }
    }
}
