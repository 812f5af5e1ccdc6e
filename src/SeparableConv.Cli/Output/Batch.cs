using Spectre.Console;

namespace SeparableConv.Cli.Output;

/// <summary>What became of many inputs.</summary>
/// <param name="Reports">A report of each that succeeded, in the order of the inputs.</param>
/// <param name="Failed">How many failed.</param>
/// <param name="HadBar">Whether a bar was shown in place of the reports.</param>
internal sealed record Batch<TReport>(IReadOnlyList<TReport> Reports, int Failed, bool HadBar);

/// <summary>Works through many inputs and goes on where one fails.</summary>
internal static class Batch
{
    /// <summary>Works through the inputs. Failures are told on standard error, a line each.</summary>
    /// <param name="terminal">
    /// A person at a screen is shown how far the work has come, and failures at the end; elsewhere each input is told when it is done.
    /// </param>
    /// <param name="task">What is being done, for the bar.</param>
    /// <param name="inputs">File names.</param>
    /// <param name="work">What is done with each; exceptions that the libraries document for bad input are failures.</param>
    /// <param name="print">Tells a report; null where reports are told otherwise, and then there is no bar.</param>
    public static Batch<TReport> Run<TReport>(
        Terminal terminal, string task, IReadOnlyList<string> inputs, Func<string, TReport> work, Action<TReport>? print)
    {
        var reports = new List<TReport>();
        var failures = new List<string>();
        var hasBar = terminal.IsInteractive && print is not null;
        if (hasBar)
        {
            // Nothing else may be printed meanwhile: it would tear the bar apart.
            ShowBar(task, inputs, Try);
            failures.ForEach(Tell);
        }
        else
        {
            foreach (var input in inputs)
            {
                var (done, failed) = (reports.Count, failures.Count);
                Try(input);
                if (failures.Count > failed)
                    Tell(failures[^1]);
                else
                    print?.Invoke(reports[done]);
            }
        }

        return new Batch<TReport>(reports, failures.Count, hasBar);

        void Tell(string failure) => terminal.Error.WriteLine($"sepconv: {failure}");

        void Try(string input)
        {
            try
            {
                reports.Add(work(input));
            }
            catch (Exception e) when (Failure.IsExpected(e))
            {
                failures.Add(e is InputException ? Failure.Describe(e) : $"{input}: {Failure.Describe(e)}");
            }
        }
    }

    private static void ShowBar(string task, IReadOnlyList<string> inputs, Action<string> work) =>
        AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
        {
            var bar = context.AddTask(task, maxValue: inputs.Count);
            foreach (var input in inputs)
            {
                bar.Description = Markup.Escape(Path.GetFileName(input));
                work(input);
                bar.Increment(1);
            }

            bar.Description = "done";
        });
}
