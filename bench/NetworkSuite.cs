using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
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
    // Turns are this long at least: a network of microseconds is run many times in one.
    private const double TurnMilliseconds = 4;

    private const double WarmUpMilliseconds = 500;

    private static readonly (string Name, Func<Network>? Build, string File)[] Cases =
    [
        ("MobileNetV1_1.0_224", () => MobileNetV1.Create(), ""),
        ("MobileNetV2_1.0_224", () => MobileNetV2.Create(), ""),
        ("MobileNetV3_large_224", () => MobileNetV3.CreateLarge(), ""),
        ("MobileNetV3_small_224", () => MobileNetV3.CreateSmall(), ""),
        ("MobileNetV1_0.25_128", () => MobileNetV1.Create(0.25, 128), ""),
        ("DS-CNN_49x10", () => DsCnn.Create(), ""),
        ("VWW_96", null, "vww_96_float.tflite"),
        ("ultraface_slim_320", null, "ultraface_slim_320.onnx"),
        ("Xception_1.0_299", () => Xception.Create(), ""),
        ("VGG16_224", () => Vgg.Create(denseUnits: 0), ""),
        ("VGG11_0.5_64", () => Vgg.Create(11, 0.5, 64, 100, 0), ""),
        ("ResNet18_224", () => ResNet.Create(), ""),
        ("ResNet8_32", () => ResNet.CreateTiny(), ""),
    ];

    // Those that have int8 twins.
    private static readonly string[] Quantized = ["MobileNetV1_1.0_224", "MobileNetV2_1.0_224", "MobileNetV1_0.25_128", "DS-CNN_49x10"];

    // More than any rounding explains, and far less than a wrong layer makes.
    private const int MostSteps = 3;

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
        var (other, steps) = (SuiteOptions.Value(args, "--peer-model"), args.Contains("--steps"));
        var cases = SuiteOptions.Value(args, "--model") is { } file ? [(Path.GetFileName(file), null, Path.GetFullPath(file))] : Cases;
        if (SuiteOptions.Value(args, "--trace") is { } picture)
            return Trace(cases, options, picture);
        using var peer = OrtPeer.Start();
        var table = new SideBySide("networks", "ours", "onnxruntime");
        foreach (var (name, build, model) in cases)
        {
            var rows = options.Threads.Select(threads => (Threads: threads, Name: $"{name}, {threads} thread{(threads > 1 ? "s" : "")}"))
                .Where(row => options.Wants(row.Name))
                .ToArray();
            if (rows.Length == 0)
                continue;
            using var onnx = build is null ? NetworkFile.Of(model) : NetworkFile.Of(BatchStatistics.Randomize(build()));
            if (onnx is null)
            {
                Console.WriteLine($"{name}: left out, SEPCONV_DATA is not set");
                continue;
            }

            var network = ModelFile.Load(onnx.Path);
            foreach (var row in rows)
                Measure(table, row.Name, onnx.Path, network, peer, row.Threads, options.Rounds, steps: steps, other: other);
        }

        table.PrintSummary();
        table.SaveJson(options.Json);
        return 0;
    }

    // A picture of one network, at the last number of threads; no peer has a part in it.
    private static int Trace((string Name, Func<Network>? Build, string File)[] cases, SuiteOptions options, string path)
    {
        var wanted = cases.Where(candidate => options.Wants(candidate.Name)).ToArray();
        if (wanted is not [var (name, build, model)])
        {
            Console.Error.WriteLine(
                $"--trace draws one network; --only must leave one of: {string.Join(", ", wanted.Select(candidate => candidate.Name))}.");
            return 2;
        }

        using var onnx = build is null ? NetworkFile.Of(model) : NetworkFile.Of(BatchStatistics.Randomize(build()));
        if (onnx is null)
        {
            Console.Error.WriteLine($"{name}: SEPCONV_DATA is not set.");
            return 1;
        }

        using var session = new InferenceSession(ModelFile.Load(onnx.Path), new() { Threads = options.Threads[^1] });
        WarmUp(session);
        var run = TracedRun.Median(session, options.Rounds);
        run.Print(name);
        TraceDrawing.Save(run, name, path);
        return 0;
    }

    // The same network twice: in floats, and quantized from them.
    private static int RunQuantized(SuiteOptions options, ElementType activations, string? keep, bool steps)
    {
        using var peer = OrtPeer.Start();
        var table = new SideBySide(
            $"networks, int8 weights, {activations.ToString().ToLowerInvariant()} activations", "ours", "onnxruntime");
        foreach (var (name, build, _) in Cases.Where(one => Quantized.Contains(one.Name)))
        {
            if (!options.Threads.Any(threads => options.Wants($"{name}_float32, {threads}") || options.Wants($"{name}_int8, {threads}")))
                continue;
            var network = BatchStatistics.Randomize(build!());
            var (quantized, step) = PostTraining.Quantize(network, activations);
            using var floats = NetworkFile.Of(network);
            using var bytes = NetworkFile.Of(quantized);
            if (keep is not null)
                File.Copy(bytes.Path, Path.Combine(keep, $"{name}_int8.onnx"), overwrite: true);
            foreach (var threads in options.Threads)
            {
                var end = $", {threads} thread{(threads > 1 ? "s" : "")}";
                if (options.Wants($"{name}_float32{end}"))
                    Measure(table, $"{name}_float32{end}", floats.Path, ModelFile.Load(floats.Path), peer, threads, options.Rounds);
                if (options.Wants($"{name}_int8{end}"))
                    Measure(table, $"{name}_int8{end}", bytes.Path, ModelFile.Load(bytes.Path), peer, threads, options.Rounds, step, steps);
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
        OrtPeer peer,
        int threads,
        int rounds,
        float step = 0,
        bool steps = false,
        string? other = null)
    {
        using var session = new InferenceSession(network, new() { Threads = threads });
        var id = peer.Load(path, threads);
        if (step > 0)
            CheckSteps(name, session, peer, id, step);
        else
            Check(name, session, peer, id);
        if (other is not null)
        {
            peer.Unload(id);
            id = peer.Load(other, threads);
        }

        WarmUp(session);
        var repeat = (int)Math.Clamp(TurnMilliseconds / SideBySide.Time(session.Run, 5), 1, 1000);

        // The first run of a turn wakes the threads and brings the weights back into the cache; it is not counted, on either side.
        double Ours()
        {
            session.Run();
            return Median(repeat, () => SideBySide.Time(session.Run, 1));
        }

        double Theirs() => SideBySide.Median(peer.Time(id, repeat));

        table.Measure(name, Ours, Theirs, rounds, 2e-9 * network.Macs, SideBySide.PauseFor(threads));
        peer.Unload(id);
        if (steps)
            StepTimes.Print(session, 20 * repeat);
    }

    // .NET compiles what runs often anew, with all optimizations, a tenth of a second after it has run 30 times.
    private static void WarmUp(InferenceSession session)
    {
        var start = Stopwatch.GetTimestamp();
        for (var runs = 0; runs < 50 || Stopwatch.GetElapsedTime(start).TotalMilliseconds < WarmUpMilliseconds; runs++)
            session.Run();
    }

    private static double Median(int count, Func<double> sample)
    {
        var samples = new double[count];
        for (var i = 0; i < count; i++)
            samples[i] = sample();
        return SideBySide.Median(samples);
    }

    // The second output's numbers are whole steps; what follows from them, the first, is a function of theirs.
    private static void CheckSteps(string name, InferenceSession session, OrtPeer peer, int id, float step)
    {
        var input = BenchData.Floats((int)session.Inputs[0].Type.Shape.ElementCount, 1);
        MemoryMarshal.AsBytes(input.AsSpan()).CopyTo(session.InputBytes(0));
        session.Run();
        var ours = MemoryMarshal.Cast<byte, float>(session.OutputBytes(1));
        var theirs = peer.Run(id, input, 1);
        var (different, most) = (0, 0f);
        for (var i = 0; i < theirs.Length; i++)
        {
            var steps = MathF.Round(Math.Abs(ours[i] - theirs[i]) / step);
            (different, most) = (different + (steps > 0 ? 1 : 0), Math.Max(most, steps));
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{name}: {different} of {theirs.Length} outputs differ from ONNX Runtime's, by {most} steps at most; "
            + $"{theirs.Distinct().Count()} different values"));
        if (ours.Length != theirs.Length || !(most <= MostSteps))
            throw new InvalidOperationException(
                $"{name}: {most} steps are more than {MostSteps}; the network is not the same on both sides.");
    }

    // Within 1e-4 of the largest number of an output.
    private static void Check(string name, InferenceSession session, OrtPeer peer, int id)
    {
        var input = BenchData.Floats((int)session.Inputs[0].Type.Shape.ElementCount, 1);
        MemoryMarshal.AsBytes(input.AsSpan()).CopyTo(session.InputBytes(0));
        session.Run();
        for (var o = 0; o < session.Outputs.Count; o++)
        {
            var ours = MemoryMarshal.Cast<byte, float>(session.OutputBytes(o));
            var theirs = peer.Run(id, input, o);
            if (ours.Length != theirs.Length)
                throw new InvalidOperationException(
                    $"{name}: output {o} has {ours.Length} numbers where ONNX Runtime's has {theirs.Length}.");
            var tolerance = 1e-4f * theirs.Max(Math.Abs);
            for (var i = 0; i < theirs.Length; i++)
            {
                if (!(Math.Abs(ours[i] - theirs[i]) <= tolerance))
                {
                    throw new InvalidOperationException(string.Create(
                        CultureInfo.InvariantCulture,
                        $"{name}: output {o} is {ours[i]} where ONNX Runtime's is {theirs[i]} (element {i})."));
                }
            }
        }
    }
}
