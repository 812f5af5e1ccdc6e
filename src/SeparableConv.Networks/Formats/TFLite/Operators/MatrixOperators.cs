using SeparableConv.Loops;

namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>FULLY_CONNECTED and BATCH_MATMUL.</summary>
internal static class MatrixOperators
{
    private const int FullyConnectedOptions = 8;
    private const int BatchMatMulOptions = 101;

    public static void ReadFullyConnected(TFLiteImporter importer, TFLiteNode node)
    {
        if (DynamicRangeOperators.TryReadDense(importer, node, node.Options(FullyConnectedOptions)))
            return;

        // Weights (O, I); all but the last dimension of what is read are one.
        var (x, weights, bias) = ConvolutionWeights.Operands(importer, node, 2);
        var table = node.Options(FullyConnectedOptions);
        if (table.Byte(1) != 0)
            throw TFLiteImporter.Refused(node, $"weights format {table.Byte(1)} is not supported.");
        var (inputs, outputs) = (weights.Shape[1], weights.Shape[0]);
        if (inputs < 1 || x.Shape.ElementCount % inputs != 0)
        {
            throw TFLiteImporter.Refused(
                node, $"the input is {x.Type} and the weights are {weights.Type}; expected whole rows of {inputs}.");
        }

        var rows = (int)(x.Shape.ElementCount / inputs);
        var keeps = table.Bool(2) && x.Shape.Rank > 0 && x.Shape[^1] == inputs;
        var result = new TensorShape(keeps ? [.. x.Shape.Lengths[..^1], outputs] : [rows, outputs]);
        if (x.Shape != new TensorShape(rows, inputs))
            x = importer.Emit(node, new ReshapeOperator(new TensorShape(rows, inputs)), x);

        if (x.Type.Element == ElementType.Int16)
        {
            ReadWide(importer, node, x, weights, bias, result);
            return;
        }

        weights = ConvolutionWeights.Permuted(importer, node, weights, [1, 0]);
        var y = FusedActivation.Layer(
            importer,
            node,
            table.Byte(0),
            activation => new DenseOperator(activation),
            (output, min, max) => new QuantizedDenseOperator(x.Type.Element, output, min, max, Requantization.FixedPoint),
            x,
            weights,
            bias);
        importer.Set(node, y.Shape == result ? y : importer.Emit(node, new ReshapeOperator(result), y));
    }

    public static void ReadBatchMatMul(TFLiteImporter importer, TFLiteNode node)
    {
        var (a, b, table) = (importer.Input(node, 0), importer.Input(node, 1), node.Options(BatchMatMulOptions));
        if (a.Shape.Rank < 2 || b.Shape.Rank < 2)
            throw TFLiteImporter.Refused(node, $"the matrices are {a.Type} and {b.Type}; expected 2 dimensions at least.");
        if (!a.Type.Element.IsByte())
            _ = importer.Numbers(node, 0);
        if (a.Type.Element == ElementType.Float32)
            b = ConvolutionWeights.AsFloat(importer, node, b);
        a = table.Bool(0) ? Turned(importer, node, a) : a;
        b = table.Bool(1) ? Turned(importer, node, b) : b;
        Operator op = a.Type.Element.IsByte()
            ? new TFLiteBatchMatMulOperator(importer.OutputQuantization(node))
            : new MatMulOperator();
        importer.Set(node, importer.Emit(node, op, a, b));
    }

    // Rows of 16 bits as images of one pixel.
    private static void ReadWide(
        TFLiteImporter importer, TFLiteNode node, Value x, Value weights, Value? bias, TensorShape result)
    {
        if (weights.Constant is null)
            throw TFLiteImporter.Refused(node, $"the weights are {weights.Type} and computed while the model runs; expected a constant.");
        var (rows, inputs, outputs) = (x.Shape[0], weights.Shape[1], weights.Shape[0]);
        weights = ConvolutionWeights.Permuted(importer, node, weights, [1, 0]);
        weights = ConvolutionWeights.Widened(importer, node, weights, new TensorShape(1, 1, inputs, outputs));
        var image = ShapeOperators.Reshaped(importer, node, x, [rows, 1, 1, inputs]);
        var y = FusedActivation.Layer(
            importer,
            node,
            node.Options(FullyConnectedOptions).Byte(0),
            _ => throw TFLiteImporter.Refused(node, $"the input is {x.Type}; expected int16."),
            (output, min, max) => new TFLiteWideConvOperator(new ConvOptions(), output, min, max),
            image,
            weights,
            bias);
        importer.Set(node, ShapeOperators.Reshaped(importer, node, y, result.Lengths.ToArray()));
    }

    // Rows and columns exchanged.
    private static Value Turned(TFLiteImporter importer, TFLiteNode node, Value matrix)
    {
        int[] permutation = [.. Enumerable.Range(0, matrix.Shape.Rank)];
        (permutation[^1], permutation[^2]) = (permutation[^2], permutation[^1]);
        return ConvolutionWeights.Permuted(importer, node, matrix, permutation);
    }
}
