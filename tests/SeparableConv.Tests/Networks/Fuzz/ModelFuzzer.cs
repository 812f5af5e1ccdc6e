using SeparableConv.Tests.Support.Fuzz;

namespace SeparableConv.Tests.Networks.Fuzz;

/// <summary>
/// Makes damaged models and takes each as far as it goes: read, compiled, run once. The model of a number is always the same one, so
/// that a number is enough to see a failure again.
/// </summary>
internal sealed class ModelFuzzer
{
    // What may be taken for a file: folding has a budget, of which copies are made.
    private const long MostConstantBytes = 64L << 20;
    private const long FreeBytes = 384L << 20;
    private const long BytesPerByte = 400;
    private const long MostMacs = 4_000_000;
    private const long MostActivationBytes = 8 << 20;

    // Large models are damaged seldom, and so are those that are refused as they are: most of what reads them reads the others too.
    private const int SmallBytes = 16 << 10;
    private const int OthersEvery = 300;

    private readonly int _seed;
    private readonly FuzzSeed[] _models = FuzzSeeds.All();
    private readonly FuzzSeed[][] _usual;

    public ModelFuzzer(int seed)
    {
        _seed = seed;
        var usual = _models
            .Where(model => model.Bytes.Length <= SmallBytes && Try(model.Bytes) == FuzzOutcome.Run)
            .ToLookup(model => model.IsTFLite);
        _usual = [[.. usual[false]], [.. usual[true]]];
    }

    /// <summary>The damaged model of that number.</summary>
    public byte[] Model(int number)
    {
        var random = new Random(unchecked((_seed * 1_000_003) + number));
        var (good, other) = (Pick(random), Pick(random));
        for (var i = 0; i < 3 && other.IsTFLite != good.IsTFLite; i++)
            other = Pick(random);
        var bytes = good.Bytes;
        if (random.Next(8) > 0)
        {
            bytes = good.Record is not null ? RecordMutator.Mutate(good.Record, random).ToFile()
                : good.IsTFLite ? bytes
                : WireMutator.Mutate(bytes, other.Bytes, random) ?? bytes;
        }

        return ReferenceEquals(bytes, good.Bytes) || random.Next(16) == 0 ? ByteMutator.Mutate(bytes, other.Bytes, random) : bytes;
    }

    /// <summary>Reads, compiles and runs a model.</summary>
    /// <exception cref="InvalidOperationException">
    /// It took too much memory, was refused in more than a line, or its outputs depend on what lay in memory before.
    /// </exception>
    public FuzzOutcome Try(byte[] model)
    {
        var outcome = FuzzOutcome.Refused;
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        long native = 0;
        try
        {
            var isTFLite = model.Length >= 8 && model.AsSpan(4, 4).SequenceEqual("TFL3"u8);
            var network = isTFLite
                ? TFLiteReader.Read(model)
                : OnnxReader.Read(new MemoryStream(model), new() { MaxConstantBytes = MostConstantBytes });
            outcome = FuzzOutcome.Read;
            if (network.Macs <= MostMacs)
            {
                native = Run(network, optimize: model.Length % 4 > 0);
                outcome = FuzzOutcome.Run;
            }
        }
        catch (NetworkException e)
        {
            if (e.Message.AsSpan().IndexOfAny("\r\n\0\u0085\u2028\u2029") >= 0 || e.Message.Length is 0 or > 4000)
                throw new InvalidOperationException($"It was refused in more than a line: {e.Message}", e);
        }

        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        var allowed = FreeBytes + (BytesPerByte * model.Length);
        return allocated <= allowed && native <= allowed ? outcome
            : throw new InvalidOperationException(
                $"A file of {model.Length} bytes took {allocated} bytes, and {native} outside the managed heap; at most {allowed} are "
                + "expected.");
    }

    // Whatever bytes there are as inputs, indices among them.
    private static long Run(Network network, bool optimize)
    {
        var compiled = new CompiledNetwork(network, new() { Threads = 1, MemoryLimit = MostActivationBytes, Optimize = optimize });
        using var session = new InferenceSession(compiled);
        for (var i = 0; i < session.Inputs.Count; i++)
        {
            var bytes = session.InputBytes(i);
            for (var k = 0; k < bytes.Length; k++)
                bytes[k] = (byte)(k * 151 >> 3);
            if (network.Inputs[i].Type.Element == ElementType.Bool)
                bytes.Fill(1);
        }

        session.Run();
        var outputs = new byte[session.Outputs.Count][];
        for (var i = 0; i < outputs.Length; i++)
            outputs[i] = session.OutputBytes(i).ToArray();

        // Memory that nothing has written, or that lies behind a tensor, must not reach an output.
        session.Poison(0xA7);
        session.Reset();
        session.Run();
        for (var i = 0; i < outputs.Length; i++)
        {
            if (!session.OutputBytes(i).SequenceEqual(outputs[i]))
                throw new InvalidOperationException(
                    $"Output {i}, {session.Outputs[i].Type}, depends on what was in memory before the run.");
        }

        return compiled.PackedBytes + compiled.ConstantBytes + compiled.ActivationBytes + compiled.ScratchBytes;
    }

    private FuzzSeed Pick(Random random)
    {
        var from = random.Next(OthersEvery) == 0 ? _models : _usual[random.Next(2)];
        return from[random.Next(from.Length)];
    }
}
