namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>
/// A network that is being made from an ONNX graph. It keeps the values that were made so far, each in ONNX's layout, channels last, or
/// both, and adds nodes. An operator whose inputs are all constant is computed at once and becomes a constant.
/// </summary>
/// <param name="graph">What the nodes are added to.</param>
/// <param name="budget">Limits what is computed at once.</param>
/// <param name="initializer">The stored tensor of a name; null where there is none.</param>
/// <param name="runThreads">
/// The threads of a run, where the graph is read to be run (<see cref="OnnxRunTimeGraph"/>): all of it is computed at once then. 0 where
/// a network is made of it.
/// </param>
internal sealed class OnnxGraph(GraphBuilder graph, FoldBudget budget, Func<string, TensorData?> initializer, int runThreads = 0)
{
    private readonly Dictionary<string, OnnxValue> _values = [];
    private readonly Dictionary<(OnnxValue, string), Value> _forms = [];
    private readonly Dictionary<string, Func<Value>> _later = [];

    /// <summary>The version of ONNX's operators that the node is written in that is being read.</summary>
    public int Opset { get; set; }

    /// <summary>The network's nodes so far.</summary>
    public IReadOnlyList<Node> Nodes => graph.Nodes;

    /// <summary>Bytes that may still be computed from constants.</summary>
    public long RemainingBytes => budget.RemainingBytes;

    /// <summary>The value of that name; an initializer is read when it is first asked for.</summary>
    public OnnxValue? Find(string name)
    {
        if (_values.TryGetValue(name, out var known))
            return known;
        if (_later.Remove(name, out var make))
            return _values[name] = OnnxValue.First(name, make());
        if (initializer(name) is not { } data)
            return null;
        return _values[name] = OnnxValue.First(name, graph.Constant(OneLine.Clean(name), OnnxHalves.Widened(data)));
    }

    /// <summary>A node's input, which must be there.</summary>
    public OnnxValue Input(OnnxNode node, int index) => OptionalInput(node, index)
        ?? throw node.Error($"input {index} is missing; the node has {node.InputCount}");

    /// <summary>All of a node's inputs; there is at least one.</summary>
    public OnnxValue[] Inputs(OnnxNode node)
    {
        var inputs = new OnnxValue[node.InputCount];
        for (var i = 0; i < inputs.Length; i++)
            inputs[i] = Input(node, i);
        return inputs.Length > 0 ? inputs : throw node.Error("there is no input; expected at least one");
    }

    /// <summary>A node's first input, which must be an image (N, C, height, width) or a row (N, C, length).</summary>
    public OnnxValue Image(OnnxNode node)
    {
        var x = Input(node, 0);
        return ImageLayout.IsImage(x.Rank) ? x : throw node.Error(
            x.Rank == 5 ? $"the input {x.Shape} is a volume; three spatial axes are not supported, one and two are"
                : $"the input {x.Shape} has {x.Rank} dimensions; expected (N, C, height, width) or (N, C, length)");
    }

    /// <summary>A node's input, or null where it is left out.</summary>
    public OnnxValue? OptionalInput(OnnxNode node, int index)
    {
        if (!node.HasInput(index))
            return null;
        return node.Value(index) ?? Find(node.Inputs[index])
            ?? throw node.Error(
                $"input '{OneLine.Of(node.Inputs[index])}' is computed by no node before it, and is neither input nor initializer");
    }

    /// <summary>The numbers of an input that must be known when the model is loaded; null where the input is left out.</summary>
    /// <exception cref="OnnxRunTimeException">They are known only in a run.</exception>
    public TensorData? OptionalConstant(OnnxNode node, int index, string what)
    {
        if (OptionalInput(node, index) is not { } value)
            return null;
        return value.IsConstant
            ? Original(value).Constant
            : throw new OnnxRunTimeException(
                $"the {what} '{OneLine.Of(value.Name)}' depends on what the model is given when it runs");
    }

