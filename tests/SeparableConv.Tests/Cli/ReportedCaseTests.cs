using SeparableConv.Imaging;

namespace SeparableConv.Tests.Cli;

/// <summary>
/// Small models made after public bug reports, each run as its user would run it: what comes out is what is right.
/// </summary>
public sealed class ReportedCaseTests(ITestOutputHelper log)
{
    // Volumes are out of scope, and refused by that name.
    private const string Volume = "conv3d";

    [Fact]
    public void Every_model_gives_what_is_right()
    {
        var (count, wrong) = (0, new List<string>());
        foreach (var folder in Directory.GetDirectories(TestFiles.Shared("cases")).Order(StringComparer.Ordinal))
        {
            var name = Path.GetFileName(folder);
            if (Directory.GetFiles(folder, "m.*") is not [var model])
                continue;
            count++;
            using var output = new TempFolder();
            var run = CommandRun.Of("run", model, "--input", $"x={Path.Combine(folder, "in_x.npy")}", "--output", output["out"]);
            if (name == Volume)
            {
                run.AssertFails(1, "is a volume");
                continue;
            }

            if (run.Code != 0)
            {
                wrong.Add($"{name}: {run.Error.Trim()}");
                continue;
            }

            foreach (var file in Directory.GetFiles(folder, "expected_*.npy"))
            {
                var made = Path.Combine(output["out"], Path.GetFileName(file)["expected_".Length..]);
                if (!File.Exists(made))
                    wrong.Add($"{name}: there is no {Path.GetFileName(made)}, but {string.Join(", ", Directory.GetFiles(output["out"]))}");
                else if (Difference(NpyFile.Load(file), NpyFile.Load(made), name) is { } difference)
                    wrong.Add($"{name}: {Path.GetFileName(made)} {difference}");
            }
        }

        log.WriteLine($"{count} models");
        Assert.True(wrong.Count == 0, string.Join("\n", wrong));
        Assert.True(count >= 41, $"{count} models were found.");
    }

    private static string? Difference(NpyArray expected, NpyArray actual, string name)
    {
        if (expected.Type != actual.Type || !expected.Shape.SequenceEqual(actual.Shape))
            return $"is {actual.Type} {new TensorShape(actual.Shape)}, not {expected.Type} {new TensorShape(expected.Shape)}";
        var (wanted, given) = (expected.ToDoubles(), actual.ToDoubles());
        var largest = wanted.Select(Math.Abs).DefaultIfEmpty(0).Max();

        // Half precision has ten bits; whole numbers are exact, but 16-bit ones of TensorFlow Lite may be a step off.
        var tolerance = expected.Type switch
        {
            ElementType.Float32 => 1e-4 * largest,
            ElementType.Float16 => 1e-3 * largest,
            ElementType.Int16 when name.StartsWith("tfl", StringComparison.Ordinal) => 1,
            _ => 0,
        };
        var worst = wanted.Zip(given, (a, b) => Math.Abs(a - b)).DefaultIfEmpty(0).Max();
        return worst <= tolerance ? null : FormattableString.Invariant($"differs by {worst}; at most {tolerance} is right");
    }
}
