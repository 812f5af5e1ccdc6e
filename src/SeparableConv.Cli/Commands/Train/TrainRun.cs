using System.Diagnostics;
using SeparableConv.Cli.Options;
using SeparableConv.Networks.Pictures;

namespace SeparableConv.Cli.Commands;

/// <summary>Does what <c>sepconv train</c> was asked to do.</summary>
/// <param name="terminal">Standard output.</param>
/// <param name="settings">What was asked.</param>
internal sealed class TrainRun(Terminal terminal, TrainSettings settings)
{
    private readonly TrainFiles _files = new(settings.Output);
    private readonly Stopwatch _watch = Stopwatch.StartNew();

    /// <summary>Trains, saves, and reports.</summary>
    /// <exception cref="InputException">Something cannot be used, or the training failed; nothing is saved then.</exception>
    /// <exception cref="OperationCanceledException">It was interrupted.</exception>
    public void Run()
    {
        _files.Check(settings);
        TrainFiles.RemoveLeftovers(_files.Model, _files.Labels, _files.Metrics, _files.Report, settings.Checkpoint);
        using var end = new CancellationTokenSource();
        using var gentle = Interruption.EndGently(end);
        var distillation = settings.Teacher?.Load();
        var (network, data) = Load(distillation?.Teacher);
        var (training, validation) = settings.Validation.Split(data);
        network ??= settings.Model.Build!(
            new TensorShape(data.Height, data.Width, data.Channels), data.Classes.Count, settings.Options.Seed);
        PrintHeader(data, network, validation);

        // What was trained before goes on with the numbers that it knows; a new network learns with those of its teacher.
        var known = Normalization.Of(network) ?? (distillation is null ? null : Normalization.Of(distillation.Teacher));
        var options = settings.Options with { Normalization = known, Distillation = distillation };
        var budget = settings.Minutes is { } minutes ? new TrainBudget(minutes, _watch) : null;
        try
        {
            if (budget is not null)
                options = options with { Steps = budget.Plan(network, training, validation, options, end.Token) };
            using var trainer = new Trainer(network, training, validation, options);
            Train(trainer, network, training, validation, budget, end);
        }
        catch (DivergenceException e)
        {
            throw new InputException(e.Message, e);
        }
    }

    private (Network? Network, PictureDataSet Data) Load(Network? teacher)
    {
        if (!settings.Model.IsFile)
        {
            var pictures = teacher is null || settings.Size is not null
                ? settings.Data.Load(settings.Size, null, settings.IsStrict)
                : settings.Data.Load(ModelChoice.Layout(teacher), settings.IsStrict);
            CheckTeacher(teacher, pictures);
            return (null, pictures);
        }

        var network = ModelOptions.Load(settings.Model.Text, null);
        var data = settings.Data.Load(ModelChoice.Layout(network), settings.IsStrict);
        CheckClasses(settings.Model.Text, network, data, "or build a network with --model");
        CheckTeacher(teacher, data);
        return (network, data);
    }

    private void CheckTeacher(Network? teacher, PictureDataSet data)
    {
        if (teacher is not null)
            CheckClasses(settings.Teacher!.Text, teacher, data, "or train one with these pictures");
    }

    private static void CheckClasses(string file, Network network, PictureDataSet data, string otherwise)
    {
        if (ClassRanking.Count(network) is var classes && classes != data.Classes.Count)
        {
            throw new InputException(
                $"'{file}' tells {(classes is null ? "no" : $"{classes}")} classes apart but the pictures have {data.Classes.Count}; "
                + $"export it with a last layer of {data.Classes.Count}, {otherwise}.");
        }
    }

