namespace SeparableConv.Training;

/// <summary>What random numbers are drawn for: streams of different purposes have nothing in common.</summary>
internal enum RandomPurpose
{
    /// <summary>The order of an epoch's samples: (seed, epoch).</summary>
    Order,

    /// <summary>A step of the augmentation: (seed, epoch, sample, step).</summary>
    Augmentation,

    /// <summary>Which samples of a class are for validation: (seed, class).</summary>
    Split,

    /// <summary>A drawn picture: (seed, sample).</summary>
    Shape,
}

/// <summary>
/// Random numbers that follow from a key and a count alone, so that nobody who draws depends on who drew before: not on threads, not on
/// order, and not on where a run went on. Whole numbers throughout: the same on every machine.
/// </summary>
/// <remarks>
/// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014), whose n-th number is a hash of the key
/// plus n times an odd constant. The key is a chain of the same hash over its words: keys that differ in one word never share a state.
/// </remarks>
internal struct CounterRandom
{
    private const ulong Step = 0x9E3779B97F4A7C15;

    private ulong _state;

    /// <summary>Begins the stream of a key.</summary>
    public CounterRandom(int seed, RandomPurpose purpose, int first = 0, int second = 0, int third = 0)
    {
        ReadOnlySpan<int> words = [seed, (int)purpose, first, second, third];
        foreach (var word in words)
            _state = Mix((_state + Step) ^ (uint)word);
    }

    /// <summary>64 random bits.</summary>
    public ulong Next() => Mix(_state += Step);

    /// <summary>
    /// A whole number from 0 to below a bound, which must be positive; each as likely as the others to within bound / 2^64.
    /// </summary>
    public int Below(int bound) => (int)Math.BigMul(Next(), (ulong)bound, out _);

    /// <summary>A number from 0 to below 1, a multiple of 2^-53.</summary>
    public double Unit() => (Next() >> 11) * (1.0 / (1L << 53));

    /// <summary>A number from one bound to below the other.</summary>
    public double Between(double low, double high) => low + ((high - low) * Unit());

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
