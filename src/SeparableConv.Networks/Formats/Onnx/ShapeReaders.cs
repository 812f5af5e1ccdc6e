using SeparableConv.Networks.Operators;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Reads what changes a tensor's shape or repeats it.</summary>
internal static class ShapeReaders
{
    public static void Identity(OnnxGraph graph, OnnxNode node) => graph.Alias(node, graph.Input(node, 0));

    /// <summary>0 keeps a length (or is one, where allowzero says so), -1 is what is left over.</summary>
    public static void Reshape(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        var wanted = ConstantReaders.Longs(node, graph.Constant(node, 1, "shape"), "shape");
        var allowZero = node.Flag("allowzero", false);
        var (lengths, open) = ((long[])wanted.Clone(), -1);
        long known = 1;
        for (var i = 0; i < lengths.Length; i++)
        {
            if (lengths[i] == 0 && !allowZero)
                lengths[i] = i < x.Rank ? x.Shape[i] : throw node.Error($"the shape ({string.Join(',', wanted)}) keeps dimension {i}, which the input {x.Shape} has not");
            if (lengths[i] == -1)
                open = open < 0 ? i : throw node.Error($"the shape ({string.Join(',', wanted)}) leaves two lengths open; expected one at most");
            else
                known = lengths[i] is >= 0 and <= int.MaxValue && known <= long.MaxValue / (lengths[i] + 1) ? known * lengths[i] : throw node.Error($"the shape is ({string.Join(',', wanted)}); expected lengths of 0 or more");
        }

        if (open >= 0)
            lengths[open] = known > 0 && x.Shape.ElementCount % known == 0 ? x.Shape.ElementCount / known : throw node.Error($"the shape ({string.Join(',', wanted)}) does not divide the input {x.Shape}");
        Become(graph, node, x, OnnxTensors.Shape(lengths, "The shape"));
    }

    public static void Flatten(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        var axis = node.Int("axis", 1);
        if (axis < -x.Rank || axis > x.Rank)
            throw node.Error($"axis is {axis}; expected {-x.Rank} to {x.Rank} for the input {x.Shape}");
        axis += axis < 0 ? x.Rank : 0;
        var (rows, columns) = (1, 1);
        for (var i = 0; i < x.Rank; i++)
        {
            if (i < axis)
                rows = checked(rows * x.Shape[i]);
            else
                columns = checked(columns * x.Shape[i]);
        }

        Become(graph, node, x, new TensorShape(rows, columns));
    }

    public static void Squeeze(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        var given = AttributeOrInput(graph, node, "axes", 1);
        var ones = Enumerable.Range(0, x.Rank).Where(i => x.Shape[i] == 1).ToArray();
        var axes = given is null ? ones : Axes(node, given, x.Rank);
        foreach (var axis in axes)
        {
            if (x.Shape[axis] != 1)
                throw node.Error($"dimension {axis} of the input {x.Shape} has length {x.Shape[axis]}; only length 1 can be left out");
        }

        Become(graph, node, x, Without(x.Shape, axes));
    }

    public static void Unsqueeze(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        var given = AttributeOrInput(graph, node, "axes", 1) ?? throw node.Error("there are no axes; expected one at least");
        var axes = Axes(node, given, x.Rank + given.Length);
        var lengths = new int[x.Rank + axes.Length];
        var next = 0;
        for (var i = 0; i < lengths.Length; i++)
            lengths[i] = Array.BinarySearch(axes, i) >= 0 ? 1 : x.Shape[next++];
        Become(graph, node, x, new TensorShape(lengths));
    }

