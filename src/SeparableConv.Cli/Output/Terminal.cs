namespace SeparableConv.Cli.Output;

/// <summary>The standard input and outputs that a command reads and writes; tests give their own.</summary>
/// <param name="Output">Receives reports.</param>
/// <param name="Error">Receives errors and, where a picture goes to standard output, reports.</param>
/// <param name="OpenInput">Opens the bytes of standard input.</param>
/// <param name="OpenOutput">Opens the bytes of standard output.</param>
/// <param name="IsInteractive">Whether <paramref name="Output"/> is a person's screen: then tables have borders and batches a bar.</param>
internal sealed record Terminal(TextWriter Output, TextWriter Error, Func<Stream> OpenInput, Func<Stream> OpenOutput, bool IsInteractive)
{
    /// <summary>A name on the command line that means standard input or standard output.</summary>
    public const string Dash = "-";

    /// <summary>The standard input and outputs of the process.</summary>
    public static Terminal System() => new(
        Console.Out, Console.Error, Console.OpenStandardInput, Console.OpenStandardOutput, !Console.IsOutputRedirected);
}
