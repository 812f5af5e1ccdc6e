namespace SeparableConv.Networks.Rewriting;

/// <summary>
/// Turns matrix products with constant weights into dense layers, which take over scales, biases and activations: MatMul by a
/// matrix, and Gemm whose c is a row, its factors and transposition merged into the weights.
/// </summary>
internal sealed class DenseLowering : NetworkPass
{
    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs)
    {
        if (inputs is not [{ IsConstant: false } x, { Constant: { } weights }, ..]
            || weights.Type is not { Element: ElementType.Float32, Shape.Rank: 2, Shape.ElementCount: > 0 }
            || x.Shape.Rank == 0)
        {
            return null;
        }

        switch (node.Operator)
        {
            case MatMulOperator when x.Shape[^1] == weights.Type.Shape[0] && x.Shape.Rank > 1:
                return [Graph.Add(node.Name, new DenseOperator(Activation.None), x, inputs[1])];
            case GemmOperator { TransposeA: false } gemm
                when RowOf(inputs.Length > 2 ? inputs[2] : null, node.Outputs[0].Shape[1]) is { } row:
                var bias = row.Length == 0
                    ? null
                    : Constant($"{node.Name}/bias", TensorData.Create(Array.ConvertAll(row, number => gemm.Beta * number), row.Length));
                return
                [
                    Graph.Add(
                        node.Name,
                        new DenseOperator(Activation.None),
                        x,
                        Constant($"{node.Name}/weights", Weights(gemm, weights)),
                        bias),
                ];
            default:
                return null;
        }
    }

    /// <summary>c as one number a column, or as none; null where it is more.</summary>
    private static float[]? RowOf(Value? c, int columns)
    {
        if (c is null)
            return [];
        if (c.Constant is not { } constant || (c.Shape.ElementCount != 1 && (c.Shape.ElementCount != columns || c.Shape[^1] != columns)))
            return null;
        var values = constant.Span<float>().ToArray();
        return values.Length == columns ? values : [.. Enumerable.Repeat(values[0], columns)];
    }

    private static TensorData Weights(GemmOperator gemm, TensorData matrix)
    {
        var (rows, columns) = (matrix.Type.Shape[0], matrix.Type.Shape[1]);
        var source = matrix.Span<float>();
        var weights = new float[source.Length];
        for (var r = 0; r < rows; r++)
        {
            for (var c = 0; c < columns; c++)
                weights[gemm.TransposeB ? (c * rows) + r : (r * columns) + c] = gemm.Alpha * source[(r * columns) + c];
        }

        return gemm.TransposeB ? TensorData.Create(weights, columns, rows) : TensorData.Create(weights, rows, columns);
    }
}
