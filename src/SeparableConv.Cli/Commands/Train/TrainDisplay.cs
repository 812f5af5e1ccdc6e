namespace SeparableConv.Cli.Commands;

/// <summary>Shows how far a training has come: a bar on a screen, a line an epoch elsewhere, nothing where the result is JSON.</summary>
internal sealed class TrainDisplay(Terminal terminal, bool isSilent)
{
    /// <summary>Runs a training and shows it.</summary>
    /// <param name="epochs">Epochs of the whole training.</param>
    /// <param name="train">Trains, and tells of steps and epochs.</param>
    public void Run(int epochs, Action<IProgress<TrainingProgress>?, Action<EpochFigures>> train) =>
        new LiveBar(terminal, isSilent).Run((show, tell) => train(
            show is null ? null : new Told(progress => show((double)progress.Step / progress.Steps, Text(progress))),
            figures => tell(Line(figures, epochs))));

    /// <summary>For example <c>1:05</c>, minutes and seconds.</summary>
    public static string Time(TimeSpan time) => FormattableString.Invariant($"{(long)time.TotalMinutes}:{time.Seconds:00}");

    /// <summary>A share in hundreds: 92.3 %.</summary>
    public static string Percent(double share) => FormattableString.Invariant($"{100 * share:0.0} %");

    private static string Text(TrainingProgress progress) =>
        FormattableString.Invariant($"epoch {progress.Epoch + 1}/{progress.Epochs}  loss {progress.Loss:0.000}  ")
        + FormattableString.Invariant($"{Percent(progress.Accuracy)} right  ")
        + FormattableString.Invariant($"{progress.PicturesPerSecond:0}/s  {Time(progress.Remaining)} left");

    private static string Line(EpochFigures figures, int epochs)
    {
        var validation = figures.ValidationAccuracy is { } accuracy
            ? FormattableString.Invariant($"  validation loss {figures.ValidationLoss:0.0000}  accuracy {Percent(accuracy)}")
            : "";
        return FormattableString.Invariant(
            $"epoch {figures.Epoch}/{epochs}  loss {figures.Loss:0.0000}  accuracy {Percent(figures.Accuracy)}{validation}  ")
            + Time(TimeSpan.FromSeconds(figures.Seconds));
    }
}
