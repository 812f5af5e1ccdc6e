using System.Diagnostics;
using System.Runtime.InteropServices;

namespace SeparableConv.Networks.Separating;

/// <summary>How long networks and single layers take here, by the kernels that would run them.</summary>
internal sealed class LayerTimer(int threads)
{
    private const int Least = 5;
    private const double Milliseconds = 12;
    private const double MostMilliseconds = 150;
    private const int Turns = 10;

    private readonly Dictionary<string, double> _known = [];

    /// <summary>The least time of some runs, in milliseconds.</summary>
    public double Time(Network network)
    {
        using var session = Open(network);
        return Time(session);
    }

    /// <summary>The least times of two networks that are run in turns, so that a machine that slows down slows both.</summary>
    public (double First, double Second) Times(Network first, Network second)
    {
        using var one = Open(first);
        using var other = Open(second);
        var (a, b) = (double.PositiveInfinity, double.PositiveInfinity);
        for (var turn = 0; turn < Turns; turn++)
            (a, b) = (Math.Min(a, Time(one)), Math.Min(b, Time(other)));
        return (a, b);
    }

    /// <summary>The time of a layer in a form; layers of the same sizes are measured once.</summary>
    public double Time(StandardLayer layer, string form, StageChain chain)
    {
        var key = $"{layer.Geometry} {form}";
        if (!_known.TryGetValue(key, out var time))
            _known[key] = time = Time(chain.ToNetwork(layer.Input));
        return time;
    }

    private InferenceSession Open(Network network)
    {
        var session = new InferenceSession(network, new CompileOptions { Threads = threads });
        var input = MemoryMarshal.Cast<byte, float>(session.InputBytes(0));
        for (var i = 0; i < input.Length; i++)
            input[i] = (i % 7) - 3;
        session.Run();
        return session;
    }

    private static double Time(InferenceSession session)
    {
        var (best, begin) = (double.PositiveInfinity, Stopwatch.GetTimestamp());
        for (var run = 0; Stopwatch.GetElapsedTime(begin).TotalMilliseconds < (run < Least ? MostMilliseconds : Milliseconds); run++)
        {
            var start = Stopwatch.GetTimestamp();
            session.Run();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        return best;
    }
}
