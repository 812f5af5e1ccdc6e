using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SeparableConv.Threading;

/// <summary>Work that falls into numbered parts, each of which writes memory no other part writes.</summary>
internal interface IParallelWork
{
    void Execute(int part);
}

/// <summary>
/// A fork-join pool for loops of tens of microseconds. Workers spin a while after each loop and then park, because waking
/// a parked thread costs more than many a layer. Every participant starts on its own run of parts, so that a chain of
/// layers finds its rows in the cache of the core that wrote them, and helps the others when it is done. Which thread ran a
/// part never shows in the result: parts are cut by the caller and do not depend on the number of threads.
/// </summary>
/// <remarks>
/// Nobody waits for a worker that has not begun: when every part is taken the loop closes, and who comes later finds nothing to do. A
/// worker that is parked, or whose core does something else, then costs what its parts cost the caller and no more.
/// </remarks>
internal sealed unsafe class WorkerPool
{
    /// <summary>The most threads a loop may be given: more than any machine has processors, far fewer than a process can have.</summary>
    public const int MostThreads = 1024;

    private const long Closed = 1L << 31;

    private static readonly Lazy<WorkerPool> LazyShared = new(() => new WorkerPool());

    private readonly object _gate = new();
    private readonly List<Worker> _workers = [];
    private Range[] _ranges = [];
    private Board _board;
    private int _parked;
    private bool _busy;
    private Exception? _failure;

    private WorkerPool()
    {
    }

    public static WorkerPool Shared => LazyShared.Value;

    /// <summary>Refuses a number of threads that no loop may be given.</summary>
    /// <exception cref="ArgumentException">It is not from 1 to <see cref="MostThreads"/>.</exception>
    public static void CheckThreads(int threads)
    {
        if (threads is < 1 or > MostThreads)
            throw new ArgumentException($"Threads is {threads}; it must be from 1 to {MostThreads}.");
    }

    /// <summary>The number of threads used where the caller names none.</summary>
    public static int DefaultThreads { get; } = Math.Min(Environment.ProcessorCount, MostThreads);

    /// <summary>
    /// Executes parts 0 to <paramref name="parts"/> - 1 on at most <paramref name="threads"/> threads, the caller's among
    /// them, and returns when all are done. A second caller, or a part that calls again, works through its parts alone.
    /// </summary>
    public void Run<TWork>(ref TWork work, int parts, int threads)
        where TWork : struct, IParallelWork
    {
        if (typeof(TWork) != typeof(TracedWork) && PartTrace.Current is { } trace)
        {
#pragma warning disable CS8500 // As below.
            fixed (TWork* followed = &work)
                trace.Run(this, &Invoke<TWork>, followed, parts, threads);
#pragma warning restore CS8500
            return;
        }

        var participants = Math.Min(threads, parts);
        if (participants <= 1 || !Monitor.TryEnter(_gate))
        {
            RunAlone(ref work, parts);
            return;
        }

        Exception? failure = null;
        try
        {
            if (_busy)
            {
                // The gate lets its owner in again: the caller is itself a part of the loop under way on this thread.
                RunAlone(ref work, parts);
                return;
            }

            _busy = true;
            try
            {
                // The pointer is only ever turned back into TWork, and what it points to is fixed: references inside are seen by the
                // collector where they lie.
#pragma warning disable CS8500
                fixed (TWork* pinned = &work)
#pragma warning restore CS8500
                {
                    Fork(&Invoke<TWork>, pinned, parts, participants);
                    // Kept from the helpers: a first run then warms up this thread's memory whatever the scheduler does.
                    Execute(0);
                    WorkThrough(0);
                    Join();
                }
            }
            finally
            {
                (failure, _failure) = (_failure, null);
                _busy = false;
            }
        }
        finally
        {
            Monitor.Exit(_gate);
        }

        if (failure is not null)
            throw new InvalidOperationException("A part of a parallel loop failed: " + failure.Message, failure);
    }

    private static void RunAlone<TWork>(ref TWork work, int parts)
        where TWork : struct, IParallelWork
    {
        for (var part = 0; part < parts; part++)
            work.Execute(part);
    }

    private static void Invoke<TWork>(void* work, int part)
        where TWork : struct, IParallelWork => Unsafe.AsRef<TWork>(work).Execute(part);

