using System.Diagnostics;
using System.Globalization;
using System.IO.MemoryMappedFiles;

namespace SeparableConv.Tests.Support.Fuzz;

/// <summary>
/// Tries damaged files one after the other and fails on any exception, hang or crash. Settings come from the environment, as
/// docs/fuzzing.md says.
/// </summary>
internal sealed class FuzzRun
{
    private const int DefaultInputs = 50_000;
    private const int DefaultSeconds = 60;
    private const int MostFailures = 20;

    // A run that finds every file good, or none, does not try what it is there for.
    private const int EnoughToJudge = 1000;
    private const int LeastPercent = 2;
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(20);

    private readonly int[] _outcomes = new int[Enum.GetValues<FuzzOutcome>().Length];
    private readonly Dictionary<string, string> _failures = [];
    private readonly string _name;
    private readonly string _folder;
    private int _number;

    /// <param name="name">What is tried, for the names of files.</param>
    public FuzzRun(string name)
    {
        _name = name;
        _folder = Environment.GetEnvironmentVariable("SEPCONV_FUZZ_FOLDER") ?? Path.Combine(Path.GetTempPath(), "sepconv-fuzz");
        Directory.CreateDirectory(_folder);
    }

    /// <summary>Other seeds make other files.</summary>
    public static int Seed => Setting("SEPCONV_FUZZ_SEED", 1);

    /// <summary>Tries as many files as the settings say.</summary>
    /// <param name="make">The damaged file of a number: always the same one.</param>
    /// <param name="tryFile">Takes it as far as it goes; throws where it does what no file may.</param>
    public void Check(Func<int, byte[]> make, Func<byte[], FuzzOutcome> tryFile)
    {
        var (first, last) = (Setting("SEPCONV_FUZZ_FIRST", 0), 0);
        var watch = Stopwatch.StartNew();
        var worker = new Thread(() => last = TryAll(first, make, tryFile)) { IsBackground = true };
        worker.Start();
        Guard(worker, make);
        var outcomes = string.Join(", ", _outcomes.Zip(Enum.GetNames<FuzzOutcome>(), (count, outcome) => $"{outcome} {count}"));
        var report = FormattableString.Invariant(
            $"{_name}, seed {Seed}: files {first} to {last - 1} in {watch.Elapsed.TotalSeconds:F0} s; {outcomes}; ")
            + $"{_failures.Count} kinds of failure";
        File.AppendAllText(Path.Combine(_folder, "report.txt"), report + Environment.NewLine);
        Assert.True(_failures.Count == 0, report + Environment.NewLine + string.Join(Environment.NewLine, _failures.Values));
        Assert.Equal(last - first, _outcomes.Sum());
        var refused = _outcomes[(int)FuzzOutcome.Refused];
        if (last - first >= EnoughToJudge)
            Assert.True(
                100 * Math.Min(refused, last - first - refused) >= LeastPercent * (last - first),
                "Too few files were refused, or too few were read: " + report);
    }

    // A hang is a failure that no exception tells of.
    private void Guard(Thread worker, Func<int, byte[]> make)
    {
        var (number, since) = (-1, Stopwatch.StartNew());
        while (!worker.Join(TimeSpan.FromMilliseconds(200)))
        {
            var now = Volatile.Read(ref _number);
            if (now != number)
                (number, since) = (now, Stopwatch.StartNew());
            if (since.Elapsed < s_longest)
                continue;
            File.WriteAllBytes(PathOf(number), make(number));
            Assert.Fail($"{PathOf(number)} has been at work for {since.Elapsed.TotalSeconds:F0} s.");
        }
    }

    private int TryAll(int first, Func<int, byte[]> make, Func<byte[], FuzzOutcome> tryFile)
    {
        // A crash ends the process: the number is in a file that outlives it.
        using var file = MemoryMappedFile.CreateFromFile(Path.Combine(_folder, $"{_name}-number"), FileMode.Create, null, sizeof(int));
        using var place = file.CreateViewAccessor();
        var (end, time) =
            (first + Setting("SEPCONV_FUZZ_INPUTS", DefaultInputs), TimeSpan.FromSeconds(Setting("SEPCONV_FUZZ_SECONDS", DefaultSeconds)));
        var watch = Stopwatch.StartNew();
        var number = first;
        for (; number < end && watch.Elapsed < time && _failures.Count < MostFailures; number++)
        {
            Volatile.Write(ref _number, number);
            place.Write(0, number);
            var bytes = make(number);
            try
            {
                _outcomes[(int)tryFile(bytes)]++;
            }
            catch (Exception e)
            {
                Keep(number, bytes, e);
            }
        }

        return number;
    }

    // One of each kind: the place where it was thrown tells them apart.
    private void Keep(int number, byte[] bytes, Exception e)
    {
        var frames = (e.StackTrace ?? "").Split('\n').Where(line => line.Contains("SeparableConv", StringComparison.Ordinal)).Take(3);
        if (_failures.TryAdd(e.GetType().Name + string.Concat(frames), $"{PathOf(number)}: {e}"))
            File.WriteAllBytes(PathOf(number), bytes);
    }

    private string PathOf(int number) => Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"{_name}-{Seed}-{number}"));

    private static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
