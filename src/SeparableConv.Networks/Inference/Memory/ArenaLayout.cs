namespace SeparableConv.Networks.Inference;

/// <summary>Lays buffers into one arena so that no two that are needed at the same time overlap.</summary>
/// <remarks>
/// Finding the smallest arena is as hard as any packing; greedy orders come within a few percent of <see cref="LowerBound"/>,
/// mostly to it. Several are tried and the smallest kept. Beyond some thousand buffers one order alone is tried, which needs no
/// more than the buffers alive at a time.
/// </remarks>
internal static class ArenaLayout
{
    /// <summary>Where buffers begin: at a cache line.</summary>
    public const int Alignment = 64;

    private const int MostBuffersToReorder = 2000;

    // Neighbours whose sizes are whole pages would all begin in the same set of the first-level cache.
    private const int PageBytes = 4096;
    private const int Stagger = 5 * Alignment;

    /// <summary>No arena can be smaller: the most bytes that are needed at one time.</summary>
    public static long LowerBound(ReadOnlySpan<BufferLifetime> buffers)
    {
        var changes = new SortedDictionary<int, long>();
        foreach (var buffer in buffers)
        {
            changes[buffer.First] = changes.GetValueOrDefault(buffer.First) + Aligned(buffer.Bytes);
            changes[buffer.Last + 1] = changes.GetValueOrDefault(buffer.Last + 1) - Aligned(buffer.Bytes);
        }

        var (live, most) = (0L, 0L);
        foreach (var change in changes.Values)
        {
            live += change;
            most = Math.Max(most, live);
        }

        return most;
    }

    /// <summary>Where each buffer begins, and how many bytes they take together.</summary>
    public static (long[] Offsets, long Bytes) Place(ReadOnlySpan<BufferLifetime> buffers)
    {
        var lifetimes = buffers.ToArray();
        var byTime = Order(lifetimes, lifetime => lifetime.First);
        var best = Place(lifetimes, byTime, byTime: true);
        if (lifetimes.Length > MostBuffersToReorder)
            return best;

        var bound = LowerBound(buffers);
        foreach (var order in new[]
        {
            Order(lifetimes, lifetime => -lifetime.Bytes),
            Order(lifetimes, lifetime => -lifetime.Bytes * (double)(lifetime.Last - lifetime.First + 1)),
            Order(lifetimes, lifetime => lifetime.First - lifetime.Last),
        })
        {
            if (best.Bytes <= bound)
                break;
            var next = Place(lifetimes, order, byTime: false);
            if (next.Bytes < best.Bytes)
                best = next;
        }

        return best;
    }

    private static long Aligned(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;

    private static int[] Order(BufferLifetime[] buffers, Func<BufferLifetime, double> key)
    {
        // The index decides between equals, so that the same network is always laid out in the same way.
        var order = new int[buffers.Length];
        for (var i = 0; i < order.Length; i++)
            order[i] = i;
        var keys = Array.ConvertAll(buffers, buffer => key(buffer));
        Array.Sort(order, (a, b) => keys[a] != keys[b] ? keys[a].CompareTo(keys[b]) : a.CompareTo(b));
        return order;
    }

    /// <summary>Each in turn goes into the tightest gap between those that are there at the same time, or behind them.</summary>
    private static (long[] Offsets, long Bytes) Place(BufferLifetime[] buffers, int[] order, bool byTime)
    {
        var offsets = new long[buffers.Length];
        var placed = new List<int>();
        var total = 0L;
        foreach (var index in order)
        {
            var buffer = buffers[index];
            var size = Aligned(buffer.Bytes);
            if (byTime)
                placed.RemoveAll(other => buffers[other].Last < buffer.First);

            var (best, bestGap, end) = (-1L, long.MaxValue, 0L);
            foreach (var other in placed)
            {
                if (!buffer.Meets(buffers[other]))
                    continue;
                var gap = offsets[other] - end;
                if (gap >= size && gap < bestGap)
                    (best, bestGap) = (end, gap);
                var otherSize = Aligned(buffers[other].Bytes);
                end = Math.Max(end, offsets[other] + otherSize + (otherSize % PageBytes == 0 && otherSize > 0 ? Stagger : 0));
            }

            offsets[index] = best >= 0 ? best : end;
            total = Math.Max(total, offsets[index] + size);
            var at = placed.BinarySearch(index, Comparer<int>.Create((a, b) => offsets[a].CompareTo(offsets[b])));
            placed.Insert(at < 0 ? ~at : at, index);
        }

        return (offsets, total);
    }
}

/// <summary>A piece of memory and the steps during which what is in it counts.</summary>
/// <param name="Bytes">Its size, 0 or more.</param>
/// <param name="First">The step that writes it.</param>
/// <param name="Last">The last step that reads it; not before <paramref name="First"/>.</param>
internal readonly record struct BufferLifetime(long Bytes, int First, int Last)
{
    public bool Meets(in BufferLifetime other) => First <= other.Last && other.First <= Last;
}
