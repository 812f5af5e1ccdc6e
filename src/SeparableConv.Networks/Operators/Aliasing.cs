namespace SeparableConv.Networks.Operators;

/// <summary>How an operator's first output may lie in the memory of its first input.</summary>
internal enum Aliasing
{
    /// <summary>Not at all: it reads what it has already overwritten.</summary>
    None,

    /// <summary>Where nobody else needs the input: element i of the output depends on element i of it alone, and has its size.</summary>
    InPlace,

    /// <summary>Always: the bytes are the same, only their shape is another, and nothing has to be done.</summary>
    View,

    /// <summary>Always: the input is a parameter or a statistic, and the output is what it is from then on. Who reads the old numbers runs before.</summary>
    Update,
}
