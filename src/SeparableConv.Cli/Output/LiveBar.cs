using Spectre.Console;

namespace SeparableConv.Cli.Output;

/// <summary>Shows how far long work has come: a bar on a screen, lines elsewhere, nothing where the result is JSON.</summary>
internal sealed class LiveBar(Terminal terminal, bool isSilent)
{
    // What is left of 80 columns.
    private const int Width = 12;

    /// <summary>Runs the work.</summary>
    /// <param name="work">
    /// Is given the bar, to set to a share from 0 to 1 with a text beside it (null where there is none), and what tells a finished piece
    /// in a line.
    /// </param>
    public void Run(Action<Action<double, string>?, Action<string>> work)
    {
        if (isSilent || !terminal.IsInteractive)
        {
            work(null, line =>
            {
                if (!isSilent)
                    terminal.Output.WriteLine(line);
            });
            return;
        }

        // Nothing else may be printed meanwhile: it would tear the bar apart. So lines are told at the end.
        var lines = new List<string>();
        try
        {
            AnsiConsole.Progress()
                .Columns(
                    new ProgressBarColumn { Width = Width },
                    new PercentageColumn(),
                    new TaskDescriptionColumn { Alignment = Justify.Left })
                .Start(context =>
                {
                    var bar = context.AddTask("starting", maxValue: 1);
                    work(
                        (share, text) =>
                        {
                            bar.Value = share;
                            bar.Description = Markup.Escape(text);
                        },
                        lines.Add);
                });
        }
        finally
        {
            lines.ForEach(terminal.Output.WriteLine);
        }
    }
}
