using System.Text.Json;

namespace SeparableConv.Cli.Commands;

/// <summary>What came out of a separation, as text or as JSON.</summary>
/// <param name="Settings">What was asked.</param>
/// <param name="Original">The network as it was.</param>
/// <param name="Network">As it is now, fine-tuned where that was asked.</param>
/// <param name="Separation">The report of the library.</param>
/// <param name="Validation">The pictures that judge, or null.</param>
/// <param name="Before">How well the original does on them.</param>
/// <param name="Separated">And the new network before it was fine-tuned; null where it was not.</param>
/// <param name="After">And the new network.</param>
/// <param name="Normalization">How samples become numbers, where pictures were given.</param>
/// <param name="Calibrated">Pictures for the calibration, those held back from fitting included; 0 for none.</param>
/// <param name="Time">How long all of it took.</param>
internal sealed record SeparateResult(
    SeparateSettings Settings,
    Network Original,
    Network Network,
    SeparationResult Separation,
    PictureDataSet? Validation,
    Evaluation? Before,
    Evaluation? Separated,
    Evaluation? After,
    Normalization? Normalization,
    int Calibrated,
    TimeSpan Time)
{
    /// <summary>The table's header.</summary>
    public static readonly string[] Header = ["layer", "was", "became", "error", "MACs", "now", "ms", "now"];

    /// <summary>The table's rows.</summary>
    public IEnumerable<string[]> Rows => Separation.Layers.Select(layer => new[]
    {
        InspectReport.ShortName(layer.Name),
        layer.Before,
        layer.After,
        layer.Method is null ? "" : FormattableString.Invariant($"{layer.Error:0.000}"),
        Numbers.Count(layer.MacsBefore),
        Numbers.Count(layer.MacsAfter),
        Numbers.Three(layer.MillisecondsBefore),
        Numbers.Three(layer.MillisecondsAfter),
    });

    /// <summary>The totals in lines of a name and a text.</summary>
    public IEnumerable<(string Name, string Text)> Totals
    {
        get
        {
            yield return ("MACs", $"{Numbers.Count(Separation.MacsBefore)} -> {Numbers.Count(Network.Macs)}, "
                + Share(Network.Macs, Separation.MacsBefore));
            yield return ("parameters", $"{Numbers.Count(Separation.ParametersBefore)} -> {Numbers.Count(Network.ParameterCount)}, "
                + Share(Network.ParameterCount, Separation.ParametersBefore));
            yield return ("time", $"{Numbers.Milliseconds(Separation.MillisecondsBefore)} -> "
                + $"{Numbers.Milliseconds(Separation.MillisecondsAfter)}, "
                + FormattableString.Invariant($"{Separation.MillisecondsBefore / Separation.MillisecondsAfter:0.00} times as fast, ")
                + $"{Settings.Threads} {(Settings.Threads == 1 ? "thread" : "threads")}");
            if (Separation.Error is { } error)
            {
                yield return ("error", FormattableString.Invariant($"{error:0.0000} of the scores, before fine-tuning, over ")
                    + (Separation.HeldBack > 0
                        ? $"{Numbers.Count(Separation.HeldBack)} pictures that were held back from fitting"
                        : "the pictures that layers were fitted by: give more, so that some can be held back"));
            }
            else
            {
                yield return ("error", "not measured: give pictures with --calibrate or --data, which also makes it much smaller");
            }

            if (Before is not null && After is not null)
            {
                yield return ("accuracy", $"{Percent(Before)} -> "
                    + (Separated is null ? "" : $"{Percent(Separated)} -> fine-tuned ")
                    + $"{Percent(After)}, {Numbers.Count(After.Count)} pictures");
            }
        }
    }

    /// <summary>Prints it.</summary>
    public void Print(Terminal terminal)
    {
        if (Settings.Json)
        {
            Json.Print(terminal.Output, Write);
            return;
        }

        var table = new TextTable(Header) { TextColumns = 3 };
        foreach (var row in Rows)
            table.Add(row);
        table.Print(terminal);
        foreach (var (name, text) in Totals)
            RunReport.Line(terminal.Output, name, text);
        foreach (var file in (string?[])[Settings.Output, Settings.Report])
        {
            if (file is not null)
                RunReport.Line(terminal.Output, "output", file);
        }
    }

    /// <summary>An accuracy with two digits behind the point, as what is lost is often less than a tenth.</summary>
    public static string Percent(Evaluation evaluation) => FormattableString.Invariant($"{100 * evaluation.Accuracy:0.00} %");

    private static string Share(long now, long before) => FormattableString.Invariant($"{100.0 * now / before:0.0} %");

    private void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("model", Settings.Model);
        json.WriteString("goal", Settings.GoalText);
        json.WriteString("method", SeparateCommand.Word(Settings.Method));
        json.WriteStartArray("layers");
        foreach (var layer in Separation.Layers)
        {
            json.WriteStartObject();
            json.WriteString("name", layer.Name);
            json.WriteString("before", layer.Before);
            json.WriteString("method", layer.Method is { } method ? SeparateCommand.Word(method) : null);
            json.WriteString("after", layer.After);
            json.Number("error", layer.Error);
            Pair(json, "macs", layer.MacsBefore, layer.MacsAfter);
            Pair(json, "parameters", layer.ParametersBefore, layer.ParametersAfter);
            Pair(json, "milliseconds", layer.MillisecondsBefore, layer.MillisecondsAfter);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartObject("totals");
        Pair(json, "macs", Separation.MacsBefore, Network.Macs);
        Pair(json, "parameters", Separation.ParametersBefore, Network.ParameterCount);
        Pair(json, "milliseconds", Separation.MillisecondsBefore, Separation.MillisecondsAfter);
        json.Number("error", Separation.Error ?? double.NaN);
        json.WriteEndObject();
        if (Before is not null && After is not null)
        {
            json.WriteStartObject("accuracy");
            json.Number("before", Before.Accuracy);
            json.Number("separated", (Separated ?? After).Accuracy);
            json.Number("after", After.Accuracy);
            json.WriteNumber("pictures", After.Count);
            json.WriteEndObject();
        }

        json.WriteStartArray("curve");
        foreach (var point in Separation.Curve)
        {
            json.WriteStartObject();
            json.Number("macsShare", point.MacsShare);
            json.Number("error", point.Error);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteNumber("calibrated", Calibrated);
        json.WriteNumber("heldBack", Separation.HeldBack);
        json.WriteNumber("threads", Settings.Threads);
        json.Number("seconds", Math.Round(Time.TotalSeconds, 3));
        json.WriteString("output", Settings.Output);
        json.WriteString("report", Settings.Report);
        json.WriteEndObject();
    }

    private static void Pair(Utf8JsonWriter json, string name, double before, double after)
    {
        json.WriteStartObject(name);
        json.Number("before", before);
        json.Number("after", after);
        json.WriteEndObject();
    }
}
