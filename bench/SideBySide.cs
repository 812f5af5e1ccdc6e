using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace SeparableConv.Bench;

/// <summary>
/// Two ways of doing the same work, timed in turns within one run, because the machine's speed drifts by more than the
/// difference that is looked for. A table grows on the console row by row; <see cref="SaveJson"/> keeps it.
/// </summary>
/// <remarks>
/// <code>
/// var table = new SideBySide("pointwise", "ours", "onnxruntime");
/// table.Measure("56x56x64-128, 1 thread", () => SideBySide.Time(Ours, 20), () => Peer(), gigaflop: 0.051);
/// table.PrintSummary();
/// table.SaveJson(path);
/// </code>
/// </remarks>
internal sealed class SideBySide
{
    private readonly string _title;
    private readonly string _ours;
    private readonly string _theirs;
    private readonly int _theirsWidth;
    private readonly List<SideBySideRow> _rows = [];
    private readonly List<(string Name, string Why)> _leftOut = [];

    /// <summary>Prints the table's head.</summary>
    public SideBySide(string title, string ours, string theirs)
    {
        (_title, _ours, _theirs) = (title, ours, theirs);
        Console.WriteLine($"{title}: {ours} beside {theirs}; milliseconds, median (minimum); ratio above 1: {ours} is faster");
        _theirsWidth = Math.Max(20, theirs.Length);
        Console.WriteLine($"{"",-44} {ours,20} {theirs.PadLeft(_theirsWidth)} {"ratio",7} {"GFLOP/s",8}");
    }

    public IReadOnlyList<SideBySideRow> Rows => _rows;

