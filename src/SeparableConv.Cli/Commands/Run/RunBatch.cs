using SeparableConv.Cli.Options;
using SeparableConv.Cli.Pictures;

namespace SeparableConv.Cli.Commands;

/// <summary>Runs a network on one input or many.</summary>
/// <param name="terminal">Standard input and output.</param>
/// <param name="settings">What <c>sepconv run</c> was asked to do.</param>
/// <param name="target">Where outputs go, or null.</param>
internal sealed class RunBatch(Terminal terminal, RunSettings settings, RunTarget? target)
{
    // A tensor on standard output must not be mixed with words.
    private readonly Terminal _reports = target is { IsStandardOutput: true }
        ? terminal with { Output = terminal.Error, IsInteractive = false }
        : terminal;

    /// <summary>Runs every input. Of many, those that cannot be read are reported and passed over.</summary>
    /// <exception cref="InputException">The network cannot be loaded or an input failed.</exception>
    public void Run()
    {
        var labels = settings.Labels is null ? null : ReadLabels(settings.Labels);
        target?.Check(
            settings.Images,
            [settings.Model, .. settings.Labels is null ? [] : (string[])[settings.Labels], .. settings.Named.Select(named => named.File)]);
        var shapes = new OpenShapes(settings, terminal);
        var known = shapes.Known();
        using var runners = new Runners(shapes, image => new NetworkRunner(
            ModelOptions.Load(settings.Model, settings.Shapes, new()
            {
                Values = known,
                ShapeOf = input => shapes.Of(input, image),
                DynamicRange = settings.DynamicRange,
            }),
            [.. known.Keys],
            settings,
            labels,
            target,
            shapes));
        if (settings.Images.Count > 1)
            RunMany(runners);
        else
            RunOne(runners.For(settings.Images.Count == 0 ? null : settings.Images[0]));
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

    private void RunMany(Runners runners)
    {
        if (!settings.Json)
            PrintHeader(runners.ForFirst(settings.Images));
        var batch = Batch.Run(
            terminal,
            "running",
            settings.Images,
            image => runners.For(image).Run(image),
            settings.Json ? null : report => report.PrintLine(_reports.Output));
        if (batch.HadBar)
        {
            foreach (var report in batch.Reports)
                report.PrintLine(_reports.Output);
        }

        var profile = settings.Profile && batch.Reports.Count > 0 ? runners.Last?.Profile() : null;
        if (settings.Json)
            PrintJson(batch.Reports, profile);
        else
            profile?.Print(_reports);
        if (batch.Failed > 0)
            throw new InputException($"{batch.Failed} of {settings.Images.Count} inputs failed.");
    }

    private static ClassLabels ReadLabels(string path)
    {
        try
        {
            return ClassLabels.Load(path);
        }
        catch (Exception e) when (Failure.IsExpected(e))
        {
            throw new InputException(PictureFile.Named(path, e), e);
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

    /// <summary>One runner at a time: another where the shape of an image asks for it, since a network has one shape.</summary>
    private sealed class Runners(OpenShapes shapes, Func<string?, NetworkRunner> create) : IDisposable
    {
        private NetworkRunner? _runner;

        /// <summary>The runner that was used last; null where there was none for the last image.</summary>
        public NetworkRunner? Last => _runner;

        /// <summary>The runner for an image, or for named tensors alone.</summary>
        public NetworkRunner For(string? image)
        {
            if (_runner is not null && shapes.Suits(image))
                return _runner;
            Dispose();
            return _runner = create(image);
        }

        /// <summary>The runner for the first image that there is one for.</summary>
        public NetworkRunner ForFirst(IReadOnlyList<string> images)
        {
            for (var i = 0; ; i++)
            {
                try
                {
                    return For(images[i]);
                }
                catch (InputException) when (i < images.Count - 1)
                {
                    // Told when its turn comes.
                }
            }
        }

        public void Dispose()
        {
            _runner?.Dispose();
            _runner = null;
        }
    }
}
