namespace SeparableConv.Networks.Operators;

/// <summary>How an operator's first output may lie in the memory of its first input.</summary>
internal enum Aliasing
{
    /// <summary>Not at all: the operator would read elements that it has overwritten already.</summary>
    None,

    /// <summary>
    /// In place, where no other node needs the input: element i of the output depends on element i of the input alone and has its size.
    /// </summary>
    InPlace,

    /// <summary>Always: the output has the input's bytes in another shape, and nothing is computed.</summary>
    View,

    /// <summary>
    /// Always, and each further output in the memory of the input of its number: such an input is a parameter or a statistic, and the
    /// output is what it is from then on. Who reads the old numbers runs before.
    /// </summary>
    Update,
}
