using SeparableConv.Loops;
using SeparableConv.Networks.Inference;
using SeparableConv.Networks.Rewriting;
using SeparableConv.Threading;

namespace SeparableConv.Networks;

/// <summary>
/// A network made ready to run: operators folded and joined, weights packed, memory planned. It never changes, and any number of
/// sessions share its weights.
/// </summary>
/// <remarks>
/// It does not keep the network it was made from: let that go, and its unpacked weights go too. Disposing frees the weights at once, or
/// when the runs end that are under way; sessions cannot run it any more.
/// </remarks>
public sealed unsafe class CompiledNetwork : IDisposable
{
    private readonly PreparedStep[] _prepared;
    private readonly WeightMemory _memory;
    private readonly StoredBlock _parameters;
    private readonly TensorPlace[] _inputPlaces;
    private readonly TensorPlace[] _outputPlaces;
    private readonly (int Step, int Output)?[] _openOutputs;
    private readonly StatePlaces[] _states;
    private volatile bool _isDisposed;
    private int _sessions;

    /// <summary>Makes a network ready.</summary>
    /// <param name="network">The network; it is not changed.</param>
    /// <param name="options">Threads and the rest; the defaults where null.</param>
    /// <exception cref="ArgumentException">The number of threads is not from 1 to 1024.</exception>
    /// <exception cref="NetworkException">
    /// A node cannot be made ready (the message names it), or the network needs more memory than <see cref="CompileOptions.MemoryLimit"/>.
    /// </exception>
    public CompiledNetwork(Network network, CompileOptions? options = null)
        : this(network, options ??= new(), options.Optimize ? PassList.Inference : PassList.Plain)
    {
    }

    /// <summary>
    /// Makes ready what a list of passes leaves of a network. Any graph will do: parameters that are not frozen are memory that steps read
    /// and may update, and every value stays as long as a later node, such as one of a backward pass, reads it.
    /// </summary>
    internal CompiledNetwork(Network network, CompileOptions options, PassList passes)
    {
        ArgumentNullException.ThrowIfNull(network);
        WorkerPool.CheckThreads(options.Threads);
        Threads = options.Threads;
        Inputs = [.. network.Inputs.Select(value => new Value(value.Name, value.Type))];
        Outputs = [.. network.Outputs.Select(value => new Value(value.Name, value.Type))];

        var graph = passes.Run(network);
        var guards = BranchGuards.Find(graph);
        var plan = MemoryPlan.Create(graph);
        (ActivationBytes, ActivationBytesBound) = (plan.ArenaBytes, plan.LowerBound);
        CheckLimit(options.MemoryLimit, network.Name);

        var nodes = graph.Nodes.Where(node => node.Operator.Aliasing != Aliasing.View).ToArray();
        Step[] steps = [];
        var packed = PackedBuffer.MadeBy(() => steps = Array.ConvertAll(nodes, Prepare));
        ScratchBytes = steps.Select(step => step.ScratchBytes).DefaultIfEmpty().Max();
        CheckLimit(options.MemoryLimit, network.Name);

        // Only what is kept may hold values: by its producer each holds the whole graph, and all weights.
        var places = new TensorPlaces(plan);
        _prepared = new PreparedStep[nodes.Length];
        for (var i = 0; i < nodes.Length; i++)
            _prepared[i] = places.Bind(nodes[i], steps[i], guards.Of(nodes[i]));
        _inputPlaces = [.. graph.Inputs.Select(places.Of)];
        _outputPlaces = [.. graph.Outputs.Select(places.Of)];
        _openOutputs = [.. graph.Outputs.Select(output => OpenOutput(output, nodes))];
        _states = [.. graph.States.Select(state => new StatePlaces(places.Of(state.Current), places.Of(state.Next), state.Initial))];
        _parameters = places.Parameters;
        _memory = new WeightMemory(places.Constants.Copy(), packed);
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
    public long PackedBytes => _memory.PackedBytes;

    /// <summary>Bytes of constants that the steps read as they are, which all sessions share.</summary>
    public long ConstantBytes => _memory.ConstantBytes;

    /// <summary>Multiply-accumulates of one run.</summary>
    public long Macs => Steps.Sum(step => step.Cost.Macs);

    internal IReadOnlyList<PreparedStep> Prepared => _prepared;

    /// <summary>The weights; whoever runs the steps holds them.</summary>
    internal WeightMemory Memory => _memory;

    /// <summary>Whether it was disposed; runs that were under way then may still go on.</summary>
    internal bool IsDisposed => _isDisposed;

    /// <summary>Frees the weights at once, or when the runs end that are under way.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        _memory.Dispose();
    }

