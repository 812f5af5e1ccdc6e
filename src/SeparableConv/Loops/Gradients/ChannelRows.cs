using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace SeparableConv.Loops;

/// <summary>
/// Applies <see cref="ChannelMap"/> and <see cref="GradientMap"/> to rows of pixels. There are at least as many channels as a vector has
/// lanes; the last vector of a pixel ends with its last channel and may overlap the one before.
/// </summary>
internal static unsafe class ChannelRows
{
    /// <summary>x = the map of z.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Map<TSimd, TVec>(in ChannelMap map, float* z, float* x, nint xStride, nint pixels, int channels)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        Debug.Assert(channels >= TSimd.Count, "A vector has no more lanes than there are channels.");
        float* scale = map.Scale, center = map.Center, shift = map.Shift;
        var (lower, upper) = (TSimd.Broadcast(map.Lower), TSimd.Broadcast(map.Upper));
        nint last = channels - TSimd.Count;
        for (nint p = 0; p < pixels; p++, z += channels, x += xStride)
        {
            for (nint c = 0; ; c = Math.Min(c + TSimd.Count, last))
            {
                var y = TSimd.Subtract(TSimd.Load(z + c), TSimd.Load(center + c));
                y = TSimd.MultiplyAdd(TSimd.Load(scale + c), y, TSimd.Load(shift + c));
                TSimd.Store(TSimd.Min(upper, TSimd.Max(lower, y)), x + c);
                if (c == last)
                    break;
            }
        }
    }

    /// <summary>dz = the map of g and z.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Map<TSimd, TVec>(in GradientMap map, float* g, float* z, float* dz, nint dzStride, nint pixels, int channels)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        Debug.Assert(channels >= TSimd.Count, "A vector has no more lanes than there are channels.");
        float* scale = map.Scale, slope = map.Slope, center = map.Center, offset = map.Offset;
        nint last = channels - TSimd.Count;
        for (nint p = 0; p < pixels; p++, g += channels, z += channels, dz += dzStride)
        {
            for (nint c = 0; ; c = Math.Min(c + TSimd.Count, last))
            {
                var y = TSimd.Subtract(TSimd.Load(z + c), TSimd.Load(center + c));
                y = TSimd.MultiplyAdd(TSimd.Load(slope + c), y, TSimd.Load(offset + c));
                TSimd.Store(TSimd.MultiplyAdd(TSimd.Load(scale + c), TSimd.Load(g + c), y), dz + c);
                if (c == last)
                    break;
            }
        }
    }

    /// <summary>
    /// Makes gradients dx of the mapped numbers those of what the map clamps, in place, and adds them, and their products with
    /// (z - center), to sums that lie [vector][lane].
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Mask<TSimd, TVec>(
        in ChannelMap map, float* z, float* dx, nint pixels, int channels, float* sums, float* productSums)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        // At a bound the gradient is 0; NaN is less than nothing and lets it through.
        var lower = TSimd.Broadcast(float.BitIncrement(map.Lower));
        var upper = TSimd.Broadcast(float.BitDecrement(map.Upper));
        var zero = TSimd.Zero;
        var vectors = (channels + TSimd.Count - 1) / TSimd.Count;
        for (var vector = 0; vector < vectors; vector++)
        {
            nint c = Math.Min(vector * TSimd.Count, channels - TSimd.Count);
            var (scale, center, shift) = (TSimd.Load(map.Scale + c), TSimd.Load(map.Center + c), TSimd.Load(map.Shift + c));
            TVec sum = zero, products = zero;
            for (nint p = 0, at = c; p < pixels; p++, at += channels)
            {
                var centered = TSimd.Subtract(TSimd.Load(z + at), center);
                var y = TSimd.MultiplyAdd(scale, centered, shift);
                var g = TSimd.SelectLess(y, lower, zero, TSimd.SelectLess(upper, y, zero, TSimd.Load(dx + at)));
                TSimd.Store(g, dx + at);
                sum = TSimd.Add(sum, g);
                products = TSimd.MultiplyAdd(g, centered, products);
            }

            var target = vector * TSimd.Count;
            TSimd.Store(TSimd.Add(sum, TSimd.Load(sums + target)), sums + target);
            TSimd.Store(TSimd.Add(products, TSimd.Load(productSums + target)), productSums + target);
        }
    }

    /// <summary>Maps rows of pixels, whatever the vectors.</summary>
    public struct MapWork : ISimdWork
    {
        public ChannelMap Map;
        public float* Z;
        public float* X;
        public nint XStride;
        public nint Pixels;
        public int Channels;

        public readonly void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => Map<TSimd, TVec>(Map, Z, X, XStride, Pixels, Channels);
    }

    /// <summary>Maps rows of gradients, whatever the vectors.</summary>
    public struct GradientMapWork : ISimdWork
    {
        public GradientMap Map;
        public float* G;
        public float* Z;
        public float* Dz;
        public nint DzStride;
        public nint Pixels;
        public int Channels;

        public readonly void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => Map<TSimd, TVec>(Map, G, Z, Dz, DzStride, Pixels, Channels);
    }
}

/// <summary>
/// Masks pixels' gradients and sums them (<see cref="ChannelRows.Mask"/>), some rows at a time so that they stay in the cache. A part's
/// sums are two runs of vectors, [vector][lane].
/// </summary>
internal unsafe struct MaskedSums : ISimdWork
{
    // Two rows of so many floats stay in the first-level cache while every vector of channels goes down them.
    private const int CachedFloats = 2048;

    public ChannelMap Map;
    public float* Z;
    public float* Dx;
    public nint Pixels;
    public int Channels;
    public float* Sums;

    /// <summary>Floats of a part's sums.</summary>
    public static int Floats(int channels, SimdWidth width) => 2 * Row(channels, width);

    /// <summary>Adds up the sums of parts that begin a stride apart, in their order: (C) each. The first part becomes the sum.</summary>
    public static void Total(
        float* first, nint stride, int parts, float* shiftGradient, float* scaleGradient, int channels, SimdWidth width)
    {
        var (lanes, row) = ((int)width, Row(channels, width));
        Partials.AddInDouble(first, stride, parts, 2 * row);
        for (var start = 0; start < row; start += lanes)
        {
            var c = Math.Min(start, channels - lanes);
            new ReadOnlySpan<float>(first + start, lanes).CopyTo(new Span<float>(shiftGradient + c, lanes));
            new ReadOnlySpan<float>(first + row + start, lanes).CopyTo(new Span<float>(scaleGradient + c, lanes));
        }
    }

    public readonly void Run<TSimd, TVec>()
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var rows = Math.Max(1, CachedFloats / Channels);
        for (nint p = 0; p < Pixels; p += rows)
        {
            var at = p * Channels;
            var products = Sums + Row(Channels, (SimdWidth)TSimd.Count);
            ChannelRows.Mask<TSimd, TVec>(Map, Z + at, Dx + at, Math.Min(rows, Pixels - p), Channels, Sums, products);
        }
    }

    private static int Row(int channels, SimdWidth width) => (channels + (int)width - 1) / (int)width * (int)width;
}
