using System.Runtime.InteropServices;
using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Separating;

/// <summary>Inputs of a network, by which separated layers are fitted, and how a network is run on them.</summary>
internal sealed class CalibrationSet
{
    // What flows between the layers of a run, about: a batch is as large as stays below it.
    private const long BatchBytes = 192L << 20;
    private const int LargestBatch = 32;

    private const int FewestJudged = 2;

    private readonly ReadOnlyMemory<float> _numbers;
    private readonly int _length;
    private readonly int _threads;

    /// <param name="numbers">(count, the network's input without its batch).</param>
    /// <param name="count">How many inputs.</param>
    /// <param name="threads">Threads to run with.</param>
    public CalibrationSet(ReadOnlyMemory<float> numbers, int count, int threads)
    {
        (_numbers, Count, _threads) = (numbers, count, threads);
        _length = numbers.Length / count;
    }

    /// <summary>How many inputs.</summary>
    public int Count { get; }

    /// <summary>A set of the first inputs.</summary>
    public CalibrationSet First(int count) => count >= Count
        ? this
        : new(_numbers[..(count * _length)], count, _threads);

    /// <summary>A set of the last inputs.</summary>
    public CalibrationSet Last(int count) => count >= Count
        ? this
        : new(_numbers[^(count * _length)..], count, _threads);

    /// <summary>
    /// The inputs to fit by and those that judge: the last quarter, at least two and at most so many, as long as no fewer are left to fit
    /// by; else all do both.
    /// </summary>
    public (CalibrationSet Fitted, CalibrationSet Judged) HoldBack(int most)
    {
        var judged = Last(Math.Max(FewestJudged, Math.Min(most, Count / 4)));
        return (Count < 2 * judged.Count ? this : First(Count - judged.Count), judged);
    }

    /// <summary>The network for as many inputs at a time as pay; the network itself where it cannot be had for more.</summary>
    public Network Batched(Network network)
    {
        var bytes = network.Nodes.Sum(node => node.Outputs.Sum(output => output.Type.Bytes));
        var batch = (int)Math.Clamp(BatchBytes / Math.Max(1, bytes), 1, Math.Min(LargestBatch, Count));
        try
        {
            return network.WithBatch(batch);
        }
        catch (NetworkException)
        {
            return network;
        }
    }

    /// <summary>Runs a network on all inputs.</summary>
    /// <param name="network">A network of <see cref="Batched"/>, or made of one.</param>
    /// <param name="each">Told the first input of a batch, how many there are, and where the outputs lie.</param>
    /// <param name="cancellation">Ends it early.</param>
    public void Run(Network network, Action<int, int, InferenceSession> each, CancellationToken cancellation)
    {
        using var session = Open(network);
        var batch = network.Inputs[0].Shape[0];
        for (var first = 0; first < Count; first += batch)
        {
            cancellation.ThrowIfCancellationRequested();
            var count = Math.Min(batch, Count - first);
            var input = MemoryMarshal.Cast<byte, float>(session.InputBytes(0));
            input.Clear();
            _numbers.Span.Slice(first * _length, count * _length).CopyTo(input);
            session.Run();
            each(first, count, session);
        }
    }

    /// <summary>A session of the set's threads.</summary>
    public InferenceSession Open(Network network) => new(network, new CompileOptions { Threads = _threads });

    /// <summary>All that a network gives for the inputs; before a softmax, which tells more than what is behind it.</summary>
    public float[] Scores(Network network, CancellationToken cancellation)
    {
        var scores = new List<float>();
        Run(ForScores(network), (_, count, session) => AddScores(session, count, scores), cancellation);
        return [.. scores];
    }

    /// <summary>The network that ends before each softmax.</summary>
    public static Network ForScores(Network network) =>
        new GraphBuilder(network).Build("scores", [.. network.Outputs.Select(TrainingGraph.Logits)]);

    /// <summary>Takes down the outputs of a run for the first inputs of its batch.</summary>
    public static void AddScores(InferenceSession session, int count, List<float> scores)
    {
        for (var i = 0; i < session.Outputs.Count; i++)
        {
            var numbers = Output(session, i);
            var batch = session.Outputs[i].Shape[0];
            scores.AddRange(numbers[..(numbers.Length / batch * Math.Min(count, batch))]);
        }
    }

    /// <summary>The share of the variance of some scores that others do not give back.</summary>
    public static double Lost(float[] wanted, float[] has)
    {
        var (mean, variance, lost) = (0.0, 0.0, 0.0);
        foreach (var one in wanted)
            mean += (double)one / wanted.Length;
        for (var i = 0; i < wanted.Length; i++)
        {
            variance += (wanted[i] - mean) * (wanted[i] - mean);
            lost += ((double)has[i] - wanted[i]) * ((double)has[i] - wanted[i]);
        }

        return variance > 0 ? lost / variance : 0;
    }

    /// <summary>The numbers of an output of a run.</summary>
    public static ReadOnlySpan<float> Output(InferenceSession session, int index) =>
        MemoryMarshal.Cast<byte, float>(session.OutputBytes(index));
}
