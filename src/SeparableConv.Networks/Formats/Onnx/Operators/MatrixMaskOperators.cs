namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Operators about the diagonal of a matrix: Trilu and EyeLike.</summary>
internal static class MatrixMaskOperators
{
    /// <summary>The matrices of the last two dimensions with zeros below the diagonal, or above it.</summary>
    public static void ReadTrilu(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        var upper = node.Flag("upper", true);
        var k = graph.OptionalConstant(node, 1, "diagonal") is { } given ? OnnxConstants.Long(node, given, "diagonal") : 0;
        if (x.Rank < 2)
            throw node.Error($"the input is {x.Shape}; expected two dimensions or more");
        var mask = Matrix(graph, node, x.Shape[^2], x.Shape[^1], (row, column) => upper ? column - row >= k : column - row <= k);
        var formula = new Formula(graph, node);
        var kept = graph.Constant($"{node.Name}/kept", TensorData.Create(mask, x.Shape[^2], x.Shape[^1]));
        graph.Output(node, 0, formula.Choose("", kept, graph.Original(x), formula.Number("zero", 0, x.Element)));
    }

    /// <summary>Ones on a diagonal of a matrix that has the input's shape, zeros elsewhere.</summary>
    public static void ReadEyeLike(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        var k = node.Long("k", 0);
        var element = node.Has("dtype")
            ? OnnxHalves.Computed(OnnxElements.Read(node.Long("dtype", 0), $"The result of node '{OneLine.Of(node.Name)}'"))
            : x.Element;
        if (x.Rank != 2)
            throw node.Error($"the input is {x.Shape}; expected two dimensions");
        var eye = TensorData.Create(
            Matrix(graph, node, x.Shape[0], x.Shape[1], (row, column) => column - row == k), x.Shape.Lengths);
        graph.Output(node, 0, graph.Emit(node.Name, new CastOperator(element), graph.Constant($"{node.Name}/diagonal", eye)));
    }

    // Charged before there is any of it.
    private static bool[] Matrix(OnnxGraph graph, OnnxNode node, int rows, int columns, Func<long, long, bool> isSet)
    {
        if ((long)rows * columns > Math.Min(graph.RemainingBytes, Array.MaxLength))
            throw node.Error($"a matrix of {rows} rows and {columns} columns is more than a model's constants may have together");
        var matrix = new bool[rows * columns];
        for (var i = 0; i < matrix.Length; i++)
            matrix[i] = isSet(i / columns, i % columns);
        return matrix;
    }
}
