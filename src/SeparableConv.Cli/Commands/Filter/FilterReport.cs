using System.Text.Json;

namespace SeparableConv.Cli.Commands;

/// <summary>The report on one filtered picture.</summary>
/// <param name="Input">Where the picture came from.</param>
/// <param name="Output">Where the result went.</param>
/// <param name="Plan">How the picture was filtered.</param>
/// <param name="ResultType">The type of the result's samples.</param>
/// <param name="Times">The time of the filter alone, without reading and writing files.</param>
/// <param name="Rounds">Runs that were timed.</param>
/// <param name="IsRepeated">Whether the number of runs was asked for.</param>
/// <param name="Ways">The times of <see cref="FilterPlan.Alternatives"/>, or null.</param>
internal sealed record FilterReport(
    string Input, string Output, FilterPlan Plan, ElementType ResultType, RunTimes Times, int Rounds, bool IsRepeated, RunTimes[]? Ways)
{
    private const int LabelWidth = 17;

    private long Dense => ConvCost.FilterMultiplications(Plan.Kernel.Size);

    /// <summary>Prints it for people.</summary>
    public void Print(TextWriter output, Terminal terminal)
    {
        Line(output, "picture", $"{Input}, {PlanNames.Of(Plan.Shape)}");
        Line(output, "kernel", $"{Plan.Kernel.Name}, {Plan.Kernel.Size}");
        Line(output, "plan", PlanNames.Of(Plan.Chosen));
        if (Ways is not null)
            Line(output, "why", Plan.Reason);
        var multiplications = Numbers.Count(Plan.MultiplicationsPerPixel);
        Line(output, "multiplications", $"{multiplications} for each channel of a pixel; dense {Numbers.Count(Dense)}");
        if (Plan.ErrorBound > 0)
        {
            var unit = Plan.Shape.Type == ElementType.Float32 ? "for pixels between -1 and 1" : "in pixel steps, before rounding";
            Line(output, "error", $"{Numbers.Short(Plan.ErrorBound)} at most, {unit}");
        }

        if (Ways is null)
            Line(output, "time", Time());
        else
            PrintWays(output, terminal);
        Line(output, "output", Output);
    }

    /// <summary>Prints it on one line, for batches.</summary>
    public void PrintLine(TextWriter output) => output.WriteLine(
        $"{Input} -> {Output}: {PlanNames.Of(Plan.Chosen)}, {Numbers.Count(Plan.MultiplicationsPerPixel)} multiplications (dense "
        + $"{Numbers.Count(Dense)}), {Time()}");

    /// <summary>Writes one object.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("input", Input);
        json.WriteString("output", Output);
        json.Shape("size", Plan.Shape.Height, Plan.Shape.Width, Plan.Shape.Channels);
        json.WriteString("type", PlanNames.Of(ResultType));
        json.WriteString("kernel", Plan.Kernel.Name);
        json.WriteString("plan", PlanNames.Of(Plan.Chosen));
        json.WriteString("reason", Plan.Reason);
        json.WriteStartObject("multiplicationsPerPixel");
        json.WriteNumber("dense", Dense);
        json.WriteNumber("chosen", Plan.MultiplicationsPerPixel);
        json.WriteEndObject();
        json.Number("errorBound", Plan.ErrorBound);
        json.WriteNumber("threads", Plan.Options.Threads);
        if (IsRepeated)
            json.Milliseconds(Times);
        if (Ways is not null)
            WriteWays(json);
        json.WriteEndObject();
    }

    private static void Line(TextWriter output, string label, string text) => output.WriteLine(label.PadRight(LabelWidth) + text);

    private string Time() => Rounds > 1
        ? $"{Numbers.Milliseconds(Times.Median)} (median of {Rounds}; fastest {Numbers.Milliseconds(Times.Min)})"
        : Numbers.Milliseconds(Times.Median);

    private void PrintWays(TextWriter output, Terminal terminal)
    {
        var table = new TextTable("way", "multiplications", "estimated", "measured", "chosen");
        var chosen = 0;
        var dense = 0;
        for (var w = 0; w < Plan.Alternatives.Count; w++)
        {
            var way = Plan.Alternatives[w];
            var isChosen = way == Plan.Chosen;
            (chosen, dense) = (isChosen ? w : chosen, way.Kind == FilterPlanKind.Dense ? w : dense);
            table.Add(
                PlanNames.Of(way),
                Numbers.Count(way.MultiplicationsPerPixel),
                Numbers.Milliseconds(Estimate(way)),
                Numbers.Milliseconds(Ways![w].Median),
                isChosen ? "yes" : "");
        }

        table.Print(terminal with { Output = output });
        if (chosen == dense)
            return;
        var threads = Plan.Options.Threads == 1 ? "1 thread" : $"{Plan.Options.Threads} threads";
        Line(output, "against dense", $"{Numbers.Three(Ways![dense].Median / Ways[chosen].Median)} times as fast (medians, {threads})");
    }

    private void WriteWays(Utf8JsonWriter json)
    {
        json.WriteStartArray("ways");
        for (var w = 0; w < Plan.Alternatives.Count; w++)
        {
            var way = Plan.Alternatives[w];
            json.WriteStartObject();
            json.WriteString("plan", PlanNames.Of(way));
            json.WriteBoolean("chosen", way == Plan.Chosen);
            json.WriteNumber("multiplicationsPerPixel", way.MultiplicationsPerPixel);
            json.Number("errorBound", way.ErrorBound);
            json.Number("estimatedMilliseconds", Estimate(way));
            json.Milliseconds(Ways![w]);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    // The model counts one thread; the rows are shared out among all.
    private double Estimate(FilterAlternative way) =>
        way.EstimatedNanosecondsPerPixel * Plan.Shape.Height * Plan.Shape.Width / Plan.Options.Threads / 1e6;
}