    /// <summary>Counts one more session.</summary>
    /// <exception cref="InvalidOperationException">There is one already, and it may be changing the parameters.</exception>
    internal void AddSession()
    {
        if (Interlocked.Increment(ref _sessions) == 1 || _parameters.IsEmpty)
            return;
        RemoveSession();
        throw new InvalidOperationException(
            "A network whose parameters are not frozen runs in one session at a time; compile it again for another.");
    }

    /// <summary>Counts one session less.</summary>
    internal void RemoveSession() => Interlocked.Decrement(ref _sessions);

    /// <summary>A new copy of the parameters, for a session to change.</summary>
    internal NativeBlock CopyParameters() => _parameters.Copy();

    /// <summary>Where a parameter lies.</summary>
    /// <exception cref="ArgumentException">No step reads or updates it.</exception>
    internal TensorPlace PlaceOf(Value parameter) => new(parameter.Type, MemoryRegion.Parameters, _parameters.OffsetOf(parameter));

    /// <summary>What the network remembers from run to run.</summary>
    internal IReadOnlyList<StatePlaces> States => _states;

    /// <summary>Where an input lies.</summary>
    internal TensorPlace InputPlace(int index) => _inputPlaces[index];

    /// <summary>Where an output lies.</summary>
    internal TensorPlace OutputPlace(int index) => _outputPlaces[index];

    /// <summary>
    /// The step that makes an output whose shape is known only then, and which of the step's outputs that is; null for all others.
    /// </summary>
    internal (int Step, int Output)? OpenOutput(int index) => _openOutputs[index];

    private static (int Step, int Output)? OpenOutput(Value output, Node[] nodes) => output.Type.HasOpenShape
        ? (Array.IndexOf(nodes, output.Producer!), Array.IndexOf([.. output.Producer!.Outputs], output))
        : null;

    private static Step Prepare(Node node)
    {
        try
        {
            return node.Operator.Prepare(node);
        }
        catch (Exception e) when (e is ArgumentException or OverflowException or InvalidOperationException
            or InvalidCastException or OutOfMemoryException or NetworkException)
        {
            throw new NetworkException($"In node '{node.Name}' ({node.Operator.Kind}): {e.Message}", e);
        }
    }

    private void CheckLimit(long limit, string name)
    {
        if (ScratchBytes > limit || ActivationBytes > limit - ScratchBytes)
        {
            throw new NetworkException(
                $"Network '{name}' needs {ActivationBytes} bytes for what flows between its operators "
                + $"and {ScratchBytes} of working memory, more than the limit of {limit}; "
                + "use a smaller batch or image, or raise MemoryLimit.");
        }
    }
}

/// <summary>What a run computes at one go: a node of the network, or several that were joined.</summary>
/// <param name="Name">The name of the node, of the first where several were joined.</param>
/// <param name="Kind">What it is called: <c>Conv2D</c>, <c>DepthwiseConv2D</c>.</param>
/// <param name="Cost">What running it costs.</param>
/// <param name="Output">The type of its first output.</param>
public sealed record CompiledStep(string Name, string Kind, OperatorCost Cost, TensorType Output);

/// <summary>How long a step of a run took.</summary>
/// <param name="Step">The step.</param>
/// <param name="Milliseconds">Its time in milliseconds.</param>
public readonly record struct StepTime(CompiledStep Step, double Milliseconds);
