using System.Globalization;
using SeparableConv.Loops;

namespace SeparableConv.Bench;

/// <summary>What every suite understands: --threads 1,2; --width 512|256|128; --only TEXT; --rounds N; --json FILE.</summary>
internal sealed record SuiteOptions(SimdWidth Width, int[] Threads, string Only, int Rounds, string? Json)
{
    public static SuiteOptions Parse(string[] args, string defaultThreads = "1,2", string defaultRounds = "15") => new(
        Value(args, "--width") is { } bits ? (SimdWidth)(Number(bits) / 32) : SimdWidths.Best,
        [.. (Value(args, "--threads") ?? defaultThreads).Split(',').Select(Number)],
        Value(args, "--only") ?? "",
        Number(Value(args, "--rounds") ?? defaultRounds),
        Value(args, "--json"));

    public static string? Value(string[] args, string name)
    {
        var index = Array.IndexOf(args, name);
        return index >= 0 && index + 1 < args.Length ? args[index + 1] : null;
    }

    public bool Wants(string name) => name.Contains(Only, StringComparison.Ordinal);

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
