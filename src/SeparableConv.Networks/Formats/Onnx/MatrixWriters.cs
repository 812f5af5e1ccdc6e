using SeparableConv.Networks.Operators;
using static SeparableConv.Networks.Formats.Onnx.OnnxOutput;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Writes matrix products and reductions.</summary>
internal static class MatrixWriters
{
    /// <summary>A Gemm for a matrix; a MatMul and an Add for more dimensions.</summary>
    public static void Dense(OnnxOutput output, Node node)
    {
        var op = (DenseOperator)node.Operator;
        var (x, w) = (output.AsIs(node.Inputs[0]!), output.AsIs(node.Inputs[1]!));
        var bias = node.Inputs.Count > 2 && node.Inputs[2] is { } b ? output.AsIs(b) : "";
        var rank = node.Inputs[0]!.Shape.Rank;
        string y;
        if (rank == 2)
        {
            y = output.Node("Gemm", node.Name, [x, w, bias]);
        }
        else
        {
            y = output.Node("MatMul", node.Name, [x, w]);
            if (bias.Length > 0)
                y = output.Node("Add", $"{node.Name}/bias", [y, bias]);
        }

        output.SetAsIs(node.Outputs[0], ActivationWriter.Apply(output, op.Activation, y, $"{node.Name}/activation", rank, first: false));
    }

    public static void MatMul(OnnxOutput output, Node node) =>
        output.SetAsIs(node.Outputs[0], output.Node("MatMul", node.Name, [output.AsIs(node.Inputs[0]!), output.AsIs(node.Inputs[1]!)]));

    public static void Gemm(OnnxOutput output, Node node)
    {
        var op = (GemmOperator)node.Operator;
        var c = node.Inputs.Count > 2 && node.Inputs[2] is { } given ? output.AsIs(given) : "";
        output.SetAsIs(node.Outputs[0], output.Node(
            "Gemm",
            node.Name,
            [output.AsIs(node.Inputs[0]!), output.AsIs(node.Inputs[1]!), c],
            Attribute("alpha", op.Alpha),
            Attribute("beta", op.Beta),
            Attribute("transA", op.TransposeA ? 1 : 0),
            Attribute("transB", op.TransposeB ? 1 : 0)));
    }

    /// <summary>Channels first only where the dimensions that stay are then in the network's order still.</summary>
    public static void Reduce(OnnxOutput output, Node node)
    {
        var op = (ReduceOperator)node.Operator;
        var x = node.Inputs[0]!;
        var axes = op.Axes.ToArray();
        for (var i = 0; i < axes.Length; i++)
            axes[i] += axes[i] < 0 ? x.Shape.Rank : 0;
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

    public static void ArgMax(OnnxOutput output, Node node)
    {
        var op = (ArgMaxOperator)node.Operator;
        var x = node.Inputs[0]!;
        var axis = op.Axis + (op.Axis < 0 ? x.Shape.Rank : 0);
        var first = output.PrefersFirst(x) && (op.KeepDimensions || axis == 3);
        var y = output.Node(
            "ArgMax",
            node.Name,
            [output.InLayout(x, first)],
            Attribute("axis", first ? FirstAxis(axis) : axis),
            Attribute("keepdims", op.KeepDimensions ? 1 : 0),
            Attribute("select_last_index", op.SelectLast ? 1 : 0));
        if (op.Output != ElementType.Int64)
            y = output.Node("Cast", $"{node.Name}/cast", [y], Attribute("to", OnnxElements.Write(op.Output)));
        output.Set(node.Outputs[0], y, first && op.KeepDimensions);
    }
}
