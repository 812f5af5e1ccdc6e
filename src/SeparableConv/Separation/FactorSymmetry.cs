namespace SeparableConv;

/// <summary>How a one-dimensional factor mirrors about its middle; a filter then needs half of the multiplications.</summary>
public enum FactorSymmetry
{
    /// <summary>Neither.</summary>
    None,

    /// <summary>f[i] = f[n-1-i], to the bit.</summary>
    Symmetric,

    /// <summary>f[i] = -f[n-1-i], to the bit; an odd length has 0 in the middle.</summary>
    Antisymmetric,
}
