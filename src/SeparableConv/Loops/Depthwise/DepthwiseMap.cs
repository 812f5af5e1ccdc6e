namespace SeparableConv.Loops;

/// <summary>
/// Which input channel each output channel of a depthwise convolution reads. Several may read the same one, and some channels may be read
/// by none. A map never changes.
/// </summary>
internal sealed class DepthwiseMap
{
    private readonly int[] _sources;

    /// <summary>A map of C input channels.</summary>
    /// <param name="inChannels">C.</param>
    /// <param name="sources">For each output channel the input channel that it reads, 0 to C-1.</param>
    /// <exception cref="ArgumentException">There is no output channel, or no such input channel.</exception>
    public DepthwiseMap(int inChannels, ReadOnlySpan<int> sources)
    {
        if (sources.IsEmpty)
            throw new ArgumentException("The channel map is empty; expected an input channel for each output channel.");
        foreach (var source in sources)
        {
            if ((uint)source >= (uint)inChannels)
                throw new ArgumentException($"The channel map reads channel {source} of {inChannels}; expected 0 to {inChannels - 1}.");
        }

        (InChannels, _sources) = (inChannels, sources.ToArray());
        var multiplier = sources.Length / inChannels;
        var isUniform = sources.Length == multiplier * inChannels;
        for (var e = 0; isUniform && e < sources.Length; e++)
            isUniform = sources[e] == e / multiplier;
        Multiplier = isUniform ? multiplier : 0;
    }

    /// <summary>C, channels of the input.</summary>
    public int InChannels { get; }

    /// <summary>E, channels of the output.</summary>
    public int OutChannels => _sources.Length;

    /// <summary>For each output channel the input channel that it reads.</summary>
    public ReadOnlySpan<int> Sources => _sources;

    /// <summary>M, where this is a depth multiplier: output channel c*M+m reads channel c. 0 for any other map.</summary>
    public int Multiplier { get; }

    /// <summary>The map of a depth multiplier.</summary>
    public static DepthwiseMap Uniform(int channels, int multiplier)
    {
        var sources = new int[checked(channels * multiplier)];
        for (var e = 0; e < sources.Length; e++)
            sources[e] = e / multiplier;
        return new(channels, sources);
    }
}