    /// <summary>The numbers of an input that must be known when the model is loaded.</summary>
    /// <exception cref="OnnxRunTimeException">They are known only in a run.</exception>
    public TensorData Constant(OnnxNode node, int index, string what) => OptionalConstant(node, index, what)
        ?? throw node.Error($"input {index}, the {what}, is missing");

    /// <summary>Adds a graph's input, or the constant that stands for it.</summary>
    public void Define(OnnxValue value)
    {
        if (!_values.TryAdd(value.Name, value))
            throw new NetworkException($"Two values are called '{OneLine.Of(value.Name)}'; names must differ.");
    }

    /// <summary>Makes a node's first output another name of a value that is there already.</summary>
    public void Alias(OnnxNode node, OnnxValue value)
    {
        if (node.HasOutput(0) && !node.Take(0, value) && !_values.TryAdd(node.Outputs[0], value))
            throw node.Error($"there is another value '{OneLine.Of(node.Outputs[0])}'; names must differ");
    }

    /// <summary>Sets a node's output.</summary>
    public void Output(OnnxNode node, int index, Func<string, OnnxValue> value)
    {
        if (!node.HasOutput(index))
            return;
        var output = value(node.Outputs[index]);
        if (!node.Take(index, output))
            Define(output);
    }

    /// <summary>Sets a node's output that is in ONNX's layout.</summary>
    public void Output(OnnxNode node, int index, Value original) => Output(node, index, name => OnnxValue.First(name, original));

    /// <summary>
    /// Sets an output that hardly anybody reads: <paramref name="make"/> makes it in ONNX's layout, or says why there is none, when the
    /// first node asks for it.
    /// </summary>
    public void OutputLater(OnnxNode node, int index, Func<Value> make)
    {
        if (node.HasOutput(index) && !_later.TryAdd(node.Outputs[index], make))
            throw node.Error($"there is another value '{OneLine.Of(node.Outputs[index])}'; names must differ");
    }

    /// <summary>Whether a value is there already, and not only as what can be made.</summary>
    public bool IsMade(string name) => _values.ContainsKey(name);

    /// <summary>Sets a node's output, an image or row with channels last.</summary>
    public void OutputLast(OnnxNode node, int index, Value channelsLast, int rank) =>
        Output(node, index, name => OnnxValue.Last(name, channelsLast, rank));

    /// <summary>Sets a node's output in either layout.</summary>
    public void Output(OnnxNode node, int index, Value value, bool last, int rank)
    {
        if (last)
            OutputLast(node, index, value, rank);
        else
            Output(node, index, value);
    }

    /// <summary>The value in ONNX's layout.</summary>
    public Value Original(OnnxValue value)
    {
        if (value.Original is { } original)
            return original;
        if (value.ChannelsLast is null && value.Dequantized is { } source)
            return value.Original = Emit(value.Name, new DequantizeLinearOperator(source.Axis), source.Inputs(source.Numbers));
        var last = value.ChannelsLast!;
        return value.Original = value.Rank == 4
            ? Transpose($"{value.Name}/nchw", last, 0, 3, 1, 2)
            : Reshape($"{value.Name}/ncl", Transpose($"{value.Name}/nc1l", last, 0, 3, 1, 2), value.Shape);
    }

    /// <summary>An image or row, channels last: (N, H, W, C), a row with height 1.</summary>
    public Value ChannelsLast(OnnxValue value)
    {
        if (value.ChannelsLast is { } last)
            return last;
        var (shape, original) = (value.Shape, Original(value));
        var image = value.Rank == 4 ? original : Reshape($"{value.Name}/nc1l", original, new TensorShape(shape[0], shape[1], 1, shape[2]));
        return value.ChannelsLast = Transpose($"{value.Name}/nhwc", image, 0, 2, 3, 1);
    }

    /// <summary>A tensor of the file that is an image (N, H, W, C) or row (N, L, C) already, as that image or row.</summary>
    public OnnxValue FromLast(OnnxValue value)
    {
        var (shape, last) = (value.Shape, Original(value));
        if (value.Rank == 3)
            last = Reshape($"{value.Name}/n1lc", last, new TensorShape(shape[0], 1, shape[1], shape[2]));
        return OnnxValue.Last(value.Name, last, value.Rank);
    }

