using System.Globalization;
using System.Runtime.InteropServices;

namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>
/// Makes a network of a TensorFlow Lite graph. It keeps a value for each tensor and gives the operators' readers what they need. Operators
/// whose inputs are all constant are computed at once and become constants.
/// </summary>
internal sealed class TFLiteImporter
{
    private const long FreeFoldedBytes = 16 << 20;
    private const int FoldedBytesPerFileByte = 16;
    private const int KindsNamed = 20;
    private const int PlacesNamed = 4;
    private const int MostDepth = 8;
    private const int MostNodes = 10_000;
    private const int NodesPerNode = 4;
    private readonly TFLiteModel _model;
    private readonly TFLiteReadOptions _options;
    private readonly GraphBuilder _graph = new();
    private readonly TFLiteVariables _variables;
    private TFLiteGraph _tables;
    private Value?[] _values;
    private int _depth;
    private int _nodesLeft;
    private readonly Dictionary<(Value Value, string Form), Value> _forms = [];
    private long _foldBudget;
    private BatchChange? _batch;

    public TFLiteImporter(TFLiteModel model, long fileBytes, TFLiteReadOptions options)
    {
        (_model, _options) = (model, options);
        _tables = model.Main;
        _values = new Value?[_tables.Tensors.Length];
        _variables = new TFLiteVariables(_graph);
        _nodesLeft = MostNodes + (NodesPerNode * _tables.Nodes.Length);
        _foldBudget = FreeFoldedBytes + (FoldedBytesPerFileByte * fileBytes);
    }

    /// <summary>Makes the network.</summary>
    /// <exception cref="NetworkException">Something in the model is damaged or not supported.</exception>
    public Network Import()
    {
        RefuseUnsupported();
        foreach (var name in _options.Shapes.Keys)
        {
            if (!Array.Exists(_tables.Inputs, index => _tables.Tensors[index].Name == name))
            {
                throw new NetworkException(
                    $"A shape is given for '{name}', which is no input; "
                    + $"inputs are {string.Join(", ", _tables.Inputs.Take(KindsNamed).Select(i => $"'{_tables.Tensors[i].Name}'"))}.");
            }
        }

        foreach (var index in _tables.Inputs)
            AddInput(_tables.Tensors[index]);
        foreach (var node in _tables.Nodes)
            Import(node);

        if (_tables.Outputs.Length == 0)
            throw new NetworkException("The TensorFlow Lite graph has no outputs; it must have one at least.");
        // Outputs are known by the file's names, whatever else has them.
        var outputs = Outputs();
        var named = _tables.Outputs.Select((index, i) => (Value: outputs[i], Name: _tables.Tensors[index].Name))
            .Where(output => output.Value.Producer is not null && output.Name.Length > 0)
            .DistinctBy(output => output.Name).DistinctBy(output => output.Value);
        _graph.Rename([.. named.Where(output => output.Value.Name != output.Name)]);
        var network = _graph.BuildWithParameters(_tables.Name, outputs, _variables.States());
        return _batch is null ? network : _batch.Of(network);
    }

    /// <summary>What the reader was asked for.</summary>
    public TFLiteReadOptions Options => _options;

    /// <summary>The network's nodes so far.</summary>
    public IReadOnlyList<Node> Nodes => _graph.Nodes;

    /// <summary>The network's variables, as the operators so far have left them.</summary>
    public TFLiteVariables Variables => _variables;

    /// <summary>The tensor behind an operator's input, whether there is a value for it or not.</summary>
    public TFLiteTensor InputTensor(TFLiteNode node, int index) => index < node.Inputs.Length && node.Inputs[index] >= 0
        ? _tables.Tensors[node.Inputs[index]]
        : throw new NetworkException($"In {node}: input {index} is missing.");

