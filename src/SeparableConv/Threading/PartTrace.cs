using System.Diagnostics;

namespace SeparableConv.Threading;

/// <summary>
/// What the threads of the pool did, part by part, for a picture of a run. It follows the loops that the thread starts whose
/// <see cref="Current"/> it is; while that is null, a loop asks for it once and its parts know nothing.
/// </summary>
/// <remarks>
/// A part costs two timestamps and a line in the memory of its thread, some tens of nanoseconds. What was recorded may be read, and
/// cleared, between loops.
/// </remarks>
internal sealed unsafe class PartTrace
{
    /// <summary>The number of a span that is a whole loop, from its call to its return; the others are parts.</summary>
    public const int WholeLoop = -1;

    [ThreadStatic]
    private static PartTrace? _current;

    [ThreadStatic]
    private static Lane? _lane;

    private readonly int _capacity;
    private readonly List<Lane> _lanes = [];

    /// <param name="capacity">The most spans that are kept of one thread; those that come later are counted, not kept.</param>
    public PartTrace(int capacity = 1 << 14) => _capacity = capacity;

    /// <summary>Who follows the loops that this thread starts; null where nobody does.</summary>
    public static PartTrace? Current
    {
        get => _current;
        set => _current = value;
    }

    /// <summary>The threads that took part, the one that began first of all first.</summary>
    public IReadOnlyList<Lane> Lanes => _lanes;

    /// <summary>Forgets what was recorded, not the threads.</summary>
    public void Clear()
    {
        foreach (var lane in _lanes)
            lane.Clear();
    }

    /// <summary>Runs a loop and records it and its parts.</summary>
    public void Run(WorkerPool pool, delegate*<void*, int, void> execute, void* work, int parts, int threads)
    {
        var traced = new TracedWork(this, execute, work);
        // The caller's comes first, whoever takes the first part.
        var lane = OfThisThread();
        var start = Stopwatch.GetTimestamp();
        pool.Run(ref traced, parts, threads);
        lane.Add(new(start, Stopwatch.GetTimestamp(), WholeLoop));
    }

    /// <summary>What the calling thread writes to.</summary>
    public Lane OfThisThread() => _lane is { } lane && lane.Owner == this ? lane : Claim();

    private Lane Claim()
    {
        lock (_lanes)
        {
            var thread = Environment.CurrentManagedThreadId;
            _lane = _lanes.Find(lane => lane.Thread == thread);
            if (_lane is null)
                _lanes.Add(_lane = new Lane(this, thread, _capacity));
            return _lane;
        }
    }

    /// <summary>What one thread did, in the order in which it ended. Only that thread writes.</summary>
    internal sealed class Lane(PartTrace owner, int thread, int capacity)
    {
        private readonly TracedSpan[] _spans = new TracedSpan[capacity];
        private int _count;

        public PartTrace Owner { get; } = owner;

        /// <summary>The thread's number in this process.</summary>
        public int Thread { get; } = thread;

        /// <summary>How many spans found no room.</summary>
        public int Dropped { get; private set; }

        public ReadOnlySpan<TracedSpan> Spans => _spans.AsSpan(0, _count);

        public void Add(TracedSpan span)
        {
            if (_count < _spans.Length)
                _spans[_count++] = span;
            else
                Dropped++;
        }

        public void Clear() => (_count, Dropped) = (0, 0);
    }
}

/// <summary>
/// From when to when a thread was at a part, or in a loop (<see cref="PartTrace.WholeLoop"/>), in ticks of the stopwatch.
/// </summary>
internal readonly record struct TracedSpan(long Start, long End, int Part);

/// <summary>Work whose parts are recorded: one type for all, so that no loop is compiled twice.</summary>
internal readonly unsafe struct TracedWork(PartTrace trace, delegate*<void*, int, void> execute, void* work) : IParallelWork
{
    private readonly delegate*<void*, int, void> _execute = execute;
    private readonly void* _work = work;

    public void Execute(int part)
    {
        var lane = trace.OfThisThread();
        var start = Stopwatch.GetTimestamp();
        _execute(_work, part);
        lane.Add(new(start, Stopwatch.GetTimestamp(), part));
    }
}