    /// <summary>The opposite of <see cref="FromLast"/>.</summary>
    public Value ToLast(OnnxValue value)
    {
        var (shape, last) = (value.Shape, ChannelsLast(value));
        return value.Rank == 4 ? last : Reshape($"{value.Name}/nlc", last, new TensorShape(shape[0], shape[2], shape[1]));
    }

    /// <summary>
    /// A value in a form that some layers read, made once: layers that share weights in the file share them in the network.
    /// </summary>
    public Value Form(OnnxValue value, string form, Func<Value> make) =>
        _forms.TryGetValue((value, form), out var known) ? known : _forms[(value, form)] = make();

    /// <summary>
    /// Whether a node with these inputs is computed channels last, because fewer numbers have to be transposed then. An image that is
    /// there in both layouts is taken channels last, as convolutions want it.
    /// </summary>
    public static bool PrefersLast(params ReadOnlySpan<OnnxValue> values)
    {
        long toLast = 0;
        long toFirst = 0;
        var anyLast = false;
        foreach (var value in values)
        {
            anyLast |= value.ChannelsLast is not null && !value.IsConstant;
            if (value.IsConstant)
                continue;
            toLast += value.ChannelsLast is null ? value.Shape.ElementCount : 0;
            toFirst += value.Original is null ? value.Shape.ElementCount : 0;
        }

        return anyLast && toLast <= toFirst;
    }

    /// <summary>The value in the layout asked for.</summary>
    public Value InLayout(OnnxValue value, bool last) => last ? ChannelsLast(value) : Original(value);

    /// <summary>The inputs of an element-wise node with broadcasting, all laid out alike, and whether that is channels last.</summary>
    public (Value[] Values, bool Last, int Rank) Aligned(params ReadOnlySpan<OnnxValue> inputs)
    {
        var rank = 0;
        foreach (var input in inputs)
            rank = Math.Max(rank, input.Rank);
        var last = ImageLayout.IsImage(rank) && PrefersLast(inputs);
        var values = new Value[inputs.Length];
        for (var i = 0; i < values.Length; i++)
            values[i] = last ? Widened(inputs[i], rank) : Original(inputs[i]);
        return (values, last, rank);
    }

    /// <summary>
    /// Adds a node of one input that computes the same in either layout, <paramref name="emit"/> being given the node's name and the
    /// input, and sets the node's output.
    /// </summary>
    public void Elementwise(OnnxNode node, Func<string, Value, Value> emit)
    {
        var x = Input(node, 0);
        var last = PrefersLast(x);
        Output(node, 0, emit(node.Name, InLayout(x, last)), last, x.Rank);
    }

    /// <summary>Adds an element-wise operator whose inputs are broadcast, and sets the node's output.</summary>
    public void Broadcast(OnnxNode node, Operator op, params ReadOnlySpan<OnnxValue> inputs)
    {
        var (values, last, rank) = Aligned(inputs);
        Output(node, 0, Emit(node.Name, op, values), last, rank);
    }

    /// <summary>Transposes a tensor. Where the elements stay in their order, it is only reshaped, or left as it is.</summary>
    public Value Transpose(string name, Value x, params ReadOnlySpan<int> permutation)
    {
        var (lengths, moves, previous) = (new int[permutation.Length], false, -1);
        for (var i = 0; i < lengths.Length; i++)
        {
            lengths[i] = x.Shape[permutation[i]];
            if (lengths[i] == 1)
                continue;
            moves |= permutation[i] < previous;
            previous = permutation[i];
        }

        return moves && x.Shape.ElementCount > 1
            ? Emit(name, new TransposeOperator(permutation.ToArray()), x)
            : Reshape(name, x, new TensorShape(lengths));
    }

