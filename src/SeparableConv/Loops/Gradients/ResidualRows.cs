using System.Runtime.CompilerServices;

namespace SeparableConv.Loops;

/// <summary>
/// The end of a residual block in one pass: y = clamp(map of a + map of b), either map scale*(z - center) + shift or none, and its
/// gradient. Channels and vectors are as in <see cref="ChannelRows"/>.
/// </summary>
internal unsafe struct ResidualRows
{
    // A few rows of so many floats stay in the first-level cache while every vector of channels goes down them.
    private const int CachedFloats = 2048;

    public float* A;
    public float* B;
    public float* Y;
    public ChannelMap MapA;
    public ChannelMap MapB;
    public float Lower;
    public float Upper;

    /// <summary>The gradient of y; backward only.</summary>
    public float* Gradient;

    /// <summary>Receives the gradient, 0 where y is at a bound; may be <see cref="Gradient"/>.</summary>
    public float* Masked;

    /// <summary>Three runs of vectors: the sums of the masked gradient, and of its products with (a - center) and (b - center).</summary>
    public float* Sums;

    public nint Pixels;
    public int Channels;

    /// <summary>Floats of one run of <see cref="Sums"/>.</summary>
    public static int Row(int channels, SimdWidth width) => (channels + (int)width - 1) / (int)width * (int)width;

    /// <summary>The forward pass.</summary>
    public static void Forward(ResidualRows rows, SimdWidth width)
    {
        var work = new ForwardWork(rows);
        width.Dispatch(ref work);
    }

    /// <summary>The backward pass.</summary>
    public static void Backward(ResidualRows rows, SimdWidth width)
    {
        var work = new BackwardWork(rows);
        width.Dispatch(ref work);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Forward<TSimd, TVec>()
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var (lower, upper) = (TSimd.Broadcast(Lower), TSimd.Broadcast(Upper));
        nint last = Channels - TSimd.Count;
        float* a = A, b = B, y = Y;
        for (nint p = 0; p < Pixels; p++, a += Channels, b += Channels, y += Channels)
        {
            for (nint c = 0; ; c = Math.Min(c + TSimd.Count, last))
            {
                var sum = TSimd.Add(Mapped<TSimd, TVec>(MapA, a, c), Mapped<TSimd, TVec>(MapB, b, c));
                TSimd.Store(TSimd.Min(upper, TSimd.Max(lower, sum)), y + c);
                if (c == last)
                    break;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVec Mapped<TSimd, TVec>(in ChannelMap map, float* z, nint c)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var value = TSimd.Load(z + c);
        return map.IsPresent
            ? TSimd.MultiplyAdd(
                TSimd.Load(map.Scale + c), TSimd.Subtract(value, TSimd.Load(map.Center + c)), TSimd.Load(map.Shift + c))
            : value;
    }

    private readonly void Backward<TSimd, TVec>()
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var rows = Math.Max(1, CachedFloats / Channels);
        for (nint p = 0; p < Pixels; p += rows)
            Backward<TSimd, TVec>(p * Channels, Math.Min(rows, Pixels - p));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Backward<TSimd, TVec>(nint first, nint pixels)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        // At a bound the gradient is 0; NaN is less than nothing and lets it through.
        var lower = TSimd.Broadcast(float.BitIncrement(Lower));
        var upper = TSimd.Broadcast(float.BitDecrement(Upper));
        var zero = TSimd.Zero;
        var row = Row(Channels, (SimdWidth)TSimd.Count);
        for (var vector = 0; vector * TSimd.Count < Channels; vector++)
        {
            nint c = Math.Min(vector * TSimd.Count, Channels - TSimd.Count);
            var centerA = MapA.IsPresent ? TSimd.Load(MapA.Center + c) : zero;
            var centerB = MapB.IsPresent ? TSimd.Load(MapB.Center + c) : zero;
            TVec sum = zero, productsA = zero, productsB = zero;
            for (nint p = 0, at = first + c; p < pixels; p++, at += Channels)
            {
                var y = TSimd.Load(Y + at);
                var g = TSimd.SelectLess(y, lower, zero, TSimd.SelectLess(upper, y, zero, TSimd.Load(Gradient + at)));
                TSimd.Store(g, Masked + at);
                sum = TSimd.Add(sum, g);
                if (MapA.IsPresent)
                    productsA = TSimd.MultiplyAdd(g, TSimd.Subtract(TSimd.Load(A + at), centerA), productsA);
                if (MapB.IsPresent)
                    productsB = TSimd.MultiplyAdd(g, TSimd.Subtract(TSimd.Load(B + at), centerB), productsB);
            }

            var target = Sums + (vector * TSimd.Count);
            TSimd.Store(TSimd.Add(sum, TSimd.Load(target)), target);
            TSimd.Store(TSimd.Add(productsA, TSimd.Load(target + row)), target + row);
            TSimd.Store(TSimd.Add(productsB, TSimd.Load(target + (2 * row))), target + (2 * row));
        }
    }

    private readonly struct ForwardWork(ResidualRows rows) : ISimdWork
    {
        public void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => rows.Forward<TSimd, TVec>();
    }

    private readonly struct BackwardWork(ResidualRows rows) : ISimdWork
    {
        public void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct => rows.Backward<TSimd, TVec>();
    }
}
