using Google.Protobuf;
using SeparableConv.Networks.Formats.Onnx.Schema;
using AttributeType = SeparableConv.Networks.Formats.Onnx.Schema.AttributeProto.Types.AttributeType;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>
/// An ONNX graph that is being written. For each value of the network it knows the names of the ONNX tensors that hold its elements, in
/// the network's own layout, channels first, or both. The counterpart of <see cref="OnnxGraph"/>.
/// </summary>
internal sealed class OnnxOutput
{
    /// <summary>For each dimension of a channels-last image, the dimension of the channels-first image that it becomes.</summary>
    private static readonly int[] FirstAxes = [0, 2, 3, 1];

    private readonly Dictionary<Value, string> _asIs = [];
    private readonly Dictionary<Value, string> _first = [];
    private readonly Dictionary<(Value, string), string> _forms = [];
    private readonly HashSet<string> _names = [];
    private readonly HashSet<string> _kept = [];
    private readonly Dictionary<string, int> _counts = [];
    private long _bytes;

    public GraphProto Graph { get; } = new();

    /// <summary>Keeps a name for an input or output.</summary>
    public void Reserve(string name) => _names.Add(name);

    /// <summary>Keeps a name for a stored tensor: no node before it takes the name.</summary>
    public void ReserveStored(string name)
    {
        if (_names.Add(name))
            _kept.Add(name);
    }

    /// <summary>A name that nothing has yet.</summary>
    public string Unique(string name)
    {
        var unique = name;
        while (!_names.Add(unique))
            unique = $"{name}_{_counts[name] = _counts.GetValueOrDefault(name) + 1}";
        return unique;
    }

    /// <summary>Adds a node of one output.</summary>
    /// <param name="type">ONNX's name of the operator; with the domain in front where that is not ONNX's own.</param>
    /// <param name="output">The output's name, made unique.</param>
    /// <param name="inputs">The inputs' names; empty for one that is left out.</param>
    /// <param name="attributes">Its attributes.</param>
    /// <returns>The output's name.</returns>
    public string Node(string type, string output, ReadOnlySpan<string> inputs, params ReadOnlySpan<AttributeProto> attributes) =>
        Node(type, output, inputs, 1, attributes)[0];

    /// <summary>Adds a node.</summary>
    public string[] Node(
        string type, string output, ReadOnlySpan<string> inputs, int outputs, params ReadOnlySpan<AttributeProto> attributes)
    {
        var names = new string[outputs];
        for (var i = 0; i < outputs; i++)
            names[i] = Unique(i == 0 ? output : $"{output}_{i}");
        var node = OnnxOperators.Named(type);
        node.Name = names[0];
        foreach (var input in inputs)
            node.Input.Add(input);
        while (node.Input.Count > 0 && node.Input[^1].Length == 0)
            node.Input.RemoveAt(node.Input.Count - 1);
        node.Output.Add(names);
        foreach (var attribute in attributes)
            node.Attribute.Add(attribute);
        Graph.Node.Add(node);
        return names;
    }

    /// <summary>Adds a constant.</summary>
    public string Constant<T>(string name, T[] values, params ReadOnlySpan<int> shape)
        where T : unmanaged => Constant(name, TensorData.Create(values, shape));

    /// <summary>Adds a constant.</summary>
    public string Constant(string name, TensorData data)
    {
        // What is written goes through lengths of 32 bits; the format itself ends at 2 GB.
        _bytes += data.Type.Bytes;
        if (_bytes > int.MaxValue - (1 << 20))
            throw new NetworkException($"The network's constants take {_bytes} bytes and more; an ONNX file holds 2 GB at most.");
        name = _kept.Remove(name) ? name : Unique(name);
        Graph.Initializer.Add(OnnxTensors.Write(name, data));
        return name;
    }

    /// <summary>
    /// A stored value in the form that some operators want, written once. The first form has the value's name, so that parameters keep
    /// theirs; others have a number behind it.
    /// </summary>
    public string Form(Value value, string form, Func<TensorData> make) =>
        _forms.TryGetValue((value, form), out var name) ? name : _forms[(value, form)] = Constant(value.Name, make());

