namespace SeparableConv.Cli.Commands;

/// <summary>An input and the file of its tensor, typed as <c>NAME=FILE.npy</c>.</summary>
/// <param name="Name">The input.</param>
/// <param name="File">The file.</param>
internal sealed record NamedFile(string Name, string File);
