using SeparableConv.Loops;

namespace SeparableConv.Bench;

/// <summary>Inputs and weights, the same in every run.</summary>
internal static class BenchData
{
    public static PackedBuffer Buffer(nint length, int seed = 1)
    {
        var buffer = new PackedBuffer(length);
        Fill(buffer.Span, seed);
        return buffer;
    }

    public static float[] Floats(int length, int seed)
    {
        var floats = new float[length];
        Fill(floats, seed);
        return floats;
    }

    private static void Fill(Span<float> floats, int seed)
    {
        var random = new Random(seed);
        foreach (ref var x in floats)
            x = random.NextSingle() - 0.5f;
    }
}
