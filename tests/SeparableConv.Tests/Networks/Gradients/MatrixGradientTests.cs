using SeparableConv.Networks.Gradients;
using SeparableConv.Tests.Networks.Operators;

namespace SeparableConv.Tests.Networks.Gradients;

/// <summary>Gradients of matrix products.</summary>
public sealed class MatrixGradientTests
{
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Gemm_has_the_gradients_of_central_differences(bool transposeA, bool transposeB)
    {
        (int Rows, int Depth, int Columns, int[]? C)[] cases =
        [
            (1, 1, 1, []), (2, 3, 5, null), (3, 2, 4, [4]), (3, 2, 4, [3, 1]), (3, 2, 4, [1, 4]), (3, 2, 4, [3, 4]), (1, 7, 3, [1]),
            (70, 30, 50, [50]),
        ];
        foreach (var (rows, depth, columns, c) in cases)
        {
            var a = transposeA ? OperatorRun.Floats(1, depth, rows) : OperatorRun.Floats(1, rows, depth);
            var b = transposeB ? OperatorRun.Floats(2, columns, depth) : OperatorRun.Floats(2, depth, columns);
            TensorData[] inputs = c is null ? [a, b] : [a, b, OperatorRun.Floats(3, c)];
            GradientCheck.Run(new GemmOperator(1, 1, transposeA, transposeB), inputs, tolerance: 1e-4);
            GradientCheck.Run(new GemmOperator(0.5f, -2, transposeA, transposeB), inputs, tolerance: 1e-4);
        }
    }

    [Theory]
    [InlineData(new[] { 3 }, new[] { 3 })]
    [InlineData(new[] { 3 }, new[] { 3, 2 })]
    [InlineData(new[] { 2, 3 }, new[] { 3 })]
    [InlineData(new[] { 2, 3 }, new[] { 3, 4 })]
    [InlineData(new[] { 1, 1 }, new[] { 1, 1 })]
    [InlineData(new[] { 2, 4, 3 }, new[] { 3, 5 })]
    [InlineData(new[] { 2, 4, 3 }, new[] { 3 })]
    [InlineData(new[] { 2, 4, 3 }, new[] { 2, 3, 5 })]
    [InlineData(new[] { 1, 4, 3 }, new[] { 2, 3, 5 })]
    [InlineData(new[] { 4, 3 }, new[] { 2, 3, 5 })]
    [InlineData(new[] { 3 }, new[] { 2, 3, 5 })]
    [InlineData(new[] { 2, 1, 4, 3 }, new[] { 1, 3, 3, 2 })]
    [InlineData(new[] { 3, 2, 3 }, new[] { 2, 1, 3, 4 })]
    [InlineData(new[] { 2, 0 }, new[] { 0, 3 })]
    [InlineData(new[] { 6, 50, 40 }, new[] { 6, 40, 30 })]
    [InlineData(new[] { 6, 50, 40 }, new[] { 40, 30 })]
    public void MatMul_has_the_gradients_of_central_differences(int[] a, int[] b)
    {
        TensorData[] inputs = [OperatorRun.Floats(1, a), OperatorRun.Floats(2, b)];
        GradientCheck.Run(new MatMulOperator(), inputs, tolerance: 1e-4);
        Assert.Single(GradientCheck.Run(new MatMulOperator(), inputs, constant: [0], tolerance: 1e-4));
        Assert.Single(GradientCheck.Run(new MatMulOperator(), inputs, constant: [1], tolerance: 1e-4));
    }

    [Fact]
    public void One_matrix_on_the_right_is_multiplied_by_all_rows_at_once()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", new(ElementType.Float32, new TensorShape(2, 4, 3)));
        var w = graph.Input("w", new(ElementType.Float32, new TensorShape(3, 5)));
        var y = graph.Add("y", new MatMulOperator(), x, w);
        GradientGraph.Add(graph, [(y, graph.Input("seed", y.Type))], [x, w]);
        Assert.Single(graph.Nodes, node => node.Operator is MatMulOperator);
        Assert.DoesNotContain(graph.Nodes, node => node.Operator is ReduceOperator or TransposeOperator);
    }
}
