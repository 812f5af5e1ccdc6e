using SeparableConv.Loops;
using static SeparableConv.Networks.Formats.Onnx.OnnxOutput;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>
/// Products of matrices of bytes: QLinearMatMul and MatMulInteger, and of com.microsoft QGemm, MatMulIntegerToFloat and
/// DynamicQuantizeMatMul. One with constant weights whose scales are known becomes a dense layer of bytes.
/// </summary>
internal static class QuantizedMatrixOperators
{
    /// <summary>
    /// y = saturate(round(sum * (aScale*bScale / yScale)) + yZeroPoint), scales of a one or one a row, those of b one or one a column.
    /// </summary>
    public static void ReadQLinearMatMul(OnnxGraph graph, OnnxNode node)
    {
        var (a, b) = (graph.Input(node, 0), graph.Input(node, 3));
        var element = graph.OptionalInput(node, 7)?.Element ?? a.Element;
        if (IsDense(graph, node, a, b) && b.Rank == 2)
        {
            graph.Output(node, 0, Dense(graph, node, graph.Original(a), graph.Original(b), null, 1, element, 6));
            return;
        }

        var sums = Product(graph, node, a, b, graph.OptionalInput(node, 2), graph.OptionalInput(node, 5));
        var factor = Binary(graph, node, "factor", BinaryKind.Div, Scales(graph, node, a, b, 1, 4), Scale(graph, node, 6, 0));
        graph.Output(node, 0, Requantized(graph, node, QuantizedConstants.Scaled(graph, node, sums, factor), element, 7));
    }

    /// <summary>NumPy's matmul of (a - aZeroPoint) and (b - bZeroPoint) in 32 bits.</summary>
    public static void ReadMatMulInteger(OnnxGraph graph, OnnxNode node) => graph.Output(node, 0, Product(
        graph, node, graph.Input(node, 0), graph.Input(node, 1), graph.OptionalInput(node, 2), graph.OptionalInput(node, 3)));

    /// <summary>
    /// y = (a*b + c) * (alpha*aScale*bScale), c of int32, quantized where a scale for that is given. Scales of b are one or one a column.
    /// </summary>
    public static void ReadQGemm(OnnxGraph graph, OnnxNode node)
    {
        var (transposeA, transposeB) = (node.Flag("transA", false), node.Flag("transB", false));
        var alpha = node.Float("alpha", 1);
        var (a, b, c) = (graph.Input(node, 0), graph.Input(node, 3), graph.OptionalInput(node, 6));
        if (a.Rank != 2 || b.Rank != 2)
            throw node.Error($"the matrices are {a.Shape} and {b.Shape}; expected two dimensions each");
        var first = transposeA ? graph.Transpose($"{a.Name}/transposed", graph.Original(a), 1, 0) : graph.Original(a);
        var second = transposeB ? graph.Transpose($"{b.Name}/io", graph.Original(b), 1, 0) : graph.Original(b);
        var isBias = c is null || (c.IsConstant && c.Shape.ElementCount == second.Shape[1]
            && (c.Rank == 0 || c.Shape[^1] == second.Shape[1]));
        var element = graph.OptionalInput(node, 8)?.Element ?? a.Element;
        if (node.HasInput(7) && isBias && IsDense(graph, node, a, b) && graph.Input(node, 7).IsConstant)
        {
            var bias = c is null ? null : graph.Reshape($"{c.Name}/bias", graph.Original(c), new TensorShape(second.Shape[1]));
            graph.Output(node, 0, Dense(graph, node, first, second, bias, alpha, element, 7));
            return;
        }

        var sums = Product(
            graph,
            node,
            OnnxValue.First(a.Name, first),
            OnnxValue.First(b.Name, second),
            graph.OptionalInput(node, 2),
            graph.OptionalInput(node, 5));
        if (c is not null)
            sums = Binary(graph, node, "biased", BinaryKind.Add, sums, graph.Original(c));
        var factor = graph.Constant($"{node.Name}/alpha", [alpha], 1);
        factor = Binary(graph, node, "alpha", BinaryKind.Mul, factor, Scale(graph, node, 1, 0));
        factor = Binary(graph, node, "scale", BinaryKind.Mul, factor, Scale(graph, node, 4, b.Rank));
        if (!node.HasInput(7))
        {
            graph.Output(node, 0, QuantizedConstants.Scaled(graph, node, sums, factor));
            return;
        }

        factor = Binary(graph, node, "factor", BinaryKind.Div, factor, Scale(graph, node, 7, 0));
        graph.Output(node, 0, Requantized(graph, node, QuantizedConstants.Scaled(graph, node, sums, factor), element, 8));
    }

