using SeparableConv.Loops;
using SeparableConv.Networks.Inference;
using SeparableConv.Networks.Operators;
using SeparableConv.Networks.Rewriting;

namespace SeparableConv.Networks;

/// <summary>
/// A network made ready to run: operators folded and joined, weights packed, memory planned. It never changes, and any number of
/// sessions share its weights.
/// </summary>
/// <remarks>It does not keep the network it was made from: let that go, and its unpacked weights go too.</remarks>
public sealed unsafe class CompiledNetwork
{
    private readonly PreparedStep[] _prepared;
    private readonly NativeBlock _constants;
    private readonly TensorPlace[] _inputPlaces;
    private readonly TensorPlace[] _outputPlaces;

    /// <summary>Makes a network ready.</summary>
    /// <param name="network">The network; it is not changed.</param>
    /// <param name="options">Threads and the rest; the defaults where null.</param>
    /// <exception cref="ArgumentException">The number of threads is not from 1 to 1024.</exception>
    /// <exception cref="NetworkException">
    /// A node cannot be made ready (the message names it), or the network needs more memory than <see cref="CompileOptions.MemoryLimit"/>.
    /// </exception>
    public CompiledNetwork(Network network, CompileOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        options ??= new();
        Threading.WorkerPool.CheckThreads(options.Threads);
        Threads = options.Threads;
        Inputs = [.. network.Inputs.Select(value => new Value(value.Name, value.Type))];
        Outputs = [.. network.Outputs.Select(value => new Value(value.Name, value.Type))];

        var optimized = (options.Optimize ? PassList.Inference : PassList.Plain).Run(network);
        var plan = MemoryPlan.Create(optimized);
        (ActivationBytes, ActivationBytesBound) = (plan.ArenaBytes, plan.LowerBound);
        CheckLimit(options.MemoryLimit, network.Name);

        var packedBefore = PackedBuffer.BytesMade;
        var nodes = optimized.Nodes.Where(node => node.Operator.Aliasing != Aliasing.View).ToArray();
        var steps = Array.ConvertAll(nodes, Prepare);
        PackedBytes = PackedBuffer.BytesMade - packedBefore;
        ScratchBytes = steps.Select(step => step.ScratchBytes).DefaultIfEmpty().Max();
        CheckLimit(options.MemoryLimit, network.Name);

        var places = new TensorPlaces(plan);
        _prepared = new PreparedStep[nodes.Length];
        for (var i = 0; i < nodes.Length; i++)
            _prepared[i] = places.Bind(nodes[i], steps[i]);
        _inputPlaces = [.. optimized.Inputs.Select(places.Of)];
        _outputPlaces = [.. optimized.Outputs.Select(places.Of)];
        _constants = places.CopyConstants();
        ConstantBytes = _constants.Bytes;
        Steps = Array.ConvertAll(nodes, node => new CompiledStep(node.Name, node.Operator.Kind, node.Cost, node.Outputs[0].Type));
    }

    /// <summary>What must be given to run it.</summary>
    public IReadOnlyList<Value> Inputs { get; }

    /// <summary>What running it gives.</summary>
    public IReadOnlyList<Value> Outputs { get; }

    /// <summary>What a run does, in order.</summary>
    public IReadOnlyList<CompiledStep> Steps { get; }

    /// <summary>The most threads that a run uses.</summary>
    public int Threads { get; }

    /// <summary>Bytes that a session takes for inputs, outputs and all that flows between the steps.</summary>
    public long ActivationBytes { get; }

    /// <summary>Bytes that no plan for these steps in this order can go below: the most that is needed during one step.</summary>
    public long ActivationBytesBound { get; }

    /// <summary>Bytes that a session takes for the steps' working memory, one piece that all of them use in turn.</summary>
    public long ScratchBytes { get; }

    /// <summary>Bytes of packed weights, which all sessions share.</summary>
    public long PackedBytes { get; }

    /// <summary>Bytes of constants that the steps read as they are, which all sessions share.</summary>
    public long ConstantBytes { get; }

    /// <summary>Multiply-accumulates of one run.</summary>
    public long Macs => Steps.Sum(step => step.Cost.Macs);

    internal IReadOnlyList<PreparedStep> Prepared => _prepared;

    /// <summary>An input where it lies in a session's arena.</summary>
    internal TensorBuffer Input(int index, byte* arena) => _inputPlaces[index].In(arena, _constants.Pointer);

    /// <summary>An output where it lies in a session's arena.</summary>
    internal TensorBuffer Output(int index, byte* arena) => _outputPlaces[index].In(arena, _constants.Pointer);

    /// <summary>A step's inputs and outputs in a session's arena.</summary>
    internal ForwardContext Context(int step, byte* arena, void* scratch) => new(
        Array.ConvertAll(_prepared[step].Inputs, place => place.In(arena, _constants.Pointer)),
        Array.ConvertAll(_prepared[step].Outputs, place => place.In(arena, _constants.Pointer)),
        Threads,
        scratch);

    private static Step Prepare(Node node)
    {
        try
        {
            return node.Operator.Prepare(node);
        }
        catch (Exception e) when (e is ArgumentException or OverflowException or InvalidOperationException or InvalidCastException or OutOfMemoryException or NetworkException)
        {
            throw new NetworkException($"In node '{node.Name}' ({node.Operator.Kind}): {e.Message}", e);
        }
    }

    private void CheckLimit(long limit, string name)
    {
        if (ScratchBytes > limit || ActivationBytes > limit - ScratchBytes)
        {
            throw new NetworkException(
                $"Network '{name}' needs {ActivationBytes} bytes for what flows between its operators and {ScratchBytes} of working memory, more than the limit of {limit}; use a smaller batch or image, or raise MemoryLimit.");
        }
    }
}
