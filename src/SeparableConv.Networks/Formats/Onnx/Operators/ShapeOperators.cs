using static SeparableConv.Networks.Formats.Onnx.OnnxOutput;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Operators that change a tensor's shape, reorder its dimensions or repeat it.</summary>
internal static class ShapeOperators
{
    public static void ReadIdentity(OnnxGraph graph, OnnxNode node) => graph.Alias(node, graph.Input(node, 0));

    public static void WriteIdentity(OnnxOutput output, Node node)
    {
        var x = node.Inputs[0]!;
        if (x.IsConstant)
        {
            output.SetAsIs(node.Outputs[0], output.Node("Identity", node.Name, [output.AsIs(x)]));
            return;
        }

        if (output.HasAsIs(x))
            output.SetAsIs(node.Outputs[0], output.AsIs(x));
        if (output.HasFirst(x))
            output.SetFirst(node.Outputs[0], output.First(x));
    }

    /// <summary>
    /// A length of 0 is the input's in that dimension (or 0 where allowzero says so). One length may be -1: it follows from the others.
    /// </summary>
    public static void ReadReshape(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        var wanted = OnnxConstants.Longs(node, graph.Constant(node, 1, "shape"), "shape");
        var allowZero = node.Flag("allowzero", false);
        var (lengths, open) = ((long[])wanted.Clone(), -1);
        long known = 1;
        for (var i = 0; i < lengths.Length; i++)
        {
            if (lengths[i] == 0 && !allowZero && i >= x.Rank)
                throw node.Error($"the shape ({string.Join(',', wanted)}) keeps dimension {i}, which the input {x.Shape} has not");
            if (lengths[i] == 0 && !allowZero)
                lengths[i] = x.Shape[i];
            if (lengths[i] == -1 && open >= 0)
                throw node.Error($"the shape ({string.Join(',', wanted)}) leaves two lengths open; expected one at most");
            if (lengths[i] == -1)
                open = i;
            else if (lengths[i] is >= 0 and <= int.MaxValue && known <= long.MaxValue / (lengths[i] + 1))
                known *= lengths[i];
            else
                throw node.Error($"the shape is ({string.Join(',', wanted)}); expected lengths of 0 or more");
        }

        if (open >= 0 && (known == 0 || x.Shape.ElementCount % known != 0))
            throw node.Error($"the shape ({string.Join(',', wanted)}) does not divide the input {x.Shape}");
        if (open >= 0)
            lengths[open] = x.Shape.ElementCount / known;
        Become(graph, node, x, FileShape.Read(lengths, "The shape"));
    }

    public static void WriteReshape(OnnxOutput output, Node node)
    {
        var (x, y) = (node.Inputs[0]!, node.Outputs[0]);

        // Where both layouts are the same in memory, (N,C,1,1) and (N,1,1,C), the tensor that is there will do.
        var fromFirst = !output.HasAsIs(x) && IsSameEitherWay(x.Shape);
        var (source, sourceShape) = fromFirst ? (output.First(x), First(x.Shape)) : (output.AsIs(x), x.Shape);
        if (y.Shape.Rank == 4 && IsSameEitherWay(y.Shape) && sourceShape == First(y.Shape) && !x.IsConstant)
            output.SetFirst(y, source);
        else if (sourceShape == y.Shape && !x.IsConstant)
            output.SetAsIs(y, source);
        else
            output.SetAsIs(y, output.Node("Reshape", node.Name, [source, Shape(output, node, y.Shape)], Attribute("allowzero", 1)));
    }

    public static void ReadFlatten(OnnxGraph graph, OnnxNode node)
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

    public static void ReadSqueeze(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        var given = OnnxConstants.OptionalLongs(graph, node, "axes", 1);
        var ones = Enumerable.Range(0, x.Rank).Where(i => x.Shape[i] == 1).ToArray();
        var axes = given is null ? ones : node.Axes(given, x.Rank);
        foreach (var axis in axes)
        {
            if (x.Shape[axis] != 1)
                throw node.Error($"dimension {axis} of the input {x.Shape} has length {x.Shape[axis]}; only length 1 can be left out");
        }

        Become(graph, node, x, Without(x.Shape, axes));
    }

    public static void ReadUnsqueeze(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        var given = OnnxConstants.OptionalLongs(graph, node, "axes", 1) ?? throw node.Error("there are no axes; expected one at least");
        var axes = node.Axes(given, x.Rank + given.Length);
        var lengths = new int[x.Rank + axes.Length];
        var next = 0;
        for (var i = 0; i < lengths.Length; i++)
            lengths[i] = Array.BinarySearch(axes, i) >= 0 ? 1 : x.Shape[next++];
        Become(graph, node, x, new TensorShape(lengths));
    }

