using SeparableConv.Networks.Formats.Onnx.Schema;
using AttributeType = SeparableConv.Networks.Formats.Onnx.Schema.AttributeProto.Types.AttributeType;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>A node of the file. It notes which attributes are asked for, so that one that no reader knows is refused.</summary>
internal sealed class OnnxNode
{
    private readonly Dictionary<string, AttributeProto> _attributes = [];
    private readonly HashSet<string> _asked = [];
    private readonly NodeProto _proto;
    private readonly OnnxValue?[]? _values;

    public OnnxNode(NodeProto proto)
    {
        _proto = proto;
        Type = OnnxOperators.NameOf(proto);
        Name = OneLine.Clean(proto.Name.Length > 0 ? proto.Name : proto.Output.FirstOrDefault(output => output.Length > 0) ?? proto.OpType);
        foreach (var attribute in proto.Attribute)
        {
            if (!_attributes.TryAdd(attribute.Name, attribute))
                throw Error($"attribute '{OneLine.Of(attribute.Name)}' is there twice");
        }
    }

    private OnnxNode(OnnxNode whole, string type, OnnxValue?[] values)
    {
        (_proto, _attributes, _asked) = (whole._proto, whole._attributes, whole._asked);
        (Name, Type, _values) = (whole.Name, type, values);
    }

    /// <summary>Its own name, or its first output's where it has none.</summary>
    public string Name { get; }

    /// <summary>Its operator's name; with the domain in front where that is not ONNX's own.</summary>
    public string Type { get; }

    /// <summary>The first output of a part, once it was read; null for nodes of the file.</summary>
    public OnnxValue? Result { get; private set; }

    public IReadOnlyList<string> Inputs => _proto.Input;

    public int InputCount => _values?.Length ?? Inputs.Count;

    public IReadOnlyList<string> Outputs => _proto.Output;

    /// <summary>An error that names this node.</summary>
    public NetworkException Error(string message) =>
        new($"In node '{OneLine.Of(Name)}' ({OneLine.Of(OnnxOperators.NameOf(_proto))}): {OneLine.Short(message)}.");

    /// <summary>
    /// Another operator that this node contains, which is read with inputs of its own, and this node's name, attributes and outputs.
    /// </summary>
    public OnnxNode Part(string type, params OnnxValue?[] inputs) => new(this, type, inputs);

    /// <summary>An input of a part; null for nodes of the file, whose inputs are found by name.</summary>
    public OnnxValue? Value(int index) => _values is not null && index < _values.Length ? _values[index] : null;

    /// <summary>Takes a part's output; false for nodes of the file, whose outputs belong to the graph.</summary>
    public bool Take(int index, OnnxValue value)
    {
        if (_values is null)
            return false;
        Result = index == 0 ? value : Result;
        return true;
    }

    /// <summary>Whether an input is there.</summary>
    public bool HasInput(int index) =>
        _values is null ? index < Inputs.Count && Inputs[index].Length > 0 : index < _values.Length && _values[index] is not null;

    /// <summary>Whether an output is named.</summary>
    public bool HasOutput(int index) => index < Outputs.Count && Outputs[index].Length > 0;

    public bool Has(string attribute)
    {
        _asked.Add(attribute);
        return _attributes.ContainsKey(attribute);
    }

    /// <summary>Accepts attributes that change nothing here.</summary>
    public void Ignore(params ReadOnlySpan<string> attributes)
    {
        foreach (var attribute in attributes)
            _asked.Add(attribute);
    }

    public long Long(string attribute, long otherwise) => Find(attribute, AttributeType.Int, proto => proto.HasI)?.I ?? otherwise;

    public int Int(string attribute, int otherwise)
    {
        var number = Long(attribute, otherwise);
        return number is >= int.MinValue and <= int.MaxValue ? (int)number : throw Error(
            $"attribute '{attribute}' is {number}, which is out of range");
    }

    public bool Flag(string attribute, bool otherwise) => Long(attribute, otherwise ? 1 : 0) switch
    {
        0 => false,
        1 => true,
        var other => throw Error($"attribute '{attribute}' is {other}; expected 0 or 1"),
    };

    public float Float(string attribute, float otherwise) => Find(attribute, AttributeType.Float, proto => proto.HasF)?.F ?? otherwise;

    public string Text(string attribute, string otherwise) =>
        Find(attribute, AttributeType.String, proto => proto.HasS)?.S.ToStringUtf8() ?? otherwise;

    public TensorProto? Tensor(string attribute) => Find(attribute, AttributeType.Tensor, proto => proto.T is not null)?.T;

    public GraphProto? Graph(string attribute) => Find(attribute, AttributeType.Graph, proto => proto.G is not null)?.G;

    public IReadOnlyList<long>? Longs(string attribute) => Find(attribute, AttributeType.Ints, _ => true)?.Ints;

    public IReadOnlyList<float>? Floats(string attribute) => Find(attribute, AttributeType.Floats, _ => true)?.Floats;

    public int[]? Ints(string attribute)
    {
        if (Longs(attribute) is not { } longs)
            return null;
        if (longs.Count > FileShape.MaxRank * 2)
            throw Error($"attribute '{attribute}' has {longs.Count} numbers");
        var ints = new int[longs.Count];
        for (var i = 0; i < ints.Length; i++)
        {
            ints[i] = longs[i] is >= int.MinValue and <= int.MaxValue
                ? (int)longs[i]
                : throw Error($"attribute '{attribute}' has {longs[i]}, which is out of range");
        }

        return ints;
    }

    /// <summary>An axis of a tensor of <paramref name="rank"/> dimensions, counted from the front.</summary>
    public int Axis(long axis, int rank) => axis >= -rank && axis < rank
        ? (int)(axis < 0 ? axis + rank : axis)
        : throw Error($"axis is {axis}; expected {-rank} to {rank - 1}");

    /// <summary>Axes counted from the front, in order.</summary>
    public int[] Axes(long[] axes, int rank)
    {
        var sorted = Array.ConvertAll(axes, axis => Axis(axis, rank));
        Array.Sort(sorted);
        for (var i = 1; i < sorted.Length; i++)
        {
            if (sorted[i] == sorted[i - 1])
                throw Error($"axis {sorted[i]} is there twice");
        }

        return sorted;
    }

    /// <summary>Refuses attributes that no reader asked for: they would change the result.</summary>
    public void CheckAttributes()
    {
        foreach (var name in _attributes.Keys)
        {
            if (!_asked.Contains(name))
                throw Error($"attribute '{OneLine.Of(name)}' is not supported");
        }
    }

    private AttributeProto? Find(string name, AttributeType type, Func<AttributeProto, bool> isPresent)
    {
        _asked.Add(name);
        if (!_attributes.TryGetValue(name, out var attribute))
            return null;

        // Files of the first years do not say an attribute's type.
        var fits = attribute.HasType && attribute.Type != AttributeType.Undefined ? attribute.Type == type : isPresent(attribute);
        return fits ? attribute : throw Error($"attribute '{name}' is no {type.ToString().ToLowerInvariant()}");
    }
}
