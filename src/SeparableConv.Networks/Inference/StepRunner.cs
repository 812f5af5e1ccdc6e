using System.Diagnostics;
using System.Runtime.InteropServices;

namespace SeparableConv.Networks.Inference;

/// <summary>
/// Runs the steps of a compiled network in memory of its own. An <see cref="InferenceSession"/> is this and a public door.
/// </summary>
internal sealed unsafe class StepRunner : IDisposable
{
    private readonly CompiledNetwork _compiled;
    private readonly NativeBlock _arena;
    private readonly NativeBlock _parameters;
    private readonly Step[] _steps;
    private readonly ForwardContext[] _contexts;
    private readonly StepGuard[] _guards;
    private readonly (TensorBuffer Current, TensorBuffer Next)[] _states;
    private volatile bool _isDisposed;
    private int _isRunning;

    /// <exception cref="NetworkException">The memory is not there.</exception>
    /// <exception cref="ObjectDisposedException">The network was disposed.</exception>
    public StepRunner(CompiledNetwork compiled)
    {
        ObjectDisposedException.ThrowIf(compiled.IsDisposed, compiled);
        _compiled = compiled;

        // Scratch begins on a line of its own behind the arena.
        var scratchAt = (compiled.ActivationBytes + ArenaLayout.Alignment - 1) / ArenaLayout.Alignment * ArenaLayout.Alignment;
        _arena = new NativeBlock(checked(scratchAt + compiled.ScratchBytes));
        _parameters = compiled.CopyParameters();
        _steps = [.. compiled.Prepared.Select(prepared => prepared.Step)];
        _contexts = new ForwardContext[_steps.Length];
        for (var i = 0; i < _steps.Length; i++)
        {
            var scratch = _steps[i].ScratchBytes > 0 ? _arena.Pointer + scratchAt : null;
            _contexts[i] = new(
                Array.ConvertAll(compiled.Prepared[i].Inputs, In),
                Array.ConvertAll(compiled.Prepared[i].Outputs, In),
                compiled.Threads,
                scratch);
        }

        _guards = [.. compiled.Prepared.Select(prepared => prepared.Guard is { } guard
            ? new StepGuard((byte*)In(guard.Condition).Memory, guard.RunsWhen)
            : default)];
        Inputs = new TensorBuffer[compiled.Inputs.Count];
        for (var i = 0; i < Inputs.Length; i++)
            Inputs[i] = In(compiled.InputPlace(i));
        Outputs = new TensorBuffer[compiled.Outputs.Count];
        for (var i = 0; i < Outputs.Length; i++)
            Outputs[i] = In(compiled.OutputPlace(i));
        _states = [.. compiled.States.Select(state => (In(state.Current), In(state.Next)))];
        ClearStates();

        // Last, so that a session that could not be made does not count.
        compiled.AddSession();
    }

    /// <summary>The inputs where they lie.</summary>
    public TensorBuffer[] Inputs { get; }

    /// <summary>The outputs where they lie.</summary>
    public TensorBuffer[] Outputs { get; }

    /// <summary>
    /// What the last run gave for an output whose shape is known only then; null before the first run, and for all other outputs.
    /// </summary>
    public TensorData? Result(int output) =>
        _compiled.OpenOutput(output) is var (step, index) ? _contexts[step].Results?[index] : null;

    /// <summary>Whether the memory, or that of the network, was let go.</summary>
    public bool IsClosed => _isDisposed || _compiled.IsDisposed;

    /// <summary>A parameter where it lies, as the runs so far have left it.</summary>
    public TensorBuffer Parameter(Value parameter) => In(_compiled.PlaceOf(parameter));

    /// <summary>Runs the steps in their order.</summary>
    /// <exception cref="InvalidOperationException">Another run is under way.</exception>
    /// <exception cref="ObjectDisposedException">The memory was let go.</exception>
    public void Run() => Run(0, _steps.Length);

