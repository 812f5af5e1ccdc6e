using System.Runtime.InteropServices;

namespace SeparableConv.Networks.Separating;

/// <summary>Inputs of a network, by which separated layers are fitted, and how a network is run on them.</summary>
internal sealed class CalibrationSet
{
    // What flows between the layers of a run, about: a batch is as large as stays below it.
    private const long BatchBytes = 192L << 20;
    private const int LargestBatch = 32;

    private readonly float[] _numbers;
    private readonly int _length;
    private readonly int _threads;

    /// <param name="numbers">(count, the network's input without its batch).</param>
    /// <param name="count">How many inputs.</param>
    /// <param name="threads">Threads to run with.</param>
    public CalibrationSet(float[] numbers, int count, int threads)
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
        using var session = new InferenceSession(network, new CompileOptions { Threads = _threads });
        var batch = network.Inputs[0].Shape[0];
        for (var first = 0; first < Count; first += batch)
        {
            cancellation.ThrowIfCancellationRequested();
            var count = Math.Min(batch, Count - first);
            var input = MemoryMarshal.Cast<byte, float>(session.InputBytes(0));
            input.Clear();
            _numbers.AsSpan(first * _length, count * _length).CopyTo(input);
            session.Run();
            each(first, count, session);
        }
    }

    /// <summary>The numbers of an output of a run.</summary>
    public static ReadOnlySpan<float> Output(InferenceSession session, int index) =>
        MemoryMarshal.Cast<byte, float>(session.OutputBytes(index));
}