    /// <summary>Notes that a tensor holds a value in the network's own layout.</summary>
    public void SetAsIs(Value value, string name) => _asIs[value] = name;

    /// <summary>Notes that a tensor holds an image channels first.</summary>
    public void SetFirst(Value value, string name) => _first[value] = name;

    /// <summary>Notes a tensor in either layout.</summary>
    public void Set(Value value, string name, bool first)
    {
        if (first)
            SetFirst(value, name);
        else
            SetAsIs(value, name);
    }

    public bool HasAsIs(Value value) => value.IsConstant || _asIs.ContainsKey(value) || Operators.DequantizedConstant.Is(value);

    public bool HasFirst(Value value) => value.IsConstant || _first.ContainsKey(value);

    /// <summary>The tensor that holds a value in the network's own layout; written where there is none yet.</summary>
    public string AsIs(Value value)
    {
        if (_asIs.TryGetValue(value, out var name))
            return name;
        if (value.Constant is { } data)
            return _asIs[value] = Constant(value.Name, data);
        if (Operators.DequantizedConstant.Is(value))
        {
            OnnxOperators.Write(this, value.Producer!);
            return _asIs[value];
        }

        return _asIs[value] = Node("Transpose", $"{value.Name}/nhwc", [_first[value]], ListAttribute("perm", 0, 2, 3, 1));
    }

    /// <summary>The tensor of a node's input in the network's own layout; an empty name where the input is left out.</summary>
    public string OptionalAsIs(Node node, int index) => node.Inputs.Count > index && node.Inputs[index] is { } input ? AsIs(input) : "";

    /// <summary>The tensor that holds an image channels first; written where there is none yet.</summary>
    public string First(Value value)
    {
        if (_first.TryGetValue(value, out var name))
            return name;
        if (value.Constant is { } data)
            return _first[value] = Form(value, "channels first", () => Transposed(data, 0, 3, 1, 2));
        return _first[value] = Node("Transpose", $"{value.Name}/nchw", [AsIs(value)], ListAttribute("perm", 0, 3, 1, 2));
    }

    /// <summary>The tensor in the layout asked for.</summary>
    public string InLayout(Value value, bool first) => first ? First(value) : AsIs(value);

    /// <summary>Whether a node with these inputs is written channels first, because fewer numbers have to be transposed then.</summary>
    public bool PrefersFirst(params ReadOnlySpan<Value?> values)
    {
        var (toFirst, toAsIs, anyFirst) = (0L, 0L, false);
        foreach (var value in values)
        {
            if (value is null || value.IsConstant)
                continue;
            if (value.Shape.Rank != 4)
                return false;
            anyFirst |= HasFirst(value);
            toFirst += HasFirst(value) ? 0 : value.Shape.ElementCount;
            toAsIs += HasAsIs(value) ? 0 : value.Shape.ElementCount;
        }

        return anyFirst && toFirst <= toAsIs;
    }

    /// <summary>
    /// Writes a node of one input that computes the same in either layout, <paramref name="write"/> being given the input's name, and
    /// notes the output.
    /// </summary>
    public void Elementwise(Node node, Func<string, string> write)
    {
        var first = PrefersFirst(node.Inputs[0]);
        Set(node.Outputs[0], write(InLayout(node.Inputs[0]!, first)), first);
    }

    /// <summary>
    /// Writes a node whose inputs broadcast, and notes the output. It is written channels first where the images are, and all
    /// other inputs are constants, which can be rearranged.
    /// </summary>
    public void Broadcast(Node node, Func<string[], string> write, Activation? activation = null)
    {
        var images = node.Inputs.Where(input => input!.Shape.Rank == 4 && !input.IsConstant).ToArray();
        var others = node.Inputs.Where(input => input!.Shape.Rank != 4 || input.IsConstant);
        var first = images.Length > 0 && PrefersFirst(images) && others.All(input => input!.IsConstant && input.Shape.Rank <= 4);
        var names = new string[node.Inputs.Count];
        for (var i = 0; i < names.Length; i++)
            names[i] = first ? Widened(node.Inputs[i]!) : AsIs(node.Inputs[i]!);
        var y = write(names);
        if (activation is not null)
            y = ActivationOperators.Append(this, activation, y, $"{node.Name}/activation", node.Outputs[0].Shape.Rank, first);
        Set(node.Outputs[0], y, first);
    }

