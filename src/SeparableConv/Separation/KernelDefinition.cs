using SeparableConv.Separation;

namespace SeparableConv;

/// <summary>A kernel that has a name: what it does and what it takes.</summary>
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
