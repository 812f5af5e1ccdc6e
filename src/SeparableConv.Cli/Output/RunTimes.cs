using System.Diagnostics;

namespace SeparableConv.Cli.Output;

/// <summary>How long runs took, in milliseconds.</summary>
/// <param name="Min">The fastest.</param>
/// <param name="Median">The middle one, or the mean of the two in the middle.</param>
internal readonly record struct RunTimes(double Min, double Median)
{
    /// <summary>Times one run as it is, without a warm-up.</summary>
    public static RunTimes Once(Action run)
    {
        var time = Time(run, 1);
        return new RunTimes(time, time);
    }

    /// <summary>Warms up, then times runs one after another.</summary>
    /// <param name="rounds">Runs timed, 1 or more.</param>
    /// <param name="run">What is timed.</param>
    public static RunTimes Repeat(int rounds, Action run) => Interleave(rounds, [run], least: 0)[0];

    /// <summary>
    /// Warms up, then times several ways in turns, so that a machine that slows down slows all of them. Runs shorter than
    /// <paramref name="least"/> are timed several at once.
    /// </summary>
    /// <param name="rounds">Times that each way is timed, 1 or more.</param>
    /// <param name="ways">What is timed.</param>
    /// <param name="least">Milliseconds that a single timing should last.</param>
    /// <returns>The times of each way, a run.</returns>
    public static RunTimes[] Interleave(int rounds, IReadOnlyList<Action> ways, double least)
    {
        var repeats = new int[ways.Count];
        for (var w = 0; w < ways.Count; w++)
        {
            WarmUp(ways[w]);
            repeats[w] = (int)Math.Clamp(Math.Ceiling(least / Math.Max(Time(ways[w], 1), 1e-4)), 1, 10_000);
        }

        var times = new double[ways.Count][];
        for (var w = 0; w < ways.Count; w++)
            times[w] = new double[rounds];
        for (var round = 0; round < rounds; round++)
        {
            for (var w = 0; w < ways.Count; w++)
                times[w][round] = Time(ways[w], repeats[w]);
        }

        return Array.ConvertAll(times, Of);
    }

    /// <summary>The times of a list of runs.</summary>
    public static RunTimes Of(double[] milliseconds)
    {
        var sorted = (double[])milliseconds.Clone();
        Array.Sort(sorted);
        return new RunTimes(sorted[0], (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2);
    }

    // The first run compiles and takes memory; a few more wake the threads, unless each is long anyway.
    private static void WarmUp(Action run)
    {
        const double Enough = 100;
        var spent = 0.0;
        for (var i = 0; i < 5 && spent < Enough; i++)
            spent += Time(run, 1);
    }

    private static double Time(Action run, int repeats)
    {
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < repeats; i++)
            run();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds / repeats;
    }
}
