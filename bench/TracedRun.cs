using System.Diagnostics;
using System.Globalization;
using SeparableConv.Networks;
using SeparableConv.Threading;

namespace SeparableConv.Bench;

/// <summary>One run of a network, thread by thread and part by part; times in microseconds from its beginning.</summary>
/// <param name="Steps">The steps in their order.</param>
/// <param name="Ends">When each of them ended; the next one begins there.</param>
/// <param name="Threads">What each thread did; the caller's is the first.</param>
internal sealed record TracedRun(IReadOnlyList<CompiledStep> Steps, double[] Ends, TracedThread[] Threads)
{
    public double Total => Ends[^1];

    /// <summary>
    /// The median of several runs. All of them are recorded, which costs some tens of nanoseconds a part.
    /// </summary>
    public static TracedRun Median(InferenceSession session, int runs)
    {
        var trace = new PartTrace();
        var timestamps = new long[session.Compiled.Steps.Count + 1];
        var all = new TracedRun[runs];
        PartTrace.Current = trace;
        try
        {
            for (var run = 0; run < runs; run++)
            {
                trace.Clear();
                session.Run(timestamps);
                all[run] = Of(session.Compiled.Steps, timestamps, trace);
            }
        }
        finally
        {
            PartTrace.Current = null;
        }

        return all.OrderBy(run => run.Total).ElementAt(runs / 2);
    }

    public double StartOf(int step) => step == 0 ? 0 : Ends[step - 1];

    public double LengthOf(int step) => Ends[step] - StartOf(step);

    /// <summary>The step during which something began.</summary>
    public int StepAt(double time)
    {
        var index = Array.BinarySearch(Ends, time);
        return Math.Min(index < 0 ? ~index : index + 1, Ends.Length - 1);
    }

    /// <summary>
    /// Prints how busy the threads were, and the steps that lost most: time of all threads in which they had no part of it.
    /// </summary>
    public void Print(string name, int most = 12)
    {
        var busy = Threads.Select(thread => Steps.Select((_, step) => thread.BusyIn(StartOf(step), Ends[step])).ToArray()).ToArray();
        Print($"{name}: {Total:F1} us in {Steps.Count} steps; at work: "
            + string.Join(", ", busy.Select((times, i) => Text($"{Threads[i].Name} {100 * times.Sum() / Total:F1} %"))));
        Print($"    {"lost most",-18} {"",-18} {"us",8} {"lost",8} {"parts",6} {"longest",8}");
        var lost = Steps.Select((_, step) => (Step: step, Time: (Threads.Length * LengthOf(step)) - busy.Sum(times => times[step])));
        foreach (var (step, time) in lost.OrderByDescending(pair => pair.Time).Take(most))
        {
            var parts = Threads.SelectMany(thread => thread.Parts).Where(part => StepAt(part.Start) == step).ToArray();
            var longest = parts.Length > 0 ? parts.Max(part => part.End - part.Start) : 0;
            Print($"    {Steps[step].Kind,-18} {Steps[step].Output.Shape,-18} "
                + Text($"{LengthOf(step),8:F1} {time,8:F1} {parts.Length,6} {longest,8:F1}"));
        }
    }

    private static TracedRun Of(IReadOnlyList<CompiledStep> steps, long[] timestamps, PartTrace trace)
    {
        double Time(long ticks) => (ticks - timestamps[0]) * 1e6 / Stopwatch.Frequency;

        TracedInterval[] Intervals(PartTrace.Lane lane, bool loops)
        {
            var intervals = new List<TracedInterval>();
            foreach (var span in lane.Spans)
            {
                if (span.Part == PartTrace.WholeLoop == loops)
                    intervals.Add(new(Time(span.Start), Time(span.End)));
            }

            return [.. intervals.OrderBy(interval => interval.Start)];
        }

        if (trace.Lanes.Any(lane => lane.Dropped > 0))
            throw new InvalidOperationException("The run has more parts than are recorded.");
        var ends = Array.ConvertAll(timestamps[1..], Time);
        var threads = trace.Lanes.Select((lane, i) => i == 0
            ? new TracedThread("caller", Intervals(lane, loops: false), OutsideOf(Intervals(lane, loops: true), ends[^1]))
            : new TracedThread($"worker {i}", Intervals(lane, loops: false), []));
        return new(steps, ends, [.. threads]);
    }

    // The caller works when it is in no loop.
    private static TracedInterval[] OutsideOf(TracedInterval[] loops, double end)
    {
        var outside = new List<TracedInterval>();
        var last = 0.0;
        foreach (var loop in loops.Where(loop => loop.End > last))
        {
            if (loop.Start > last)
                outside.Add(new(last, loop.Start));
            last = loop.End;
        }

        if (end > last)
            outside.Add(new(last, end));
        return [.. outside];
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static void Print(FormattableString text) => Console.WriteLine(Text(text));

    private static void Print(string text) => Console.WriteLine(text);
}

/// <summary>What one thread did in a run.</summary>
/// <param name="Name">What it is called in the picture.</param>
/// <param name="Parts">The parts of loops that it executed.</param>
/// <param name="Alone">When the caller was in no loop: work that is not shared.</param>
internal sealed record TracedThread(string Name, TracedInterval[] Parts, TracedInterval[] Alone)
{
    /// <summary>How much of an interval it was at work, with parts or alone.</summary>
    public double BusyIn(double start, double end) =>
        Parts.Concat(Alone).Sum(interval => Math.Max(0, Math.Min(interval.End, end) - Math.Max(interval.Start, start)));
}

/// <summary>Microseconds from the beginning of the run.</summary>
internal readonly record struct TracedInterval(double Start, double End);
