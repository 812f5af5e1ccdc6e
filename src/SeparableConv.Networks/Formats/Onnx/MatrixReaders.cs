using SeparableConv.Networks.Operators;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Reads matrix products; those with constant float weights are dense layers.</summary>
internal static class MatrixReaders
{
    /// <summary>y = alpha*A*B + beta*C, A and B transposed where the attributes say so.</summary>
    public static void Gemm(OnnxGraph graph, OnnxNode node)
    {
        node.Ignore("broadcast");
        var (alpha, beta) = (node.Float("alpha", 1), node.Float("beta", 1));
        var (transposeA, transposeB) = (node.Flag("transA", false), node.Flag("transB", false));
        var (a, b, c) = (graph.Input(node, 0), graph.Input(node, 1), graph.OptionalInput(node, 2));
        var filters = b.Rank == 2 ? b.Shape[transposeB ? 0 : 1] : 0;
        var isDense = a.Rank == 2 && b.Rank == 2 && b.IsConstant && a.Element == ElementType.Float32 && b.Element == ElementType.Float32 && !transposeA
            && (c is null || (c.IsConstant && IsPerColumn(c.Shape, filters)));
        if (!isDense)
        {
            var op = new GemmOperator(alpha, beta, transposeA, transposeB);
            graph.Output(node, 0, c is null
                ? graph.Emit(node.Name, op, graph.Original(a), graph.Original(b))
                : graph.Emit(node.Name, op, graph.Original(a), graph.Original(b), graph.Original(c)));
            return;
        }

        var weights = graph.Original(b);
        if (transposeB)
            weights = graph.Transpose($"{b.Name}/io", weights, 1, 0);
        weights = Scaled(graph, node, weights, alpha);
        if (c is null)
        {
            graph.Output(node, 0, graph.Emit(node.Name, new DenseOperator(Activation.None), graph.Original(a), weights));
            return;
        }

        var bias = Scaled(graph, node, graph.Original(c), beta);
        bias = bias.Shape.ElementCount == filters
            ? graph.Reshape($"{c.Name}/bias", bias, new TensorShape(filters))
            : graph.Emit($"{c.Name}/bias", new ExpandOperator(new TensorShape(filters)), graph.Reshape($"{c.Name}/one", bias, new TensorShape(1)));
        graph.Output(node, 0, graph.Emit(node.Name, new DenseOperator(Activation.None), graph.Original(a), weights, bias));
    }

    /// <summary>NumPy's matmul.</summary>
    public static void MatMul(OnnxGraph graph, OnnxNode node)
    {
        var (a, b) = (graph.Input(node, 0), graph.Input(node, 1));
        var isDense = a.Rank >= 2 && b.Rank == 2 && b.IsConstant && !a.IsConstant && a.Element == ElementType.Float32 && b.Element == ElementType.Float32;
        graph.Output(node, 0, graph.Emit(node.Name, isDense ? new DenseOperator(Activation.None) : new MatMulOperator(), graph.Original(a), graph.Original(b)));
    }

    private static bool IsPerColumn(TensorShape shape, int columns) =>
        shape.ElementCount == 1 || (shape.ElementCount == columns && shape.Rank is 1 or 2 && shape[^1] == columns);

    private static Value Scaled(OnnxGraph graph, OnnxNode node, Value value, float factor) => factor == 1
        ? value
        : graph.Emit($"{value.Name}/scaled", new BinaryOperator(BinaryKind.Mul, Activation.None), value, graph.Constant($"{node.Name}/factor", [factor], 1));
}
