using System.CommandLine;
using System.CommandLine.Help;
using SeparableConv.Cli.Commands;

namespace SeparableConv.Cli;

/// <summary>The whole of what can be typed.</summary>
internal static class CommandLine
{
    private static readonly string[] Examples =
    [
        "sepconv filter samples/picture.png -o blurred.png --kernel gauss:15:2.6 --explain",
        "sepconv kernel \"3 6 9; 4 8 12; 5 10 15\"",
        "sepconv cost 12x12x3 --kernel 5x5 --filters 256",
    ];

    /// <summary>Builds the commands.</summary>
    /// <param name="terminal">Where they read and write.</param>
    public static RootCommand Create(Terminal terminal)
    {
        var root = new RootCommand("sepconv: separable convolutions. Count what they cost, separate kernels, filter pictures.")
        {
            CostCommand.Create(terminal),
            KernelCommand.Create(terminal),
            FilterCommand.Create(terminal),
            InspectCommand.Create(terminal),
        };
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new ExamplesHelp((HelpAction)help.Action!, new()
        {
            [root.Name] = () => Examples,
            [CostCommand.Name] = () => CostCommand.Examples,
            [KernelCommand.Name] = () => KernelCommand.Examples,
            [FilterCommand.Name] = () => FilterCommand.Examples,
            [InspectCommand.Name] = () => InspectCommand.Examples,
        });
        return root;
    }
}
