using SeparableConv.Networks.Graph;
using SeparableConv.Networks.Operators;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Reads what is known when the model is loaded, and the numbers of constants.</summary>
internal static class ConstantReaders
{
    public static void Constant(OnnxGraph graph, OnnxNode node)
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
    public static void ConstantOfShape(OnnxGraph graph, OnnxNode node)
    {
        var shape = OnnxTensors.Shape(Longs(node, graph.Constant(node, 0, "shape"), "shape"), "The shape");
        var value = node.Tensor("value") is { } tensor ? OnnxTensors.Read(tensor, null) : TensorData.Create([0f], 1);
        if (value.Type.Shape.ElementCount != 1)
            throw node.Error($"the value is {value.Type}; expected one element");
        var one = graph.Constant($"{node.Name}/value", new TensorData(new(value.Type.Element, new TensorShape(1)), value.Values));
        var lengths = shape.Lengths.ToArray();
        graph.Output(node, 0, graph.Emit(node.Name, new ExpandOperator(new TensorShape(lengths)), graph.Reshape($"{node.Name}/value", one, new TensorShape([.. lengths.Select(_ => 1)]))));
    }

    /// <summary>The input's shape, which is known, whole or from one dimension to another.</summary>
    public static void Shape(OnnxGraph graph, OnnxNode node)
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

    public static void Size(OnnxGraph graph, OnnxNode node) =>
        graph.Output(node, 0, graph.Constant(node.Name, TensorData.Create([graph.Input(node, 0).Shape.ElementCount])));

    /// <summary>start, start + step, ... up to and without the limit.</summary>
    public static void Range(OnnxGraph graph, OnnxNode node)
    {
        var (start, limit, step) = (graph.Constant(node, 0, "start"), graph.Constant(node, 1, "limit"), graph.Constant(node, 2, "step"));
        var (from, by) = (Double(node, start, "start"), Double(node, step, "step"));
        var count = Math.Max(0, Math.Ceiling((Double(node, limit, "limit") - from) / by));

        // Counted and charged before there is any of it.
        if (!(count * sizeof(double) <= graph.RemainingBytes))
            throw node.Error(FormattableString.Invariant($"it has {count} elements, more than a model's constants may have together"));
        var n = (int)count;
        graph.Output(node, 0, graph.Constant(node.Name, start.Type.Element switch
        {
            ElementType.Int64 => TensorData.Create(Fill(n, i => Long(node, start, "start") + (i * Long(node, step, "step"))), n),
            ElementType.Int32 => TensorData.Create(Fill(n, i => (int)(from + (i * by))), n),
            ElementType.Float32 => TensorData.Create(Fill(n, i => (float)from + (i * (float)by)), n),
            ElementType.Float64 => TensorData.Create(Fill(n, i => from + (i * by)), n),
            _ => throw node.Error($"it is of {start.Type}; expected int32, int64, float32 or float64"),
        }));
    }

    /// <summary>The places of the elements that are not 0: one row a dimension, one column an element.</summary>
    public static void NonZero(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Constant(node, 0, "input");
        var (shape, places) = (x.Type.Shape, new List<long>());
        var size = x.Type.Element.Size();
        for (var i = 0; i < shape.ElementCount; i++)
        {
            // Minus zero is the one zero that is not all zero bytes.
            var bytes = x.Bytes.Slice(i * size, size);
            var isZero = bytes[..^1].IndexOfAnyExcept((byte)0) < 0 && (bytes[^1] == 0 || (bytes[^1] == 0x80 && x.Type.Element.IsFloat()));
            if (!isZero)
                places.Add(i);
        }

        if (places.Count * (long)Math.Max(1, shape.Rank) * sizeof(long) > graph.RemainingBytes)
            throw node.Error($"it has {places.Count} elements, more than a model's constants may have together");
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

    /// <summary>Whole numbers of a constant.</summary>
    public static long[] Longs(OnnxNode node, TensorData data, string what)
    {
        if (data.Type.Shape.Rank > 1 && data.Type.Shape.ElementCount > 1)
            throw node.Error($"the {what} is {data.Type}; expected one dimension");
        return data.Values switch
        {
            long[] longs => longs,
            int[] ints => Array.ConvertAll(ints, number => (long)number),
            _ => throw node.Error($"the {what} is {data.Type}; expected int64 or int32"),
        };
    }

    /// <summary>Whole numbers of a constant that fit 32 bits.</summary>
    public static int[] Ints(OnnxNode node, TensorData data, string what) => Array.ConvertAll(Longs(node, data, what), number =>
        number is >= int.MinValue and <= int.MaxValue ? (int)number : throw node.Error($"the {what} has {number}, which is out of range"));

    /// <summary>Whole numbers that are an attribute in old opsets and an input in new ones; null where they are neither.</summary>
    public static int[]? OptionalInts(OnnxGraph graph, OnnxNode node, string attribute, int input) =>
        node.Ints(attribute) ?? (graph.OptionalConstant(node, input, attribute) is { } constant ? Ints(node, constant, attribute) : null);

    /// <summary>The one number of a constant, whole or bool.</summary>
    public static long Long(OnnxNode node, TensorData data, string what) => (long)Double(node, data, what);

    /// <summary>The one number of a constant.</summary>
    public static double Double(OnnxNode node, TensorData data, string what)
    {
        if (data.Type.Shape.ElementCount != 1)
            throw node.Error($"the {what} is {data.Type}; expected one element");
        return data.Values switch
        {
            float[] v => v[0],
            double[] v => v[0],
            Half[] v => (double)v[0],
            sbyte[] v => v[0],
            byte[] v => v[0],
            short[] v => v[0],
            ushort[] v => v[0],
            int[] v => v[0],
            uint[] v => v[0],
            long[] v => v[0],
            ulong[] v => v[0],
            var v => ((bool[])v)[0] ? 1 : 0,
        };
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
