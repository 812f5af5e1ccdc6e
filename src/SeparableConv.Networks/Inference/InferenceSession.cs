using System.Numerics.Tensors;
using SeparableConv.Networks.Inference;

namespace SeparableConv.Networks;

/// <summary>
/// A compiled network and memory to run it in: write the inputs, run, read the outputs. After the first run nothing is allocated, but for
/// outputs whose shapes are known only when the network has run, and what leads to them.
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
public sealed class InferenceSession : IDisposable
{
    private readonly CompiledNetwork _compiled;
    private readonly bool _ownsCompiled;
    private readonly StepRunner _runner;
    private readonly nint[][] _inputLengths;
    private readonly nint[][] _outputLengths;

    /// <summary>Compiles a network for this session alone: disposing the session frees the weights too.</summary>
    /// <param name="network">The network.</param>
    /// <param name="options">Threads and the rest; the defaults where null.</param>
    /// <exception cref="NetworkException">The network cannot be run.</exception>
    public InferenceSession(Network network, CompileOptions? options = null)
        : this(new CompiledNetwork(network, options)) => _ownsCompiled = true;

    /// <summary>Memory to run a compiled network in.</summary>
    /// <param name="compiled">The network, which other sessions may be running; it stays its owner's to dispose.</param>
    /// <exception cref="NetworkException">The memory is not there.</exception>
    /// <exception cref="ObjectDisposedException">The network was disposed.</exception>
    public InferenceSession(CompiledNetwork compiled)
    {
        ArgumentNullException.ThrowIfNull(compiled);
        _compiled = compiled;
        _runner = new StepRunner(compiled);
        _inputLengths = Array.ConvertAll(_runner.Inputs, Lengths);
        _outputLengths = Array.ConvertAll(_runner.Outputs, Lengths);
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
        where T : unmanaged => new(Open.Inputs[index].Span<T>(), _inputLengths[index]);

    /// <summary>The memory of an input, to write to; zeros before the first writing.</summary>
    /// <typeparam name="T">The .NET type of its elements.</typeparam>
    /// <param name="name">The input's name.</param>
    /// <returns>Its elements, in its shape.</returns>
    /// <exception cref="ArgumentException">There is no such input.</exception>
    /// <exception cref="InvalidOperationException">Its elements are of another type.</exception>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public TensorSpan<T> Input<T>(string name)
        where T : unmanaged => Input<T>(IndexOf(Inputs, name, "input"));

    /// <summary>The memory of an output; the next run writes over it.</summary>
    /// <typeparam name="T">The .NET type of its elements.</typeparam>
    /// <param name="index">Which output.</param>
    /// <returns>Its elements, in its shape.</returns>
    /// <exception cref="InvalidOperationException">Its elements are of another type.</exception>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public ReadOnlyTensorSpan<T> Output<T>(int index)
        where T : unmanaged =>
        Open.Result(index) is { } result ? result.Read<T>() : new(Open.Outputs[index].Span<T>(), _outputLengths[index]);

    /// <summary>The memory of an output; the next run writes over it.</summary>
    /// <typeparam name="T">The .NET type of its elements.</typeparam>
    /// <param name="name">The output's name.</param>
    /// <returns>Its elements, in its shape.</returns>
    /// <exception cref="ArgumentException">There is no such output.</exception>
    /// <exception cref="InvalidOperationException">Its elements are of another type.</exception>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public ReadOnlyTensorSpan<T> Output<T>(string name)
        where T : unmanaged => Output<T>(IndexOf(Outputs, name, "output"));

    /// <summary>The bytes of an input, to write to.</summary>
    /// <param name="index">Which input.</param>
    /// <returns>The elements as they lie in memory.</returns>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public Span<byte> InputBytes(int index) => Open.Inputs[index].Bytes();

    /// <summary>The bytes of an output; the next run writes over them.</summary>
    /// <param name="index">Which output.</param>
    /// <returns>The elements as they lie in memory.</returns>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public ReadOnlySpan<byte> OutputBytes(int index) =>
        Open.Result(index) is { } result ? result.Bytes : Open.Outputs[index].Bytes();

    /// <summary>
    /// What an output is after the last run. It differs from what <see cref="Outputs"/> says only where a shape is known only when the
    /// network has run (<see cref="TensorType.HasOpenShape"/>).
    /// </summary>
    /// <param name="index">Which output.</param>
    /// <returns>Element type and shape; an open one before the first run.</returns>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public TensorType OutputType(int index) => Open.Result(index)?.Type ?? Outputs[index].Type;

    /// <summary>Computes the outputs from what is in the inputs.</summary>
    /// <exception cref="NetworkException">
    /// It cannot be computed from these inputs: an index that was computed is out of range, or a shape that is known only in a run does
    /// not fit.
    /// </exception>
    /// <exception cref="InvalidOperationException">Another run of this session is under way.</exception>
    /// <exception cref="ObjectDisposedException">The session or its compiled network was disposed.</exception>
    public void Run() => _runner.Run();

    /// <summary>
    /// Makes what the network remembers from run to run (<see cref="Network.States"/>) what it was before the first run: the next run
    /// begins a new stream. A network without states is as it was.
    /// </summary>
    /// <exception cref="InvalidOperationException">A run of this session is under way.</exception>
    /// <exception cref="ObjectDisposedException">The session or its compiled network was disposed.</exception>
    public void Reset() => _runner.Reset();

    /// <summary>Runs a network of one input and one output, both float32.</summary>
    /// <param name="input">As many numbers as the input has, in its shape.</param>
    /// <returns>A copy of the output.</returns>
    /// <exception cref="ArgumentException">The input's shape is not the network's.</exception>
    /// <exception cref="InvalidOperationException">
    /// There are more inputs or outputs, or they are not float32; or another run of this session is under way.
    /// </exception>
    public Tensor<float> Run(in ReadOnlyTensorSpan<float> input)
    {
        if (_inputLengths.Length != 1 || _outputLengths.Length != 1)
            throw new InvalidOperationException(
                $"The network has {_inputLengths.Length} inputs and {_outputLengths.Length} outputs; write each, run, and read each.");
        if (!input.Lengths.SequenceEqual(_inputLengths[0]))
            throw new ArgumentException(
                $"The input has shape ({string.Join(',', input.Lengths.ToArray())}); the network was made for {Inputs[0].Shape}.");
        input.CopyTo(Input<float>(0));
        Run();
        var output = Output<float>(0);
        var copy = Tensor.CreateFromShapeUninitialized<float>(output.Lengths);
        output.CopyTo(copy);
        return copy;
    }

    /// <summary>Runs once as <see cref="Run()"/> does and takes the time of each step.</summary>
    /// <returns>The steps in their order, and how long each took.</returns>
    /// <exception cref="InvalidOperationException">Another run of this session is under way.</exception>
    /// <exception cref="ObjectDisposedException">The session or its compiled network was disposed.</exception>
    public IReadOnlyList<StepTime> Profile()
    {
        var times = new double[_compiled.Steps.Count];
        _runner.Run(times);
        return [.. _compiled.Steps.Zip(times, (step, time) => new StepTime(step, time))];
    }

    /// <summary>Runs once and tells when each step begins, in ticks of the stopwatch, and when the last one has ended.</summary>
    internal void Run(Span<long> timestamps) => _runner.Run(timestamps);

    /// <summary>
    /// Frees the memory at once, or at the end of a run where one is under way; the weights too, where they are this session's alone.
    /// </summary>
    public void Dispose()
    {
        _runner.Dispose();
        if (_ownsCompiled)
            _compiled.Dispose();
    }

    /// <summary>Fills all that a run must write before it reads it, to show that it does.</summary>
    internal void Poison(byte value) => _runner.Poison(value);

    private StepRunner Open
    {
        get
        {
            ObjectDisposedException.ThrowIf(_runner.IsClosed, this);
            return _runner;
        }
    }

    private static nint[] Lengths(TensorBuffer buffer) => Array.ConvertAll(buffer.Shape.Lengths.ToArray(), length => (nint)length);

    private static int IndexOf(IReadOnlyList<Value> values, string name, string what)
    {
        for (var i = 0; i < values.Count; i++)
        {
            if (values[i].Name == name)
                return i;
        }

        throw new ArgumentException(
            $"The network has no {what} '{name}'; it has {string.Join(", ", values.Select(value => $"'{value.Name}'"))}.");
    }
}