    /// <summary>Milliseconds of one call, averaged over <paramref name="repeat"/> calls: one sample.</summary>
    public static double Time(Action action, int repeat)
    {
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < repeat; i++)
            action();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds / repeat;
    }

    /// <summary>
    /// The pause between turns of several threads: whoever spins a while after its work is done with that. The same on both sides, and
    /// short: a processor that was idle for 20 ms may take milliseconds to come back, at the cost of whoever is next.
    /// </summary>
    public static int PauseFor(int threads) => threads > 1 ? 5 : 0;

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>Takes samples in turns, ours and theirs, after one of each to warm up, and prints the row.</summary>
    /// <param name="name">The row, named by origin: MobileNetV2_14x14x576_k3.</param>
    /// <param name="ours">One sample in milliseconds.</param>
    /// <param name="theirs">One sample in milliseconds.</param>
    /// <param name="rounds">Samples of each.</param>
    /// <param name="gigaflop">The work of a sample (2 for a multiplication and an addition), to print the speed; 0 for none.</param>
    /// <param name="pause">Milliseconds between turns: <see cref="PauseFor"/>.</param>
    /// <param name="note">What else there is to say of the row.</param>
    public SideBySideRow Measure(
        string name, Func<double> ours, Func<double> theirs, int rounds = 9, double gigaflop = 0, int pause = 0, string? note = null) =>
        MeasureTurns(name, () => [ours()], () => [theirs()], rounds, gigaflop, pause, note);

    /// <summary>The same where a turn gives several samples; medians and minima are those of all of them.</summary>
    public SideBySideRow MeasureTurns(
        string name, Func<double[]> ours, Func<double[]> theirs, int rounds, double gigaflop = 0, int pause = 0, string? note = null)
    {
        ours();
        theirs();
        var (a, b) = (new List<double>(rounds), new List<double>(rounds));
        for (var i = 0; i < rounds; i++)
        {
            a.AddRange(ours());
            Thread.Sleep(pause);
            b.AddRange(theirs());
            Thread.Sleep(pause);
        }

        var row = new SideBySideRow(name, Median(a), a.Min(), Median(b), b.Min(), gigaflop, note);
        _rows.Add(row);
        var speed = gigaflop > 0 ? Invariant($"{gigaflop / row.OursMedian * 1000,8:F1}") : "";
        var oursText = Invariant($"{row.OursMedian:F4} ({row.OursMin:F4})");
        var theirsText = Invariant($"{row.TheirsMedian:F4} ({row.TheirsMin:F4})").PadLeft(_theirsWidth);
        Console.WriteLine(Invariant($"{name,-44} {oursText,20} {theirsText} {row.Ratio,7:F2} {speed,8} {note}").TrimEnd());
        return row;
    }

    /// <summary>A row that was not measured, and why.</summary>
    public void LeaveOut(string name, string why)
    {
        _leftOut.Add((name, why));
        Console.WriteLine($"{name,-44} left out: {why}");
    }

    /// <summary>Prints the least and the geometric mean of the ratios.</summary>
    public void PrintSummary()
    {
        if (_rows.Count == 0)
        {
            Console.WriteLine($"{_title}: no rows");
            return;
        }

        var least = _rows.MinBy(row => row.Ratio)!;
        Console.WriteLine(Invariant(
            $"{_title}: {_rows.Count} rows, ratio {Mean(_rows, row => row.Ratio):F2} in the geometric mean, ")
            + Invariant($"{least.Ratio:F2} at least ({least.Name})"));
    }

    /// <summary>
    /// Prints the geometric means, of all rows and of each number of threads, which ends a row's name; how many rows there are in which we
    /// are slower, and these, the slowest first; by medians and by minima.
    /// </summary>
    public void PrintSlower()
    {
        if (_rows.Count == 0)
            return;
        PrintMeans("all", _rows);
        foreach (var group in _rows.GroupBy(row => row.Name[(row.Name.LastIndexOf(',') + 1)..].Trim()))
            PrintMeans(group.Key, [.. group]);
        Console.WriteLine($"{_leftOut.Count} rows left out");
        var (byMedian, byMinimum) = (_rows.Count(row => row.Ratio < 1), _rows.Count(row => row.RatioOfMinima < 1));
        Console.WriteLine($"below 1: {byMedian} of {_rows.Count} by medians, {byMinimum} by minima");
        foreach (var row in _rows.Where(row => row.Ratio < 1 || row.RatioOfMinima < 1).OrderBy(row => row.Ratio))
            Console.WriteLine(Invariant($"    {row.Name,-44} {row.Ratio,6:F2} {row.RatioOfMinima,6:F2}"));
    }

    private static void PrintMeans(string which, List<SideBySideRow> rows)
    {
        var (medians, minima) = (Mean(rows, row => row.Ratio), Mean(rows, row => row.RatioOfMinima));
        Console.WriteLine(Invariant($"geometric mean of the ratios, {which}: {medians:F3} of medians, {minima:F3} of minima"));
    }

    private static double Mean(List<SideBySideRow> rows, Func<SideBySideRow, double> ratio) =>
        Math.Exp(rows.Average(row => Math.Log(ratio(row))));

    /// <summary>Writes every row to a file; nothing where <paramref name="path"/> is null.</summary>
    public void SaveJson(string? path)
    {
        if (path is null)
            return;
        var rows = _rows.Select(row => new JsonObject
        {
            ["name"] = row.Name,
            [_ours] = new JsonObject { ["median"] = row.OursMedian, ["min"] = row.OursMin },
            [_theirs] = new JsonObject { ["median"] = row.TheirsMedian, ["min"] = row.TheirsMin },
            ["ratio"] = row.Ratio,
            ["ratioOfMinima"] = row.RatioOfMinima,
            ["gigaflopPerSecond"] = row.Gigaflop > 0 ? row.Gigaflop / row.OursMedian * 1000 : null,
            ["note"] = row.Note,
        });
        var leftOut = _leftOut.Select(row => new JsonObject { ["name"] = row.Name, ["why"] = row.Why });
        var document = new JsonObject
        {
            ["title"] = _title,
            ["unit"] = "milliseconds",
            ["rows"] = new JsonArray([.. rows]),
            ["leftOut"] = new JsonArray([.. leftOut]),
        };
        File.WriteAllText(path, document.ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n");
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>One row of the table, in milliseconds.</summary>
internal sealed record SideBySideRow(
    string Name, double OursMedian, double OursMin, double TheirsMedian, double TheirsMin, double Gigaflop, string? Note)
{
    /// <summary>Their minimum over ours.</summary>
    public double RatioOfMinima => TheirsMin / OursMin;

    /// <summary>Their median over ours: above 1 where ours is faster.</summary>
    public double Ratio => TheirsMedian / OursMedian;
}
