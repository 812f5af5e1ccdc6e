using static SeparableConv.Networks.Formats.Onnx.OnnxOutput;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Concat, Split, Slice and Pad. Images stay channels last; their axes are translated.</summary>
internal static class PieceOperators
{
    public static void ReadConcat(OnnxGraph graph, OnnxNode node)
    {
        var inputs = graph.Inputs(node);
        var rank = inputs[0].Rank;
        var axis = node.Axis(node.Int("axis", graph.Opset < 4 ? 1 : 0), rank);
        var last = ImageLayout.IsImage(rank) && Array.TrueForAll(inputs, input => input.Rank == rank) && OnnxGraph.PrefersLast(inputs);
        var values = Array.ConvertAll(inputs, input => graph.InLayout(input, last));
        graph.Output(
            node, 0, graph.Emit(node.Name, new ConcatOperator(last ? ImageLayout.LastAxis(rank, axis) : axis), values), last, rank);
    }

    public static void WriteConcat(OnnxOutput output, Node node)
    {
        var inputs = node.Inputs.ToArray();
        var first = inputs[0]!.Shape.Rank == 4 && output.PrefersFirst(inputs);
        var names = Array.ConvertAll(inputs, input => output.InLayout(input!, first));
        var axis = Axis(((ConcatOperator)node.Operator).Axis, inputs[0]!, first);
        output.Set(node.Outputs[0], output.Node("Concat", node.Name, names, Attribute("axis", axis)), first);
    }

    /// <summary>
    /// The sizes are an attribute up to opset 12 and an input after it; without them all pieces are equal, but for a shorter last one from
    /// opset 18 on.
    /// </summary>
    public static void ReadSplit(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        var axis = node.Axis(node.Int("axis", 0), x.Rank);
        var pieces = node.Int("num_outputs", node.Outputs.Count);
        if (pieces != node.Outputs.Count || pieces < 1)
            throw node.Error($"num_outputs is {pieces} but the node has {node.Outputs.Count} outputs");
        int[] sizes;
        if (OnnxConstants.OptionalInts(graph, node, "split", 1) is { } given)
        {
            sizes = given.Length == pieces ? given : throw node.Error($"there are {given.Length} sizes for {pieces} outputs");
        }
        else
        {
            // The last piece is what is left, where they cannot all be equal (opset 18 and later).
            var length = x.Shape[axis];
            var size = (length + pieces - 1) / pieces;
            if (graph.Opset < 18 && size * (long)pieces != length)
                throw node.Error($"dimension {axis} of the input {x.Shape} cannot be cut into {pieces} equal pieces");
            sizes = [.. Enumerable.Range(0, pieces).Select(i => (int)Math.Clamp(length - ((long)i * size), 0, size))];
        }

        var last = OnnxGraph.PrefersLast(x);
        var outputs = graph.EmitAll(
            node.Name, new SplitOperator(last ? ImageLayout.LastAxis(x.Rank, axis) : axis, sizes), graph.InLayout(x, last));
        for (var i = 0; i < pieces; i++)
            graph.Output(node, i, outputs[i], last, x.Rank);
    }

    public static void WriteSplit(OnnxOutput output, Node node)
    {
        var (op, x) = ((SplitOperator)node.Operator, node.Inputs[0]!);
        var first = output.PrefersFirst(x);
        string[] inputs = [output.InLayout(x, first), output.Numbers($"{node.Name}/sizes", op.Sizes)];
        var names = output.Node("Split", node.Name, inputs, node.Outputs.Count, Attribute("axis", Axis(op.Axis, x, first)));
        for (var i = 0; i < names.Length; i++)
            output.Set(node.Outputs[i], names[i], first);
    }

    /// <summary>Starts, ends and axes are attributes up to opset 9; later they are inputs, with steps.</summary>
    public static void ReadSlice(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        var from = OnnxConstants.OptionalLongs(graph, node, "starts", 1) ?? throw node.Error("there are no starts");
        var to = OnnxConstants.OptionalLongs(graph, node, "ends", 2) ?? throw node.Error("there are no ends");
        var along = OnnxConstants.OptionalLongs(graph, node, "axes", 3) ?? [.. Enumerable.Range(0, from.Length).Select(i => (long)i)];
        var by = graph.OptionalConstant(node, 4, "steps") is { } given ? OnnxConstants.Longs(node, given, "steps") : null;
        if (to.Length != from.Length || along.Length != from.Length || (by is not null && by.Length != from.Length))
        {
            throw node.Error(
                $"there are {from.Length} starts, {to.Length} ends, {along.Length} axes and {by?.Length ?? from.Length} steps; "
                + "expected as many of each");
        }

        var (starts, steps, lengths) = (new int[x.Rank], new int[x.Rank], x.Shape.Lengths.ToArray());
        steps.AsSpan().Fill(1);
        var seen = new bool[x.Rank];
        for (var i = 0; i < from.Length; i++)
        {
            var axis = node.Axis(along[i], x.Rank);
            if (seen[axis])
                throw node.Error($"axis {axis} is there twice");
            seen[axis] = true;
            (starts[axis], steps[axis], lengths[axis]) = Range(node, from[i], to[i], by?[i] ?? 1, x.Shape[axis]);
        }

        var last = OnnxGraph.PrefersLast(x);
        var op = last
            ? new SliceOperator(ImageLayout.ToLast(starts, 0), ImageLayout.ToLast(steps, 1), ImageLayout.ToLast(lengths, 1))
            : new SliceOperator(starts, steps, lengths);
        graph.Output(node, 0, graph.Emit(node.Name, op, graph.InLayout(x, last)), last, x.Rank);
    }

