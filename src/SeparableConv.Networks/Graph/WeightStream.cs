namespace SeparableConv.Networks.Graph;

/// <summary>
/// First weights from a seed, the same on every machine: whole-number arithmetic (SplitMix64), one square root and one product,
/// all of which IEEE 754 settles to the last bit. The n-th tensor does not depend on how large those before it are.
/// </summary>
internal sealed class WeightStream(int seed)
{
    private const ulong Step = 0x9E3779B97F4A7C15;
    private ulong _tensors;

    /// <summary>Weights of shape (..., I, O), or (kH, kW, C, M) where they are depthwise: as many as the shape has elements.</summary>
    public TensorData Next(Initializer initializer, TensorShape shape, bool isDepthwise)
    {
        var taps = 1.0;
        for (var i = 0; i < shape.Rank - 2; i++)
            taps *= shape[i];
        var fanIn = isDepthwise ? taps : taps * shape[^2];
        var limit = Math.Sqrt(initializer switch
        {
            Initializer.HeUniform => 6 / fanIn,
            Initializer.LecunUniform => 3 / fanIn,
            _ => 6 / (taps * ((double)shape[^2] + shape[^1])),
        });

        var state = Mix((ulong)seed + (++_tensors * Step));
        var weights = TensorData.CreateZeros(new TensorType(ElementType.Float32, shape));
        foreach (ref var weight in ((float[])weights.Values).AsSpan())
        {
            // 24 random bits, centered: every one of the 2^24 values is a float exactly before the limit scales it.
            state += Step;
            weight = (float)(((long)(Mix(state) >> 40) - (1 << 23)) * (limit / (1 << 23)));
        }

        return weights;
    }

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
