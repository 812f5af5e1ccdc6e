namespace SeparableConv.Networks.Operators;

/// <summary>
/// Philox4x32-10, a generator whose numbers follow from a key and a counter alone: four of 32 bits each for every counter, in any
/// order, on any thread. Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", 2011.
/// </summary>
internal static class Philox
{
    private const int Rounds = 10;

    /// <summary>The four numbers of a key and a counter of 128 bits, of which <paramref name="low"/> has the lower half.</summary>
    public static (uint A, uint B, uint C, uint D) Numbers(ulong key, ulong low, ulong high)
    {
        var (a, b, c, d) = ((uint)low, (uint)(low >> 32), (uint)high, (uint)(high >> 32));
        var (keyA, keyB) = ((uint)key, (uint)(key >> 32));
        for (var round = 0; round < Rounds; round++)
        {
            var first = (ulong)a * 0xD2511F53;
            var second = (ulong)c * 0xCD9E8D57;
            (a, b, c, d) = ((uint)(second >> 32) ^ b ^ keyA, (uint)second, (uint)(first >> 32) ^ d ^ keyB, (uint)first);
            keyA += 0x9E3779B9;
            keyB += 0xBB67AE85;
        }

        return (a, b, c, d);
    }
}
