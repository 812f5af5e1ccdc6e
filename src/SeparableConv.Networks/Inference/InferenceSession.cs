using System.Diagnostics;
using System.Numerics.Tensors;
using SeparableConv.Networks.Inference;
using SeparableConv.Networks.Operators;

namespace SeparableConv.Networks;

/// <summary>
/// A compiled network and memory to run it in: write the inputs, run, read the outputs. After the first run nothing is allocated.
/// </summary>
/// <remarks>
/// One run at a time: a second one meanwhile is refused, so that a thread needs a session of its own; sessions of one
/// <see cref="CompiledNetwork"/> share its weights. Inputs stay as they were written. Outputs stay until the next run. Both lie in
/// memory of the session's own: spans of it must not be used once the session is disposed.
/// </remarks>
/// <example><code>
/// using var session = new InferenceSession(network);
/// image.CopyTo(session.Input&lt;float&gt;(0));
/// session.Run();
/// var scores = session.Output&lt;float&gt;(0);
/// </code></example>
public sealed unsafe class InferenceSession : IDisposable
{
    private readonly CompiledNetwork _compiled;
    private readonly NativeBlock _arena;
    private readonly Step[] _steps;
    private readonly ForwardContext[] _contexts;
    private readonly TensorBuffer[] _inputs;
    private readonly TensorBuffer[] _outputs;
    private readonly nint[][] _inputLengths;
    private readonly nint[][] _outputLengths;
    private int _isRunning;

    /// <summary>Compiles a network for one session.</summary>
    /// <param name="network">The network.</param>
    /// <param name="options">Threads and the rest; the defaults where null.</param>
    /// <exception cref="NetworkException">The network cannot be run.</exception>
    public InferenceSession(Network network, CompileOptions? options = null)
        : this(new CompiledNetwork(network, options))
    {
    }

    /// <summary>Memory to run a compiled network in.</summary>
    /// <param name="compiled">The network, which other sessions may be running.</param>
    /// <exception cref="NetworkException">The memory is not there.</exception>
    public InferenceSession(CompiledNetwork compiled)
    {
        ArgumentNullException.ThrowIfNull(compiled);
        _compiled = compiled;

        // Scratch begins on a line of its own behind the arena.
        var scratchAt = (compiled.ActivationBytes + ArenaLayout.Alignment - 1) / ArenaLayout.Alignment * ArenaLayout.Alignment;
        _arena = new NativeBlock(checked(scratchAt + compiled.ScratchBytes));
        _steps = [.. compiled.Prepared.Select(prepared => prepared.Step)];
        _contexts = new ForwardContext[_steps.Length];
        for (var i = 0; i < _steps.Length; i++)
            _contexts[i] = compiled.Context(i, _arena.Pointer, _steps[i].ScratchBytes > 0 ? _arena.Pointer + scratchAt : null);
        _inputs = new TensorBuffer[compiled.Inputs.Count];
        for (var i = 0; i < _inputs.Length; i++)
            _inputs[i] = compiled.Input(i, _arena.Pointer);
        _outputs = new TensorBuffer[compiled.Outputs.Count];
        for (var i = 0; i < _outputs.Length; i++)
            _outputs[i] = compiled.Output(i, _arena.Pointer);
        _inputLengths = Array.ConvertAll(_inputs, Lengths);
        _outputLengths = Array.ConvertAll(_outputs, Lengths);
    }

    /// <summary>What is run.</summary>
    public CompiledNetwork Compiled => _compiled;

    /// <summary>What must be written before a run.</summary>
    public IReadOnlyList<Value> Inputs => _compiled.Inputs;

    /// <summary>What can be read after one.</summary>
    public IReadOnlyList<Value> Outputs => _compiled.Outputs;

    /// <summary>The memory of an input, to write to; zeros before the first writing.</summary>
    /// <typeparam name="T">The .NET type of its elements.</typeparam>
    /// <param name="index">Which input.</param>
    /// <returns>Its elements, in its shape.</returns>
    /// <exception cref="InvalidOperationException">Its elements are of another type.</exception>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public TensorSpan<T> Input<T>(int index)
        where T : unmanaged
    {
        ObjectDisposedException.ThrowIf(_arena.IsClosed, this);
        return new(_inputs[index].Span<T>(), _inputLengths[index]);
    }

    /// <summary>The memory of an output; the next run writes over it.</summary>
    /// <typeparam name="T">The .NET type of its elements.</typeparam>
    /// <param name="index">Which output.</param>
    /// <returns>Its elements, in its shape.</returns>
    /// <exception cref="InvalidOperationException">Its elements are of another type.</exception>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public ReadOnlyTensorSpan<T> Output<T>(int index)
        where T : unmanaged
    {
        ObjectDisposedException.ThrowIf(_arena.IsClosed, this);
        return new(_outputs[index].Span<T>(), _outputLengths[index]);
    }

