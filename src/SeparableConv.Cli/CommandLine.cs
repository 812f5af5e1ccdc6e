using System.CommandLine;
using System.CommandLine.Help;
using SeparableConv.Cli.Commands;

namespace SeparableConv.Cli;

/// <summary>Builds all of sepconv's commands with their help and examples.</summary>
internal static class CommandLine
{
    private static readonly string[] Examples =
    [
        "sepconv filter samples/picture.png -o blurred.png --kernel gauss:15:2.6 --explain",
        "sepconv kernel \"3 6 9; 4 8 12; 5 10 15\"",
        "sepconv cost 12x12x3 --kernel 5x5 --filters 256",
        "sepconv run mobilenet_v1.tflite cat.jpg --labels labels.txt",
        "sepconv train shapes -o shapes.onnx --minutes 1",
        "sepconv info",
    ];

    private static readonly (string Name, Func<Terminal, Command> Create, Func<string[]> Examples)[] Commands =
    [
        (CostCommand.Name, CostCommand.Create, () => CostCommand.Examples),
        (KernelCommand.Name, KernelCommand.Create, () => KernelCommand.Examples),
        (FilterCommand.Name, FilterCommand.Create, () => FilterCommand.Examples),
        (InspectCommand.Name, InspectCommand.Create, () => InspectCommand.Examples),
        (RunCommand.Name, RunCommand.Create, () => RunCommand.Examples),
        (TrainCommand.Name, TrainCommand.Create, () => TrainCommand.Examples),
        (SeparateCommand.Name, SeparateCommand.Create, () => SeparateCommand.Examples),
        (EvalCommand.Name, EvalCommand.Create, () => EvalCommand.Examples),
        (InfoCommand.Name, InfoCommand.Create, () => InfoCommand.Examples),
    ];

    /// <summary>Builds the root command and those below it.</summary>
    /// <param name="terminal">Where they read and write.</param>
    /// <param name="first">
    /// What was typed first. Where that is a command, the others are left out: building all their options takes longer than many a run.
    /// </param>
    public static RootCommand Create(Terminal terminal, string? first)
    {
        var root = new RootCommand(
            "sepconv: separable convolutions. Count what they cost, separate kernels, filter pictures, run and train networks.");
        var examples = new Dictionary<string, Func<string[]>> { [root.Name] = () => Examples };
        var isOne = Array.Exists(Commands, command => command.Name == first);
        foreach (var command in Commands)
        {
            if (isOne && command.Name != first)
                continue;
            root.Add(command.Create(terminal));
            examples.Add(command.Name, command.Examples);
        }

        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new ExamplesHelp((HelpAction)help.Action!, examples);
        return root;
    }
}
