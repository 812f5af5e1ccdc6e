namespace SeparableConv.Cli.Output;

/// <summary>Where a command reads from and writes to; tests give their own.</summary>
/// <param name="Output">Reports.</param>
/// <param name="Error">Errors and, where a picture goes to standard output, reports.</param>
/// <param name="OpenInput">The bytes of standard input.</param>
/// <param name="OpenOutput">The bytes of standard output.</param>
/// <param name="IsInteractive">Whether <paramref name="Output"/> is a person's screen: then tables have borders and batches a bar.</param>
internal sealed record Terminal(TextWriter Output, TextWriter Error, Func<Stream> OpenInput, Func<Stream> OpenOutput, bool IsInteractive)
{
    /// <summary>A name on the command line that means standard input or standard output.</summary>
    public const string Dash = "-";

    /// <summary>The process's own.</summary>
    public static Terminal System() => new(
        Console.Out, Console.Error, Console.OpenStandardInput, Console.OpenStandardOutput, !Console.IsOutputRedirected);
}
