using SeparableConv.Loops;
using SeparableConv.Networks;

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

    /// <summary>Random floats and bytes; zeros of all other types, which may be indices or choices.</summary>
    public static TensorData Tensor(TensorType type, int seed)
    {
        var data = TensorData.CreateZeros(type);
        if (data.Values is float[] floats)
            Fill(floats, seed);
        else if (type.Element is ElementType.Int8 or ElementType.UInt8)
            new Random(seed).NextBytes(data.Bytes);
        return data;
    }

    private static void Fill(Span<float> floats, int seed)
    {
        var random = new Random(seed);
        foreach (ref var x in floats)
            x = random.NextSingle() - 0.5f;
    }
}
