namespace SeparableConv.Tests.Networks.Formats;

/// <summary>Random quantized bytes and what they stand for.</summary>
internal sealed class QuantizedNumbers(ElementType element, int seed)
{
    private readonly Random _random = new(seed);

    public int Least { get; } = element == ElementType.Int8 ? -128 : 0;

    public int Most => Least + 255;

    public int Next(int from, int to) => _random.Next(from, to);

    /// <summary>A scale about a value, and any zero point.</summary>
    public (float Scale, int ZeroPoint) Quantization(float about) => ((0.5f + _random.NextSingle()) * about, _random.Next(Least, Most + 1));

    public byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        _random.NextBytes(bytes);
        return bytes;
    }

    public int[] Values(byte[] bytes) => Array.ConvertAll(bytes, b => element == ElementType.Int8 ? (sbyte)b : (int)b);

    public int Clamp(long value) => (int)Math.Clamp(value, Least, Most);

    /// <summary>The clamp of a fused activation by its number in the schema.</summary>
    public (int Min, int Max) Clamp(int activation, (float Scale, int ZeroPoint) output)
    {
        int Bound(float x) => Clamp((long)Math.Round(x / (double)output.Scale, MidpointRounding.AwayFromZero) + output.ZeroPoint);
        return activation switch
        {
            1 => (Bound(0), Most),
            2 => (Bound(-1), Bound(1)),
            3 => (Bound(0), Bound(6)),
            _ => (Least, Most),
        };
    }
}