    /// <summary>What another graph of the file computes of some values, put in here: a branch, or what is run once.</summary>
    /// <exception cref="NetworkException">It needs other values, or graphs are nested too deep.</exception>
    public Value[] Inline(TFLiteNode node, int index, ReadOnlySpan<Value> inputs)
    {
        var graph = _model.Graph(index);
        if (inputs.Length != graph.Inputs.Length)
            throw Refused(node, $"graph {index} '{graph.Name}' has {graph.Inputs.Length} inputs, but {inputs.Length} are given.");
        if (_depth == MostDepth)
            throw Refused(node, $"graphs are nested more than {MostDepth} deep.");
        var (tables, values) = (_tables, _values);
        (_tables, _values, _depth) = (graph, new Value?[graph.Tensors.Length], _depth + 1);
        try
        {
            for (var i = 0; i < inputs.Length; i++)
                _values[graph.Inputs[i]] = inputs[i];
            foreach (var inner in graph.Nodes)
            {
                if (TFLiteOperators.Find(inner) is null)
                    throw Refused(node, $"graph {index} '{graph.Name}' uses {inner}, which is not supported.");
                Import(inner);
            }

            return Outputs();
        }
        finally
        {
            (_tables, _values, _depth) = (tables, values, _depth - 1);
        }
    }

    /// <summary>An input that must be there.</summary>
    public Value Input(TFLiteNode node, int index) => Optional(node, index)
        ?? throw new NetworkException($"In {node}: input {index} is missing.");

    /// <summary>An input; null where it is not there.</summary>
    public Value? Optional(TFLiteNode node, int index)
    {
        if (index >= node.Inputs.Length || node.Inputs[index] < 0)
            return null;
        var tensor = _tables.Tensors[node.Inputs[index]];
        return Stored(tensor) ?? throw new NetworkException(
            $"In {node}: tensor {tensor.Index} '{tensor.Name}' has no numbers in the file and is computed by no operator before.");
    }

    /// <summary>An input that must be there and must not be quantized, in bytes or 16 bits.</summary>
    public Value Numbers(TFLiteNode node, int index)
    {
        var value = Input(node, index);
        return value.Type is { Quantization: not null } && (value.Type.Element.IsByte() || value.Type.Element == ElementType.Int16)
            ? throw Refused(
                node, $"input {index} is {value.Type}; TensorFlow Lite has no quantized form of this operator: keep it in float.")
            : value;
    }

    /// <summary>The numbers of an input that decides on shapes, and so must be a constant.</summary>
    public int[] Integers(TFLiteNode node, int index, string what)
    {
        var value = Input(node, index);
        switch (value.Constant?.Values)
        {
            case int[] numbers:
                return numbers;
            case long[] numbers:
                return Array.ConvertAll(numbers, number => (int)Math.Clamp(number, int.MinValue, int.MaxValue));
            case null:
                throw new NetworkException(
                    $"In {node}: the {what} (input {index}, '{value.Name}') is no constant; it must be known when the model is loaded.");
            default:
                throw new NetworkException(
                    $"In {node}: the {what} (input {index}, '{value.Name}') is {value.Type}; expected int32 or int64.");
        }
    }

    /// <summary>The one number of an input that decides on shapes.</summary>
    public int Integer(TFLiteNode node, int index, string what) => Integers(node, index, what) is [var number]
        ? number
        : throw new NetworkException($"In {node}: the {what} (input {index}) must be one number.");

    /// <summary>What the file says of an output.</summary>
    public TFLiteTensor OutputTensor(TFLiteNode node, int index = 0) => index < node.Outputs.Length
        ? _tables.Tensors[node.Outputs[index]]
        : throw new NetworkException($"In {node}: output {index} is missing.");

    /// <summary>The quantization of an output, which must have one.</summary>
    public Quantization OutputQuantization(TFLiteNode node) => OutputTensor(node).ReadQuantization()
        ?? throw new NetworkException(
            $"In {node}: the output '{OutputTensor(node).Name}' has no scale and zero point; quantized arithmetic needs them.");

    /// <summary>A constant.</summary>
    public Value Constant<T>(TFLiteNode node, T[] values, params ReadOnlySpan<int> shape)
        where T : unmanaged => Constant(node, TensorData.Create(values, shape));

    /// <summary>A constant.</summary>
    public Value Constant(TFLiteNode node, TensorData data) => _graph.Constant(NameOf(OutputTensor(node)) + "/constant", data);

    /// <summary>A constant in another shape, its scales as they are.</summary>
    public Value Reshaped(Value value, TensorData data, TensorShape shape) =>
        _graph.Constant(value.Name, new TensorData(data.Type with { Shape = shape }, data.Values), value, new ReshapeOperator(shape));