    /// <summary>
    /// A transpose from one layout of images to the other adds no node: the value that is there is the output in the other layout.
    /// </summary>
    public static void ReadTranspose(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        var permutation = node.Ints("perm") ?? [.. Enumerable.Range(0, x.Rank).Reverse()];
        if (permutation.Length != x.Rank || !permutation.Order().SequenceEqual(Enumerable.Range(0, x.Rank)))
            throw node.Error($"perm is ({string.Join(',', permutation)}), which is no permutation of the input's {x.Rank} dimensions");
        if (x.Dequantized is { } source)
        {
            // Weights that an exporter wants the other way round stay bytes.
            var numbers = graph.Transpose(node.Name, source.Numbers, permutation);
            var axis = source.IsPerTensor ? 0 : Array.IndexOf(permutation, source.Axis);
            graph.Output(node, 0, name => OnnxValue.Of(name, source with { Numbers = numbers, Axis = axis }));
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

    public static void WriteTranspose(OnnxOutput output, Node node)
    {
        var (x, y) = (node.Inputs[0]!, node.Outputs[0]);
        var permutation = ((TransposeOperator)node.Operator).Permutation.ToArray();
        if (permutation is [0, 2, 3, 1] && output.HasAsIs(x) && !x.IsConstant)
            output.SetFirst(y, output.AsIs(x));
        else if (permutation is [0, 3, 1, 2] && output.HasFirst(x) && !x.IsConstant)
            output.SetAsIs(y, output.First(x));
        else if (x.Shape.Rank == 4 && !output.HasAsIs(x))
            Write([.. permutation.Select(FirstAxis)], output.First(x));
        else
            Write(permutation, output.AsIs(x));

        void Write(int[] perm, string input) =>
            output.SetAsIs(y, output.Node("Transpose", node.Name, [input], ListAttribute("perm", perm)));
    }

    public static void ReadExpand(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        var wanted = FileShape.Read(OnnxConstants.Longs(node, graph.Constant(node, 1, "shape"), "shape"), "The shape").Lengths;
        var lengths = new int[Math.Max(x.Rank, wanted.Length)];
        for (var i = 1; i <= lengths.Length; i++)
        {
            // A 1 on either side gives way.
            var (a, b) = (i <= x.Rank ? x.Shape[^i] : 1, i <= wanted.Length ? wanted[^i] : 1);
            if (a != 1 && b != 1 && a != b)
                throw node.Error($"the shape ({string.Join(',', wanted.ToArray())}) does not broadcast with the input {x.Shape}");
            lengths[^i] = a == 1 ? b : a;
        }

        var original = graph.Original(x);
        var shape = new TensorShape(lengths);
        graph.Output(node, 0, original.Shape == shape ? original : graph.Emit(node.Name, new ExpandOperator(shape), original));
    }

    public static void WriteExpand(OnnxOutput output, Node node) => output.SetAsIs(node.Outputs[0], output.Node(
        "Expand", node.Name, [output.AsIs(node.Inputs[0]!), Shape(output, node, ((ExpandOperator)node.Operator).Shape)]));

    public static void ReadTile(OnnxGraph graph, OnnxNode node)
    {
        var repeats = OnnxConstants.Ints(node, graph.Constant(node, 1, "repeats"), "repeats");
        graph.Output(node, 0, graph.Emit(node.Name, new TileOperator(repeats), graph.Original(graph.Input(node, 0))));
    }

    public static void WriteTile(OnnxOutput output, Node node) => output.SetAsIs(node.Outputs[0], output.Node(
        "Tile", node.Name, [output.AsIs(node.Inputs[0]!), output.Numbers($"{node.Name}/repeats", ((TileOperator)node.Operator).Repeats)]));

    /// <summary>
    /// A list of indices keeps the rank, and images stay channels last. What picks channels makes them so: a convolution reads it next.
    /// </summary>
    public static void ReadGather(OnnxGraph graph, OnnxNode node)
    {
        var (x, indices) = (graph.Input(node, 0), graph.Input(node, 1));
        var axis = node.Axis(node.Int("axis", 0), x.Rank);
        var picksChannels = x.Rank == 4 && axis == 1 && indices.IsConstant && !x.IsConstant;
        var last = indices.Rank == 1 && ImageLayout.IsImage(x.Rank) && (picksChannels || OnnxGraph.PrefersLast(x));
        var op = new GatherOperator(last ? ImageLayout.LastAxis(x.Rank, axis) : axis);
        graph.Output(node, 0, graph.Emit(node.Name, op, graph.InLayout(x, last), graph.Original(indices)), last, x.Rank);
    }

    public static void WriteGather(OnnxOutput output, Node node)
    {
        var (x, indices, along) = (node.Inputs[0]!, node.Inputs[1]!, ((GatherOperator)node.Operator).Axis);
        var picksChannels = x.Shape.Rank == 4 && Axis(along, x, first: false) == 3 && indices.IsConstant && !x.IsConstant;
        var first = indices.Shape.Rank == 1 && (picksChannels || output.PrefersFirst(x));
        var y = output.Node(
            "Gather", node.Name, [output.InLayout(x, first), output.AsIs(indices)], Attribute("axis", Axis(along, x, first)));
        output.Set(node.Outputs[0], y, first);
    }

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

    private static string Shape(OnnxOutput output, Node node, TensorShape shape) => output.Numbers($"{node.Name}/shape", shape.Lengths);

    private static TensorShape First(TensorShape shape) => new(shape[0], shape[3], shape[1], shape[2]);

    private static bool IsSameEitherWay(TensorShape shape) => shape.Rank == 4 && (shape[3] == 1 || (shape[1] == 1 && shape[2] == 1));
}
