namespace SeparableConv.Cli.Options;

/// <summary>One of the forms that an architecture comes in.</summary>
/// <param name="Convolutions">What its 3x3 layers are made of.</param>
/// <param name="Filters">Filters of the first layer, which all others follow.</param>
/// <param name="DepthMultiplier">Depthwise kernels a channel; 1 for standard convolutions.</param>
internal readonly record struct NetworkForm(Convolutions Convolutions, int Filters, int DepthMultiplier)
{
    /// <summary>What the layers are made of, in words: <c>separable x2</c> with two depthwise kernels a channel.</summary>
    public string Kind => this switch
    {
        { Convolutions: Convolutions.Standard } => "standard",
        { DepthMultiplier: 1 } => "separable",
        _ => $"separable x{DepthMultiplier}",
    };

    /// <inheritdoc/>
    public override string ToString() => $"{Kind}, {Filters} {(Filters == 1 ? "filter" : "filters")}";
}