    /// <summary>The values that an operator computes: constants where its inputs are and it only moves or converts numbers.</summary>
    public IReadOnlyList<Value> EmitAll(TFLiteNode node, Operator op, params ReadOnlySpan<Value?> inputs)
    {
        var name = NameOf(OutputTensor(node));
        if (Fold(name, op, inputs) is { } folded)
            return folded;
        var outputs = _graph.AddNode(name, op, inputs).Outputs;
        foreach (var output in outputs)
            CheckSize(output.Name, output.Type);
        return outputs;
    }

    /// <summary>The value that an operator with one output computes.</summary>
    public Value Emit(TFLiteNode node, Operator op, params ReadOnlySpan<Value?> inputs) => EmitAll(node, op, inputs)[0];

    /// <summary>A value in another form, made once for each value.</summary>
    public Value Form(Value value, string form, Func<Value, Value> make) =>
        _forms.TryGetValue((value, form), out var known) ? known : _forms[(value, form)] = make(value);

    /// <summary>Sets the value of a node's output.</summary>
    public void Set(TFLiteNode node, Value value, int index = 0)
    {
        var tensor = OutputTensor(node, index);
        if (_values[tensor.Index] is not null)
            throw new NetworkException($"In {node}: tensor {tensor.Index} '{tensor.Name}' has been computed before, or is an input.");
        if (value.Type.Element != tensor.Element)
            throw new NetworkException($"In {node}: '{tensor.Name}' is said to be {tensor.TypeName}, but the result is {value.Type}.");

        // Operators that only move bytes keep the quantization; what the file says of the result counts.
        if ((value.Type.Element.IsByte() || value.Type.Element == ElementType.Int16)
            && tensor.ReadQuantization() is { } said && !IsSame(said, value.Type.Quantization))
            value = Emit(node, new QuantizationViewOperator(said), value);
        _values[tensor.Index] = value;
    }

    /// <summary>An error that says why an operator cannot be read.</summary>
    public static NetworkException Refused(TFLiteNode node, FormattableString why) =>
        new($"In {node}: {why.ToString(CultureInfo.InvariantCulture)}");

    private static bool IsSame(Quantization a, Quantization? b) =>
        b is not null
        && a.Scales.SequenceEqual(b.Scales)
        && a.ZeroPoints.SequenceEqual(b.ZeroPoints)
        && (a.IsPerTensor || a.Axis == b.Axis);

    private static string NameOf(TFLiteTensor tensor) => tensor.Name.Length > 0 ? tensor.Name : $"tensor_{tensor.Index}";

    // The value of a tensor, or the numbers that the file holds for it; null where there is neither.
    private Value? Stored(TFLiteTensor tensor)
    {
        if (_values[tensor.Index] is null && (_model.HasData(tensor) || tensor.Shape.Contains(0)))
            _values[tensor.Index] = _graph.Constant(NameOf(tensor), _model.ReadData(tensor));
        return _values[tensor.Index];
    }

    private Value[] Outputs() => Array.ConvertAll(_tables.Outputs, index => Stored(_tables.Tensors[index])
        ?? throw new NetworkException($"The output '{_tables.Tensors[index].Name}' (tensor {index}) is computed by no operator."));

    private void RefuseUnsupported()
    {
        var kinds = new Dictionary<string, List<int>>();
        foreach (var node in _tables.Nodes)
        {
            if (TFLiteOperators.Find(node) is not null)
                continue;
            ref var places = ref CollectionsMarshal.GetValueRefOrAddDefault(kinds, node.Kind, out _);
            (places ??= []).Add(node.Index);
        }

        if (kinds.Count == 0)
            return;
        var named = kinds.Take(KindsNamed).Select(kind =>
        {
            var others = kind.Value.Count > PlacesNamed ? $" and {kind.Value.Count - PlacesNamed} more" : "";
            return $"{kind.Key} (operator {string.Join(", ", kind.Value.Take(PlacesNamed))}{others})";
        });
        var more = kinds.Count > KindsNamed ? $" and {kinds.Count - KindsNamed} more" : "";
        throw new NetworkException(
            $"The model uses {kinds.Count} {(kinds.Count == 1 ? "operator that is" : "operators that are")} not supported: "
            + $"{string.Join(", ", named)}{more}.");
    }

