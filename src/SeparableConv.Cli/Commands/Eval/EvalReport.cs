using System.Text.Json;
using SeparableConv.Cli.Options;

namespace SeparableConv.Cli.Commands;

/// <summary>The report on an evaluation.</summary>
/// <param name="Model">The network's file.</param>
/// <param name="DataName">The pictures as they were typed.</param>
/// <param name="Data">The pictures.</param>
/// <param name="Pixels">How they became numbers.</param>
/// <param name="Evaluation">The figures.</param>
internal sealed record EvalReport(string Model, string DataName, PictureDataSet Data, PixelNumbers Pixels, Evaluation Evaluation)
{
    // More columns are no table any more that fits a screen.
    private const int MostColumns = 20;
    private const int MostConfusions = 20;

    /// <summary>Prints it for people.</summary>
    public void Print(Terminal terminal)
    {
        var output = terminal.Output;
        RunReport.Line(output, "model", Model);
        RunReport.Line(output, "data", $"{DataName}: {Data}");
        DataSource.PrintSkipped(Data, output);
        RunReport.Line(output, "pixels", Pixels.Description);
        RunReport.Line(output, "accuracy", TrainDisplay.Percent(Evaluation.Accuracy));
        RunReport.Line(output, "top 5", TrainDisplay.Percent(Evaluation.Top5Accuracy));
        RunReport.Line(output, "loss", Numbers.Short(Evaluation.Loss));
        output.WriteLine();

        var classes = new TextTable("class", "precision", "recall", "pictures");
        foreach (var (name, precision, recall, count) in ClassFigures.Of(Evaluation))
            classes.Add(name, ClassFigures.Text(precision), ClassFigures.Text(recall), Numbers.Count(count));
        classes.Print(terminal);
        output.WriteLine();
        if (Evaluation.Classes.Count <= MostColumns)
            PrintConfusion(terminal);
        else
            PrintConfusions(terminal);
    }

    /// <summary>Writes one object.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("model", Model);
        json.WriteString("data", DataName);
        json.WriteNumber("pictures", Evaluation.Count);
        json.WriteNumber("skipped", Data.SkippedCount);
        json.Numbers("mean", Pixels.Transform.Normalization.Mean);
        json.Numbers("std", Pixels.Transform.Normalization.Deviation);
        json.Number("loss", Evaluation.Loss);
        json.Number("accuracy", Evaluation.Accuracy);
        json.Number("top5", Evaluation.Top5Accuracy);
        json.WriteStartArray("classes");
        foreach (var (name, precision, recall, count) in ClassFigures.Of(Evaluation))
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            json.Number("precision", precision);
            json.Number("recall", recall);
            json.WriteNumber("count", count);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("confusion");
        for (var label = 0; label < Evaluation.Classes.Count; label++)
        {
            json.WriteStartArray();
            for (var predicted = 0; predicted < Evaluation.Classes.Count; predicted++)
                json.WriteNumberValue(Evaluation.Confusion(label, predicted));
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    // Columns have the classes' numbers: names would be wider than the counts below them.
    private void PrintConfusion(Terminal terminal)
    {
        var count = Evaluation.Classes.Count;
        var table = new TextTable(["confusion", "", .. Enumerable.Range(0, count).Select(c => $"{c}")]);
        for (var label = 0; label < count; label++)
        {
            string[] row = [.. Enumerable.Range(0, count).Select(p => Evaluation.Confusion(label, p)).Select(n => n == 0 ? "." : $"{n}")];
            table.Add([Failure.OneLine(Evaluation.Classes[label]), $"{label}", .. row]);
        }

        table.Print(terminal);
    }

    private void PrintConfusions(Terminal terminal)
    {
        var table = new TextTable("class", "told as", "pictures") { TextColumns = 2 };
        foreach (var (label, predicted, count) in ClassFigures.Confusions(Evaluation).Take(MostConfusions))
            table.Add(Failure.OneLine(Evaluation.Classes[label]), Failure.OneLine(Evaluation.Classes[predicted]), Numbers.Count(count));
        table.Print(terminal);
    }
}
