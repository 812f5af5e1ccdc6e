using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SeparableConv.Loops;

/// <summary>Vectors of 512 bits cut out of two neighbouring ones, for machines with AVX-512.</summary>
internal static class VectorCut
{
    /// <summary>The sixteen floats from <paramref name="first"/> (0 to 15) on.</summary>
    /// <remarks>
    /// The instruction takes its count from the code itself: a count that the JIT does not know would be a table of jumps.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> At(Vector512<float> left, Vector512<float> right, int first)
    {
        var (a, b) = (left.AsInt32(), right.AsInt32());
        return (first switch
        {
            0 => a,
            1 => Avx512F.AlignRight32(b, a, 1),
            2 => Avx512F.AlignRight32(b, a, 2),
            3 => Avx512F.AlignRight32(b, a, 3),
            4 => Avx512F.AlignRight32(b, a, 4),
            5 => Avx512F.AlignRight32(b, a, 5),
            6 => Avx512F.AlignRight32(b, a, 6),
            7 => Avx512F.AlignRight32(b, a, 7),
            8 => Avx512F.AlignRight32(b, a, 8),
            9 => Avx512F.AlignRight32(b, a, 9),
            10 => Avx512F.AlignRight32(b, a, 10),
            11 => Avx512F.AlignRight32(b, a, 11),
            12 => Avx512F.AlignRight32(b, a, 12),
            13 => Avx512F.AlignRight32(b, a, 13),
            14 => Avx512F.AlignRight32(b, a, 14),
            _ => Avx512F.AlignRight32(b, a, 15),
        }).AsSingle();
    }
}
