namespace SeparableConv.Loops;

/// <summary>What 32 bits of a matrix product's operands hold.</summary>
internal enum LaneKind
{
    /// <summary>A float.</summary>
    Float,

    /// <summary>Two signed numbers of 16 bits; the sums are integers of 32 bits.</summary>
    ShortPair,

    /// <summary>Four bytes, unsigned in the left operand and signed in the weights; the sums are integers of 32 bits.</summary>
    ByteQuad,
}
