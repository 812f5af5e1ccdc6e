namespace SeparableConv.Tests.Support;

/// <summary>What a steady call allocates on its thread.</summary>
internal static class Allocations
{
    /// <summary>
    /// The least of several calls: the first allocate what is kept, and until another test has let go of the pool's threads a call
    /// is not yet a steady one.
    /// </summary>
    public static long Least(Action call)
    {
        var least = long.MaxValue;
        for (var round = 0; round < 20 && least > 0; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            call();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
