using System.CommandLine;
using System.CommandLine.Parsing;

namespace SeparableConv.Cli;

internal static class Program
{
    private const int Done = 0;
    private const int BadInput = 1;
    private const int BadUsage = 2;

    private static int Main(string[] args)
    {
        using (Interruption.Watch())
            return Run(args, Terminal.System());
    }

    /// <summary>Runs one command and returns the exit code; no other place decides on exit codes.</summary>
    internal static int Run(string[] args, Terminal terminal)
    {
        // Without response files: a name such as @2x.png is a file's.
        var parsed = CommandLine.Create(terminal, args.FirstOrDefault()).Parse(
            args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            var command = parsed.CommandResult.Command;
            var name = command is RootCommand ? "sepconv" : $"sepconv {command.Name}";

            // What was typed and is not known explains the rest, such as a command that is then missing.
            bool NamesUnknown(ParseError e) => parsed.UnmatchedTokens.Any(token => e.Message.Contains(token, StringComparison.Ordinal));
            var error = parsed.Errors.FirstOrDefault(NamesUnknown) ?? parsed.Errors[0];
            terminal.Error.WriteLine($"sepconv: {Failure.OneLine(error.Message)} See {name} --help.");
            return BadUsage;
        }

        try
        {
            parsed.Invoke(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                Output = terminal.Output,
                Error = terminal.Error,
                ProcessTerminationTimeout = null,
            });
            return Done;
        }
        catch (OperationCanceledException e)
        {
            terminal.Error.WriteLine($"sepconv: {Failure.OneLine(e.Message)}");
            return Interruption.ExitCode;
        }
        catch (Exception e)
        {
            terminal.Error.WriteLine($"sepconv: {Failure.Describe(e)}");
            if (Environment.GetEnvironmentVariable("SEPCONV_TRACE") == "1")
                terminal.Error.WriteLine(e);
            return BadInput;
        }
    }
}
