using SeparableConv.Networks.Graph;
using SeparableConv.Networks.Operators;
using static SeparableConv.Networks.Formats.Onnx.OnnxOutput;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Writes what moves elements about. Between the two layouts of images nothing has to be written: tensors only change their names.</summary>
internal static class ShapeWriters
{
    public static void Identity(OnnxOutput output, Node node)
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

    public static void Reshape(OnnxOutput output, Node node)
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
            output.SetAsIs(y, output.Node("Reshape", node.Name, [source, output.Numbers($"{node.Name}/shape", y.Shape.Lengths)], Attribute("allowzero", 1)));
    }

    public static void Transpose(OnnxOutput output, Node node)
    {
        var (x, y) = (node.Inputs[0]!, node.Outputs[0]);
        var permutation = ((TransposeOperator)node.Operator).Permutation.ToArray();
        if (permutation is [0, 2, 3, 1] && output.HasAsIs(x) && !x.IsConstant)
            output.SetFirst(y, output.AsIs(x));
        else if (permutation is [0, 3, 1, 2] && output.HasFirst(x) && !x.IsConstant)
            output.SetAsIs(y, output.First(x));
        else if (x.Shape.Rank == 4 && !output.HasAsIs(x))
            output.SetAsIs(y, output.Node("Transpose", node.Name, [output.First(x)], ListAttribute("perm", Array.ConvertAll(permutation, FirstAxis))));
        else
            output.SetAsIs(y, output.Node("Transpose", node.Name, [output.AsIs(x)], ListAttribute("perm", permutation)));
    }

    public static void Expand(OnnxOutput output, Node node) => output.SetAsIs(node.Outputs[0], output.Node(
        "Expand", node.Name, [output.AsIs(node.Inputs[0]!), output.Numbers($"{node.Name}/shape", ((ExpandOperator)node.Operator).Shape.Lengths)]));

    public static void Tile(OnnxOutput output, Node node) => output.SetAsIs(node.Outputs[0], output.Node(
        "Tile", node.Name, [output.AsIs(node.Inputs[0]!), output.Numbers($"{node.Name}/repeats", ((TileOperator)node.Operator).Repeats)]));

    public static void Gather(OnnxOutput output, Node node) => output.SetAsIs(node.Outputs[0], output.Node(
        "Gather", node.Name, [output.AsIs(node.Inputs[0]!), output.AsIs(node.Inputs[1]!)], Attribute("axis", ((GatherOperator)node.Operator).Axis)));

    public static void Concat(OnnxOutput output, Node node)
    {
        var inputs = node.Inputs.ToArray();
        var first = inputs[0]!.Shape.Rank == 4 && output.PrefersFirst(inputs);
        var names = Array.ConvertAll(inputs, input => output.InLayout(input!, first));
        var axis = Axis(((ConcatOperator)node.Operator).Axis, inputs[0]!, first);
        output.Set(node.Outputs[0], output.Node("Concat", node.Name, names, Attribute("axis", axis)), first);
    }

    public static void Split(OnnxOutput output, Node node)
    {
        var (op, x) = ((SplitOperator)node.Operator, node.Inputs[0]!);
        var first = output.PrefersFirst(x);
        var names = output.Node(
            "Split", node.Name, [output.InLayout(x, first), output.Numbers($"{node.Name}/sizes", op.Sizes)], node.Outputs.Count, Attribute("axis", Axis(op.Axis, x, first)));
        for (var i = 0; i < names.Length; i++)
            output.Set(node.Outputs[i], names[i], first);
    }

    public static void Slice(OnnxOutput output, Node node)
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
        output.Set(node.Outputs[0], output.Node(
            "Slice", node.Name, [output.InLayout(x, first), Numbers("starts", starts), Numbers("ends", ends), Numbers("axes", axes), Numbers("steps", steps)]), first);
    }

    public static void Pad(OnnxOutput output, Node node)
    {
        var (op, x) = ((PadOperator)node.Operator, node.Inputs[0]!);
        var first = output.PrefersFirst(x);
        var pads = first ? [.. ToFirst(op.Before), .. ToFirst(op.After)] : (int[])[.. op.Before, .. op.After];
        var value = op.ConstantValue != 0 && op.Mode == PadMode.Constant
            ? output.Constant($"{node.Name}/value", Evaluator.Run(new CastOperator(x.Type.Element), TensorData.Create([op.ConstantValue]))[0])
            : "";
        var y = output.Node(
            "Pad",
            node.Name,
            [output.InLayout(x, first), output.Numbers($"{node.Name}/pads", pads), value],
            Attribute("mode", op.Mode.ToString().ToLowerInvariant()));
        output.Set(node.Outputs[0], y, first);
    }

    private static int Axis(int axis, Value x, bool first)
    {
        axis += axis < 0 ? x.Shape.Rank : 0;
        return first ? FirstAxis(axis) : axis;
    }

    private static TensorShape First(TensorShape shape) => new(shape[0], shape[3], shape[1], shape[2]);

    private static bool IsSameEitherWay(TensorShape shape) => shape.Rank == 4 && (shape[3] == 1 || (shape[1] == 1 && shape[2] == 1));
}
