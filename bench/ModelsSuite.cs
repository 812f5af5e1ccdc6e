using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using SeparableConv.Networks;
using InferenceSession = SeparableConv.Networks.InferenceSession;

namespace SeparableConv.Bench;

/// <summary>
/// Models that others made, every one below a folder, beside ONNX Runtime, or beside a program (<see cref="PeerProgram"/>), which may take
/// TensorFlow Lite's as well. A model that one side refuses, or on which they differ, is a row that says so.
/// </summary>
internal static class ModelsSuite
{
    private const string DefaultTolerance = "1e-3";
    private const int LongestReason = 180;

    /// <summary>The folder, or one file; also --tolerance SHARE of an output's largest number, --steps, --peer and --peer-names.</summary>
    public static int Run(string[] args)
    {
        if (args is not [var folder, ..] || !Path.Exists(folder))
        {
            Console.Error.WriteLine("usage: SeparableConv.Bench models FOLDER [options]; FOLDER is one that exists, or a file.");
            return 2;
        }

        var options = SuiteOptions.Parse(args);
        var tolerance = double.Parse(SuiteOptions.Value(args, "--tolerance") ?? DefaultTolerance, CultureInfo.InvariantCulture);
        var (program, steps) = (PeerProgram.Of(args), args.Contains("--steps"));
        var table = new SideBySide("models", "ours", program?.Title ?? "onnxruntime");
        foreach (var model in ModelCase.Find(folder, withTFLite: program is not null))
        {
            var rows = NetworkCase.Rows(model.Name, options);
            if (rows.Length == 0 || program is not null && program.NameOf(model.Name) is null)
                continue;
            try
            {
                foreach (var (threads, name) in rows)
                {
                    if (program is null)
                        Measure(table, name, model, threads, options.Rounds, tolerance, steps);
                    else
                        Measure(table, name, model, threads, options.Rounds, program, steps);
                }
            }
            catch (NetworkException e)
            {
                table.LeaveOut(model.Name, "ours: " + OneLine(e.Message));
            }
            catch (Exception e) when (e is OnnxRuntimeException or NotSupportedException)
            {
                table.LeaveOut(model.Name, "ONNX Runtime: " + OneLine(e.Message));
            }
            catch (InvalidOperationException e)
            {
                table.LeaveOut(model.Name, OneLine(e.Message));
            }
        }

        table.PrintSlower();
        table.SaveJson(options.Json);
        return 0;
    }

    private static void Measure(SideBySide table, string name, ModelCase model, int threads, int rounds, double tolerance, bool steps)
    {
        using var peer = OrtModel.Load(model.Path, threads);
        var inputs = peer.RandomInputs();
        foreach (var (input, data) in model.Inputs)
            inputs[input] = data;
        var network = model.Load(inputs);
        using var session = new InferenceSession(network, new() { Threads = threads });
        var difference = OutputComparison.Check(name, session, peer, inputs, tolerance);

        var turns = new SessionTurns(session);
        table.Measure(
            name,
            turns.Sample,
            () => SideBySide.Median(peer.Time(turns.Repeat)),
            rounds,
            2e-9 * network.Macs,
            SideBySide.PauseFor(threads),
            string.Create(CultureInfo.InvariantCulture, $"{(IsQuantized(network) ? "quantized, " : "")}difference {difference:G1}"));
        if (steps)
            StepTimes.Print(session, 20 * turns.Repeat);
    }

    private static void Measure(SideBySide table, string name, ModelCase model, int threads, int rounds, PeerProgram program, bool steps)
    {
        var network = model.Load(model.Inputs);
        using var session = new InferenceSession(network, new() { Threads = threads });
        for (var i = 0; i < session.Inputs.Count; i++)
        {
            var (input, type) = (session.Inputs[i].Name, session.Inputs[i].Type);
            (model.Inputs.GetValueOrDefault(input) ?? BenchData.Tensor(type with { Quantization = null }, seed: 1)).Bytes
                .CopyTo(session.InputBytes(i));
        }

        ProgramSuite.Measure(table, name, session, program, program.NameOf(model.Name)!.Name, model.Path, rounds);
        if (steps)
            StepTimes.Print(session, 200);
    }

    private static bool IsQuantized(Network network) => network.Nodes.Any(
        node => node.Inputs.Any(input => input?.Type.Element is ElementType.Int8 or ElementType.UInt8 && input.Type.Shape.Rank > 1));

    private static string OneLine(string text)
    {
        var line = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return line.Length <= LongestReason ? line : line[..LongestReason] + "...";
    }
}
