using System.Runtime.InteropServices;

namespace SeparableConv.Loops;

/// <summary>How a vector of output channels gets its input: see <see cref="IDepthwiseReads"/>.</summary>
internal enum DepthwiseReads
{
    /// <summary>One vector of input channels, permuted.</summary>
    One,

    /// <summary>Lanes of two vectors of input channels.</summary>
    Two,

    /// <summary>Each lane from a place of its own.</summary>
    Each,
}

/// <summary>Where a vector of output channels reads.</summary>
/// <param name="First">The input channel that the first load begins with.</param>
/// <param name="Further">Channels from the first load to the second, where there are two.</param>
/// <param name="Reads">How it reads.</param>
internal readonly record struct DepthwiseSource(int First, int Further, DepthwiseReads Reads);

/// <summary>A channel map made ready for vectors: what each vector of output channels loads, and which lane comes from where.</summary>
internal sealed unsafe class DepthwiseSources
{
    private readonly PackedBuffer _lanes;
    private readonly PackedBuffer _sources;

    /// <summary>Packs a map of at least <paramref name="lanes"/> input and as many output channels.</summary>
    public DepthwiseSources(DepthwiseMap map, int lanes)
    {
        var vectors = (map.OutChannels + lanes - 1) / lanes;
        _lanes = new PackedBuffer((nint)vectors * lanes);
        _sources = new PackedBuffer((nint)vectors * (sizeof(DepthwiseSource) / sizeof(float)));
        var sources = MemoryMarshal.Cast<float, DepthwiseSource>(_sources.Span);
        var numbers = MemoryMarshal.Cast<float, int>(_lanes.Span);
        for (var vector = 0; vector < vectors; vector++)
        {
            var read = map.Sources.Slice(Math.Min(vector * lanes, map.OutChannels - lanes), lanes);
            var source = sources[vector] = Place(read, map.InChannels, lanes);
            for (var lane = 0; lane < lanes; lane++)
            {
                var at = read[lane] - source.First;
                numbers[(vector * lanes) + lane] = source.Reads == DepthwiseReads.Two && at >= lanes ? lanes + at - source.Further : at;
            }
        }
    }

    /// <summary>A <see cref="DepthwiseSource"/> a vector.</summary>
    public DepthwiseSource* Vectors => (DepthwiseSource*)_sources.Pointer;

    /// <summary>[vector][lane], as <see cref="ISimd{TVec}.LoadLanes"/> reads them: whole numbers.</summary>
    public float* Lanes => _lanes.Pointer;

    /// <summary>The end of the vectors that read as the first one does.</summary>
    public static int EndOfAlike(DepthwiseSource* sources, int first, int end)
    {
        var next = first + 1;
        while (next < end && sources[next].Reads == sources[first].Reads)
            next++;
        return next;
    }

    // A load never leaves the pixel's channels. Where a whole vector's channels begin in time, it begins there: it does not cross lines of
    // the cache then.
    private static DepthwiseSource Place(ReadOnlySpan<int> read, int channels, int lanes)
    {
        var (least, most) = (read[0], read[0]);
        foreach (var channel in read)
            (least, most) = (Math.Min(least, channel), Math.Max(most, channel));
        var (aligned, last) = (least / lanes * lanes, channels - lanes);
        var first = Math.Min(most - aligned < lanes ? aligned : least, last);
        if (most - first < lanes)
            return new(first, 0, DepthwiseReads.One);
        first = Math.Min(most - aligned < 2 * lanes ? aligned : least, last);
        return most - first < 2 * lanes
            ? new(first, Math.Min(lanes, last - first), DepthwiseReads.Two)
            : new(0, 0, DepthwiseReads.Each);
    }
}
