using System.Diagnostics;
using SeparableConv.Networks;

namespace SeparableConv.Bench;

/// <summary>Our side of a whole network: a session that is warm, and how its samples are taken.</summary>
internal sealed class SessionTurns
{
    // Turns are this long at least: a network of microseconds is run many times in one.
    private const double TurnMilliseconds = 4;

    private const double WarmUpMilliseconds = 500;

    private readonly InferenceSession _session;

    /// <summary>Warms the session up.</summary>
    public SessionTurns(InferenceSession session)
    {
        _session = session;
        WarmUp(session);
        Repeat = (int)Math.Clamp(TurnMilliseconds / SideBySide.Time(session.Run, 5), 1, 1000);
    }

    /// <summary>
    /// Runs it for half a second: .NET compiles what runs often anew, with all optimizations, a tenth of a second after it has run
    /// 30 times.
    /// </summary>
    public static void WarmUp(InferenceSession session)
    {
        var start = Stopwatch.GetTimestamp();
        for (var runs = 0; runs < 50 || Stopwatch.GetElapsedTime(start).TotalMilliseconds < WarmUpMilliseconds; runs++)
            session.Run();
    }

    /// <summary>Runs of a turn.</summary>
    public int Repeat { get; }

    /// <summary>
    /// A turn: the median of <see cref="Repeat"/> runs, after one that wakes the threads and brings the weights back into the cache; that
    /// is not counted, on either side.
    /// </summary>
    public double Sample() => SideBySide.Median(Samples(Repeat, 1));

    /// <summary>A turn as it is: samples that are the mean of so many runs each.</summary>
    public double[] Samples(int count, int runs)
    {
        _session.Run();
        var samples = new double[count];
        for (var i = 0; i < count; i++)
            samples[i] = SideBySide.Time(_session.Run, runs);
        return samples;
    }
}
