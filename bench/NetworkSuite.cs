using SeparableConv.Networks;

namespace SeparableConv.Bench;

/// <summary>
/// Whole networks, batch 1, beside ONNX Runtime. Both run the same ONNX file, with the input as ONNX lays pictures out (channels
/// first), so laying it out anew is part of our time; every output is compared before anything is timed.
/// </summary>
/// <remarks>
/// Networks from the builder have random weights and normalizations as a training leaves them (<see cref="BatchStatistics"/>).
/// Those from files need SEPCONV_DATA, the folder of shared test data; without it their rows are left out, and it says so.
/// </remarks>
internal static class NetworkSuite
{
    // Of the largest number of an output.
    private const double Tolerance = 1e-4;

    /// <summary>
    /// Also: --model FILE, to take an ONNX or TensorFlow Lite file in place of the list; --int8, to quantize the builder's MobileNets and
    /// DS-CNN and run them beside the floats, with --activations int8 in place of uint8, and --keep FOLDER, to leave their files
    /// there; --steps, to see where our time goes; --peer-model FILE, which the peer runs in the place of --model when times are taken;
    /// --trace FILE.svg, to draw what our threads do in a run in place of all that.
    /// </summary>
    public static int Run(string[] args)
    {
        var options = SuiteOptions.Parse(args, defaultRounds: "51");
        if (args.Contains("--int8"))
            return RunQuantized(
                options,
                SuiteOptions.Value(args, "--activations") == "int8" ? ElementType.Int8 : ElementType.UInt8,
                SuiteOptions.Value(args, "--keep"),
                args.Contains("--steps"));
        if (SuiteOptions.Value(args, "--trace") is { } picture)
            return Trace(NetworkCase.Of(args), options, picture);
        if (PeerProgram.Of(args) is { } program)
            return ProgramSuite.Run(args, program);
        var (other, steps) = (SuiteOptions.Value(args, "--peer-model"), args.Contains("--steps"));
        var table = new SideBySide("networks", "ours", "onnxruntime");
        foreach (var candidate in NetworkCase.Of(args))
        {
            var rows = NetworkCase.Rows(candidate.Name, options);
            if (rows.Length == 0)
                continue;
            using var onnx = candidate.ToFile();
            if (onnx is null)
            {
                Console.WriteLine($"{candidate.Name}: left out, SEPCONV_DATA is not set");
                continue;
            }

            var network = ModelFile.Load(onnx.Path);
            foreach (var row in rows)
                Measure(table, row.Name, onnx.Path, network, row.Threads, options.Rounds, steps: steps, other: other);
        }

        table.PrintSummary();
        table.SaveJson(options.Json);
        return 0;
    }

    // A picture of one network, at the last number of threads; no peer has a part in it.
    private static int Trace(NetworkCase[] cases, SuiteOptions options, string path)
    {
        var wanted = cases.Where(candidate => options.Wants(candidate.Name)).ToArray();
        if (wanted is not [var only])
        {
            Console.Error.WriteLine(
                $"--trace draws one network; --only must leave one of: {string.Join(", ", wanted.Select(candidate => candidate.Name))}.");
            return 2;
        }

        // A file as it is, quantized or not: nothing else has to read it.
        using var onnx = only.Create is null ? null : only.ToFile();
        if ((onnx is null ? NetworkFile.Load(only.File) : ModelFile.Load(onnx.Path)) is not { } network)
        {
            Console.Error.WriteLine($"{only.Name}: SEPCONV_DATA is not set.");
            return 1;
        }

        using var session = new InferenceSession(network, new() { Threads = options.Threads[^1] });
        SessionTurns.WarmUp(session);
        var run = TracedRun.Median(session, options.Rounds);
        run.Print(only.Name);
        TraceDrawing.Save(run, only.Name, path);
        return 0;
    }

    // The same network twice: in floats, and quantized from them.
    private static int RunQuantized(SuiteOptions options, ElementType activations, string? keep, bool steps)
    {
        var table = new SideBySide(
            $"networks, int8 weights, {activations.ToString().ToLowerInvariant()} activations", "ours", "onnxruntime");
        foreach (var candidate in NetworkCase.Quantized)
        {
            var name = candidate.Name;
            if (!options.Threads.Any(threads => options.Wants($"{name}_float32, {threads}") || options.Wants($"{name}_int8, {threads}")))
                continue;
            var network = candidate.Build();
            var (quantized, step) = PostTraining.Quantize(network, activations);
            using var floats = NetworkFile.Of(network);
            using var bytes = NetworkFile.Of(quantized);
            if (keep is not null)
                File.Copy(bytes.Path, Path.Combine(keep, $"{name}_int8.onnx"), overwrite: true);
            foreach (var threads in options.Threads)
            {
                var end = $", {threads} thread{(threads > 1 ? "s" : "")}";
                if (options.Wants($"{name}_float32{end}"))
                    Measure(table, $"{name}_float32{end}", floats.Path, ModelFile.Load(floats.Path), threads, options.Rounds);
                if (options.Wants($"{name}_int8{end}"))
                    Measure(table, $"{name}_int8{end}", bytes.Path, ModelFile.Load(bytes.Path), threads, options.Rounds, step, steps);
            }
        }

        table.PrintSummary();
        table.SaveJson(options.Json);
        return 0;
    }

    private static void Measure(
        SideBySide table,
        string name,
        string path,
        Network network,
        int threads,
        int rounds,
        float step = 0,
        bool steps = false,
        string? other = null)
    {
        using var session = new InferenceSession(network, new() { Threads = threads });
        using var peer = OrtModel.Load(path, threads);
        if (step > 0)
            OutputComparison.CheckSteps(name, session, peer, step);
        else
            OutputComparison.Check(name, session, peer, peer.RandomInputs(), Tolerance);
        using var timed = other is null ? null : OrtModel.Load(other, threads);

        var turns = new SessionTurns(session);
        table.Measure(
            name,
            turns.Sample,
            () => SideBySide.Median((timed ?? peer).Time(turns.Repeat)),
            rounds,
            2e-9 * network.Macs,
            SideBySide.PauseFor(threads));
        if (steps)
            StepTimes.Print(session, 20 * turns.Repeat);
    }
}
