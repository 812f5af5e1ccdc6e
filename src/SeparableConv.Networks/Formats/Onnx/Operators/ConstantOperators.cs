namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Constants, and operators whose result is known when the model is loaded.</summary>
internal static class ConstantOperators
{
    public static void ReadConstant(OnnxGraph graph, OnnxNode node)
    {
        TensorData data;
        if (node.Tensor("value") is { } tensor)
            data = OnnxTensors.Read(tensor, null);
        else if (node.Has("value_float"))
            data = TensorData.Create([node.Float("value_float", 0)]);
        else if (node.Has("value_int"))
            data = TensorData.Create([node.Long("value_int", 0)]);
        else if (node.Floats("value_floats") is { } floats)
            data = TensorData.Create([.. floats], floats.Count);
        else if (node.Longs("value_ints") is { } ints)
            data = TensorData.Create([.. ints], ints.Count);
        else
            throw node.Error("there is no value that is supported; expected a tensor, a float or an integer, or a list of them");
        graph.Output(node, 0, graph.Constant(node.Name, data));
    }

    /// <summary>A tensor of a constant shape, filled with one value: 0 where none is given.</summary>
    public static void ReadConstantOfShape(OnnxGraph graph, OnnxNode node)
    {
        var shape = FileShape.Read(OnnxConstants.Longs(node, graph.Constant(node, 0, "shape"), "shape"), "The shape");
        var value = node.Tensor("value") is { } tensor ? OnnxTensors.Read(tensor, null) : TensorData.Create([0f], 1);
        if (value.Type.Shape.ElementCount != 1)
            throw node.Error($"the value is {value.Type}; expected one element");
        var one = graph.Constant($"{node.Name}/value", new TensorData(new(value.Type.Element, new TensorShape(1)), value.Values));
        var lengths = shape.Lengths.ToArray();
        var ones = graph.Reshape($"{node.Name}/value", one, new TensorShape([.. lengths.Select(_ => 1)]));
        graph.Output(node, 0, graph.Emit(node.Name, new ExpandOperator(new TensorShape(lengths)), ones));
    }

    /// <summary>The input's shape, or a part of it; shapes are always known when the model is loaded.</summary>
    public static void ReadShape(OnnxGraph graph, OnnxNode node)
    {
        var shape = graph.Input(node, 0).Shape;
        var start = End(node.Long("start", 0), shape.Rank);
        var end = End(node.Long("end", shape.Rank), shape.Rank);
        var lengths = start < end ? shape.Lengths[start..end] : [];
        var values = new long[lengths.Length];
        for (var i = 0; i < values.Length; i++)
            values[i] = lengths[i];
        graph.Output(node, 0, graph.Constant(node.Name, TensorData.Create(values, values.Length)));
    }

    public static void ReadSize(OnnxGraph graph, OnnxNode node) =>
        graph.Output(node, 0, graph.Constant(node.Name, TensorData.Create([graph.Input(node, 0).Shape.ElementCount])));

    /// <summary>start, start + step, ... up to and without the limit.</summary>
    public static void ReadRange(OnnxGraph graph, OnnxNode node)
    {
        var (start, limit, step) = (graph.Constant(node, 0, "start"), graph.Constant(node, 1, "limit"), graph.Constant(node, 2, "step"));
        var (from, by) = (OnnxConstants.Double(node, start, "start"), OnnxConstants.Double(node, step, "step"));
        var count = Math.Max(0, Math.Ceiling((OnnxConstants.Double(node, limit, "limit") - from) / by));

        // Counted and charged before there is any of it.
        if (!(count * sizeof(double) <= graph.RemainingBytes))
            throw node.Error(FormattableString.Invariant($"it has {count} elements, more than a model's constants may have together"));
        var n = (int)count;
        graph.Output(node, 0, graph.Constant(node.Name, start.Type.Element switch
        {
            ElementType.Int64 => TensorData.Create(
                Fill(n, i => OnnxConstants.Long(node, start, "start") + (i * OnnxConstants.Long(node, step, "step"))), n),
            ElementType.Int32 => TensorData.Create(Fill(n, i => (int)(from + (i * by))), n),
            ElementType.Float32 => TensorData.Create(Fill(n, i => (float)from + (i * (float)by)), n),
            ElementType.Float64 => TensorData.Create(Fill(n, i => from + (i * by)), n),
            _ => throw node.Error($"it is of {start.Type}; expected int32, int64, float32 or float64"),
        }));
    }

    /// <summary>The indices of the elements that are not 0: a row for each dimension, a column for each such element.</summary>
    public static void ReadNonZero(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Constant(node, 0, "input");
        var (shape, places) = (x.Type.Shape, new List<long>());
        var size = x.Type.Element.Size();
        var most = graph.RemainingBytes / (Math.Max(1, shape.Rank) * sizeof(long));
        for (var i = 0; i < shape.ElementCount; i++)
        {
            // Minus zero is the one zero that is not all zero bytes.
            var bytes = x.Bytes.Slice(i * size, size);
            var isZero = bytes[..^1].IndexOfAnyExcept((byte)0) < 0 && (bytes[^1] == 0 || (bytes[^1] == 0x80 && x.Type.Element.IsFloat()));
            if (isZero)
                continue;
            if (places.Count == most)
                throw node.Error($"it has more than {most} elements, more than a model's constants may have together");
            places.Add(i);
        }

        var values = new long[shape.Rank * places.Count];
        for (var k = 0; k < places.Count; k++)
        {
            var place = places[k];
            for (var d = shape.Rank - 1; d >= 0; d--)
            {
                values[(d * places.Count) + k] = place % shape[d];
                place /= shape[d];
            }
        }

        graph.Output(node, 0, graph.Constant(node.Name, TensorData.Create(values, shape.Rank, places.Count)));
    }

    private static int End(long dimension, int rank) => (int)Math.Clamp(dimension < 0 ? dimension + rank : dimension, 0, rank);

    private static T[] Fill<T>(int count, Func<int, T> value)
    {
        var values = new T[count];
        for (var i = 0; i < count; i++)
            values[i] = value(i);
        return values;
    }
}
