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
}
