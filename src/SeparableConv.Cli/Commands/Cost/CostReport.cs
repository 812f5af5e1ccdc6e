using System.Text.Json;

namespace SeparableConv.Cli.Commands;

/// <summary>Reports what each form of a layer costs, and how long it takes where that was measured, as a table or as JSON.</summary>
/// <param name="Layer">What was counted.</param>
/// <param name="Counts">The counts.</param>
/// <param name="Times">The times, or null.</param>
/// <param name="Source">The picture whose pixels were the input, or null.</param>
internal sealed record CostReport(Layer Layer, LayerCounts Counts, LayerTimes? Times, string? Source)
{
    /// <summary>Prints the table and what it means.</summary>
    public void Print(Terminal terminal)
    {
        var output = terminal.Output;
        var from = Source is null ? "" : $"{Source}, ";
        output.WriteLine(
            $"{from}{Layer.Input}x{Layer.Channels}, kernel {Layer.Kernel}, {Layer.Filters} filters, stride {Layer.Stride}, "
            + $"padding {Layer.Padding}, dilation {Layer.Dilation}, depth multiplier {Layer.DepthMultiplier} "
            + $"-> {Counts.Geometry.Output}x{Layer.Filters}");

        string[] header = ["form", "output", "multiplications", "parameters", "moved", "peak"];
        var table = new TextTable(Times is null ? header : [.. header, "time", "GFLOP/s"]);
        foreach (var (form, cost, times) in Forms())
            AddRow(table, form, cost, times);
        table.Print(terminal);

        output.WriteLine(
            $"ratio {Numbers.Short(Counts.Ratio)}: multiplications of standard over separable. Moved: bytes read and written; peak: the "
            + "most bytes of activations alive at once.");
        if (Warning is { } warning)
            output.WriteLine($"warning: {warning}");
        if (Times is null)
            return;
        output.WriteLine($"ratio {Numbers.Short(Times.Standard.Median / Times.Separable.Median)}: time of standard over separable; "
            + $"{Numbers.Short(Times.Standard.Median / Times.Fused.Median)} over fused (medians, {Times.Threads} "
            + $"{(Times.Threads == 1 ? "thread" : "threads")})");
        output.WriteLine($"largest difference of fused and separable: {Numbers.Short(Times.MaxDifference)}");
    }

    /// <summary>Prints one line of JSON.</summary>
    public void PrintJson(TextWriter output) => Json.Print(output, json =>
    {
        json.WriteStartObject();
        json.Shape("input", Layer.Input.Height, Layer.Input.Width, Layer.Channels);
        json.Shape("output", Counts.Geometry.Output.Height, Counts.Geometry.Output.Width, Layer.Filters);
        foreach (var (form, cost, times) in Forms())
            WriteForm(json, form, cost, times);
        json.WriteNumber("ratio", Counts.Ratio);
        if (Times is not null)
        {
            json.WriteNumber("timeRatio", Times.Standard.Median / Times.Separable.Median);
            json.WriteNumber("fusedTimeRatio", Times.Standard.Median / Times.Fused.Median);
            json.Number("maxDifference", Times.MaxDifference);
            json.WriteNumber("threads", Times.Threads);
        }

        if (Source is not null)
            json.WriteString("source", Source);
        if (Warning is { } warning)
            json.WriteString("warning", warning);
        json.WriteEndObject();
    });

    private string? Warning => SeparationEvidence.OfLayer((long)Layer.Channels * Layer.DepthMultiplier);

    // The fused form has the counts of the separable one, so that it is told only where it was timed.
    private IEnumerable<(string Form, ConvCost Cost, RunTimes? Times)> Forms()
    {
        yield return ("standard", Counts.Standard, Times?.Standard);
        yield return ("depthwise", Counts.Depthwise, Times?.Depthwise);
        yield return ("pointwise", Counts.Pointwise, Times?.Pointwise);
        yield return ("separable", Counts.Separable, Times?.Separable);
        if (Times is not null)
            yield return ("fused", Counts.Fused, Times.Fused);
    }

    private static void AddRow(TextTable table, string form, ConvCost cost, RunTimes? times)
    {
        string[] cells =
        [
            form,
            $"{cost.Output}x{cost.OutChannels}",
            Numbers.Count(cost.Multiplications),
            Numbers.Count(cost.Parameters),
            Numbers.Bytes(cost.BytesMoved),
            Numbers.Bytes(cost.PeakActivationBytes),
        ];
        table.Add(times is { } t ? [.. cells, Numbers.Milliseconds(t.Median), Numbers.Three(Gigaflops(cost, t))] : cells);
    }

    private static void WriteForm(Utf8JsonWriter json, string form, ConvCost cost, RunTimes? times)
    {
        json.WriteStartObject(form);
        json.WriteNumber("multiplications", cost.Multiplications);
        json.WriteNumber("parameters", cost.Parameters);
        json.WriteNumber("macs", cost.Macs);
        json.WriteNumber("additions", cost.Additions);
        json.WriteNumber("bytesMoved", cost.BytesMoved);
        json.WriteNumber("peakActivationBytes", cost.PeakActivationBytes);
        json.Shape("output", cost.Output.Height, cost.Output.Width, cost.OutChannels);
        if (times is { } t)
        {
            json.Milliseconds(t);
            json.WriteNumber("gigaflops", Gigaflops(cost, t));
        }

        json.WriteEndObject();
    }

    // A multiplication and the addition behind it are two operations.
    private static double Gigaflops(ConvCost cost, RunTimes times) => 2 * cost.Macs / (times.Median * 1e6);
}
