using SeparableConv.Cli.Output;
using SeparableConv.Cli.Pictures;

namespace SeparableConv.Cli.Commands;

/// <summary>Filters one picture or many.</summary>
/// <param name="terminal">Where is read and written.</param>
/// <param name="settings">How.</param>
/// <param name="inputs">What.</param>
/// <param name="target">Where to.</param>
/// <param name="json">Whether reports are JSON.</param>
internal sealed class FilterBatch(Terminal terminal, FilterSettings settings, IReadOnlyList<string> inputs, FilterTarget target, bool json)
{
    private readonly PictureFilter _filter = new(settings);

    // A picture on standard output must not be mixed with words.
    private TextWriter Reports => target.IsStandardOutput ? terminal.Error : terminal.Output;

    /// <summary>Filters them all; pictures that cannot be read or written are told and passed over.</summary>
    /// <exception cref="InputException">A picture failed.</exception>
    public void Run()
    {
        target.Prepare(inputs);
        if (target.IsDirectory)
            RunMany();
        else
            RunOne();
    }

    private void RunOne()
    {
        var report = Filter(inputs[0]);
        if (json)
            Json.Print(Reports, report.Write);
        else
            report.Print(Reports, terminal with { IsInteractive = terminal.IsInteractive && !target.IsStandardOutput });
    }

    private void RunMany()
    {
        var reports = new List<FilterReport>();
        var failures = new List<string>();
        if (terminal.IsInteractive && !json)
            WithBar(input => TryFilter(input, reports, failures), failures);
        else
            WithLines(input => TryFilter(input, reports, failures), reports, failures);

        if (json)
        {
            Json.Print(Reports, writer =>
            {
                writer.WriteStartArray();
                foreach (var report in reports)
                    report.Write(writer);
                writer.WriteEndArray();
            });
        }

        if (failures.Count > 0)
            throw new InputException($"{failures.Count} of {inputs.Count} pictures failed; the others are in '{target.Output}'.");
    }

    private void WithLines(Action<string> filter, List<FilterReport> reports, List<string> failures)
    {
        foreach (var input in inputs)
        {
            var (done, failed) = (reports.Count, failures.Count);
            filter(input);
            if (failures.Count > failed)
                terminal.Error.WriteLine($"sepconv: {failures[^1]}");
            else if (!json)
                reports[done].PrintLine(terminal.Output);
        }
    }

    // Failures are printed behind the bar, which they would tear apart.
    private void WithBar(Action<string> filter, List<string> failures)
    {
        BatchProgress.Run("filtering", inputs, filter);
        foreach (var failure in failures)
            terminal.Error.WriteLine($"sepconv: {failure}");
        terminal.Output.WriteLine($"{inputs.Count - failures.Count} pictures in {target.Output}");
    }

    private void TryFilter(string input, List<FilterReport> reports, List<string> failures)
    {
        try
        {
            reports.Add(Filter(input));
        }
        catch (Exception e) when (Failure.IsExpected(e))
        {
            failures.Add(e is InputException ? Failure.Describe(e) : $"{input}: {Failure.Describe(e)}");
        }
    }

    private FilterReport Filter(string input)
    {
        var picture = PictureFile.Load(input, terminal, settings.Reading);
        var path = target.PathFor(input);
        var (result, report) = _filter.Run(picture, input, path);
        if (target.IsStandardOutput)
            PictureFile.Write(result, terminal, target.StreamExtension(picture));
        else
            PictureFile.Save(result, path);
        return report;
    }
}
