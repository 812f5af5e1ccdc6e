using SeparableConv.Cli.Options;
using SeparableConv.Cli.Output;

namespace SeparableConv.Cli.Commands;

/// <summary>Runs a network on one input or many.</summary>
/// <param name="terminal">Where is read and written.</param>
/// <param name="settings">What was asked.</param>
/// <param name="target">Where outputs go, or null.</param>
internal sealed class RunBatch(Terminal terminal, RunSettings settings, RunTarget? target)
{
    // A tensor on standard output must not be mixed with words.
    private readonly Terminal _reports = target is { IsStandardOutput: true } ? terminal with { Output = terminal.Error, IsInteractive = false } : terminal;

    /// <summary>Runs them all; of many, those that cannot be read are told and passed over.</summary>
    /// <exception cref="InputException">The network cannot be loaded or an input failed.</exception>
    public void Run()
    {
        var labels = settings.Labels is null ? null : ClassLabels.Read(settings.Labels);
        target?.Check(settings.Images, [settings.Model, .. settings.Labels is null ? [] : (string[])[settings.Labels], .. settings.Named.Select(named => named.File)]);
        using var runner = new NetworkRunner(ModelOptions.Load(settings.Model, settings.Shapes), settings, labels, target, terminal);
        if (settings.Images.Count > 1)
            RunMany(runner);
        else
            RunOne(runner);
    }

    private void RunOne(NetworkRunner runner)
    {
        var report = runner.Run(settings.Images.Count == 0 ? null : settings.Images[0]);
        var profile = settings.Profile ? runner.Profile() : null;
        if (settings.Json)
        {
            PrintJson([report], profile);
            return;
        }

        PrintHeader(runner);
        report.Print(_reports);
        profile?.Print(_reports);
    }

    private void RunMany(NetworkRunner runner)
    {
        var reports = new List<RunReport>();
        var failures = new List<string>();
        if (settings.Json)
        {
            WithLines(runner, reports, failures, print: false);
        }
        else
        {
            PrintHeader(runner);
            if (terminal.IsInteractive)
                WithBar(runner, reports, failures);
            else
                WithLines(runner, reports, failures, print: true);
        }

        var profile = settings.Profile && reports.Count > 0 ? runner.Profile() : null;
        if (settings.Json)
            PrintJson(reports, profile);
        else
            profile?.Print(_reports);
        if (failures.Count > 0)
            throw new InputException($"{failures.Count} of {settings.Images.Count} inputs failed.");
    }

    private void WithLines(NetworkRunner runner, List<RunReport> reports, List<string> failures, bool print)
    {
        foreach (var image in settings.Images)
        {
            var (done, failed) = (reports.Count, failures.Count);
            TryRun(runner, image, reports, failures);
            if (failures.Count > failed)
                terminal.Error.WriteLine($"sepconv: {failures[^1]}");
            else if (print)
                reports[done].PrintLine(_reports.Output);
        }
    }

    private void WithBar(NetworkRunner runner, List<RunReport> reports, List<string> failures)
    {
        BatchProgress.Run("running", settings.Images, image => TryRun(runner, image, reports, failures));
        foreach (var failure in failures)
            terminal.Error.WriteLine($"sepconv: {failure}");
        foreach (var report in reports)
            report.PrintLine(_reports.Output);
    }

    private static void TryRun(NetworkRunner runner, string image, List<RunReport> reports, List<string> failures)
    {
        try
        {
            reports.Add(runner.Run(image));
        }
        catch (Exception e) when (Failure.IsExpected(e))
        {
            failures.Add(e is InputException ? Failure.Describe(e) : $"{image}: {Failure.Describe(e)}");
        }
    }

    private void PrintHeader(NetworkRunner runner)
    {
        RunReport.Line(_reports.Output, "model", settings.Model);
        if (runner.Normalization is { } normalization)
            RunReport.Line(_reports.Output, "pixels", normalization);
    }

    private void PrintJson(IReadOnlyList<RunReport> reports, LayerProfile? profile) => Json.Print(_reports.Output, json =>
    {
        json.WriteStartObject();
        json.WriteStartArray("results");
        foreach (var report in reports)
            report.Write(json);
        json.WriteEndArray();
        profile?.Write(json);
        json.WriteEndObject();
    });
}
