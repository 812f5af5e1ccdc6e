using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using SeparableConv.Networks.Operators;

namespace SeparableConv.Networks;

/// <summary>
/// A network made ready and its memory: write the inputs, run, read the outputs. After the first run nothing is allocated.
/// </summary>
/// <remarks>Not for several threads at once: each needs a session of its own.</remarks>
public sealed unsafe class InferenceSession : IDisposable
{
    private readonly Dictionary<Value, TensorBuffer> _buffers = [];
    private readonly List<GCHandle> _pins = [];
    private readonly (Step Step, ForwardContext Context)[] _steps;
    private readonly Network _network;

    /// <summary>Makes a network ready.</summary>
    /// <param name="network">The network.</param>
    /// <param name="options">Threads and the rest; the defaults where null.</param>
    /// <exception cref="NetworkException">The network cannot be run.</exception>
    public InferenceSession(Network network, SessionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        options ??= new();
        _network = network;
        foreach (var input in network.Inputs)
            Buffer(input);
        _steps = [.. network.Nodes.Select(node => Bind(node, options.Threads))];
    }

    /// <summary>What must be written before a run.</summary>
    public IReadOnlyList<Value> Inputs => _network.Inputs;

    /// <summary>What can be read after one.</summary>
    public IReadOnlyList<Value> Outputs => _network.Outputs;

    /// <summary>The memory of an input, to write to.</summary>
    /// <typeparam name="T">The .NET type of its elements.</typeparam>
    /// <param name="index">Which input.</param>
    /// <returns>Its elements, in its shape.</returns>
    /// <exception cref="InvalidOperationException">Its elements are of another type.</exception>
    public TensorSpan<T> Input<T>(int index)
        where T : unmanaged
    {
        var buffer = _buffers[Inputs[index]];
        return new(buffer.Span<T>(), Array.ConvertAll(buffer.Shape.Lengths.ToArray(), length => (nint)length));
    }

    /// <summary>The memory of an output; the next run writes over it.</summary>
    /// <typeparam name="T">The .NET type of its elements.</typeparam>
    /// <param name="index">Which output.</param>
    /// <returns>Its elements, in its shape.</returns>
    /// <exception cref="InvalidOperationException">Its elements are of another type.</exception>
    public ReadOnlyTensorSpan<T> Output<T>(int index)
        where T : unmanaged
    {
        var buffer = Buffer(Outputs[index]);
        return new(buffer.Span<T>(), Array.ConvertAll(buffer.Shape.Lengths.ToArray(), length => (nint)length));
    }

    /// <summary>The bytes of an input, to write to.</summary>
    /// <param name="index">Which input.</param>
    /// <returns>The elements as they lie in memory.</returns>
    public Span<byte> InputBytes(int index) => _buffers[Inputs[index]].Bytes();

    /// <summary>The bytes of an output; the next run writes over them.</summary>
    /// <param name="index">Which output.</param>
    /// <returns>The elements as they lie in memory.</returns>
    public ReadOnlySpan<byte> OutputBytes(int index) => Buffer(Outputs[index]).Bytes();

    /// <summary>Computes the outputs from what is in the inputs.</summary>
    public void Run()
    {
        foreach (var (step, context) in _steps)
            step.Run(context);
    }

    /// <summary>Runs a network of one input and one output, both float32.</summary>
    /// <param name="input">As many numbers as the input has, in its order.</param>
    /// <returns>A copy of the output.</returns>
    /// <exception cref="ArgumentException">The input's shape is not the network's.</exception>
    public Tensor<float> Run(in ReadOnlyTensorSpan<float> input)
    {
        input.CopyTo(Input<float>(0));
        Run();
        var output = Output<float>(0);
        var copy = Tensor.CreateFromShapeUninitialized<float>(output.Lengths);
        output.CopyTo(copy);
        return copy;
    }

    /// <summary>Lets the memory go.</summary>
    public void Dispose()
    {
        foreach (var pin in _pins)
            pin.Free();
        _pins.Clear();
    }

    private (Step, ForwardContext) Bind(Node node, int threads)
    {
        var step = node.Operator.Prepare(node, threads);
        var inputs = node.Inputs.Select(input => input is null ? default : Buffer(input)).ToArray();
        var outputs = node.Outputs.Select(Buffer).ToArray();
        return (step, new ForwardContext(inputs, outputs, threads, step.ScratchBytes > 0 ? NativeMemory.AlignedAlloc((nuint)step.ScratchBytes, 64) : null));
    }

    private TensorBuffer Buffer(Value value)
    {
        if (_buffers.TryGetValue(value, out var known))
            return known;
        var data = value.Constant ?? TensorData.CreateZeros(value.Type);
        var pin = GCHandle.Alloc(data.Values, GCHandleType.Pinned);
        _pins.Add(pin);
        return _buffers[value] = new TensorBuffer(value.Type, (void*)pin.AddrOfPinnedObject());
    }
}
