using SeparableConv.Threading;

namespace SeparableConv.Tests.Threading;

// By themselves: while another test's loop runs, a caller works alone.
[Collection(QuietCollection.Name)]
public sealed unsafe class PartTraceTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 1)]
    [InlineData(40, 2)]
    [InlineData(40, 3)]
    public void Every_part_and_every_loop_is_recorded(int parts, int threads)
    {
        var counts = new int[parts];
        var trace = Follow(new PartTrace(), counts, threads);

        Assert.All(counts, count => Assert.Equal(1, count));
        var spans = trace.Lanes.SelectMany(lane => lane.Spans.ToArray()).ToArray();
        Assert.Equal(Enumerable.Range(0, parts), spans.Select(span => span.Part).Where(part => part >= 0).Order());
        Assert.InRange(trace.Lanes.Count, 1, threads);
        Assert.Equal(Environment.CurrentManagedThreadId, trace.Lanes[0].Thread);
        var loop = trace.Lanes[0].Spans[^1];
        Assert.Equal(PartTrace.WholeLoop, loop.Part);
        Assert.All(spans, span => Assert.True(loop.Start <= span.Start && span.Start <= span.End && span.End <= loop.End));
    }

    [Fact]
    public void What_finds_no_room_is_counted()
    {
        var trace = Follow(new PartTrace(capacity: 4), new int[10], threads: 1);
        Assert.Equal(4, trace.Lanes[0].Spans.Length);
        Assert.Equal(7, trace.Lanes[0].Dropped);

        trace.Clear();
        Assert.Equal((0, 0), (trace.Lanes[0].Spans.Length, trace.Lanes[0].Dropped));
    }

    [Fact]
    public void A_failure_of_a_part_comes_through()
    {
        var trace = new PartTrace();
        PartTrace.Current = trace;
        try
        {
            var work = default(Count);
            Assert.Throws<InvalidOperationException>(() => WorkerPool.Shared.Run(ref work, 5, 2));
        }
        finally
        {
            PartTrace.Current = null;
        }
    }

    private static PartTrace Follow(PartTrace trace, int[] counts, int threads)
    {
        PartTrace.Current = trace;
        try
        {
            fixed (int* pointer = counts)
            {
                var work = new Count { Counts = pointer };
                WorkerPool.Shared.Run(ref work, counts.Length, threads);
            }
        }
        finally
        {
            PartTrace.Current = null;
        }

        return trace;
    }

    private struct Count : IParallelWork
    {
        public int* Counts;

        public readonly void Execute(int part)
        {
            if (Counts is null)
                throw new InvalidOperationException("Nothing to count.");
            Interlocked.Increment(ref Counts[part]);
        }
    }
}
