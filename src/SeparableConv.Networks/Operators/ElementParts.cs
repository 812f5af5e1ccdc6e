using SeparableConv.Threading;

namespace SeparableConv.Networks.Operators;

/// <summary>Work on items, elements or rows of them, each of which is written by one range alone.</summary>
internal interface IRangeWork
{
    /// <summary>Works on the items from <paramref name="start"/> up to and without <paramref name="end"/>.</summary>
    void Run(nint start, nint end);
}

/// <summary>
/// Cuts work into ranges for the shared threads. The cut depends on the sizes alone, so that any number of threads gives the same bits.
/// </summary>
internal static class ElementParts
{
    // About ten microseconds of memory traffic: worth waking a thread for, and a part's operands fit the second-level cache.
    private const long PartElements = 16 * 1024;

    /// <summary>Works on all items.</summary>
    /// <param name="work">What to do.</param>
    /// <param name="items">How many there are.</param>
    /// <param name="elementsInItem">Elements that one item stands for, read or computed.</param>
    /// <param name="threads">Threads to use at most.</param>
    public static void Run<TWork>(TWork work, long items, long elementsInItem, int threads)
        where TWork : struct, IRangeWork
    {
        if (items <= 0)
            return;
        var itemsInPart = Math.Clamp(PartElements / Math.Max(1, elementsInItem), 1, items);
        var parts = new Parts<TWork> { Work = work, Items = (nint)items, ItemsInPart = (nint)itemsInPart };
        WorkerPool.Shared.Run(ref parts, checked((int)((items + itemsInPart - 1) / itemsInPart)), threads);
    }

    private struct Parts<TWork> : IParallelWork
        where TWork : struct, IRangeWork
    {
        public TWork Work;
        public nint Items;
        public nint ItemsInPart;

        public void Execute(int part) => Work.Run(part * ItemsInPart, Math.Min(Items, (part + 1) * ItemsInPart));
    }
}