    /// <summary>y = sum * (aScale*bScale) + bias in single precision.</summary>
    public static void ReadMatMulIntegerToFloat(OnnxGraph graph, OnnxNode node)
    {
        var (a, b) = (graph.Input(node, 0), graph.Input(node, 1));
        var sums = Product(graph, node, a, b, graph.OptionalInput(node, 4), graph.OptionalInput(node, 5));
        graph.Output(node, 0, Real(graph, node, sums, Scales(graph, node, a, b, 2, 3), 6));
    }

    /// <summary>The same of a float matrix, which is quantized by its own range first.</summary>
    public static void ReadDynamicQuantizeMatMul(OnnxGraph graph, OnnxNode node)
    {
        var (a, b) = (graph.Input(node, 0), graph.Input(node, 1));
        var quantized = graph.EmitAll($"{node.Name}/quantized", new DynamicQuantizeLinearOperator(), graph.Original(a));
        var sums = Product(
            graph,
            node,
            OnnxValue.First(a.Name, quantized[0]),
            b,
            OnnxValue.First(a.Name, quantized[2]),
            graph.OptionalInput(node, 3));
        graph.Output(
            node, 0, Real(graph, node, sums, Binary(graph, node, "scale", BinaryKind.Mul, quantized[1], Scale(graph, node, 2, b.Rank)), 4));
    }

    public static void WriteMatMulInteger(OnnxOutput output, Node node)
    {
        string[] inputs =
            [output.AsIs(node.Inputs[0]!), output.AsIs(node.Inputs[1]!), output.OptionalAsIs(node, 2), output.OptionalAsIs(node, 3)];
        output.SetAsIs(node.Outputs[0], output.Node("MatMulInteger", node.Name, inputs));
    }

    /// <summary>A QLinearMatMul; with a bias a QGemm of com.microsoft, as ONNX's own has none.</summary>
    public static void WriteDense(OnnxOutput output, Node node)
    {
        var op = (QuantizedDenseOperator)node.Operator;
        var (x, w, y) = (node.Inputs[0]!, node.Inputs[1]!, node.Outputs[0]);
        var (hasBias, isMatrix) = (node.Inputs.Count > 2 && node.Inputs[2] is not null, x.Shape.Rank == 2);
        var input = output.AsIs(x);
        if (hasBias && !isMatrix)
            input = output.Node("Reshape", $"{node.Name}/rows", [input, output.Numbers($"{node.Name}/rows_shape", [-1, x.Shape[^1]])]);
        string[] operands =
        [
            input, QuantizedConstants.Scale(output, $"{node.Name}/a_scale", x.Type),
            QuantizedConstants.ZeroPoint(output, $"{node.Name}/a_zero_point", x.Type),
            output.AsIs(w), QuantizedConstants.Scale(output, $"{node.Name}/b_scale", w.Type),
            QuantizedConstants.ZeroPoint(output, $"{node.Name}/b_zero_point", w.Type),
        ];
        string[] result =
        [
            QuantizedConstants.Scale(output, $"{node.Name}/y_scale", y.Type),
            QuantizedConstants.ZeroPoint(output, $"{node.Name}/y_zero_point", y.Type),
        ];
        var bytes = hasBias
            ? output.Node(OnnxOperators.Microsoft("QGemm"), node.Name, [.. operands, output.AsIs(node.Inputs[2]!), .. result])
            : output.Node("QLinearMatMul", node.Name, [.. operands, .. result]);
        bytes = QuantizedConstants.Clamped(output, node, op, bytes);
        if (hasBias && !isMatrix)
            bytes = output.Node("Reshape", $"{node.Name}/shaped", [bytes, output.Numbers($"{node.Name}/shape", y.Shape.Lengths)]);
        output.SetAsIs(y, bytes);
    }

    // Whether weights and all scales and zero points are known, those of the input one.
    private static bool IsDense(OnnxGraph graph, OnnxNode node, OnnxValue a, OnnxValue b)
    {
        int[] known = [1, 2, 4, 5];
        return !a.IsConstant && a.Rank >= 2 && b is { IsConstant: true, Rank: 2 }
            && Array.TrueForAll(known, index => graph.OptionalInput(node, index) is null or { IsConstant: true })
            && graph.Input(node, 1).Shape.ElementCount == 1 && graph.OptionalInput(node, 2) is null or { Shape.ElementCount: 1 }
            && graph.Input(node, 4).Rank <= 1 && graph.OptionalInput(node, 5) is null or { Rank: <= 1 }
            && graph.Original(graph.Input(node, 1)).Constant!.Values is float[]
            && graph.Original(graph.Input(node, 4)).Constant!.Values is float[];
    }

