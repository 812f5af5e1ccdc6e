using System.Globalization;
using System.Text.Json;

namespace SeparableConv.Cli.Commands;

/// <summary>The report on a comparison, as a table or as JSON.</summary>
/// <param name="Settings">What was asked.</param>
/// <param name="Evaluated">The pictures that accuracies are of.</param>
/// <param name="Networks">The networks, width by width.</param>
internal sealed record ComparisonReport(ComparisonSettings Settings, PictureDataSet Evaluated, IReadOnlyList<ComparedNetwork> Networks)
{
    /// <summary>The heads of the table's columns.</summary>
    public static readonly string[] Header =
    [
        "convolutions", "filters", "parameters", "MACs", "seconds", "accuracy", "+-", "to standard", "at equal parameters",
    ];

    /// <summary>What the columns are, in lines.</summary>
    public static readonly string[] Legend =
    [
        "Accuracy in % of the pictures, mean over the seeds, and its standard deviation. To standard: points above the",
        "standard network with as many filters; at equal parameters: above one with as many parameters, between those",
        "that were trained.",
    ];

    /// <summary>The table, a row a network.</summary>
    public IEnumerable<string[]> Rows => Networks.Select(network => (string[])
    [
        network.Form.Kind,
        $"{network.Form.Filters}",
        Numbers.Count(network.Parameters),
        Numbers.Count(network.Macs),
        network.Seconds.ToString("0.0", CultureInfo.InvariantCulture),
        Points(network.Accuracy, "0.00"),
        network.Trainings.Count == 1 ? "" : Points(network.Deviation, "0.00"),
        network.ToStandard is { } toStandard ? Points(toStandard, "+0.00;-0.00;0.00") : "",
        network.AtEqualParameters is { } atEqual ? Points(atEqual, "+0.00;-0.00;0.00") : "",
    ]);

    /// <summary>Prints it.</summary>
    public void Print(Terminal terminal)
    {
        if (Settings.Training.Json)
        {
            Json.Print(terminal.Output, Write);
            return;
        }

        var table = new TextTable(Header);
        foreach (var row in Rows)
            table.Add(row);
        terminal.Output.WriteLine();
        table.Print(terminal);
        foreach (var line in Legend)
            terminal.Output.WriteLine(line);
        RunReport.Line(terminal.Output, "output", Settings.Runs);
        RunReport.Line(terminal.Output, "output", Settings.Training.Output);
    }

    private static string Points(double share, string format) => (100 * share).ToString(format, CultureInfo.InvariantCulture);

    private void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteStartObject("options");
        foreach (var (name, value) in Settings.Common)
            json.WriteString(name, value);
        json.WriteEndObject();
        json.WriteNumber("pictures", Evaluated.Count);
        json.WriteNumber("classes", Evaluated.Classes.Count);
        json.WriteStartArray("networks");
        foreach (var network in Networks)
        {
            json.WriteStartObject();
            ComparedTraining.WriteForm(json, network.Form);
            json.WriteNumber("parameters", network.Parameters);
            json.WriteNumber("macs", network.Macs);
            json.WriteNumber("seconds", Math.Round(network.Seconds, 3));
            json.Number("accuracy", network.Accuracy);
            json.Number("deviation", network.Deviation);
            if (network.ToStandard is { } toStandard)
                json.Number("toStandard", toStandard);
            if (network.AtEqualParameters is { } atEqual)
                json.Number("atEqualParameters", atEqual);
            json.WriteStartArray("trainings");
            foreach (var training in network.Trainings)
                training.Write(json);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteString("runs", Settings.Runs);
        json.WriteString("report", Settings.Training.Output);
        json.WriteEndObject();
    }
}
