using System.Diagnostics;
using SeparableConv.Cli.Options;
using SeparableConv.Cli.Pictures;
using SeparableConv.Networks.Separating;

namespace SeparableConv.Cli.Commands;

/// <summary>Does what <c>sepconv separate</c> was asked to do.</summary>
/// <param name="terminal">Standard output.</param>
/// <param name="settings">What was asked.</param>
internal sealed class SeparateRun(Terminal terminal, SeparateSettings settings)
{
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly CancellationTokenSource _end = new();

    /// <summary>Separates, fine-tunes, saves, and reports.</summary>
    /// <exception cref="InputException">Something cannot be used; nothing is saved then.</exception>
    /// <exception cref="OperationCanceledException">It was interrupted.</exception>
    public void Run()
    {
        CheckFiles();
        using var gentle = Interruption.EndGently(_end);
        var network = ModelOptions.Load(settings.Model, settings.Shapes);
        var pictures = SeparatePictures.Load(settings, network, terminal);
        var before = pictures?.Evaluate(network, _end.Token);
        try
        {
            var separation = Separate(network, pictures, before);
            Evaluation? separated = null;
            var now = separation.Network;
            if (settings.Epochs > 0)
            {
                separated = pictures!.Evaluate(now, _end.Token);
                now = Tune(network, now, pictures);
            }

            var result = new SeparateResult(
                settings, network, now, separation, pictures?.Validation, before, separated, pictures?.Evaluate(now, _end.Token),
                pictures?.Normalization, pictures?.CalibrationCount ?? 0, _watch.Elapsed);
            Save(result);
            result.Print(terminal);
        }
        catch (Exception e) when (e is NetworkException or ArgumentException)
        {
            throw new InputException(PictureFile.Named(settings.Model, e), e);
        }
    }

    private void CheckFiles()
    {
        foreach (var file in (string?[])[settings.Output, settings.Report])
        {
            if (file is null)
                continue;
            TrainFiles.CheckPlace(file);
            if (Path.GetFullPath(file) == Path.GetFullPath(settings.Model))
                throw new InputException($"'{file}' is read and would be overwritten; give another name.");
        }

        TrainFiles.RemoveLeftovers(settings.Output, settings.Report);
    }

    private SeparationResult Separate(Network network, SeparatePictures? pictures, Evaluation? before)
    {
        var separation = NetworkSeparation.Of(network).By(settings.Method, settings.IsUniform).WithThreads(settings.Threads);
        if (settings.TakesDense)
            separation = separation.WithDenseLayers();
        if (pictures is not null)
            separation = pictures.Calibrate(separation);
        separation = settings.Goal switch
        {
            SeparationGoal.Macs => separation.ToMacs(settings.Amount),
            SeparationGoal.Parameters => separation.ToParameters(settings.Amount),
            SeparationGoal.Latency => separation.ToLatency(settings.Amount),
            SeparationGoal.Error => separation.ToError(settings.Amount),
            _ => separation.ToLoss(now => 100 * (before!.Accuracy - pictures!.Evaluate(now, _end.Token)!.Accuracy), settings.Amount),
        };
        SeparationResult? result = null;
        new LiveBar(terminal, settings.Json).Run((show, tell) => result = separation.Run(
            new Told(progress =>
            {
                if (show is null)
                    tell(progress.Step);
                else
                    show(progress.Share, progress.Step);
            }),
            _end.Token));
        return result!;
    }

    private Network Tune(Network teacher, Network network, SeparatePictures pictures)
    {
        var options = settings.Tuning with { Normalization = pictures.Normalization, Distillation = settings.Teach(teacher) };
        using var trainer = new Trainer(network, pictures.Training, null, options);
        new TrainDisplay(terminal, settings.Json).Run(trainer.EpochCount, (progress, tell) => trainer.Run(
            progress,
            result => tell(new(result.Epoch + 1, result.Loss, result.Accuracy, null, null, result.Seconds)),
            _end.Token));
        return trainer.ToNetwork();
    }

    private void Save(SeparateResult result)
    {
        _end.Token.ThrowIfCancellationRequested();
        if (settings.Output is { } output)
            TrainFiles.Write(output, path => OnnxWriter.Write(result.Network, path));
        if (settings.Report is { } report)
            TrainFiles.WriteText(report, SeparatePage.Write(result));
    }

    private sealed class Told(Action<SeparationProgress> tell) : IProgress<SeparationProgress>
    {
        public void Report(SeparationProgress value) => tell(value);
    }
}