    public static void WriteSlice(OnnxOutput output, Node node)
    {
        var (op, x) = ((SliceOperator)node.Operator, node.Inputs[0]!);
        var first = output.PrefersFirst(x);
        var (starts, steps, ends) = (op.Starts.ToArray(), op.Steps.ToArray(), op.Lengths.ToArray());
        for (var i = 0; i < ends.Length; i++)
        {
            // One step beyond the last element; before the first element only a number far below does not count from the back.
            var end = starts[i] + ((long)steps[i] * ends[i]);
            ends[i] = ends[i] == 0 ? starts[i] : end < 0 ? -int.MaxValue : (int)Math.Min(end, int.MaxValue);
        }

        if (first)
            (starts, steps, ends) = (ToFirst(starts), ToFirst(steps), ToFirst(ends));
        int[] axes = [.. Enumerable.Range(0, starts.Length)];
        string Numbers(string name, int[] numbers) => output.Numbers($"{node.Name}/{name}", numbers);
        var y = output.Node(
            "Slice",
            node.Name,
            [output.InLayout(x, first), Numbers("starts", starts), Numbers("ends", ends), Numbers("axes", axes), Numbers("steps", steps)]);
        output.Set(node.Outputs[0], y, first);
    }

    /// <summary>Pads and value are attributes up to opset 10 and inputs after it; opset 18 brings axes.</summary>
    public static void ReadPad(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        var pads = OnnxConstants.OptionalInts(graph, node, "pads", 1) ?? throw node.Error("there are no pads");
        var value = (double)node.Float("value", 0);
        if (graph.OptionalConstant(node, 2, "value") is { } given)
            value = OnnxConstants.Double(node, given, "value");
        var axes = graph.OptionalConstant(node, 3, "axes") is { } some
            ? Array.ConvertAll(OnnxConstants.Longs(node, some, "axes"), axis => node.Axis(axis, x.Rank))
            : [.. Enumerable.Range(0, x.Rank)];
        if (pads.Length != 2 * axes.Length)
            throw node.Error($"there are {pads.Length} pads; expected {2 * axes.Length}, all beginnings and then all ends");
        var mode = node.Text("mode", "constant") switch
        {
            "constant" => PadMode.Constant,
            "reflect" => PadMode.Reflect,
            "edge" => PadMode.Edge,
            "wrap" => PadMode.Wrap,
            var other => throw node.Error($"mode is '{OneLine.Of(other)}'; expected constant, reflect, edge or wrap"),
        };

        var (before, after) = (new int[x.Rank], new int[x.Rank]);
        for (var i = 0; i < axes.Length; i++)
            (before[axes[i]], after[axes[i]]) = (pads[i], pads[axes.Length + i]);
        var last = OnnxGraph.PrefersLast(x);
        var op = last
            ? new PadOperator(ImageLayout.ToLast(before, 0), ImageLayout.ToLast(after, 0), mode, value)
            : new PadOperator(before, after, mode, value);
        graph.Output(node, 0, graph.Emit(node.Name, op, graph.InLayout(x, last)), last, x.Rank);
    }

    public static void WritePad(OnnxOutput output, Node node)
    {
        var (op, x) = ((PadOperator)node.Operator, node.Inputs[0]!);
        var first = output.PrefersFirst(x);
        var pads = first ? [.. ToFirst(op.Before), .. ToFirst(op.After)] : (int[])[.. op.Before, .. op.After];
        var value = op.ConstantValue != 0 && op.Mode == PadMode.Constant
            ? output.Constant(
                $"{node.Name}/value", Evaluator.Run(new CastOperator(x.Type.Element), TensorData.Create([op.ConstantValue]))[0])
            : "";
        var y = output.Node(
            "Pad",
            node.Name,
            [output.InLayout(x, first), output.Numbers($"{node.Name}/pads", pads), value],
            Attribute("mode", op.Mode.ToString().ToLowerInvariant()));
        output.Set(node.Outputs[0], y, first);
    }

    // Ends beyond the tensor mean its end; numbers below 0 count from the back.
    private static (int Start, int Step, int Length) Range(OnnxNode node, long start, long end, long step, int length)
    {
        if (step == 0)
            throw node.Error("a step is 0; expected any other number");
        start = Math.Clamp(start, -int.MaxValue, int.MaxValue);
        end = Math.Clamp(end, -int.MaxValue, int.MaxValue);
        step = Math.Clamp(step, -int.MaxValue, int.MaxValue);
        start += start < 0 ? length : 0;
        end += end < 0 ? length : 0;
        var count = step > 0
            ? (Math.Clamp(end, 0, length) - (start = Math.Clamp(start, 0, length)) + step - 1) / step
            : ((start = Math.Clamp(start, -1, length - 1)) - Math.Clamp(end, -1, length - 1) - step - 1) / -step;
        return count <= 0 ? (0, 1, 0) : ((int)start, (int)step, (int)count);
    }
}
