using SeparableConv.Networks;
using SeparableConv.Networks.Graph;
using SeparableConv.Networks.Operators;

namespace SeparableConv.Bench;

/// <summary>
/// <c>networks --peer</c>: whole networks beside a program that has them too. Where it reads no file of ours, its weights are its own
/// and its outputs are not compared; then ours has its picture channels last, as it comes from a decoder and as mobile engines take it.
/// </summary>
internal static class ProgramSuite
{
    // Between turns, for whatever a process that ended leaves to be done.
    private const int PauseMilliseconds = 5;

    /// <summary>Also: --peer "PROGRAM ARGUMENTS", --peer-names OURS=THEIRS,...; --activations int8 for those that are quantized.</summary>
    public static int Run(string[] args, PeerProgram program)
    {
        var options = SuiteOptions.Parse(args, defaultRounds: "7");
        var activations = SuiteOptions.Value(args, "--activations") == "int8" ? ElementType.Int8 : ElementType.UInt8;
        (string Name, NetworkCase Case, bool IsQuantized)[] candidates =
        [
            .. NetworkCase.Of(args).Select(network => (network.Name, network, false)),
            .. NetworkCase.Quantized.Select(network => (network.Name + "_int8", network, true)),
        ];
        var names = candidates.Select(candidate => candidate.Name);
        foreach (var name in program.Names.Except(names))
        {
            Console.Error.WriteLine($"--peer-names: there is no network '{name}'; there are {string.Join(", ", names)}.");
            return 2;
        }

        var table = new SideBySide("networks", "ours", program.Title);
        foreach (var (name, network, isQuantized) in candidates)
        {
            var rows = NetworkCase.Rows(name, options);
            if (rows.Length > 0 && program.NameOf(name) is { } theirs)
                Measure(table, network, isQuantized ? activations : null, program, theirs, rows, options.Rounds, args.Contains("--steps"));
        }

        table.PrintSummary();
        table.PrintSlower();
        table.SaveJson(options.Json);
        return 0;
    }

    /// <summary>Measures a row of a table; leaves it out where the program does not do its part.</summary>
    public static void Measure(
        SideBySide table, string row, InferenceSession session, PeerProgram program, string name, string model, int rounds)
    {
        var threads = session.Compiled.Threads;
        PeerTurn turn;
        try
        {
            turn = program.Turn(name, model, threads);
        }
        catch (InvalidOperationException e)
        {
            table.LeaveOut(row, e.Message);
            return;
        }

        // As many samples as theirs, and as many runs in each: a mean over many has less noise, but no quick run alone either.
        var turns = new SessionTurns(session);
        table.MeasureTurns(
            row,
            () => turns.Samples(turn.Milliseconds.Length, turn.Runs),
            () => (turn = program.Turn(name, model, threads)).Milliseconds,
            rounds,
            2e-9 * session.Compiled.Macs,
            PauseMilliseconds);
    }

    private static void Measure(
        SideBySide table,
        NetworkCase candidate,
        ElementType? activations,
        PeerProgram program,
        PeerName theirs,
        (int Threads, string Name)[] rows,
        int rounds,
        bool steps)
    {
        var network = candidate.Create is not null ? candidate.Build() : NetworkFile.Load(candidate.File);
        if (network is null)
        {
            table.LeaveOut(candidate.Name, "SEPCONV_DATA is not set");
            return;
        }

        // The second output of a quantized network is there to be compared.
        if (activations is { } element)
            network = WithOutputs(PostTraining.Quantize(network, element).Network, outputs => outputs[..1]);
        if (theirs.WithoutSoftmax)
            network = WithOutputs(network, outputs => Array.ConvertAll(outputs, BeforeSoftmax));
        using var file = program.ReadsModel ? NetworkFile.Of(network) : null;
        if (file is not null)
            network = ModelFile.Load(file.Path);
        foreach (var (threads, name) in rows)
        {
            using var session = new InferenceSession(network, new() { Threads = threads });
            Measure(table, name, session, program, theirs.Name, file?.Path ?? "", rounds);
            if (steps)
                StepTimes.Print(session, 200);
        }
    }

    private static Network WithOutputs(Network network, Func<Value[], Value[]> outputs) =>
        new GraphBuilder(network).Build(network.Name, outputs([.. network.Outputs]));

    private static Value BeforeSoftmax(Value output) =>
        output.Producer is { Operator: SoftmaxOperator } softmax ? softmax.Inputs[0]! : output;
}
