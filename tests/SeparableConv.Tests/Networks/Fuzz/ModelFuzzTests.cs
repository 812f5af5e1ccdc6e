using System.Diagnostics;
using System.Globalization;
using System.IO.MemoryMappedFiles;
using System.Text;
using SeparableConv.Networks;
using Xunit;

namespace SeparableConv.Tests.Networks.Fuzz;

/// <summary>
/// Damaged models are refused in one line, or read and run: nothing crashes, hangs or takes memory out of proportion to the file. How to
/// run more of them, and one of them again, is in docs/fuzzing.md.
/// </summary>
public sealed class ModelFuzzTests
{
    private const int DefaultInputs = 20_000;
    private const int MostFailures = 20;
    private static readonly TimeSpan s_defaultTime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(20);

    private readonly int[] _outcomes = new int[3];
    private readonly Dictionary<string, string> _failures = [];
    private readonly string _folder = Environment.GetEnvironmentVariable("SEPCONV_FUZZ_FOLDER") ?? Path.Combine(Path.GetTempPath(), "sepconv-fuzz");
    private readonly int _seed = Setting("SEPCONV_FUZZ_SEED", 1);
    private int _number;

    [Fact]
    public void Good_models_are_run()
    {
        var fuzzer = new ModelFuzzer(0);
        foreach (var seed in fuzzer.Seeds.Where(seed => seed.Name.StartsWith("built", StringComparison.Ordinal) || seed.Name.StartsWith("nodes", StringComparison.Ordinal) || seed.Name.StartsWith("made", StringComparison.Ordinal)))
        {
            var network = seed.IsTFLite ? TFLiteReader.Read(seed.Bytes) : OnnxReader.Read(new MemoryStream(seed.Bytes));
            Assert.NotEmpty(network.Outputs);
            Assert.True(fuzzer.Try(seed.Bytes) == FuzzOutcome.Run, seed.Name);
        }
    }

    [Fact]
    public void Damaged_models_are_refused_or_run()
    {
        var (first, inputs) = (Setting("SEPCONV_FUZZ_FIRST", 0), Setting("SEPCONV_FUZZ_INPUTS", DefaultInputs));
        var time = TimeSpan.FromSeconds(Setting("SEPCONV_FUZZ_SECONDS", (int)s_defaultTime.TotalSeconds));
        Directory.CreateDirectory(_folder);
        var fuzzer = new ModelFuzzer(_seed);
        var last = first;
        var worker = new Thread(() => last = Fuzz(fuzzer, first, inputs, time)) { IsBackground = true };
        var watch = Stopwatch.StartNew();
        worker.Start();
        Guard(fuzzer, worker);
        var report = string.Create(CultureInfo.InvariantCulture,
            $"seed {_seed}, models {first} to {last - 1} in {watch.Elapsed.TotalSeconds:F0} s: {_outcomes[0]} refused, {_outcomes[1]} read, {_outcomes[2]} run, {_failures.Count} kinds of failure; at most {fuzzer.HighestPercent} % of the memory allowed, peak working set {Process.GetCurrentProcess().PeakWorkingSet64 >> 20} MiB");
        File.AppendAllText(Path.Combine(_folder, "report.txt"), report + Environment.NewLine);
        Assert.True(_failures.Count == 0, report + Environment.NewLine + string.Join(Environment.NewLine, _failures.Values));
        Assert.True(_outcomes[0] > 0 && _outcomes[2] > 0, report);
    }

    // A hang is a failure that no exception tells of.
    private void Guard(ModelFuzzer fuzzer, Thread worker)
    {
        var (number, since) = (-1, Stopwatch.StartNew());
        while (!worker.Join(TimeSpan.FromMilliseconds(200)))
        {
            var now = Volatile.Read(ref _number);
            if (now != number)
                (number, since) = (now, Stopwatch.StartNew());
            if (since.Elapsed < s_longest)
                continue;
            File.WriteAllBytes(PathOf(number), fuzzer.Model(number));
            Assert.Fail($"Model {number} of seed {_seed} has been at work for {since.Elapsed.TotalSeconds:F0} s.");
        }
    }

    private int Fuzz(ModelFuzzer fuzzer, int first, int inputs, TimeSpan time)
    {
        // A crash ends the process: the number is in a file that outlives it.
        using var file = MemoryMappedFile.CreateFromFile(Path.Combine(_folder, "number"), FileMode.Create, null, sizeof(int));
        using var place = file.CreateViewAccessor();
        var watch = Stopwatch.StartNew();
        var number = first;
        for (; number < first + inputs && watch.Elapsed < time && _failures.Count < MostFailures; number++)
        {
            Volatile.Write(ref _number, number);
            place.Write(0, number);
            var model = fuzzer.Model(number);
            try
            {
                _outcomes[(int)fuzzer.Try(model)]++;
            }
            catch (Exception e)
            {
                Keep(number, model, e);
            }
        }

        return number;
    }

    // One of each kind: the place where it was thrown tells them apart.
    private void Keep(int number, byte[] model, Exception e)
    {
        var frames = (e.StackTrace ?? "").Split('\n').Where(line => line.Contains("SeparableConv", StringComparison.Ordinal)).Take(3);
        var kind = e.GetType().Name + string.Concat(frames);
        if (!_failures.TryAdd(kind, new StringBuilder().Append(CultureInfo.InvariantCulture, $"model {number}: {e}").ToString()))
            return;
        File.WriteAllBytes(PathOf(number), model);
    }

    private string PathOf(int number) => Path.Combine(_folder, $"failure-{_seed}-{number}");

    private static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
