using static SeparableConv.Networks.Formats.Onnx.OnnxOutput;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Gemm and MatMul. A product with constant float weights becomes a dense layer.</summary>
internal static class MatrixOperators
{
    /// <summary>y = alpha*A*B + beta*C, A and B transposed where the attributes say so.</summary>
    public static void ReadGemm(OnnxGraph graph, OnnxNode node)
    {
        node.Ignore("broadcast");
        var (alpha, beta) = (node.Float("alpha", 1), node.Float("beta", 1));
        var (transposeA, transposeB) = (node.Flag("transA", false), node.Flag("transB", false));
        var (a, b, c) = (graph.Input(node, 0), graph.Input(node, 1), graph.OptionalInput(node, 2));
        var filters = b.Rank == 2 ? b.Shape[transposeB ? 0 : 1] : 0;
        var isDense = a.Rank == 2 && !transposeA && IsWeights(a, b) && (c is null || (c.IsConstant && IsPerColumn(c.Shape, filters)));
        if (!isDense)
        {
            var op = new GemmOperator(alpha, beta, transposeA, transposeB);
            Value[] operands = [graph.Original(a), graph.Original(b)];
            graph.Output(node, 0, graph.Emit(node.Name, op, c is null ? operands : [.. operands, graph.Original(c)]));
            return;
        }

        var weights = Scaled(graph, node, Weights(graph, b, transposeB, alpha == 1), alpha);
        Value[] inputs = [graph.Original(a), weights];
        if (c is not null)
            inputs = [.. inputs, Bias(graph, node, c, beta, filters)];
        graph.Output(node, 0, graph.Emit(node.Name, new DenseOperator(Activation.None), inputs));
    }

    /// <summary>NumPy's matmul.</summary>
    public static void ReadMatMul(OnnxGraph graph, OnnxNode node)
    {
        var (a, b) = (graph.Input(node, 0), graph.Input(node, 1));
        var isDense = a.Rank >= 2 && !a.IsConstant && IsWeights(a, b);
        var right = isDense ? Weights(graph, b, transpose: false, asBytes: true) : graph.Original(b);
        Operator op = isDense ? new DenseOperator(Activation.None) : new MatMulOperator();
        graph.Output(node, 0, graph.Emit(node.Name, op, graph.Original(a), right));
    }

    /// <summary>Writes a Gemm for a matrix, a MatMul and an Add for more dimensions.</summary>
    public static void WriteDense(OnnxOutput output, Node node)
    {
        var op = (DenseOperator)node.Operator;
        var (x, weights) = (output.AsIs(node.Inputs[0]!), node.Inputs[1]!);
        var bias = output.OptionalAsIs(node, 2);
        var rank = node.Inputs[0]!.Shape.Rank;
        string y;
        if (rank == 2 && weights is { Constant: { } data, Origin.IsTransposed: true })
        {
            // They were (O, I) in their file, and so they are again.
            y = output.Node(
                "Gemm", node.Name, [x, output.Form(weights, "transposed", () => Transposed(data, 1, 0)), bias], Attribute("transB", 1));
        }
        else if (rank == 2)
        {
            y = output.Node("Gemm", node.Name, [x, output.AsIs(weights), bias]);
        }
        else
        {
            y = output.Node("MatMul", node.Name, [x, output.AsIs(weights)]);
            if (bias.Length > 0)
                y = output.Node("Add", $"{node.Name}/bias", [y, bias]);
        }

        output.SetAsIs(
            node.Outputs[0], ActivationOperators.Append(output, op.Activation, y, $"{node.Name}/activation", rank, first: false));
    }

    public static void WriteGemm(OnnxOutput output, Node node)
    {
        var op = (GemmOperator)node.Operator;
        output.SetAsIs(node.Outputs[0], output.Node(
            "Gemm",
            node.Name,
            [output.AsIs(node.Inputs[0]!), output.AsIs(node.Inputs[1]!), output.OptionalAsIs(node, 2)],
            Attribute("alpha", op.Alpha),
            Attribute("beta", op.Beta),
            Attribute("transA", op.TransposeA ? 1 : 0),
            Attribute("transB", op.TransposeB ? 1 : 0)));
    }

    public static void WriteMatMul(OnnxOutput output, Node node) =>
        output.SetAsIs(node.Outputs[0], output.Node("MatMul", node.Name, [output.AsIs(node.Inputs[0]!), output.AsIs(node.Inputs[1]!)]));

    private static bool IsWeights(OnnxValue a, OnnxValue b) =>
        b.Rank == 2 && b.IsConstant && a.Element == ElementType.Float32 && b.Element == ElementType.Float32;

    // Weights (I, O); where they are bytes with scales that fit, they stay bytes in the network, with a node that dequantizes them.
    private static Value Weights(OnnxGraph graph, OnnxValue b, bool transpose, bool asBytes)
    {
        if (asBytes && b.Dequantized is { } source && source.IsBytesAlong(transpose ? 0 : 1))
        {
            return graph.Dequantize(
                b.Name, source, transpose ? graph.Transpose($"{b.Name}/io", source.Numbers, 1, 0) : source.Numbers, axis: 1);
        }

        return transpose ? graph.Transpose($"{b.Name}/io", graph.Original(b), 1, 0) : graph.Original(b);
    }

    // beta * C for each column, as bytes where they are.
    private static Value Bias(OnnxGraph graph, OnnxNode node, OnnxValue c, float beta, int filters)
    {
        if (beta == 1 && c is { Dequantized: not null, Rank: 1 } && c.Shape[0] == filters)
            return ConvolutionWeights.ReadBias(graph, c);
        var bias = Scaled(graph, node, graph.Original(c), beta);
        return bias.Shape.ElementCount == filters
            ? graph.Reshape($"{c.Name}/bias", bias, new TensorShape(filters))
            : graph.Emit(
                $"{c.Name}/bias", new ExpandOperator(new TensorShape(filters)), graph.Reshape($"{c.Name}/one", bias, new TensorShape(1)));
    }

    private static bool IsPerColumn(TensorShape shape, int columns) =>
        shape.ElementCount == 1 || (shape.ElementCount == columns && shape.Rank is 1 or 2 && shape[^1] == columns);

    private static Value Scaled(OnnxGraph graph, OnnxNode node, Value value, float factor)
    {
        if (factor == 1)
            return value;
        var constant = graph.Constant($"{node.Name}/factor", [factor], 1);
        return graph.Emit($"{value.Name}/scaled", new BinaryOperator(BinaryKind.Mul, Activation.None), value, constant);
    }
}
