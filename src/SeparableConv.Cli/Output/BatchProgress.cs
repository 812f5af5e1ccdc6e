using Spectre.Console;

namespace SeparableConv.Cli.Output;

/// <summary>A bar that shows how far a batch has come, for people at a screen.</summary>
internal static class BatchProgress
{
    /// <summary>Works through the inputs; nothing else may be printed meanwhile, for it would tear the bar apart.</summary>
    /// <param name="task">What is being done, before the first input is named.</param>
    /// <param name="inputs">File names.</param>
    /// <param name="work">What is done with each.</param>
    public static void Run(string task, IReadOnlyList<string> inputs, Action<string> work) =>
        AnsiConsole.Progress().Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn()).Start(context =>
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