    private static Value Dense(
        OnnxGraph graph, OnnxNode node, Value a, Value b, Value? bias, float alpha, ElementType element, int outputScale)
    {
        var input = QuantizedConstants.PerTensor(graph, node, 1, 2, "a", a.Type.Element);
        var weights = QuantizedConstants.PerChannel(graph, node, 4, 5, "b", b.Type.Element, b.Shape[1], axis: 1);
        var output = QuantizedConstants.PerTensor(graph, node, outputScale, outputScale + 1, "y", element);
        var (least, most) = QuantizedTypes.Range(element);
        var op = new QuantizedDenseOperator(element, output, least, most, Requantization.Float);
        var x = graph.Emit($"{node.Name}/a", new QuantizationViewOperator(new(alpha * input.Scale, input.ZeroPoint)), a);
        var w = graph.Emit($"{node.Name}/b", new QuantizationViewOperator(weights), b);
        var y = bias is null ? graph.Emit(node.Name, op, x, w) : graph.Emit(node.Name, op, x, w, bias);
        return graph.Emit($"{node.Name}/bytes", new QuantizationViewOperator(null), y);
    }

    // The sums; vectors are matrices of one row or column for as long as they are multiplied.
    private static Value Product(OnnxGraph graph, OnnxNode node, OnnxValue a, OnnxValue b, OnnxValue? zeroA, OnnxValue? zeroB)
    {
        var (first, second) = (graph.Original(a), graph.Original(b));
        if (a.Rank == 1)
            first = graph.Reshape($"{a.Name}/row", first, new TensorShape(1, a.Shape[0]));
        if (b.Rank == 1)
            second = graph.Reshape($"{b.Name}/column", second, new TensorShape(b.Shape[0], 1));
        var (zeroFirst, zeroSecond) = (zeroA is null ? null : graph.Original(zeroA), zeroB is null ? null : graph.Original(zeroB));
        Value?[] inputs = zeroSecond is not null ? [first, second, zeroFirst, zeroSecond]
            : zeroFirst is not null ? [first, second, zeroFirst]
            : [first, second];
        var sums = graph.Emit($"{node.Name}/sums", new IntegerMatMulOperator(), inputs);
        var lengths = sums.Shape.Lengths.ToArray().ToList();
        if (b.Rank == 1)
            lengths.RemoveAt(lengths.Count - 1);
        if (a.Rank == 1)
            lengths.RemoveAt(lengths.Count - (b.Rank == 1 ? 1 : 2));
        return graph.Reshape($"{node.Name}/shaped", sums, new TensorShape([.. lengths]));
    }

    private static Value Scales(OnnxGraph graph, OnnxNode node, OnnxValue a, OnnxValue b, int scaleA, int scaleB)
    {
        // One for each row stands beside rows, not columns.
        var first = Scale(graph, node, scaleA, a.Rank);
        if (first.Shape is { Rank: 1, ElementCount: > 1 } && b.Rank > 1)
            first = graph.Reshape($"{node.Name}/rows", first, new TensorShape(first.Shape[0], 1));
        return Binary(graph, node, "scale", BinaryKind.Mul, first, Scale(graph, node, scaleB, b.Rank));
    }

    // A scale of float32; of a vector it is one number.
    private static Value Scale(OnnxGraph graph, OnnxNode node, int index, int rank)
    {
        var scale = graph.Original(graph.Input(node, index));
        if (scale.Type.Element == ElementType.Float16)
            scale = graph.Emit($"{scale.Name}/float32", new CastOperator(ElementType.Float32), scale);
        if (scale.Type.Element != ElementType.Float32 || (rank < 2 && scale.Shape.ElementCount != 1))
            throw node.Error($"input {index}, a scale, is {scale.Type}; expected {(rank < 2 ? "one " : "")}float32");
        return scale.Shape.ElementCount == 1 ? graph.Reshape($"{scale.Name}/one", scale, new TensorShape(1)) : scale;
    }

    private static Value Real(OnnxGraph graph, OnnxNode node, Value sums, Value factor, int bias)
    {
        var scaled = QuantizedConstants.Scaled(graph, node, sums, factor);
        return graph.OptionalInput(node, bias) is { } b ? Binary(graph, node, "biased", BinaryKind.Add, scaled, graph.Original(b)) : scaled;
    }

    private static Value Requantized(OnnxGraph graph, OnnxNode node, Value scaled, ElementType element, int zeroPoint)
    {
        var one = graph.Constant($"{node.Name}/one", [1f], 1);
        var zeros = graph.OptionalInput(node, zeroPoint) is { } given
            ? graph.Original(given)
            : graph.Constant($"{node.Name}/zero_point", TensorData.CreateZeros(new(element, default)));
        return graph.Emit(node.Name, new QuantizeLinearOperator(element, 0), scaled, one, zeros);
    }

    private static Value Binary(OnnxGraph graph, OnnxNode node, string name, BinaryKind kind, Value a, Value b) =>
        graph.Emit($"{node.Name}/{name}", new BinaryOperator(kind, Activation.None), a, b);
}
