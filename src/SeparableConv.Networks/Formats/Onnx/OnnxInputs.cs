using System.Globalization;
using SeparableConv.Networks.Formats.Onnx.Schema;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Finds the shapes of a graph's inputs: from the file, from what the caller says, or 1 for a batch that is left open.</summary>
internal sealed class OnnxInputs(OnnxReadOptions options)
{
    private readonly Dictionary<string, TensorShape> _given = [];

    // Lengths of symbols that the caller has settled: one input's shape can settle another's.
    private readonly Dictionary<string, int> _symbols = [];

    /// <summary>
    /// The batch that the caller wants of a model whose batch is fixed: the model is read with its own, and changed then. Null for others.
    /// </summary>
    public BatchChange? Batch { get; private set; }

    /// <summary>Finds the caller's shapes and values, checks them, and notes what they say of symbolic dimensions.</summary>
    /// <exception cref="NetworkException">They name no input, or contradict the file.</exception>
    public void Settle(IReadOnlyList<ValueInfoProto> inputs)
    {
        var names = new Dictionary<string, ValueInfoProto>();
        foreach (var input in inputs)
            names.TryAdd(input.Name, input);
        foreach (var name in options.Shapes.Keys.Concat(options.Values.Keys))
        {
            if (!names.TryGetValue(name, out var input))
            {
                var known = names.Count == 0
                    ? "it has none"
                    : "its inputs are " + string.Join(", ", names.Keys.Take(8).Select(key => $"'{OneLine.Of(key)}'"));
                throw new NetworkException($"The model has no input '{OneLine.Of(name)}'; {known}.");
            }

            var dimensions = input.Type?.TensorType?.Shape?.Dim;
            var isValue = !options.Shapes.TryGetValue(name, out var lengths);

            // Numbers may be given in a shape that is not the input's; no shape depends on them then, and they are left to the run.
            if (isValue && dimensions is not null && dimensions.Count != options.Values[name].Type.Shape.Rank)
                continue;
            _given[name] = isValue
                ? options.Values[name].Type.Shape
                : FileShape.Read([.. lengths!.Select(length => (long)length)], $"The shape given for input '{OneLine.Of(name)}'");
            if (dimensions is not null && dimensions.Count != _given[name].Rank)
            {
                throw new NetworkException(
                    $"Input '{OneLine.Of(name)}' has {dimensions.Count} dimensions in the model but was given the shape {_given[name]}.");
            }

            NoteSymbols(input);
        }

        foreach (var input in inputs)
        {
            if (!_given.ContainsKey(input.Name) && Asked(input) is { } shape)
            {
                _given[input.Name] = shape;
                NoteSymbols(input);
            }
        }
    }

    /// <summary>An input's element type and shape.</summary>
    /// <exception cref="NetworkException">It is no tensor, or a length is neither in the file nor given.</exception>
    public TensorType Type(ValueInfoProto input)
    {
        var what = $"Input '{OneLine.Of(input.Name)}'";
        if (input.Type?.TensorType is not { } tensor)
            throw new NetworkException($"{what} is no tensor; sequences, maps and optional values are not supported.");
        var element = OnnxElements.Read(tensor.ElemType, what);
        if (options.Values.TryGetValue(input.Name, out var value) && value.Type.Element != element)
        {
            throw new NetworkException(
                $"{what} has elements of {element.ToString().ToLowerInvariant()} "
                + $"but was given {value.Type.Element.ToString().ToLowerInvariant()}.");
        }

        TensorShape? given = _given.TryGetValue(input.Name, out var known) ? known : null;
        if (tensor.Shape is null)
        {
            return new(element, given ?? throw new NetworkException(
                $"{what} has no shape in the model; give it, for example --shape {OneLine.Of(input.Name)}=1x3x224x224."));
        }

        return new(element, Shape(input.Name, what, tensor.Shape.Dim, given));
    }

    private TensorShape Shape(string name, string what, IReadOnlyList<TensorShapeProto.Types.Dimension> dimensions, TensorShape? given)
    {
        var (lengths, open) = (new long[dimensions.Count], new List<string>());
        for (var i = 0; i < lengths.Length; i++)
        {
            var dimension = dimensions[i];
            var isFixed = dimension.HasDimValue && dimension.DimValue >= 0;
            if (given is { } shape)
            {
                lengths[i] = shape[i];
                if (!isFixed || dimension.DimValue == shape[i])
                    continue;
                lengths[i] = dimension.DimValue;
                if (i > 0 || shape[0] == 0 || !TryChangeBatch(dimension.DimValue, shape[0]))
                {
                    throw new NetworkException(
                        $"{what} has length {dimension.DimValue} in dimension {i}, fixed in the model, but was given the shape {shape}.");
                }
            }
            else if (isFixed)
            {
                lengths[i] = dimension.DimValue;
            }
            else if (dimension.HasDimParam && _symbols.TryGetValue(dimension.DimParam, out var settled))
            {
                lengths[i] = settled;
            }
            else if (i == 0)
            {
                lengths[i] = 1;
            }
            else
            {
                var symbol = dimension.HasDimParam && dimension.DimParam.Length > 0 ? $" ('{OneLine.Of(dimension.DimParam)}')" : "";
                open.Add(i.ToString(CultureInfo.InvariantCulture) + symbol);
            }
        }

        if (open.Count == 0)
            return FileShape.Read(lengths, what);
        var words = lengths.Select((length, i) => length > 0 || i == 0 ? length.ToString(CultureInfo.InvariantCulture) : "N");
        var example = string.Join('x', words);
        throw new NetworkException(
            $"{what} has no fixed length in dimension {string.Join(", ", open.Take(8))}; give its shape with a number for each N: "
            + $"--shape {OneLine.Of(name)}={(example.Length <= 80 ? example : "...")}.");
    }

    // Asks the caller for the shape of an input that the file leaves open and nothing says more of.
    private TensorShape? Asked(ValueInfoProto input)
    {
        if (options.ShapeOf is null || input.Type?.TensorType?.Shape is not { Dim.Count: <= FileShape.MaxRank } shape)
            return null;
        var lengths = shape.Dim.Select(Length).ToArray();
        if (!lengths.Contains(null) || options.ShapeOf(new(input.Name, lengths)) is not { } given)
            return null;
        return given.Rank == lengths.Length ? given : null;
    }

    private int? Length(TensorShapeProto.Types.Dimension dimension) =>
        dimension is { HasDimValue: true, DimValue: >= 0 and <= int.MaxValue } ? (int)dimension.DimValue
        : dimension.HasDimParam && _symbols.TryGetValue(dimension.DimParam, out var settled) ? settled
        : null;

    private void NoteSymbols(ValueInfoProto input)
    {
        var dimensions = input.Type?.TensorType?.Shape?.Dim;
        for (var i = 0; i < (dimensions?.Count ?? 0); i++)
        {
            if (dimensions![i] is { HasDimParam: true, DimParam.Length: > 0 } symbol)
                _symbols[symbol.DimParam] = _given[input.Name][i];
        }
    }

    private bool TryChangeBatch(long before, int after)
    {
        if (before is 0 or > int.MaxValue)
            return false;
        var change = new BatchChange((int)before, after);
        Batch ??= change;
        return Batch == change;
    }
}
