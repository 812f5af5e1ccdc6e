using System.Text.Json;

namespace SeparableConv.Cli.Commands;

/// <summary>The report on one run: the input, and what the network made of it.</summary>
/// <param name="Input">Where the input came from, as typed.</param>
/// <param name="Description">What it was: size and type.</param>
/// <param name="Top">The best classes; null where the network tells none.</param>
/// <param name="Outputs">What came out, where that is no list of classes; else null.</param>
/// <param name="Files">Where outputs were written.</param>
/// <param name="Times">The time of a run, where it was asked for.</param>
/// <param name="Rounds">Runs timed.</param>
internal sealed record RunReport(
    string Input, string Description, ClassScore[]? Top, OutputSummary[]? Outputs, string[] Files, RunTimes? Times, int Rounds)
{
    private const int LabelWidth = 11;

    /// <summary>Prints a label and a text.</summary>
    public static void Line(TextWriter output, string label, string text) => output.WriteLine(label.PadRight(LabelWidth) + text);

    /// <summary>Prints it for people.</summary>
    public void Print(Terminal terminal)
    {
        Line(terminal.Output, "input", $"{Input}, {Description}");
        if (Times is { } times)
            Line(terminal.Output, "time", Time(times));
        foreach (var file in Files)
            Line(terminal.Output, "output", file);
        if (Top is not null)
            PrintTop(terminal, Top);
        else
            PrintOutputs(terminal, Outputs!);
    }

    /// <summary>Prints it on one line, for batches.</summary>
    public void PrintLine(TextWriter output)
    {
        var result = Top is not null
            ? string.Join(", ", Top.Select(score => $"{score.Label ?? $"class {score.Index}"} {Numbers.Short(score.Score)}"))
            : string.Join(", ", Outputs!.Select(
                o => $"{o.Name} {o.Type} {Numbers.Short(o.Min)} to {Numbers.Short(o.Max)}, mean {Numbers.Short(o.Mean)}"));
        output.WriteLine($"{Input}: {result}{(Times is { } times ? "; " + Time(times) : "")}");
    }

    /// <summary>Writes one object.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("input", Input);
        if (Top is not null)
            WriteTop(json, Top);
        else
            WriteOutputs(json, Outputs!);
        if (Files.Length > 0)
        {
            json.WriteStartArray("files");
            foreach (var file in Files)
                json.WriteStringValue(file);
            json.WriteEndArray();
        }

        if (Times is { } times)
            json.Milliseconds(times);
        json.WriteEndObject();
    }

    private string Time(RunTimes times) =>
        $"{Numbers.Milliseconds(times.Median)} (median of {Rounds}; fastest {Numbers.Milliseconds(times.Min)})";

    private static void PrintTop(Terminal terminal, ClassScore[] top)
    {
        var named = top.Any(score => score.Label is not null);
        var table = named ? new TextTable("label", "class", "score") : new TextTable("class", "score");
        foreach (var score in top)
        {
            string[] numbers = [$"{score.Index}", Numbers.Short(score.Score)];
            table.Add(named ? [score.Label!, .. numbers] : numbers);
        }

        table.Print(terminal);
    }

    private static void PrintOutputs(Terminal terminal, OutputSummary[] outputs)
    {
        var table = new TextTable("output", "type", "shape", "min", "max", "mean");
        foreach (var (name, type, min, max, mean) in outputs)
        {
            table.Add(
                name,
                PlanNames.Of(type.Element),
                type.Shape.ToString(),
                Numbers.Short(min),
                Numbers.Short(max),
                Numbers.Short(mean));
        }

        table.Print(terminal);
    }

    private static void WriteTop(Utf8JsonWriter json, ClassScore[] top)
    {
        json.WriteStartArray("top");
        foreach (var (index, label, score) in top)
        {
            json.WriteStartObject();
            json.WriteNumber("index", index);
            if (label is not null)
                json.WriteString("label", label);
            json.Number("score", score);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteOutputs(Utf8JsonWriter json, OutputSummary[] outputs)
    {
        json.WriteStartArray("outputs");
        foreach (var (name, type, min, max, mean) in outputs)
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            json.WriteString("type", PlanNames.Of(type.Element));
            json.Shape("shape", type.Shape.Lengths);
            json.Number("min", min);
            json.Number("max", max);
            json.Number("mean", mean);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
