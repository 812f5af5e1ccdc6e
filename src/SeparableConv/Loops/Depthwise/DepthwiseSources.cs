using System.Runtime.InteropServices;

namespace SeparableConv.Loops;

/// <summary>How a vector of output channels gets its input: see <see cref="IDepthwiseReads"/>.</summary>
internal enum DepthwiseReads
{
    /// <summary>One vector of input channels, permuted.</summary>
    One,

    /// <summary>Lanes of two vectors of input channels, one behind the other.</summary>
    Two,

    /// <summary>Each lane from a place of its own.</summary>
    Each,
}

/// <summary>Where a vector of output channels reads.</summary>
/// <param name="First">The input channel that its loads begin with.</param>
/// <param name="Reads">How it reads.</param>
internal readonly record struct DepthwiseSource(int First, DepthwiseReads Reads);

/// <summary>A channel map made ready for vectors: what each vector of output channels loads, and which lane comes from where.</summary>
internal sealed unsafe class DepthwiseSources
{
    private readonly PackedBuffer _lanes;
    private readonly PackedBuffer _sources;

    /// <summary>Packs a map of at least <paramref name="lanes"/> input and as many output channels.</summary>
    public DepthwiseSources(DepthwiseMap map, int lanes)
    {
        var vectors = Vectors(map, lanes);
        _lanes = new PackedBuffer((nint)vectors * lanes);
        _sources = new PackedBuffer((nint)vectors * (sizeof(DepthwiseSource) / sizeof(float)));
        var sources = MemoryMarshal.Cast<float, DepthwiseSource>(_sources.Span);
        var numbers = MemoryMarshal.Cast<float, int>(_lanes.Span);
        for (var vector = 0; vector < vectors; vector++)
        {
            var read = Read(map, vector, lanes);
            sources[vector] = Place(read, map.InChannels, lanes);
            for (var lane = 0; lane < lanes; lane++)
                numbers[(vector * lanes) + lane] = read[lane] - sources[vector].First;
        }
    }

    /// <summary>A <see cref="DepthwiseSource"/> a vector.</summary>
    public DepthwiseSource* Sources => (DepthwiseSource*)_sources.Pointer;

    /// <summary>[vector][lane], as <see cref="ISimd{TVec}.LoadLanes"/> reads them: whole numbers.</summary>
    public float* Lanes => _lanes.Pointer;

    /// <summary>
    /// Whether a map is worth reading so. Where each lane is read by itself, spreading rows first is faster (3x3: 4 times the time of a
    /// convolution without a map, not 6), but not where half of the vectors are read otherwise.
    /// </summary>
    public static bool Suits(DepthwiseMap map, int lanes)
    {
        var (vectors, each) = (Vectors(map, lanes), 0);
        for (var vector = 0; vector < vectors; vector++)
            each += Place(Read(map, vector, lanes), map.InChannels, lanes).Reads == DepthwiseReads.Each ? 1 : 0;
        return each <= vectors / 2;
    }

    /// <summary>The end of the vectors that read as the first one does.</summary>
    public static int EndOfAlike(DepthwiseSource* sources, int first, int end)
    {
        var next = first + 1;
        while (next < end && sources[next].Reads == sources[first].Reads)
            next++;
        return next;
    }

    private static int Vectors(DepthwiseMap map, int lanes) => (map.OutChannels + lanes - 1) / lanes;

    private static ReadOnlySpan<int> Read(DepthwiseMap map, int vector, int lanes) =>
        map.Sources.Slice(Math.Min(vector * lanes, map.OutChannels - lanes), lanes);

    // A load never leaves the pixel's channels. Where it can, it begins with a whole vector's channels: then it crosses no lines of the
    // cache. Two such loads still took longer than one that crosses.
    private static DepthwiseSource Place(ReadOnlySpan<int> read, int channels, int lanes)
    {
        var (least, most) = (read[0], read[0]);
        foreach (var channel in read)
            (least, most) = (Math.Min(least, channel), Math.Max(most, channel));
        if (First(lanes) is { } one)
            return new(one, DepthwiseReads.One);
        return First(2 * lanes) is { } two ? new(two, DepthwiseReads.Two) : new(0, DepthwiseReads.Each);

        // Where so many channels begin that they are all there; null where none do.
        int? First(int reach)
        {
            var aligned = least / lanes * lanes;
            var first = Math.Min(most - aligned < reach ? aligned : least, channels - reach);
            return first >= 0 && most - first < reach ? first : null;
        }
    }
}
