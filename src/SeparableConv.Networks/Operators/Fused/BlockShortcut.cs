namespace SeparableConv.Networks.Operators;

/// <summary>What a block adds to its last sums behind their activation.</summary>
internal enum BlockShortcut
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>A tensor of the output's shape.</summary>
    Tensor,

    /// <summary>What the first convolution gives, which has the output's shape.</summary>
    Expanded,
}
