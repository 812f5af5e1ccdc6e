namespace SeparableConv.Networks.Graph;

/// <summary>
/// First weights from a seed, the same on every machine: whole-number arithmetic (SplitMix64), a square root, products and quotients,
/// all of which IEEE 754 settles to the last bit. The n-th tensor does not depend on how large those before it are.
/// </summary>
internal sealed class WeightStream(int seed)
{
    private const ulong Step = 0x9E3779B97F4A7C15;

    // The standard deviation of a normal distribution of deviation 1 that is cut at -2 and 2.
    private const double CutDeviation = 0.87962566103423978;
    private const double Cut = 2;
    private const double Log2E = 1.4426950408889634;
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
            Initializer.HeUniform or Initializer.HeNormal => 6 / fanIn,
            Initializer.LecunUniform or Initializer.LecunNormal => 3 / fanIn,
            _ => 6 / (taps * ((double)shape[^2] + shape[^1])),
        });

        var state = Mix((ulong)seed + (++_tensors * Step));
        var weights = TensorData.CreateZeros(new TensorType(ElementType.Float32, shape));
        var values = ((float[])weights.Values).AsSpan();
        if (initializer is Initializer.GlorotNormal or Initializer.HeNormal or Initializer.LecunNormal)
        {
            // Between -limit and limit the deviation is limit / sqrt(3).
            var sigma = limit / Math.Sqrt(3) / CutDeviation;
            foreach (ref var weight in values)
                weight = (float)(CutNormal(ref state) * sigma);
            return weights;
        }

        foreach (ref var weight in values)
        {
            // 24 random bits, centered: every one of the 2^24 values is a float exactly before the limit scales it.
            state += Step;
            weight = (float)(((long)(Mix(state) >> 40) - (1 << 23)) * (limit / (1 << 23)));
        }

        return weights;
    }

    // Evenly between the cuts, and kept as often as the density says: e^(-x^2/2) of those at x, three in five of all.
    private static double CutNormal(ref ulong state)
    {
        while (true)
        {
            var x = (Unit(ref state) * (2 * Cut)) - Cut;
            if (Unit(ref state) < PortableMath.Exp2(x * x * (-0.5 * Log2E)))
                return x;
        }
    }

    // A number from 0 to below 1, a multiple of 2^-53.
    private static double Unit(ref ulong state)
    {
        state += Step;
        return (Mix(state) >> 11) * (1.0 / (1L << 53));
    }

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
