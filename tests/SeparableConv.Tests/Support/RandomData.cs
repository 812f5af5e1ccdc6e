namespace SeparableConv.Tests.Support;

/// <summary>Numbers to compute with, the same for the same seed.</summary>
internal static class RandomData
{
    /// <summary>Floats between -1 and 1.</summary>
    public static float[] Floats(int count, int seed)
    {
        var random = new Random(seed);
        var floats = new float[count];
        foreach (ref var x in floats.AsSpan())
            x = (2 * random.NextSingle()) - 1;
        return floats;
    }

    /// <summary>An output before it is computed: NaN, so that an element that nothing writes shows.</summary>
    public static float[] Unwritten(int count)
    {
        var floats = new float[count];
        Array.Fill(floats, float.NaN);
        return floats;
    }

    /// <summary>The numbers of a convolution: input (N, inH, inW, C), weights (kH, kW, C/groups, M), bias (M).</summary>
    public static (float[] Input, float[] Weights, float[] Bias) Convolution(ConvGeometry g) => (
        Floats(g.Batch * g.Rows.In * g.Columns.In * g.InChannels, 1),
        Floats(g.Rows.Kernel * g.Columns.Kernel * (g.InChannels / g.Groups) * g.OutChannels, 2),
        Floats(g.OutChannels, 3));
}