    /// <summary>
    /// Runs the steps from <paramref name="first"/> up to and without <paramref name="end"/>: a run in pieces, which follow each other.
    /// </summary>
    /// <exception cref="InvalidOperationException">Another run is under way.</exception>
    /// <exception cref="ObjectDisposedException">The memory was let go.</exception>
    public void Run(int first, int end)
    {
        Enter();
        try
        {
            var contexts = _contexts;
            for (var i = first; i < end; i++)
            {
                if (_guards[i].IsOpen)
                    _steps[i].Run(contexts[i]);
            }

            if (end == contexts.Length)
                KeepStates();
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>The same, with the time of each step.</summary>
    public void Run(Span<double> milliseconds)
    {
        var timestamps = new long[_steps.Length + 1];
        Run(timestamps);
        for (var i = 0; i < _steps.Length; i++)
            milliseconds[i] = (timestamps[i + 1] - timestamps[i]) * 1e3 / Stopwatch.Frequency;
    }

    /// <summary>The same, with the timestamp at which each step begins, and behind them that at which the last one has ended.</summary>
    public void Run(Span<long> timestamps)
    {
        Enter();
        try
        {
            timestamps[0] = Stopwatch.GetTimestamp();
            for (var i = 0; i < _steps.Length; i++)
            {
                if (_guards[i].IsOpen)
                    _steps[i].Run(_contexts[i]);
                timestamps[i + 1] = Stopwatch.GetTimestamp();
            }

            KeepStates();
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>Makes everything that is remembered what it was before the first run.</summary>
    /// <exception cref="InvalidOperationException">A run is under way.</exception>
    /// <exception cref="ObjectDisposedException">The memory was let go.</exception>
    public void Reset()
    {
        Enter();
        try
        {
            ClearStates();
        }
        finally
        {
            Leave();
        }
    }

    private void ClearStates()
    {
        for (var i = 0; i < _states.Length; i++)
            _compiled.States[i].Initial.Bytes.CopyTo(_states[i].Current.Bytes());
    }

    // What a run computed lies in memory of its own, whatever else it shows, so that the order is all the same.
    private void KeepStates()
    {
        foreach (var (current, next) in _states)
            next.Bytes().CopyTo(current.Bytes());
    }

    /// <summary>Lets the memory go, at the end of a run where one is under way.</summary>
    public void Dispose()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        _compiled.RemoveSession();
        _arena.Dispose();
        _parameters.Dispose();
    }

    /// <summary>Fills all that a run must write before it reads it, to show that it does.</summary>
    public void Poison(byte value)
    {
        var inputs = Array.ConvertAll(Inputs, input => input.Bytes().ToArray());
        NativeMemory.Fill(_arena.Pointer, (nuint)_arena.Bytes, value);
        for (var i = 0; i < inputs.Length; i++)
            inputs[i].CopyTo(Inputs[i].Bytes());
    }

    /// <summary>Whether a run takes a step: the condition is there and is what it must be, or there is none.</summary>
    private readonly struct StepGuard(byte* condition, bool runsWhen)
    {
        public bool IsOpen => condition == null || *condition != 0 == runsWhen;
    }

    private TensorBuffer In(TensorPlace place) => place.In(_arena.Pointer, _compiled.Memory.Constants, _parameters.Pointer);

    // Whoever runs holds all memory that the steps use: it may be disposed meanwhile, but is freed behind the run.
    private void Enter()
    {
        ObjectDisposedException.ThrowIf(IsClosed, this);
        if (Interlocked.Exchange(ref _isRunning, 1) != 0)
            throw new InvalidOperationException(
                "This session is running already; give every thread a session of its own, they share the compiled network.");
        var held = 0;
        try
        {
            foreach (var memory in (ReadOnlySpan<SafeHandle>)[_arena, _parameters, _compiled.Memory])
            {
                var isHeld = false;
                memory.DangerousAddRef(ref isHeld);
                held++;
            }
        }
        catch
        {
            Leave(held);
            throw;
        }
    }

    private void Leave(int held = 3)
    {
        if (held > 2)
            _compiled.Memory.DangerousRelease();
        if (held > 1)
            _parameters.DangerousRelease();
        if (held > 0)
            _arena.DangerousRelease();
        Volatile.Write(ref _isRunning, 0);
    }
}
