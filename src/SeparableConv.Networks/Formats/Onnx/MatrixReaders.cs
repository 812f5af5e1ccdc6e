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

        var weights = Weights(graph, b, transposeB, alpha == 1);
        weights = Scaled(graph, node, weights, alpha);
        if (c is null)
        {
            graph.Output(node, 0, graph.Emit(node.Name, new DenseOperator(Activation.None), graph.Original(a), weights));
            return;
        }

        if (beta == 1 && c is { Dequantized: not null, Rank: 1 } && c.Shape[0] == filters)
        {
            graph.Output(node, 0, graph.Emit(node.Name, new DenseOperator(Activation.None), graph.Original(a), weights, ConvolutionReaders.Bias(graph, c)));
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
        graph.Output(node, 0, isDense
            ? graph.Emit(node.Name, new DenseOperator(Activation.None), graph.Original(a), Weights(graph, b, transpose: false, asBytes: true))
            : graph.Emit(node.Name, new MatMulOperator(), graph.Original(a), graph.Original(b)));
    }

    // (I, O); dequantized when the network runs where that can be.
    private static Value Weights(OnnxGraph graph, OnnxValue b, bool transpose, bool asBytes)
    {
        if (asBytes && b.Dequantized is { } source && source.IsBytesAlong(transpose ? 0 : 1))
            return graph.Dequantize(b.Name, source, transpose ? graph.Transpose($"{b.Name}/io", source.Numbers, 1, 0) : source.Numbers, axis: 1);
        return transpose ? graph.Transpose($"{b.Name}/io", graph.Original(b), 1, 0) : graph.Original(b);
    }

    private static bool IsPerColumn(TensorShape shape, int columns) =>
        shape.ElementCount == 1 || (shape.ElementCount == columns && shape.Rank is 1 or 2 && shape[^1] == columns);

    private static Value Scaled(OnnxGraph graph, OnnxNode node, Value value, float factor) => factor == 1
        ? value
        : graph.Emit($"{value.Name}/scaled", new BinaryOperator(BinaryKind.Mul, Activation.None), value, graph.Constant($"{node.Name}/factor", [factor], 1));
}
