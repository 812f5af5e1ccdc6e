using System.Runtime.Intrinsics.X86;

namespace SeparableConv.Loops;

/// <summary>The instructions for products of bytes that a machine has.</summary>
/// <param name="HasWritten">Four bytes at once on 512 bits, by <see cref="ByteQuadCode"/>.</param>
/// <param name="HasAvxVnni">Four bytes at once on 128 and 256 bits, by the framework.</param>
internal readonly record struct ByteInstructions(bool HasWritten, bool HasAvxVnni)
{
    /// <summary>This machine's.</summary>
    public static ByteInstructions Machine => new(ByteQuadCode.IsSupported, AvxVnni.IsSupported);

    /// <summary>The lanes and the width that products of bytes are fastest with.</summary>
    /// <param name="width">The widest vectors to run with.</param>
    public (LaneKind Lanes, SimdWidth Width) Choose(SimdWidth width) => width switch
    {
        SimdWidth.V512 when HasWritten => (LaneKind.ByteQuad, SimdWidth.V512),

        // 512 bits of pairs multiply as many bytes as 256 of quads, but take an addition more.
        SimdWidth.V512 or SimdWidth.V256 when HasAvxVnni => (LaneKind.ByteQuad, SimdWidth.V256),
        SimdWidth.V128 when HasAvxVnni => (LaneKind.ByteQuad, SimdWidth.V128),
        _ => (LaneKind.ShortPair, width),
    };
}

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