    private void Train(
        Trainer trainer,
        Network network,
        PictureDataSet training,
        PictureDataSet? validation,
        TrainBudget? budget,
        CancellationTokenSource end)
    {
        if (settings.Resume)
            trainer.Resume(settings.Checkpoint!);
        var log = new TrainLog(_files.Metrics, trainer.EpochsDone, json => TrainResult.WriteRun(json, settings, network, trainer));
        var isEnded = !TrainUntilEnd(trainer, log, budget, end);

        var trained = trainer.ToNetwork();
        var evaluation = !isEnded && trainer.Epochs is [.., { Validation: { } last }]
            ? last
            : Evaluation.Run(trained, validation ?? training, trainer.Normalization, settings.Options.Threads, end.Token);
        var result = new TrainResult(
            settings, _files, training, validation, trained, trainer, evaluation, log.Epochs, _watch.Elapsed,
            IsCut: trainer.StepsDone < trainer.Steps);
        Save(result);
        result.Print(terminal);
    }

    // False where the time was over before the steps were.
    private bool TrainUntilEnd(Trainer trainer, TrainLog log, TrainBudget? budget, CancellationTokenSource end)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(end.Token);
        if (budget is not null)
            stop.CancelAfter(budget.Left);
        if (!settings.Json)
        {
            terminal.Output.WriteLine(
                $"steps      {Numbers.Count(trainer.Steps)}, {Numbers.Count(trainer.StepsPerEpoch)} an epoch"
                + (budget is null ? "" : $", planned for {Numbers.Short(settings.Minutes!.Value)} min")
                + (settings.Resume ? $"; going on from step {Numbers.Count(trainer.StepsDone)}" : ""));
        }

        try
        {
            new TrainDisplay(terminal, settings.Json).Run(trainer.EpochCount, (progress, tell) => trainer.Run(
                progress,
                result =>
                {
                    // Figures first: a process that is killed in between makes the epoch again, and its line with it.
                    log.Add(new(
                        result.Epoch + 1,
                        result.Loss,
                        result.Accuracy,
                        result.Validation?.Loss,
                        result.Validation?.Accuracy,
                        log.SecondsBefore + result.Seconds));
                    if (settings.Checkpoint is { } checkpoint)
                        TrainFiles.Write(checkpoint, trainer.Save);
                    tell(log.Epochs[^1]);
                },
                stop.Token));
            return true;
        }
        catch (OperationCanceledException) when (!end.IsCancellationRequested)
        {
            return false;
        }
        catch (OperationCanceledException)
        {
            throw Interrupted(trainer);
        }
    }

    private OperationCanceledException Interrupted(Trainer trainer)
    {
        var where = $"Interrupted at step {trainer.StepsDone} of {trainer.Steps}";
        if (settings.Checkpoint is not { } checkpoint)
            return new($"{where}; nothing is kept, since no --checkpoint was given.");
        TrainFiles.Write(checkpoint, trainer.Save);
        var steps = settings.Minutes is null ? "" : $" and --steps {trainer.Steps} in place of --minutes";
        return new($"{where}; go on from '{checkpoint}' with --resume{steps}.");
    }

    private void Save(TrainResult result)
    {
        TrainFiles.Write(_files.Model, path => OnnxWriter.Write(result.Trained, path));
        TrainFiles.WriteText(_files.Labels, string.Concat(result.Training.Classes.Select(name => Failure.OneLine(name) + "\n")));
        TrainFiles.WriteText(_files.Report, TrainReport.Write(result));
    }

    private void PrintHeader(PictureDataSet data, Network network, PictureDataSet? validation)
    {
        if (settings.Json)
            return;
        var output = terminal.Output;
        RunReport.Line(output, "data", $"{settings.Data.Text}: {data}"
            + (validation is null ? "" : $", {Numbers.Count(validation.Count)} of them to validate"));
        DataSource.PrintSkipped(data, output);
        RunReport.Line(output, "model", $"{settings.Model.Text}: {Numbers.Count(network.ParameterCount)} parameters, "
            + $"{Numbers.Count(network.WithBatch(1).Macs)} multiply-accumulates a picture");
        if (settings.Teacher is { } teacher)
        {
            RunReport.Line(output, "teacher", $"{teacher.Text}: weight {Numbers.Short(teacher.Weight)}, temperature "
                + $"{Numbers.Short(teacher.Temperature)}");
        }
    }
}
