using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using SeparableConv.Cli.Commands;

namespace SeparableConv.Cli;

/// <summary>Prints a command's usual help, then the named kernels where the command takes one, then examples.</summary>
/// <param name="usual">Usage, arguments and options.</param>
/// <param name="examples">Command lines by the command's name.</param>
internal sealed class ExamplesHelp(HelpAction usual, Dictionary<string, Func<string[]>> examples) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => usual.ClearsParseErrors;

    public override int Invoke(ParseResult parseResult)
    {
        var code = usual.Invoke(parseResult);
        var output = parseResult.InvocationConfiguration.Output;
        var command = parseResult.CommandResult.Command.Name;
        if (command is KernelCommand.Name or FilterCommand.Name)
            WriteKernels(output);

        output.WriteLine("Examples:");
        foreach (var line in examples[command]())
            output.WriteLine("  " + line);
        return code;
    }

    private static void WriteKernels(TextWriter output)
    {
        output.WriteLine("Kernels by name (name:value:value or name:parameter=value):");
        foreach (var kernel in KernelCatalog.Definitions)
        {
            output.WriteLine($"  {kernel.Syntax}");
            output.WriteLine($"      {kernel.Summary}");
            foreach (var parameter in kernel.Parameters)
                output.WriteLine($"      {parameter.Name,-8}{parameter.Summary}; default {parameter.Default}");
        }

        output.WriteLine();
    }
}
