namespace SeparableConv.Tests.Support.Fuzz;

/// <summary>Numbers at which readers break: lengths, offsets and axes at the ends of their types, and small ones.</summary>
internal static class Edges
{
    private static readonly long[] s_numbers =
    [
        0, 1, 2, 3, 4, 5, 7, 8, 16, 31, 64, 127, 128, 255, 256, 1000, 4095, 32767, 32768, 65535, 65536, 1 << 20, 1 << 24, 1 << 28, 1 << 30,
        int.MaxValue, int.MaxValue - 1, int.MaxValue - 7, 1L << 31, uint.MaxValue, 1L << 32, 1L << 40, 1L << 62, long.MaxValue,
        long.MinValue,
        int.MinValue, int.MinValue + 1, -1, -2, -3, -4, -8, -128, -32768,
    ];

    private static readonly float[] s_floats =
    [
        0, 1, -1, 0.5f, 1e-6f, -1e-6f, 1e30f, -1e30f, float.Epsilon, float.MaxValue, float.NaN, float.PositiveInfinity,
        float.NegativeInfinity, 255, 1e10f,
    ];

    /// <summary>How often to damage a model: mostly once or twice, for what is damaged often is refused early.</summary>
    public static int Times(Random random) => 1 << random.Next(random.Next(1, 4));

    /// <summary>A number near another one, or one of the edges.</summary>
    public static long Integer(Random random, long near) => random.Next(4) switch
    {
        0 => near + random.Next(-2, 3),
        1 => random.Next(0, 17),
        _ => s_numbers[random.Next(s_numbers.Length)],
    };

    /// <summary>One of the edges, or a number as large as another one.</summary>
    public static float Float(Random random, float near) =>
        random.Next(3) == 0 ? near * (1 + random.NextSingle()) : s_floats[random.Next(s_floats.Length)];
}
