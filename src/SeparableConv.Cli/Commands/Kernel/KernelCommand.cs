using System.CommandLine;
using SeparableConv.Cli.Options;

namespace SeparableConv.Cli.Commands;

/// <summary><c>sepconv kernel</c>: what a kernel separates into.</summary>
internal sealed class KernelCommand
{
    public const string Name = "kernel";

    public static readonly string[] Examples =
    [
        "sepconv kernel \"3 6 9; 4 8 12; 5 10 15\"",
        "sepconv kernel sobel-x",
        "sepconv kernel gauss:15:2.6 --json",
        "sepconv kernel disk:5 --rank 2",
        "sepconv kernel samples/kernels/relief.txt --max-error 0.05",
    ];

    // The pictures that the plan is for: what it depends on is the type, not the size.
    private static readonly ImageShape PlannedFor = new(2160, 3840, 3, ElementType.UInt8);

    private readonly Terminal _terminal;
    private readonly Argument<string> _kernel = new("KERNEL")
    {
        Description = "Numbers (\"1 2 1; 2 4 2; 1 2 1\"), a name (gauss:15:2.6), a file (.txt, .csv, .json, .npy), "
            + "or - for standard input.",
    };

    private readonly Option<int?> _rank = OptionValues.WholeNumber(
        "--rank", "R", "Separate into R terms: an approximation where R is below the kernel's rank.", least: 0);
    private readonly Option<double?> _maxError = OptionValues.Number(
        "--max-error", "E", "Separate into the fewest terms whose output is off by E at most, for inputs between -1 and 1.", least: 0);

    private readonly Option<bool> _json = new("--json") { Description = "Print JSON." };

    private KernelCommand(Terminal terminal) => _terminal = terminal;

    /// <summary>Builds the command.</summary>
    public static Command Create(Terminal terminal)
    {
        var self = new KernelCommand(terminal);
        self._kernel.Validators.Add(OptionValues.RefuseUnknownOptions);
        var command = new Command(Name, "Separate a kernel: rank, singular values, factors, error, multiplications and plan.")
        {
            self._kernel, self._rank, self._maxError, self._json,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(self._rank) is not null && result.GetResult(self._maxError) is not null)
                result.AddError("--rank and --max-error both choose the number of terms; give one of them.");
        });
        command.SetAction(self.Run);
        return command;
    }

    private void Run(ParseResult parsed)
    {
        var kernel = KernelSource.Read(parsed.GetRequiredValue(_kernel), _terminal);
        var decomposition = KernelSeparation.Decompose(kernel);
        var rank = parsed.GetValue(_rank);
        var maxError = parsed.GetValue(_maxError);
        var terms = rank is not null
            ? decomposition.Approximate(rank.Value)
            : maxError is not null ? decomposition.ApproximateWithin(maxError.Value) : decomposition.Exact;
        var plan = FilterPlan.Create(kernel, PlannedFor, new FilterOptions
        {
            Plan = rank > 0 ? FilterPlanChoice.OfRank(rank.Value) : FilterPlanChoice.Auto,
            MaxError = (maxError ?? 0) * PlannedFor.MaxValue,
        });
        var report = new KernelReport(decomposition, terms, plan);
        if (parsed.GetValue(_json))
            report.PrintJson(_terminal.Output);
        else
            report.Print(_terminal.Output);
    }
}