    private void Fork(delegate*<void*, int, void> execute, void* work, int parts, int participants)
    {
        var generation = (int)(_board.Door >> 32);
        while (_workers.Count < participants - 1)
            _workers.Add(new Worker(this, _workers.Count + 1, generation));
        if (_ranges.Length < participants)
            _ranges = new Range[participants];

        for (var i = 0; i < participants; i++)
        {
            _ranges[i].Next = (int)((long)parts * i / participants);
            _ranges[i].End = (int)((long)parts * (i + 1) / participants);
        }

        _ranges[0].Next = 1;
        _board.Execute = execute;
        _board.Work = work;
        _board.Participants = participants;
        Volatile.Write(ref _board.Door, (long)(generation + 1) << 32);

        // A worker marks itself parked and then looks at the door once more: one of the two sees the other.
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _parked) > 0)
        {
            for (var i = 0; i < participants - 1; i++)
                _workers[i].WakeIfParked();
        }
    }

    private void Join()
    {
        var spinner = 0;
        Interlocked.Or(ref _board.Door, Closed);
        while ((Volatile.Read(ref _board.Door) & (Closed - 1)) != 0)
        {
            if (++spinner < 100_000)
                Thread.SpinWait(4);
            else
                Thread.Yield();
        }
    }

    private bool TryEnter(int generation)
    {
        while (true)
        {
            var door = Volatile.Read(ref _board.Door);
            if ((int)(door >> 32) != generation || (door & Closed) != 0)
                return false;
            if (Interlocked.CompareExchange(ref _board.Door, door + 1, door) == door)
                return true;
        }
    }

    private void Leave() => Interlocked.Decrement(ref _board.Door);

    private void WorkThrough(int index)
    {
        var participants = _board.Participants;
        if (index >= participants)
            return;
        for (var i = 0; i < participants; i++)
        {
            var owner = index + i < participants ? index + i : index + i - participants;
            ref var range = ref _ranges[owner];
            while (Volatile.Read(ref range.Next) < range.End)
            {
                var part = Interlocked.Increment(ref range.Next) - 1;
                if (part >= range.End)
                    break;
                Execute(part);
            }
        }
    }

    private void Execute(int part)
    {
        try
        {
            _board.Execute(_board.Work, part);
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref _failure, e, null);
        }
    }

    // A line of its own for each participant: the counters are written by every part.
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    private struct Range
    {
        [FieldOffset(64)]
        public int Next;

        [FieldOffset(68)]
        public int End;
    }

    /// <summary>
    /// What workers watch: all on two lines that nothing else is written to, so that a loop is seen after one trip between the cores.
    /// </summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Board
    {
        /// <summary>
        /// The door of the loop under way: its generation in the upper half, whether it is closed, and how many workers are inside.
        /// </summary>
        [FieldOffset(128)]
        public long Door;

        [FieldOffset(136)]
        public delegate*<void*, int, void> Execute;

        [FieldOffset(144)]
        public void* Work;

        [FieldOffset(152)]
        public int Participants;
    }

    private sealed class Worker
    {
        // About 2 milliseconds: longer than what lies between two runs of a network in a row, shorter than anybody notices.
        private const int SpinsBeforeParking = 50_000;

        // About 10 microseconds. Where there are more threads than processors the one that is waited for may be behind this one.
        private const int SpinsBeforeYielding = 256;

        private readonly WorkerPool _pool;
        private readonly int _index;
        private readonly AutoResetEvent _wake = new(false);
        private int _isParked;
        private int _seen;

        public Worker(WorkerPool pool, int index, int generation)
        {
            _pool = pool;
            _index = index;
            _seen = generation;
            new Thread(Loop) { IsBackground = true, Name = "SeparableConv worker " + index }.Start();
        }

        /// <summary>Called by whoever has opened a door. One call of several wakes the worker, a trip into the system.</summary>
        public void WakeIfParked()
        {
            if (Volatile.Read(ref _isParked) != 0 && Interlocked.Exchange(ref _isParked, 0) != 0)
            {
                Interlocked.Decrement(ref _pool._parked);
                _wake.Set();
            }
        }

        private void Loop()
        {
            while (true)
            {
                Await();
                if (!_pool.TryEnter(_seen))
                    continue;
                _pool.WorkThrough(_index);
                _pool.Leave();
            }
        }

        private bool SeesNewLoop()
        {
            var generation = (int)(Volatile.Read(ref _pool._board.Door) >> 32);
            if (generation == _seen)
                return false;
            _seen = generation;
            return true;
        }

        private void Await()
        {
            for (var spins = 1; !SeesNewLoop(); spins++)
            {
                if (spins == SpinsBeforeParking)
                {
                    Park();
                    spins = 0;
                }
                else if (spins % SpinsBeforeYielding == 0)
                {
                    Thread.Yield();
                }
                else
                {
                    Thread.SpinWait(1);
                }
            }
        }

        private void Park()
        {
            Interlocked.Increment(ref _pool._parked);
            Interlocked.Exchange(ref _isParked, 1);
            var isLate = (int)(Volatile.Read(ref _pool._board.Door) >> 32) != _seen;
            if (isLate && Interlocked.Exchange(ref _isParked, 0) != 0)
            {
                Interlocked.Decrement(ref _pool._parked);
                return;
            }

            _wake.WaitOne();
        }
    }
}