    /// <summary>The bytes of an input, to write to.</summary>
    /// <param name="index">Which input.</param>
    /// <returns>The elements as they lie in memory.</returns>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public Span<byte> InputBytes(int index)
    {
        ObjectDisposedException.ThrowIf(_arena.IsClosed, this);
        return _inputs[index].Bytes();
    }

    /// <summary>The bytes of an output; the next run writes over them.</summary>
    /// <param name="index">Which output.</param>
    /// <returns>The elements as they lie in memory.</returns>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public ReadOnlySpan<byte> OutputBytes(int index)
    {
        ObjectDisposedException.ThrowIf(_arena.IsClosed, this);
        return _outputs[index].Bytes();
    }

    /// <summary>Computes the outputs from what is in the inputs.</summary>
    /// <exception cref="InvalidOperationException">Another run of this session is under way.</exception>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public void Run()
    {
        var held = Enter();
        try
        {
            var contexts = _contexts;
            for (var i = 0; i < contexts.Length; i++)
                _steps[i].Run(contexts[i]);
        }
        finally
        {
            Leave(held);
        }
    }

    /// <summary>The same, and how long each step took.</summary>
    /// <param name="ticks">Receives for each of <see cref="CompiledNetwork.Steps"/> its time in ticks of <see cref="Stopwatch"/>.</param>
    /// <exception cref="ArgumentException">There is not one number a step.</exception>
    /// <exception cref="InvalidOperationException">Another run of this session is under way.</exception>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public void Run(Span<long> ticks)
    {
        if (ticks.Length != _steps.Length)
            throw new ArgumentException($"There is room for {ticks.Length} times; the network has {_steps.Length} steps.");
        var held = Enter();
        try
        {
            var last = Stopwatch.GetTimestamp();
            for (var i = 0; i < _steps.Length; i++)
            {
                _steps[i].Run(_contexts[i]);
                var now = Stopwatch.GetTimestamp();
                ticks[i] = now - last;
                last = now;
            }
        }
        finally
        {
            Leave(held);
        }
    }

    /// <summary>Runs a network of one input and one output, both float32.</summary>
    /// <param name="input">As many numbers as the input has, in its shape.</param>
    /// <returns>A copy of the output.</returns>
    /// <exception cref="ArgumentException">The input's shape is not the network's.</exception>
    /// <exception cref="InvalidOperationException">There are more inputs or outputs, or they are not float32; or another run of this session is under way.</exception>
    public Tensor<float> Run(in ReadOnlyTensorSpan<float> input)
    {
        if (_inputs.Length != 1 || _outputs.Length != 1)
            throw new InvalidOperationException($"The network has {_inputs.Length} inputs and {_outputs.Length} outputs; write each, run, and read each.");
        if (!input.Lengths.SequenceEqual(_inputLengths[0]))
            throw new ArgumentException($"The input has shape ({string.Join(',', input.Lengths.ToArray())}); the network was made for {Inputs[0].Shape}.");
        input.CopyTo(Input<float>(0));
        Run();
        var output = Output<float>(0);
        var copy = Tensor.CreateFromShapeUninitialized<float>(output.Lengths);
        output.CopyTo(copy);
        return copy;
    }

    /// <summary>Lets the memory go, at the end of a run where one is under way.</summary>
    public void Dispose() => _arena.Dispose();

    /// <summary>Fills all that a run must write before it reads it, to show that it does.</summary>
    internal void Poison(byte value)
    {
        var inputs = new byte[_inputs.Length][];
        for (var i = 0; i < inputs.Length; i++)
            inputs[i] = _inputs[i].Bytes().ToArray();
        System.Runtime.InteropServices.NativeMemory.Fill(_arena.Pointer, (nuint)_arena.Bytes, value);
        for (var i = 0; i < inputs.Length; i++)
            inputs[i].CopyTo(_inputs[i].Bytes());
    }

    private static nint[] Lengths(TensorBuffer buffer) => Array.ConvertAll(buffer.Shape.Lengths.ToArray(), length => (nint)length);

    private bool Enter()
    {
        if (Interlocked.Exchange(ref _isRunning, 1) != 0)
            throw new InvalidOperationException("This session is running already; give every thread a session of its own, they share the compiled network.");
        var held = false;
        try
        {
            _arena.DangerousAddRef(ref held);
        }
        catch
        {
            Volatile.Write(ref _isRunning, 0);
            throw;
        }

        return held;
    }

    private void Leave(bool held)
    {
        if (held)
            _arena.DangerousRelease();
        Volatile.Write(ref _isRunning, 0);
        GC.KeepAlive(_compiled);
    }
}
