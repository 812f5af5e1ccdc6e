using System.Collections.Concurrent;
using SeparableConv.Threading;

namespace SeparableConv.Tests.Threading;

// By themselves: while another test's loop runs, a caller works alone.
[Collection(QuietCollection.Name)]
public sealed unsafe class WorkerPoolTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 7)]
    [InlineData(5, 2)]
    [InlineData(1000, 3)]
    [InlineData(3, 16)]
    public void Every_part_runs_once(int parts, int threads)
    {
        for (var round = 0; round < 200; round++)
        {
            var counts = new int[parts];
            fixed (int* pointer = counts)
            {
                var work = new Count { Counts = pointer };
                WorkerPool.Shared.Run(ref work, parts, threads);
            }

            Assert.All(counts, count => Assert.Equal(1, count));
        }
    }

    [Fact]
    public void A_parked_worker_wakes_up()
    {
        for (var round = 0; round < 5; round++)
        {
            // Longer than workers spin: 2 milliseconds, where they have a core to themselves.
            Thread.Sleep(20);
            var work = new Meet { Arrived = new CountdownEvent(2), Threads = new ConcurrentDictionary<int, bool>() };
            WorkerPool.Shared.Run(ref work, 2, 2);
            Assert.Equal(2, work.Threads.Count);
        }
    }

    [Fact]
    public void A_part_may_run_a_loop_of_its_own()
    {
        var counts = new int[40];
        fixed (int* pointer = counts)
        {
            var work = new Nested { Counts = pointer };
            WorkerPool.Shared.Run(ref work, 8, 3);
        }

        Assert.All(counts, count => Assert.Equal(1, count));
    }

    [Fact]
    public void Several_callers_at_once_each_get_their_own_loop_done() =>
        Parallel.For(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ => Every_part_runs_once(17, 4));

    [Fact]
    public void A_failure_reaches_the_caller_and_the_pool_goes_on()
    {
        var failing = new Fail();
        var error = Assert.Throws<InvalidOperationException>(() => WorkerPool.Shared.Run(ref failing, 8, 3));
        Assert.Contains("part 5", error.Message, StringComparison.Ordinal);
        Every_part_runs_once(8, 3);
    }

    private struct Count : IParallelWork
    {
        public int* Counts;

        public readonly void Execute(int part) => Interlocked.Increment(ref Counts[part]);
    }

    /// <summary>Two parts that wait for each other: where one thread ran both, the first would wait in vain.</summary>
    private struct Meet : IParallelWork
    {
        public CountdownEvent Arrived;
        public ConcurrentDictionary<int, bool> Threads;

        public readonly void Execute(int part)
        {
            Threads[Environment.CurrentManagedThreadId] = true;
            Arrived.Signal();
            Arrived.Wait(TimeSpan.FromSeconds(20));
        }
    }

    private struct Nested : IParallelWork
    {
        public int* Counts;

        public readonly void Execute(int part)
        {
            var inner = new Count { Counts = Counts + (5 * part) };
            WorkerPool.Shared.Run(ref inner, 5, 3);
        }
    }

    private struct Fail : IParallelWork
    {
        public readonly void Execute(int part)
        {
            if (part == 5)
                throw new InvalidOperationException("part 5");
        }
    }
}