    private void AddInput(TFLiteTensor tensor)
    {
        if (_values[tensor.Index] is not null)
            throw new NetworkException($"Tensor {tensor.Index} '{tensor.Name}' is listed twice as an input.");
        if (tensor.Element is not { } element)
            throw new NetworkException($"The input '{tensor.Name}' has elements of {tensor.TypeName}, which are not supported.");
        try
        {
            var type = new TensorType(element, new TensorShape(Lengths(tensor)), tensor.ReadQuantization());
            CheckSize(tensor.Name, type);
            _values[tensor.Index] = _graph.Input(NameOf(tensor), type);
        }
        catch (ArgumentException e)
        {
            throw new NetworkException($"The input '{tensor.Name}': {e.Message}", e);
        }
    }

    // The caller's lengths, or else the file's.
    private int[] Lengths(TFLiteTensor tensor)
    {
        var open = tensor.OpenLengths();
        int[]? given = _options.Shapes.TryGetValue(tensor.Name, out var lengths) ? [.. lengths]
            : open.Contains(null) && _options.ShapeOf?.Invoke(new(tensor.Name, open)) is { } asked ? asked.Lengths.ToArray()
            : null;
        if (given is null)
            return tensor.Shape;
        if (given.Length != tensor.Shape.Length)
        {
            throw new NetworkException(
                $"The shape ({string.Join(',', given)}) is given for the input '{tensor.Name}', which has "
                + $"{tensor.Shape.Length} dimensions.");
        }

        // Where only a fixed batch is another, shapes within the file are of the old one: the network is changed when it is whole.
        if (given is not [> 0 and var batch, .. var rest] || open[0] is not > 0 || batch == open[0]
            || !rest.AsSpan().SequenceEqual(tensor.Shape.AsSpan(1)))
            return given;
        var change = new BatchChange(tensor.Shape[0], batch);
        _batch ??= change;
        return _batch == change ? tensor.Shape : given;
    }

    private void Import(TFLiteNode node)
    {
        if (--_nodesLeft < 0)
            throw new NetworkException($"In {node}: branches are put in so often that the network would be out of proportion to the file.");
        try
        {
            TFLiteOperators.Find(node)!(this, node);
        }
        catch (Exception e) when (e is ArgumentException or OverflowException)
        {
            throw new NetworkException($"In {node}: {e.Message}", e);
        }
    }

    private IReadOnlyList<Value>? Fold(string name, Operator op, ReadOnlySpan<Value?> inputs)
    {
        var (data, types, read) = (new TensorData?[inputs.Length], new TensorType?[inputs.Length], 0L);
        for (var i = 0; i < inputs.Length; i++)
        {
            if (inputs[i] is { IsConstant: false })
                return null;
            (data[i], types[i]) = (inputs[i]?.Constant, inputs[i]?.Type);
            read += types[i]?.Bytes ?? 0;
        }

        // What is large beside its constants is left to the run: the file may be made to ask for it.
        try
        {
            var cost = read + op.Infer(types).Sum(type => type.Bytes);
            if ((types.Length > 1 && types[1] is { } second && op.RoleOf(1, second) != InputRole.Data) || cost > _foldBudget)
                return null;
            _foldBudget -= cost;
            var results = Evaluator.Run(op, data);
            return op is TransposeOperator or ReshapeOperator or CastOperator or TFLiteDequantizeOperator
                ? [_graph.Constant(name, results[0], inputs[0]!, op)]
                : Array.ConvertAll(results, result => _graph.Constant(name, result));
        }
        catch (Exception e) when (e is ArgumentException or OverflowException)
        {
            throw new NetworkException($"In node '{name}' ({op.Kind}): {e.Message}", e);
        }
    }

    /// <summary>A type that is no larger than what may be read.</summary>
    /// <exception cref="NetworkException">It is.</exception>
    public TensorType Checked(string name, TensorType type)
    {
        CheckSize(name, type);
        return type;
    }

    private void CheckSize(string name, TensorType type)
    {
        if (type.Bytes > Math.Min(_options.MaxTensorBytes, int.MaxValue))
        {
            throw new NetworkException(
                $"'{name}' is {type}, {type.Bytes} bytes; at most {Math.Min(_options.MaxTensorBytes, int.MaxValue)} are read: "
                + $"{nameof(TFLiteReadOptions.MaxTensorBytes)} allows more.");
        }
    }
}
