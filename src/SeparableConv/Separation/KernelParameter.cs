namespace SeparableConv;

/// <summary>A parameter of a named kernel.</summary>
/// <param name="Name">As the user types it in <c>name:parameter=value</c>.</param>
/// <param name="IsInteger">Whether only whole numbers are taken.</param>
/// <param name="Default">What it is where it is not given, in words or numbers.</param>
/// <param name="Summary">One line for help texts.</param>
public sealed record KernelParameter(string Name, bool IsInteger, string Default, string Summary);
