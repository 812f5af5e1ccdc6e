using System.Diagnostics;
using SeparableConv.Cli.Options;

namespace SeparableConv.Cli.Commands;

/// <summary>Does what <c>sepconv train --compare</c> was asked to do.</summary>
/// <param name="terminal">Standard output.</param>
/// <param name="settings">What was asked.</param>
internal sealed class ComparisonRun(Terminal terminal, ComparisonSettings settings)
{
    private readonly TrainSettings _training = settings.Training;

    /// <summary>Trains every network with every seed, saves the report, and prints it.</summary>
    /// <exception cref="InputException">Something cannot be used, or a training failed; those before it are kept.</exception>
    /// <exception cref="OperationCanceledException">It was interrupted; the trainings that were done are kept.</exception>
    public void Run()
    {
        TrainFiles.CheckPlace(_training.Output);
        TrainFiles.RemoveLeftovers(_training.Output, settings.Runs);
        var log = new ComparisonLog(settings);
        using var end = new CancellationTokenSource();
        using var gentle = Interruption.EndGently(end);
        var data = _training.Data.Load(_training.Size, null, _training.IsStrict);
        var (training, validation) = _training.Validation.Split(data);
        var options = _training.Options with { Normalization = training.MeasureNormalization() };
        (NetworkForm Form, int Seed)[] all = [.. from form in settings.Forms from seed in settings.AllSeeds select (form, seed)];
        var done = log.Trainings.Select(kept => (kept.Form, kept.Seed)).ToHashSet();
        PrintHeader(data, all.Length, all.Count(done.Contains));

        var left = all.Where(one => !done.Contains(one)).ToArray();
        new LiveBar(terminal, _training.Json).Run((show, tell) =>
        {
            for (var i = 0; i < left.Length; i++)
            {
                var (begin, form, seed) = (i, left[i].Form, left[i].Seed);
                var progress = show is null ? null : new Told(told => show(
                    (begin + ((double)told.Step / told.Steps)) / left.Length,
                    $"{begin + 1}/{left.Length}  {form}, seed {seed}  {TrainDisplay.Percent(told.Accuracy)} right"));
                try
                {
                    log.Add(Train(form, options with { Seed = seed }, training, validation, progress, end.Token));
                }
                catch (DivergenceException e)
                {
                    throw new InputException($"{form}, seed {seed}: {e.Message}", e);
                }
                catch (OperationCanceledException)
                {
                    throw new OperationCanceledException(
                        $"Interrupted after {i} of {left.Length} trainings; go on with --resume, those in '{settings.Runs}' are kept.");
                }

                tell(Line(log.Trainings[^1]));
            }
        });

        var report = new ComparisonReport(settings, validation ?? training, ComparedNetwork.Of(settings, log.Trainings));
        TrainFiles.WriteText(_training.Output, ComparisonPage.Write(report));
        report.Print(terminal);
    }

    private ComparedTraining Train(
        NetworkForm form,
        TrainingOptions options,
        PictureDataSet training,
        PictureDataSet? validation,
        IProgress<TrainingProgress>? progress,
        CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        var network = _training.Model.BuildTwin!(
            form, new TensorShape(training.Height, training.Width, training.Channels), training.Classes.Count, options.Seed);
        if (_training.Minutes is { } minutes)
            options = options with { Steps = new TrainBudget(minutes, watch).Plan(network, training, validation, options, cancellation) };
        using var trainer = new Trainer(network, training, null, options);
        watch.Restart();
        trainer.Run(progress, cancellation: cancellation);
        var seconds = watch.Elapsed.TotalSeconds;
        var evaluation = Evaluation.Run(
            trainer.ToNetwork(), validation ?? training, trainer.Normalization, options.Threads, cancellation);
        return new(
            form, options.Seed, network.ParameterCount, network.Macs, trainer.Steps, seconds, evaluation.Loss, evaluation.Accuracy);
    }

    private static string Line(ComparedTraining training) => FormattableString.Invariant(
        $"{training.Form}, seed {training.Seed}: accuracy {TrainDisplay.Percent(training.Accuracy)}, {training.Seconds:0.0} s");

    private void PrintHeader(PictureDataSet data, int all, int done)
    {
        if (_training.Json)
            return;
        RunReport.Line(terminal.Output, "data", $"{_training.Data.Text}: {data}");
        DataSource.PrintSkipped(data, terminal.Output);
        RunReport.Line(terminal.Output, "compare", $"{all} trainings of {_training.Model.Text}: {string.Join(", ", settings.Filters)} "
            + $"filters, {settings.Seeds} {(settings.Seeds == 1 ? "seed" : "seeds")} each" + (done > 0 ? $"; {done} are done" : ""));
    }
}
