using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace SeparableConv.Bench;

/// <summary>
/// A program in the peer's place, which runs a network of its own and prints how long that took: bench/README.md says what it is given
/// and what it must print. It is started once a turn.
/// </summary>
internal sealed class PeerProgram
{
    private readonly string _program;
    private readonly string _arguments;
    private readonly Dictionary<string, PeerName> _names = [];

    private PeerProgram(string command, string names)
    {
        var end = command.IndexOf(' ', StringComparison.Ordinal);
        (_program, _arguments) = end < 0 ? (command, "") : (command[..end], command[(end + 1)..]);
        foreach (var pair in names.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (pair.Split('=') is not [var ours, var theirs])
                throw new ArgumentException($"--peer-names has '{pair}', which is not OURS=THEIRS.");
            var withoutSoftmax = ours.EndsWith(":logits", StringComparison.Ordinal);
            _names.Add(withoutSoftmax ? ours[..^":logits".Length] : ours, new(theirs, withoutSoftmax));
        }
    }

    /// <summary>What it is called in a table's head.</summary>
    public string Title => Path.GetFileNameWithoutExtension(_program);

    /// <summary>Whether it runs the file that we run: it is told where that lies.</summary>
    public bool ReadsModel => _arguments.Contains("{model}", StringComparison.Ordinal);

    /// <summary>The names of ours that were given.</summary>
    public IReadOnlyCollection<string> Names => _names.Keys;

    /// <summary>What --peer and --peer-names say; null without the former.</summary>
    public static PeerProgram? Of(string[] args) => SuiteOptions.Value(args, "--peer") is { } command
        ? new(command, SuiteOptions.Value(args, "--peer-names") ?? "")
        : null;

    /// <summary>What it calls a network of ours: the same, where no names were given; null where others were.</summary>
    public PeerName? NameOf(string network) =>
        _names.Count == 0 ? new(network, WithoutSoftmax: false) : _names.GetValueOrDefault(network);

    /// <summary>Starts it, waits for its end, and reads the times that it prints.</summary>
    /// <exception cref="InvalidOperationException">It cannot be started, fails, or prints no times.</exception>
    public PeerTurn Turn(string name, string model, int threads)
    {
        var arguments = _arguments
            .Replace("{name}", name, StringComparison.Ordinal)
            .Replace("{model}", model, StringComparison.Ordinal)
            .Replace("{threads}", threads.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        try
        {
            // What it has to say beside the times is dropped, unless it fails.
            using var process = Process.Start(
                new ProcessStartInfo(_program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var complaint = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode != 0)
                throw new InvalidOperationException($"it ended with code {process.ExitCode}: {complaint.Result.Trim()}");
            return PeerTurn.Parse(output);
        }
        catch (Exception e) when (e is Win32Exception or FormatException or InvalidOperationException)
        {
            throw new InvalidOperationException($"{_program} {arguments}: {e.Message}", e);
        }
    }
}

/// <summary>A network in a peer's words.</summary>
/// <param name="Name">Its name there.</param>
/// <param name="WithoutSoftmax">Whether it ends before the softmax there, so that ours must too.</param>
internal sealed record PeerName(string Name, bool WithoutSoftmax);

/// <summary>The times that one start of a peer gave.</summary>
/// <param name="Milliseconds">Samples, each the mean of so many runs.</param>
/// <param name="Runs">How many runs are in a sample.</param>
internal sealed record PeerTurn(double[] Milliseconds, int Runs)
{
    /// <summary>Reads a number a line, milliseconds of a run, or the JSON of Google's benchmark library.</summary>
    /// <exception cref="FormatException">It is neither.</exception>
    public static PeerTurn Parse(string output)
    {
        if (output.AsSpan().TrimStart().StartsWith("{"))
            return ParseJson(output);
        var times = new List<double>();
        foreach (var line in output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (double.TryParse(line, NumberStyles.Float, CultureInfo.InvariantCulture, out var time) && time > 0)
                times.Add(time);
        }

        return times.Count > 0 ? new([.. times], 1) : throw new FormatException("it printed no line that is a time in milliseconds");
    }

    private static PeerTurn ParseJson(string output)
    {
        JsonNode[] repetitions;
        try
        {
            repetitions = [.. JsonNode.Parse(output)!["benchmarks"]!.AsArray().Where(row => (string?)row!["run_type"] != "aggregate")!];
        }
        catch (System.Text.Json.JsonException e)
        {
            throw new FormatException("its JSON is broken: " + e.Message, e);
        }

        if (repetitions.Select(row => (string?)row["error_message"]).FirstOrDefault(message => message is not null) is { } error)
            throw new FormatException(error);
        if (repetitions.Length == 0 || repetitions.Select(row => (string)row["run_name"]!).Distinct().Count() > 1)
            throw new FormatException("its JSON has no benchmark, or several; --benchmark_filter must leave one");
        return new(
            Array.ConvertAll(repetitions, row => (double)row["real_time"]! * Unit((string?)row["time_unit"])),
            (int)SideBySide.Median(repetitions.Select(row => (double)row["iterations"]!)));
    }

    private static double Unit(string? unit) => unit switch
    {
        "ns" or null => 1e-6,
        "us" => 1e-3,
        "ms" => 1,
        "s" => 1e3,
        _ => throw new FormatException($"its times are in {unit}"),
    };
}
