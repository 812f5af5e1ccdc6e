using Spectre.Console;

namespace SeparableConv.Cli.Commands;

/// <summary>Shows how far a training has come: a bar on a screen, a line an epoch elsewhere, nothing where the result is JSON.</summary>
internal sealed class TrainDisplay(Terminal terminal, bool isSilent)
{
    // What is left of 80 columns.
    private const int BarWidth = 12;

    private readonly bool _hasBar = terminal.IsInteractive && !isSilent;

    /// <summary>Runs a training and shows it.</summary>
    /// <param name="epochs">Epochs of the whole training.</param>
    /// <param name="train">Trains, and tells of steps and epochs.</param>
    public void Run(int epochs, Action<IProgress<TrainingProgress>?, Action<EpochFigures>> train)
    {
        if (!_hasBar)
        {
            train(null, figures =>
            {
                if (!isSilent)
                    terminal.Output.WriteLine(Line(figures, epochs));
            });
            return;
        }

        // Nothing else may be printed meanwhile: it would tear the bar apart. So epochs are told at the end.
        var lines = new List<string>();
        try
        {
            AnsiConsole.Progress()
                .Columns(
                    new ProgressBarColumn { Width = BarWidth },
                    new PercentageColumn(),
                    new TaskDescriptionColumn { Alignment = Justify.Left })
                .Start(context =>
                {
                    var bar = new Bar(context.AddTask("starting"));
                    train(bar, figures => lines.Add(Line(figures, epochs)));
                });
        }
        finally
        {
            lines.ForEach(terminal.Output.WriteLine);
        }
    }

    /// <summary>For example <c>1:05</c>, minutes and seconds.</summary>
    public static string Time(TimeSpan time) => FormattableString.Invariant($"{(long)time.TotalMinutes}:{time.Seconds:00}");

    /// <summary>A share in hundreds: 92.3 %.</summary>
    public static string Percent(double share) => FormattableString.Invariant($"{100 * share:0.0} %");

    private static string Line(EpochFigures figures, int epochs)
    {
        var validation = figures.ValidationAccuracy is { } accuracy
            ? FormattableString.Invariant($"  validation loss {figures.ValidationLoss:0.0000}  accuracy {Percent(accuracy)}")
            : "";
        return FormattableString.Invariant(
            $"epoch {figures.Epoch}/{epochs}  loss {figures.Loss:0.0000}  accuracy {Percent(figures.Accuracy)}{validation}  ")
            + Time(TimeSpan.FromSeconds(figures.Seconds));
    }

    private sealed class Bar(ProgressTask task) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            task.MaxValue = value.Steps;
            task.Value = value.Step;
            task.Description = Markup.Escape(
                FormattableString.Invariant($"epoch {value.Epoch + 1}/{value.Epochs}  loss {value.Loss:0.000}  ")
                + FormattableString.Invariant($"{Percent(value.Accuracy)} right  ")
                + FormattableString.Invariant($"{value.PicturesPerSecond:0}/s  {Time(value.Remaining)} left"));
        }
    }
}
