namespace SeparableConv.Networks.Operators;

/// <summary>
/// What an operator reads at one of its inputs; decides what a tensor that is stored with the network is: see
/// <see cref="Graph.ParameterRule"/>.
/// </summary>
internal enum InputRole
{
    /// <summary>Something computed or given; a tensor stored for it is a constant, such as a shape or a literal.</summary>
    Data,

    /// <summary>Weights, biases, scales, slopes: what a training changes.</summary>
    Parameter,

    /// <summary>A mean or a variance of what passes through: what a training tracks.</summary>
    Statistic,
}
