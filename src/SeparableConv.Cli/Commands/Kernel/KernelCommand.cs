using System.CommandLine;
using SeparableConv.Cli.Options;

namespace SeparableConv.Cli.Commands;

/// <summary><c>sepconv kernel</c>: what a kernel, or a bank of kernels of one size, separates into.</summary>
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
        "sepconv kernel gabor gabor:theta=45 gabor:theta=90 gabor:theta=135 --rank 2",
        "sepconv kernel bank.npy --json",
    ];

    // The pictures that the plan is for: what it depends on is the type, not the size.
    private static readonly ImageShape PlannedFor = new(2160, 3840, 3, ElementType.UInt8);

    private readonly Terminal _terminal;
    private readonly Argument<string[]> _kernels = new("KERNEL")
    {
        Description = "Numbers (\"1 2 1; 2 4 2; 1 2 1\"), a name (gauss:15:2.6), a file (.txt, .csv, .json, .npy), "
            + "or - for standard input. Several of one size, also in one .npy (N, height, width) or .json [[[1,2],[3,4]],...], are a bank.",
        Arity = ArgumentArity.OneOrMore,
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
        self._kernels.Validators.Add(OptionValues.RefuseUnknownOptions);
        const string Summary = "Separate a kernel: rank, factors, error, multiplications and plan; or several: what they share.";
        var command = new Command(Name, Summary)
        {
            self._kernels, self._rank, self._maxError, self._json,
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
        FilterKernel[] kernels = [.. parsed.GetRequiredValue(_kernels).SelectMany(text => KernelSource.ReadAll(text, _terminal))];
        var rank = parsed.GetValue(_rank);
        var maxError = parsed.GetValue(_maxError);
        if (kernels is [var kernel])
            RunOne(kernel, rank, maxError, parsed.GetValue(_json));
        else
            RunBank(kernels, rank, maxError, parsed.GetValue(_json));
    }

    private void RunOne(FilterKernel kernel, int? rank, double? maxError, bool json)
    {
        var decomposition = KernelSeparation.Decompose(kernel);
        var terms = Terms(decomposition, rank, maxError);
        var plan = FilterPlan.Create(kernel, PlannedFor, new FilterOptions
        {
            Plan = rank > 0 ? FilterPlanChoice.OfRank(rank.Value) : FilterPlanChoice.Auto,
            MaxError = (maxError ?? 0) * PlannedFor.MaxValue,
        });
        var report = new KernelReport(decomposition, terms, plan);
        if (json)
            report.PrintJson(_terminal.Output);
        else
            report.Print(_terminal.Output);
    }

    private void RunBank(FilterKernel[] kernels, int? rank, double? maxError, bool json)
    {
        var bank = KernelSeparation.DecomposeBank(kernels);
        var terms = bank.Kernels.Select(k => Terms(k, rank, maxError)).ToArray();
        var forms = new List<KernelBankForm>();
        foreach (var sharing in Enum.GetValues<BankSharing>())
        {
            // A rank is one of each kernel; what they share may have the error that it leaves in all of them together.
            forms.Add((rank, maxError) switch
            {
                (null, null) => bank.Exact(sharing),
                (null, { } most) => bank.ApproximateWithin(sharing, most),
                ({ } each, _) when sharing == BankSharing.Nothing => bank.Approximate(sharing, each),
                _ => bank.ApproximateWithinNorm(sharing, forms[0].FrobeniusError),
            });
        }

        var report = new KernelBankReport(bank, terms, forms);
        if (json)
            report.PrintJson(_terminal.Output);
        else
            report.Print(_terminal);
    }

    private static SeparableKernel Terms(KernelDecomposition decomposition, int? rank, double? maxError) => rank is not null
        ? decomposition.Approximate(rank.Value)
        : maxError is not null ? decomposition.ApproximateWithin(maxError.Value) : decomposition.Exact;
}
