namespace SeparableConv.Loops;

/// <summary>
/// Finds single-precision factors with which <see cref="BytePairLoop"/> gives the bytes that fixed-point arithmetic gives, for every pair
/// there is. Each is tried in the very loop that will run: what is found is right on this machine.
/// </summary>
/// <remarks>
/// A sum in single precision is off by 2^-16 at the end of a byte's range, so of 65,536 pairs one or two lie that near to a half. That is
/// few enough for a factor a unit away to have them all, mostly. Products are computed exactly but for the last bits of 55.
/// </remarks>
internal static unsafe class BytePairFit
{
    private const int Bytes = ByteLookup.Entries;

    private static readonly int[] Units = [0, 1, -1, 2, -2];

    // A unit in the last place of numbers from 64 on.
    private const float Step = 1f / (1 << 17);

    /// <summary>
    /// A formula of a sum next to <paramref name="near"/> that gives the expected bytes; null where none of those tried does.
    /// </summary>
    /// <param name="near">The formula in real numbers, rounded.</param>
    /// <param name="expected">The byte for each pair, [a][b].</param>
    /// <param name="width">The vector width to run with.</param>
    public static BytePairFormula? Sum(in BytePairFormula near, ReadOnlySpan<byte> expected, SimdWidth width)
    {
        foreach (var a in Units)
        {
            foreach (var b in Units)
            {
                foreach (var c in Units)
                {
                    var tried = near with
                    {
                        FactorA = near.FactorA with { High = Next(near.FactorA.High, a) },
                        FactorB = near.FactorB with { High = Next(near.FactorB.High, b) },
                        Fixed = near.Fixed + (c * Step),
                    };
                    if (Fits<BytePairLoop.Sum>(tried, expected, width))
                        return tried;
                }
            }
        }

        return null;
    }

    /// <summary>Whether a formula gives the expected bytes.</summary>
    public static bool Fits<TCombination>(in BytePairFormula formula, ReadOnlySpan<byte> expected, SimdWidth width)
        where TCombination : struct, BytePairLoop.ICombination
    {
        var all = stackalloc byte[Bytes];
        var found = stackalloc byte[Bytes];
        for (var b = 0; b < Bytes; b++)
            all[b] = (byte)b;
        for (var a = 0; a < Bytes; a++)
        {
            BytePairLoop.Run<TCombination>(all + a, 0, all, 1, found, Bytes, formula, width);
            if (!new ReadOnlySpan<byte>(found, Bytes).SequenceEqual(expected.Slice(a * Bytes, Bytes)))
                return false;
        }

        return true;
    }

    private static float Next(float value, int units)
    {
        for (; units > 0; units--)
            value = MathF.BitIncrement(value);
        for (; units < 0; units++)
            value = MathF.BitDecrement(value);
        return value;
    }
}
