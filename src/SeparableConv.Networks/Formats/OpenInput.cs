namespace SeparableConv.Networks;

/// <summary>An input whose shape a model's file leaves open.</summary>
/// <param name="Name">The input.</param>
/// <param name="Lengths">A length a dimension, in the file's own layout; null where it is open.</param>
public sealed record OpenInput(string Name, IReadOnlyList<int?> Lengths);
