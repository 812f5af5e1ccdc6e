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
        var axes = given.Length > 0 ? node.Axes(given, x.Rank) : nothing ? [] : [.. Enumerable.Range(0, x.Rank)];
        var last = OnnxGraph.PrefersLast(x);
        if (!Enum.TryParse<ReduceKind>(node.Type["Reduce".Length..], out var kind))
        {
            var along = last ? Array.ConvertAll(axes, axis => ImageLayout.LastAxis(x.Rank, axis)) : axes;
            Reduced(graph, node, x, Composed(new Formula(graph, node), node.Type, graph.InLayout(x, last), along), last, axes, keep);
        }
        else if (axes.Length == 0 && nothing)
        {
            graph.Alias(node, x);
        }
        else if (x.Element == ElementType.Bool)
        {
            var formula = new Formula(graph, node);
            var y = graph.Emit(
                $"{node.Name}/byte", new ReduceOperator(kind, axes, keep), formula.Cast("bytes", ElementType.UInt8, graph.Original(x)));
            graph.Output(node, 0, formula.Cast("", ElementType.Bool, y));
        }
        else if (!last)
        {
            graph.Output(node, 0, graph.Emit(node.Name, new ReduceOperator(kind, axes, keep), graph.Original(x)));
        }
        else
        {
            // Over an image's rows and columns it is global pooling. The axes stay until the end: where they are 1, nothing has to move.
            var isGlobal = axes.AsSpan().SequenceEqual(x.Rank == 4 ? [2, 3] : [2]) && kind == ReduceKind.Mean
                && x.Element == ElementType.Float32;
            var image = graph.ChannelsLast(x);
            var lastAxes = Array.ConvertAll(axes, axis => ImageLayout.LastAxis(x.Rank, axis));
            var y = isGlobal
                ? graph.Emit(node.Name, new GlobalPoolOperator(PoolKind.Average), image)
                : graph.Emit(node.Name, new ReduceOperator(kind, lastAxes, keepDimensions: true), image);
            Reduced(graph, node, x, y, last: true, axes, keep);
        }
    }

    /// <summary>Sums along an axis that is known when the model is loaded.</summary>
    public static void ReadCumSum(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        var axis = node.Axis(OnnxConstants.Long(node, graph.Constant(node, 1, "axis"), "axis"), x.Rank);
        var op = new CumulativeSumOperator(axis, node.Flag("exclusive", false), node.Flag("reverse", false));
        graph.Output(node, 0, graph.Emit(node.Name, op, graph.Original(x)));
    }

    public static void WriteCumSum(OnnxOutput output, Node node)
    {
        var op = (CumulativeSumOperator)node.Operator;
        output.SetAsIs(node.Outputs[0], output.Node(
            "CumSum",
            node.Name,
            [output.AsIs(node.Inputs[0]!), output.Constant($"{node.Name}/axis", [(long)op.Axis])],
            Attribute("exclusive", op.Exclusive ? 1 : 0),
            Attribute("reverse", op.Reverse ? 1 : 0)));
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

    public static void ReadArgExtreme(OnnxGraph graph, OnnxNode node)
    {
        var largest = node.Type == "ArgMax";
        var selectLast = node.Flag("select_last_index", false);
        var x = graph.Input(node, 0);
        var axis = node.Axis(node.Int("axis", 0), x.Rank);
        var keep = node.Flag("keepdims", true);
        if (!OnnxGraph.PrefersLast(x) || x.Rank != 4)
        {
            var alone = new ArgExtremeOperator(largest, axis, keep, ElementType.Int64, selectLast);
            graph.Output(node, 0, graph.Emit(node.Name, alone, graph.Original(x)));
            return;
        }

        var op = new ArgExtremeOperator(largest, ImageLayout.LastAxis(4, axis), keepDimensions: true, ElementType.Int64, selectLast);
        Reduced(graph, node, x, graph.Emit(node.Name, op, graph.ChannelsLast(x)), last: true, [axis], keep);
    }

    public static void WriteArgExtreme(OnnxOutput output, Node node)
    {
        var op = (ArgExtremeOperator)node.Operator;
        var x = node.Inputs[0]!;
        var axis = Axis(op.Axis, x, first: false);
        var first = output.PrefersFirst(x) && (op.KeepDimensions || axis == 3);
        var y = output.Node(
            op.Kind,
            node.Name,
            [output.InLayout(x, first)],
            Attribute("axis", Axis(axis, x, first)),
            Attribute("keepdims", op.KeepDimensions ? 1 : 0),
            Attribute("select_last_index", op.SelectLast ? 1 : 0));
        if (op.Output != ElementType.Int64)
            y = output.Node("Cast", $"{node.Name}/cast", [y], Attribute("to", OnnxElements.Write(op.Output)));
        output.Set(node.Outputs[0], y, first && op.KeepDimensions);
    }

    // What ONNX has a name for, of sums and functions of single numbers; all dimensions are kept.
    private static Value Composed(Formula formula, string type, Value x, int[] axes)
    {
        // Roots and logarithms of whole numbers are cut off to whole numbers.
        var element = x.Type.Element;
        var number = element.IsFloat() || type is "ReduceL1" or "ReduceSumSquare" ? x : formula.Cast("wide", ElementType.Float64, x);
        Value Sum(string part, Value terms) => axes.Length == 0 ? terms : formula.Reduce(part, ReduceKind.Sum, axes, terms);
        Value Squares() => formula.Binary("squares", BinaryKind.Mul, number, number);
        var y = type switch
        {
            "ReduceL1" => Sum("", formula.Unary("magnitudes", UnaryKind.Abs, number)),
            "ReduceL2" => formula.Unary("root", UnaryKind.Sqrt, Sum("sum", Squares())),
            "ReduceSumSquare" => Sum("", Squares()),
            "ReduceLogSum" => formula.Unary("logarithm", UnaryKind.Log, Sum("sum", number)),
            _ => LogSumExp(formula, number, axes),
        };
        return formula.Cast("narrow", element, y);
    }

    // log(sum of e^(x - m)) + m, m being the largest; where that is infinite, the largest number in its place gives the infinity.
    private static Value LogSumExp(Formula formula, Value x, int[] axes)
    {
        if (axes.Length == 0)
            return x;
        var largest = formula.Reduce("largest", ReduceKind.Max, axes, x);
        var bound = x.Type.Element switch
        {
            ElementType.Float32 => float.MaxValue,
            ElementType.Float16 => (double)Half.MaxValue,
            _ => double.MaxValue,
        };
        var finite = formula.Binary("finite", BinaryKind.Max, formula.Binary("most", BinaryKind.Min, largest, bound), -bound);
        var powers = formula.Unary("powers", UnaryKind.Exp, formula.Binary("distances", BinaryKind.Sub, x, finite));
        var logarithm = formula.Unary("logarithm", UnaryKind.Log, formula.Reduce("sum", ReduceKind.Sum, axes, powers));
        return formula.Binary("sum_of_both", BinaryKind.Add, logarithm, finite);
    }

    // The node's output of what was reduced with all dimensions kept.
    private static void Reduced(OnnxGraph graph, OnnxNode node, OnnxValue x, Value kept, bool last, int[] axes, bool keep)
    {
        if (keep)
        {
            graph.Output(node, 0, kept, last, x.Rank);
            return;
        }

        var original = last ? graph.Original(OnnxValue.Last($"{node.Name}/kept", kept, x.Rank)) : kept;
        graph.Output(node, 0, graph.Reshape(node.Outputs[0], original, ShapeOperators.Without(x.Shape, axes)));
    }
}
