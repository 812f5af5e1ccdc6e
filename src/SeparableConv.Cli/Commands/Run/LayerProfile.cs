using System.Text.Json;

namespace SeparableConv.Cli.Commands;

/// <summary>How long each layer of a network takes.</summary>
/// <param name="Steps">What a run computes, in order: layers, joined where they are run at one go.</param>
/// <param name="Milliseconds">The median time of each.</param>
/// <param name="Rounds">Runs timed.</param>
internal sealed record LayerProfile(IReadOnlyList<CompiledStep> Steps, double[] Milliseconds, int Rounds)
{
    /// <summary>Runs timed where no number is asked for.</summary>
    public const int DefaultRounds = 21;

    private const int WarmUps = 3;

    /// <summary>Times every step over several runs, with what is in the session's inputs.</summary>
    public static LayerProfile Measure(InferenceSession session, int rounds)
    {
        var steps = session.Compiled.Steps;
        var times = new double[steps.Count][];
        for (var s = 0; s < times.Length; s++)
            times[s] = new double[rounds];
        for (var round = -WarmUps; round < rounds; round++)
        {
            var profile = session.Profile();
            for (var s = 0; s < times.Length && round >= 0; s++)
                times[s][round] = profile[s].Milliseconds;
        }

        return new LayerProfile(steps, Array.ConvertAll(times, time => RunTimes.Of(time).Median), rounds);
    }

    /// <summary>Prints a table.</summary>
    public void Print(Terminal terminal)
    {
        var total = Milliseconds.Sum();
        var table = new TextTable("layer", "kind", "output", "MACs", "time", "GFLOP/s", "share") { TextColumns = 2 };
        for (var s = 0; s < Steps.Count; s++)
        {
            var step = Steps[s];
            var macs = step.Cost.Macs;
            table.Add(
                step.Name,
                step.Kind,
                step.Output.Shape.ToString(),
                macs == 0 ? "" : Numbers.Count(macs),
                Numbers.Milliseconds(Milliseconds[s]),
                macs == 0 ? "" : Numbers.Three(Gigaflops(macs, Milliseconds[s])),
                Share(Milliseconds[s], total));
        }

        var all = Steps.Sum(step => step.Cost.Macs);
        table.Add(
            "total", "", "", Numbers.Count(all), Numbers.Milliseconds(total), Numbers.Three(Gigaflops(all, total)), Share(total, total));
        terminal.Output.WriteLine();
        table.Print(terminal);
        terminal.Output.WriteLine($"Times are medians of {Rounds} runs; GFLOP/s count a multiply-accumulate as two operations.");
    }

    /// <summary>Writes <c>"profile":[...]</c>.</summary>
    public void Write(Utf8JsonWriter json)
    {
        var total = Milliseconds.Sum();
        json.WriteStartArray("profile");
        for (var s = 0; s < Steps.Count; s++)
        {
            var step = Steps[s];
            json.WriteStartObject();
            json.WriteString("name", step.Name);
            json.WriteString("kind", step.Kind);
            json.Shape("output", step.Output.Shape.Lengths);
            json.WriteNumber("macs", step.Cost.Macs);
            json.Number("milliseconds", Milliseconds[s]);
            json.Number("gigaflops", Gigaflops(step.Cost.Macs, Milliseconds[s]));
            json.Number("share", Milliseconds[s] / total);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    // A multiplication and the addition behind it are two operations.
    private static double Gigaflops(long macs, double milliseconds) => 2 * macs / (milliseconds * 1e6);

    private static string Share(double part, double total) =>
        (part / total).ToString("0.0 %", System.Globalization.CultureInfo.InvariantCulture);
}