    /// <summary>An axis of a value, counted from the front, in the layout that its tensor is in.</summary>
    public static int Axis(int axis, Value x, bool first)
    {
        axis += axis < 0 ? x.Shape.Rank : 0;
        return first ? FirstAxis(axis) : axis;
    }

    /// <summary>The dimension of a channels-first image that a dimension of the network's image is.</summary>
    public static int FirstAxis(int axis) => FirstAxes[axis];

    /// <summary>One number for each dimension, rearranged for channels first.</summary>
    public static int[] ToFirst(ReadOnlySpan<int> perAxis) => [perAxis[0], perAxis[3], perAxis[1], perAxis[2]];

    /// <summary>A constant with its dimensions in another order.</summary>
    public static TensorData Transposed(TensorData data, params int[] permutation) =>
        Operators.Evaluator.Run(new Operators.TransposeOperator(permutation), data)[0];

    /// <summary>A constant in another shape.</summary>
    public static TensorData Reshaped(TensorData data, params ReadOnlySpan<int> shape) =>
        new(data.Type with { Shape = new TensorShape(shape), Quantization = null }, data.Values);

    public static AttributeProto Attribute(string name, long number) => new() { Name = name, I = number, Type = AttributeType.Int };

    public static AttributeProto Attribute(string name, float number) => new() { Name = name, F = number, Type = AttributeType.Float };

    public static AttributeProto Attribute(string name, string text) =>
        new() { Name = name, S = ByteString.CopyFromUtf8(text), Type = AttributeType.String };

    public static AttributeProto ListAttribute(string name, params ReadOnlySpan<int> numbers)
    {
        var attribute = new AttributeProto { Name = name, Type = AttributeType.Ints };
        foreach (var number in numbers)
            attribute.Ints.Add(number);
        return attribute;
    }

    /// <summary>Adds a constant of int8 or uint8.</summary>
    public string Bytes(string name, ReadOnlySpan<int> numbers, ElementType element, TensorShape shape)
    {
        var data = TensorData.CreateZeros(new(element, shape));
        for (var i = 0; i < numbers.Length; i++)
            data.Bytes[i] = (byte)numbers[i];
        return Constant(name, data);
    }

    /// <summary>Adds a constant of int64, ONNX's type of shapes and axes.</summary>
    public string Numbers(string name, ReadOnlySpan<int> numbers)
    {
        var longs = new long[numbers.Length];
        for (var i = 0; i < longs.Length; i++)
            longs[i] = numbers[i];
        return Constant(name, longs, longs.Length);
    }

    private string Widened(Value value)
    {
        if (value.Constant is not { } data || value.Shape.ElementCount == 1)
            return value.Constant is not null ? AsIs(value) : First(value);
        return Form(value, "broadcast", () =>
        {
            var lengths = new int[4];
            lengths.AsSpan().Fill(1);
            value.Shape.Lengths.CopyTo(lengths.AsSpan(4 - value.Shape.Rank));
            var first = Transposed(Reshaped(data, lengths), 0, 3, 1, 2);

            // Dimensions of length 1 in front are as many as there were in the file; else only the batch is left out.
            var wanted = value.Origin is { } origin
                ? origin.Shape.Lengths
                : first.Type.Shape.Lengths[(4 - Math.Max(3, value.Shape.Rank))..];
            return wanted.TrimStart(1).SequenceEqual(first.Type.Shape.Lengths.TrimStart(1)) ? Reshaped(first, wanted) : first;
        });
    }
}
