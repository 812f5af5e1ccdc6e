namespace SeparableConv.Cli.Options;

/// <summary>An input and its shape, typed as <c>NAME=1x3x224x224</c>.</summary>
/// <param name="Name">The input.</param>
/// <param name="Lengths">One length a dimension, each above 0.</param>
internal sealed record NamedShape(string Name, int[] Lengths);
