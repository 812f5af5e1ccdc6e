using static SeparableConv.Networks.Formats.Onnx.OnnxOutput;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>ReduceMean and its like, and ArgMax.</summary>
internal static class ReductionOperators
{
    /// <summary>
    /// The axes are an attribute up to opset 17 (12 for sums) and an input after it. Without axes all dimensions are reduced, or none
    /// where noop_with_empty_axes says so.
    /// </summary>
    public static void ReadReduce(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        var keep = node.Flag("keepdims", true);
        var nothing = node.Flag("noop_with_empty_axes", false);
        var given = OnnxConstants.OptionalLongs(graph, node, "axes", 1) ?? [];
        if (given.Length == 0 && nothing)
        {
            graph.Alias(node, x);
            return;
        }

        var axes = given.Length == 0 ? [.. Enumerable.Range(0, x.Rank)] : node.Axes(given, x.Rank);
        var kind = Enum.Parse<ReduceKind>(node.Type["Reduce".Length..]);
        if (!OnnxGraph.PrefersLast(x))
        {
            graph.Output(node, 0, graph.Emit(node.Name, new ReduceOperator(kind, axes, keep), graph.Original(x)));
            return;
        }

        // Over an image's rows and columns it is global pooling. The axes stay until the end: where they are 1, nothing has to move.
        var isGlobal = axes.AsSpan().SequenceEqual(x.Rank == 4 ? [2, 3] : [2]) && kind == ReduceKind.Mean
            && x.Element == ElementType.Float32;
        var image = graph.ChannelsLast(x);
        var lastAxes = Array.ConvertAll(axes, axis => ImageLayout.LastAxis(x.Rank, axis));
        var y = isGlobal
            ? graph.Emit(node.Name, new GlobalPoolOperator(PoolKind.Average), image)
            : graph.Emit(node.Name, new ReduceOperator(kind, lastAxes, keepDimensions: true), image);
        Reduced(graph, node, x, y, axes, keep);
    }

    /// <summary>The input is taken channels first only where the dimensions that stay are then in the network's order still.</summary>
    public static void WriteReduce(OnnxOutput output, Node node)
    {
        var op = (ReduceOperator)node.Operator;
        var x = node.Inputs[0]!;
        var axes = Array.ConvertAll(op.Axes.ToArray(), axis => Axis(axis, x, first: false));
        var first = output.PrefersFirst(x) && (op.KeepDimensions || axes.Contains(3) || (axes.Contains(1) && axes.Contains(2)));
        if (first)
            axes = Array.ConvertAll(axes, FirstAxis);
        var y = output.Node(
            $"Reduce{op.ReduceKind}",
            node.Name,
            [output.InLayout(x, first), output.Numbers($"{node.Name}/axes", axes)],
            Attribute("keepdims", op.KeepDimensions ? 1 : 0));
        output.Set(node.Outputs[0], y, first && op.KeepDimensions);
    }

    public static void ReadArgMax(OnnxGraph graph, OnnxNode node)
    {
        var selectLast = node.Flag("select_last_index", false);
        var x = graph.Input(node, 0);
        var axis = node.Axis(node.Int("axis", 0), x.Rank);
        var keep = node.Flag("keepdims", true);
        if (!OnnxGraph.PrefersLast(x) || x.Rank != 4)
        {
            graph.Output(node, 0, graph.Emit(node.Name, new ArgMaxOperator(axis, keep, ElementType.Int64, selectLast), graph.Original(x)));
            return;
        }

        var op = new ArgMaxOperator(ImageLayout.LastAxis(4, axis), keepDimensions: true, ElementType.Int64, selectLast);
        Reduced(graph, node, x, graph.Emit(node.Name, op, graph.ChannelsLast(x)), [axis], keep);
    }

    public static void WriteArgMax(OnnxOutput output, Node node)
    {
        var op = (ArgMaxOperator)node.Operator;
        var x = node.Inputs[0]!;
        var axis = Axis(op.Axis, x, first: false);
        var first = output.PrefersFirst(x) && (op.KeepDimensions || axis == 3);
        var y = output.Node(
            "ArgMax",
            node.Name,
            [output.InLayout(x, first)],
            Attribute("axis", Axis(axis, x, first)),
            Attribute("keepdims", op.KeepDimensions ? 1 : 0),
            Attribute("select_last_index", op.SelectLast ? 1 : 0));
        if (op.Output != ElementType.Int64)
            y = output.Node("Cast", $"{node.Name}/cast", [y], Attribute("to", OnnxElements.Write(op.Output)));
        output.Set(node.Outputs[0], y, first && op.KeepDimensions);
    }

    // The node's output of what was reduced channels last with all dimensions kept.
    private static void Reduced(OnnxGraph graph, OnnxNode node, OnnxValue x, Value kept, int[] axes, bool keep)
    {
        if (keep)
        {
            graph.OutputLast(node, 0, kept, x.Rank);
            return;
        }

        var original = graph.Original(OnnxValue.Last($"{node.Name}/kept", kept, x.Rank));
        graph.Output(node, 0, graph.Reshape(node.Outputs[0], original, ShapeOperators.Without(x.Shape, axes)));
    }
}