    /// <summary>The same elements in another shape.</summary>
    public Value Reshape(string name, Value x, TensorShape shape)
    {
        // Of several in a row only the last matters.
        while (x.Producer is { Operator: ReshapeOperator } producer)
            x = producer.Inputs[0]!;
        return x.Shape == shape ? x : Emit(name, new ReshapeOperator(shape), x);
    }

    /// <summary>A constant made here.</summary>
    public Value Constant<T>(string name, T[] values, params ReadOnlySpan<int> shape)
        where T : unmanaged => graph.Constant(OneLine.Clean(name), TensorData.Create(values, shape));

    /// <summary>A constant made here.</summary>
    public Value Constant(string name, TensorData data)
    {
        Spend(name, "Constant", () => budget.Spend(data.Type.Bytes));
        return graph.Constant(OneLine.Clean(name), OnnxHalves.Widened(data));
    }

    /// <summary>Takes operations that a node's reader does itself from the budget.</summary>
    /// <exception cref="NetworkException">The budget is spent.</exception>
    public void Spend(OnnxNode node, long operations) => Spend(node.Name, node.Type, () => budget.SpendMacs(operations));

    /// <summary>
    /// Adds a node that dequantizes a constant when the network runs, so that layers that can use the bytes find them. For all other
    /// layers the constant becomes floats when the network is compiled.
    /// </summary>
    public Value Dequantize(string name, OnnxDequantized source, Value numbers, int axis)
    {
        var op = new DequantizeLinearOperator(source.IsPerTensor ? 0 : axis);
        return runThreads > 0 ? Emit(name, op, source.Inputs(numbers)) : graph.Add(OneLine.Clean(name), op, source.Inputs(numbers));
    }

    /// <summary>Adds a node with one output; a constant where its inputs are constant.</summary>
    public Value Emit(string name, Operator op, params ReadOnlySpan<Value?> inputs) => EmitAll(name, op, inputs)[0];

    /// <summary>Adds a node; its outputs are constants where its inputs are.</summary>
    public IReadOnlyList<Value> EmitAll(string name, Operator op, params ReadOnlySpan<Value?> inputs)
    {
        name = OneLine.Clean(name);
        foreach (var input in inputs)
        {
            if (input is { IsConstant: false })
                return graph.AddNode(name, op, inputs).Outputs;
        }

        return Fold(name, op, inputs);
    }

    private Value[] Fold(string name, Operator op, ReadOnlySpan<Value?> inputs)
    {
        var constants = new TensorData?[inputs.Length];
        var types = new TensorType?[inputs.Length];
        for (var i = 0; i < constants.Length; i++)
        {
            constants[i] = inputs[i]?.Constant;
            types[i] = inputs[i]?.Type;
        }

        var given = inputs.ToArray();
        TensorData[] results = [];
        Spend(name, op.Kind, () =>
        {
            budget.Spend(op, given, op.Infer(types));
            results = Evaluator.Run(op, Math.Max(1, runThreads), constants);
        });
        return op is TransposeOperator or ReshapeOperator or CastOperator
            ? [graph.Constant(name, results[0], given[0]!, op)]
            : Array.ConvertAll(results, result => graph.Constant(name, result));
    }

    // What an operator says of its inputs becomes what is said of the node.
    private static void Spend(string name, string kind, Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is ArgumentException or OverflowException or DivideByZeroException)
        {
            throw new NetworkException($"In node '{OneLine.Of(name)}' ({kind}): {e.Message}", e);
        }
    }

    private Value Widened(OnnxValue value, int rank)
    {
        if (value.Rank == rank)
            return ChannelsLast(value);
        if (value.Shape.ElementCount == 1)
            return Reshape($"{value.Name}/scalar", Original(value), new TensorShape(1));
        var lengths = new int[rank];
        lengths.AsSpan().Fill(1);
        value.Shape.Lengths.CopyTo(lengths.AsSpan(rank - value.Rank));
        return ChannelsLast(OnnxValue.First(value.Name, Reshape($"{value.Name}/broadcast", Original(value), new TensorShape(lengths))));
    }
}
