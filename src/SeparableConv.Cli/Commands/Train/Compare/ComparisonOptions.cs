using System.CommandLine;
using System.CommandLine.Parsing;
using SeparableConv.Cli.Options;

namespace SeparableConv.Cli.Commands;

/// <summary>The options of <c>sepconv train</c> that belong to <c>--compare</c>.</summary>
internal sealed class ComparisonOptions
{
    private const string Extension = ".html";
    private const int UsualSeeds = 3;
    private const int MostFilters = 4096;

    private static readonly int[] UsualFilters = [2, 4, 8, 16, 32];
    private static readonly int[] UsualMultipliers = [1, 2];

    private readonly Option<bool> _compare = new("--compare")
    {
        Description = "Train one architecture with standard and with separable convolutions, at several widths, and report accuracy "
            + "against parameters, MACs and seconds to --output OUT.html.",
    };

    private readonly Option<int[]?> _widths = OptionValues.Parsed<int[]?>(
        "--widths", "F,F,...", $"Filters of the networks that are compared; {string.Join(',', UsualFilters)} by default.", Counts);

    private readonly Option<int[]?> _multipliers = OptionValues.Parsed<int[]?>(
        "--multipliers", "M,M,...", "Depth multipliers of the separable networks that are compared; "
            + $"{string.Join(',', UsualMultipliers)} by default.",
        Counts);

    private readonly Option<int?> _seeds = OptionValues.WholeNumber(
        "--seeds", "N", $"Trainings of each network that is compared, from --seed up; {UsualSeeds} by default.", least: 1);

    /// <summary>All of them.</summary>
    public IEnumerable<Option> All => [_compare, _widths, _multipliers, _seeds];

    /// <summary>Whether networks are compared.</summary>
    public bool AreGiven(CommandResult result) => result.GetResult(_compare) is { Implicit: false };

    /// <summary>Refuses options that do not go together.</summary>
    /// <param name="result">What was typed.</param>
    /// <param name="output">Where the report goes.</param>
    /// <param name="model">The architecture.</param>
    /// <param name="checkpoint">Is of one training, and so refused.</param>
    public void Check(CommandResult result, Option<string> output, Option<ModelChoice?> model, Option<string?> checkpoint)
    {
        if (!AreGiven(result))
        {
            foreach (var option in (Option[])[_widths, _multipliers, _seeds])
            {
                if (result.GetResult(option) is not null)
                    result.AddError($"{option.Name} changes nothing without --compare.");
            }

            return;
        }

        if (result.GetResult(output) is { Tokens: [var report] }
            && !report.Value.EndsWith(Extension, StringComparison.OrdinalIgnoreCase))
            result.AddError($"A comparison is saved as a page; '{report.Value}' does not end in {Extension}; give --output OUT.html.");
        if (result.GetResult(model) is { } choice && choice.GetValueOrDefault<ModelChoice?>() is { BuildTwin: null } one)
        {
            result.AddError($"'{one.Text}' has no standard and separable form, or one width; compare cnn:separable or cnn:residual, and "
                + "give widths with --widths.");
        }

        if (result.GetResult(checkpoint) is not null)
            result.AddError("A comparison keeps the trainings that are done by itself; leave --checkpoint out.");
    }

    /// <summary>What was asked.</summary>
    public ComparisonSettings Read(ParseResult parsed, TrainSettings training) => new(
        training,
        Given(parsed.GetValue(_widths)) ?? UsualFilters,
        Given(parsed.GetValue(_multipliers)) ?? UsualMultipliers,
        parsed.GetValue(_seeds) ?? UsualSeeds);

    // An array that was not given is an empty one.
    private static int[]? Given(int[]? counts) => counts is { Length: > 0 } ? counts : null;

    private static int[] Counts(string text)
    {
        int[] counts = [.. text.Split(',').Select(count => OptionValues.WholeNumber(count, 1)).Distinct().Order()];
        return counts[^1] <= MostFilters ? counts : throw new FormatException($"{counts[^1]} is too large; give up to {MostFilters}.");
    }
}
