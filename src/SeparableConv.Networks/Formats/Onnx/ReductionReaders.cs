using SeparableConv.Networks.Operators;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Reads reductions over axes.</summary>
internal static class ReductionReaders
{
    /// <summary>The axes are an attribute up to opset 17 (12 for sums) and an input after it; none means all, or nothing at all where a flag says so.</summary>
    public static void Reduce(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        var keep = node.Flag("keepdims", true);
        var nothing = node.Flag("noop_with_empty_axes", false);
        var given = ShapeReaders.AttributeOrInput(graph, node, "axes", 1) ?? [];
        if (given.Length == 0 && nothing)
        {
            graph.Alias(node, x);
            return;
        }

        var axes = given.Length == 0 ? [.. Enumerable.Range(0, x.Rank)] : ShapeReaders.Axes(node, given, x.Rank);
        var kind = node.Type switch
        {
            "ReduceMean" => ReduceKind.Mean,
            "ReduceSum" => ReduceKind.Sum,
            "ReduceMax" => ReduceKind.Max,
            "ReduceMin" => ReduceKind.Min,
            _ => ReduceKind.Prod,
        };
        if (!OnnxGraph.PrefersLast(x))
        {
            graph.Output(node, 0, graph.Emit(node.Name, new ReduceOperator(kind, axes, keep), graph.Original(x)));
            return;
        }

        // Over an image's rows and columns it is global pooling. The axes stay until the end: where they are 1, nothing has to move.
        var isGlobal = axes.AsSpan().SequenceEqual(x.Rank == 4 ? [2, 3] : [2]) && kind == ReduceKind.Mean && x.Element == ElementType.Float32;
        var image = graph.ChannelsLast(x);
        var y = isGlobal
            ? graph.Emit(node.Name, new GlobalPoolOperator(PoolKind.Average), image)
            : graph.Emit(node.Name, new ReduceOperator(kind, Array.ConvertAll(axes, axis => ImageLayout.LastAxis(x.Rank, axis)), true), image);
        if (keep)
        {
            graph.OutputLast(node, 0, y, x.Rank);
            return;
        }

        var reduced = graph.Original(OnnxValue.Last($"{node.Name}/kept", y, x.Rank));
        graph.Output(node, 0, graph.Reshape(node.Outputs[0], reduced, ShapeReaders.Without(x.Shape, axes)));
    }

    public static void ArgMax(OnnxGraph graph, OnnxNode node)
    {
        var selectLast = node.Flag("select_last_index", false);
        var x = graph.Input(node, 0);
        var axis = ShapeReaders.Axis(node, node.Int("axis", 0), x.Rank);
        var keep = node.Flag("keepdims", true);
        if (!OnnxGraph.PrefersLast(x) || x.Rank != 4)
        {
            graph.Output(node, 0, graph.Emit(node.Name, new ArgMaxOperator(axis, keep, ElementType.Int64, selectLast), graph.Original(x)));
            return;
        }

        var y = graph.Emit(node.Name, new ArgMaxOperator(ImageLayout.LastAxis(4, axis), true, ElementType.Int64, selectLast), graph.ChannelsLast(x));
        if (keep)
            graph.OutputLast(node, 0, y, 4);
        else
            graph.Output(node, 0, graph.Reshape(node.Outputs[0], graph.Original(OnnxValue.Last($"{node.Name}/kept", y, 4)), ShapeReaders.Without(x.Shape, [axis])));
    }
}
