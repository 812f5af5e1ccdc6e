using SeparableConv.Separation;

namespace SeparableConv;

/// <summary>A parameter of a named kernel.</summary>
/// <param name="Name">As the user types it in <c>name:parameter=value</c>.</param>
/// <param name="IsInteger">Whether only whole numbers are taken.</param>
/// <param name="Default">What it is where it is not given, in words or numbers.</param>
/// <param name="Summary">One line for help texts.</param>
public sealed record KernelParameter(string Name, bool IsInteger, string Default, string Summary);

/// <summary>A kernel that can be asked for by name: its summary and its parameters, for parsing and for help texts.</summary>
public sealed class KernelDefinition
{
    private readonly Func<KernelArguments, FilterKernel> _create;

    internal KernelDefinition(string name, string summary, KernelParameter[] parameters, Func<KernelArguments, FilterKernel> create)
    {
        Name = name;
        Summary = summary;
        Parameters = parameters;
        _create = create;
    }

    /// <summary>The name as the user types it.</summary>
    public string Name { get; }

    /// <summary>One line for help texts.</summary>
    public string Summary { get; }

    /// <summary>The parameters, in the order in which they follow the name.</summary>
    public IReadOnlyList<KernelParameter> Parameters { get; }

    /// <summary>How it is written, for example <c>gauss[:size[:sigma]]</c>.</summary>
    public string Syntax =>
        Name + string.Concat(Parameters.Select(p => "[:" + p.Name)) + new string(']', Parameters.Count);

    internal FilterKernel Create(KernelArguments arguments) => _create(arguments);
}