    /// <summary>Between the two layouts of images a transpose moves nothing: the values change their names.</summary>
    public static void Transpose(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        var permutation = node.Ints("perm") ?? [.. Enumerable.Range(0, x.Rank).Reverse()];
        if (permutation.Length != x.Rank || !permutation.Order().SequenceEqual(Enumerable.Range(0, x.Rank)))
            throw node.Error($"perm is ({string.Join(',', permutation)}), which is no permutation of the input's {x.Rank} dimensions");
        if (x.Dequantized is { } source)
        {
            // Weights that an exporter wants the other way round stay bytes.
            var numbers = graph.Transpose(node.Name, source.Numbers, permutation);
            if (node.HasOutput(0))
                graph.Define(OnnxValue.Of(node.Outputs[0], source with { Numbers = numbers, Axis = source.IsPerTensor ? 0 : Array.IndexOf(permutation, source.Axis) }));
        }
        else if (x.Rank == 4 && permutation is [0, 3, 1, 2] && x.Original is { IsConstant: false } channelsLast)
        {
            graph.OutputLast(node, 0, channelsLast, 4);
        }
        else if (x.Rank == 4 && x.ChannelsLast is { IsConstant: false } last)
        {
            // Seen from channels last, ONNX's dimension d is LastAxis(d).
            var seen = Array.ConvertAll(permutation, d => ImageLayout.LastAxis(4, d));
            graph.Output(node, 0, graph.Transpose(node.Name, last, seen));
        }
        else
        {
            graph.Output(node, 0, graph.Transpose(node.Name, graph.Original(x), permutation));
        }
    }

    public static void Expand(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        var wanted = OnnxTensors.Shape(ConstantReaders.Longs(node, graph.Constant(node, 1, "shape"), "shape"), "The shape").Lengths;
        var lengths = new int[Math.Max(x.Rank, wanted.Length)];
        for (var i = 1; i <= lengths.Length; i++)
        {
            // A 1 on either side gives way.
            var (a, b) = (i <= x.Rank ? x.Shape[^i] : 1, i <= wanted.Length ? wanted[^i] : 1);
            lengths[^i] = a == 1 ? b : b == 1 || a == b ? a : throw node.Error($"the shape ({string.Join(',', wanted.ToArray())}) does not broadcast with the input {x.Shape}");
        }

        var original = graph.Original(x);
        var shape = new TensorShape(lengths);
        graph.Output(node, 0, original.Shape == shape ? original : graph.Emit(node.Name, new ExpandOperator(shape), original));
    }

    public static void Tile(OnnxGraph graph, OnnxNode node)
    {
        var repeats = ConstantReaders.Ints(node, graph.Constant(node, 1, "repeats"), "repeats");
        graph.Output(node, 0, graph.Emit(node.Name, new TileOperator(repeats), graph.Original(graph.Input(node, 0))));
    }

    public static void Gather(OnnxGraph graph, OnnxNode node)
    {
        var (x, indices) = (graph.Input(node, 0), graph.Input(node, 1));
        var axis = Axis(node, node.Int("axis", 0), x.Rank);
        graph.Output(node, 0, graph.Emit(node.Name, new GatherOperator(axis), graph.Original(x), graph.Original(indices)));
    }

    /// <summary>An axis counted from the front.</summary>
    public static int Axis(OnnxNode node, long axis, int rank) => axis >= -rank && axis < rank
        ? (int)(axis < 0 ? axis + rank : axis)
        : throw node.Error($"axis is {axis}; expected {-rank} to {rank - 1}");

    /// <summary>Axes counted from the front, in order.</summary>
    public static int[] Axes(OnnxNode node, long[] axes, int rank)
    {
        var sorted = Array.ConvertAll(axes, axis => Axis(node, axis, rank));
        Array.Sort(sorted);
        for (var i = 1; i < sorted.Length; i++)
        {
            if (sorted[i] == sorted[i - 1])
                throw node.Error($"axis {sorted[i]} is there twice");
        }

        return sorted;
    }

    /// <summary>Numbers that are an attribute in old opsets and an input in new ones; null where they are neither.</summary>
    public static long[]? AttributeOrInput(OnnxGraph graph, OnnxNode node, string attribute, int input) =>
        node.Longs(attribute) is { } numbers ? numbers.Count <= OnnxTensors.MaxRank * 2 ? [.. numbers] : throw node.Error($"attribute '{attribute}' has {numbers.Count} numbers")
        : graph.OptionalConstant(node, input, attribute) is { } constant ? ConstantReaders.Longs(node, constant, attribute)
        : null;

    /// <summary>The shape without some dimensions.</summary>
    public static TensorShape Without(TensorShape shape, int[] axes) =>
        new([.. Enumerable.Range(0, shape.Rank).Where(i => !axes.Contains(i)).Select(i => shape[i])]);

    private static void Become(OnnxGraph graph, OnnxNode node, OnnxValue x, TensorShape shape)
    {
        if (x.Shape == shape)
            graph.Alias(node, x);
        else
            graph.Output(node, 0, graph.Reshape(node.Name, graph.Original(x), shape));
    }
}
