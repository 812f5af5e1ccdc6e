using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace SeparableConv.Imaging.Png;

/// <summary>Picks and applies a row's filter when writing: the one with the least sum of absolute differences.</summary>
/// <remarks>
/// The heuristic of the PNG specification (section 12.7): each filtered byte counts as a signed number. When writing, all
/// neighbours are known, so every filter runs a full vector at a time. Rows begin with the zeros left of the first pixel.
/// </remarks>
internal static class PngFilterChooser
{
    /// <summary>The filter for a row.</summary>
    /// <param name="row">distance zeros, then the row's bytes.</param>
    /// <param name="above">distance zeros, then the bytes of the row above, or zeros.</param>
    /// <param name="distance">Bytes of a pixel.</param>
    public static PngFilter Choose(ReadOnlySpan<byte> row, ReadOnlySpan<byte> above, int distance)
    {
        Span<long> costs = stackalloc long[5];
        AddCosts(row, above, distance, costs);
        var best = 0;
        for (var i = 1; i < costs.Length; i++)
        {
            if (costs[i] < costs[best])
                best = i;
        }

        return (PngFilter)best;
    }

    /// <summary>Writes the filtered row.</summary>
    public static void Apply(PngFilter filter, ReadOnlySpan<byte> row, ReadOnlySpan<byte> above, int distance, Span<byte> filtered)
    {
        switch (filter)
        {
            case PngFilter.Sub:
                Apply<SubPredictor>(row, above, distance, filtered);
                break;
            case PngFilter.Up:
                Apply<UpPredictor>(row, above, distance, filtered);
                break;
            case PngFilter.Average:
                Apply<AveragePredictor>(row, above, distance, filtered);
                break;
            case PngFilter.Paeth:
                Apply<PaethPredictor>(row, above, distance, filtered);
                break;
            default:
                row[distance..].CopyTo(filtered);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Apply<TPredictor>(ReadOnlySpan<byte> row, ReadOnlySpan<byte> above, int distance, Span<byte> filtered)
        where TPredictor : struct, IPngPredictor
    {
        var count = row.Length - distance;
        above = above[..row.Length];
        filtered = filtered[..count];
        ref var x = ref MemoryMarshal.GetReference(row);
        ref var b = ref MemoryMarshal.GetReference(above);
        var i = 0;
        for (; i <= count - Vector128<byte>.Count; i += Vector128<byte>.Count)
        {
            var here = (nuint)(i + distance);
            var predicted = TPredictor.Predict(
                Vector128.LoadUnsafe(ref x, (nuint)i), Vector128.LoadUnsafe(ref b, here), Vector128.LoadUnsafe(ref b, (nuint)i));
            (Vector128.LoadUnsafe(ref x, here) - predicted).StoreUnsafe(ref MemoryMarshal.GetReference(filtered), (nuint)i);
        }

        for (; i < count; i++)
            filtered[i] = (byte)(row[i + distance] - TPredictor.Predict(row[i], above[i + distance], above[i]));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddCosts(ReadOnlySpan<byte> row, ReadOnlySpan<byte> above, int distance, Span<long> costs)
    {
        // A lane of the 16-bit sums takes at most 2 * 128 a step: 255 steps before they are emptied.
        const int MaxSteps = 255;
        var count = row.Length - distance;
        above = above[..row.Length];
        ref var x = ref MemoryMarshal.GetReference(row);
        ref var b = ref MemoryMarshal.GetReference(above);
        var i = 0;
        while (i <= count - Vector128<byte>.Count)
        {
            Vector128<ushort> none = default, sub = default, up = default, average = default, paeth = default;
            var end = Math.Min(count - Vector128<byte>.Count, i + (MaxSteps - 1) * Vector128<byte>.Count);
            for (; i <= end; i += Vector128<byte>.Count)
            {
                var here = (nuint)(i + distance);
                var value = Vector128.LoadUnsafe(ref x, here);
                var left = Vector128.LoadUnsafe(ref x, (nuint)i);
                var over = Vector128.LoadUnsafe(ref b, here);
                var overLeft = Vector128.LoadUnsafe(ref b, (nuint)i);
                none += Magnitude(value);
                sub += Magnitude(value - left);
                up += Magnitude(value - over);
                average += Magnitude(value - AveragePredictor.Predict(left, over, overLeft));
                paeth += Magnitude(value - PaethPredictor.Predict(left, over, overLeft));
            }

            costs[0] += Total(none);
            costs[1] += Total(sub);
            costs[2] += Total(up);
            costs[3] += Total(average);
            costs[4] += Total(paeth);
        }

        for (; i < count; i++)
        {
            int value = row[i + distance], left = row[i], over = above[i + distance], overLeft = above[i];
            costs[0] += Magnitude(value);
            costs[1] += Magnitude(value - left);
            costs[2] += Magnitude(value - over);
            costs[3] += Magnitude(value - AveragePredictor.Predict(left, over, overLeft));
            costs[4] += Magnitude(value - PaethPredictor.Predict(left, over, overLeft));
        }
    }

    private static int Magnitude(int difference) => Math.Abs((int)(sbyte)difference);

    // Of a byte and its negative, taken without sign, the smaller is the magnitude of the signed byte. Neighbouring bytes are added.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ushort> Magnitude(Vector128<byte> difference)
    {
        var magnitude = Vector128.Min(difference, Vector128<byte>.Zero - difference).AsUInt16();
        return (magnitude & Vector128.Create((ushort)0xFF)) + (magnitude >>> 8);
    }

    private static long Total(Vector128<ushort> sums)
    {
        var (low, high) = Vector128.Widen(sums);
        return Vector128.Sum(low + high);
    }
}
