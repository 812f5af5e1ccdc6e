using SeparableConv.Loops;

namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>FULLY_CONNECTED.</summary>
internal static class MatrixOperators
{
    private const int FullyConnectedOptions = 8;

    public static void ReadFullyConnected(TFLiteImporter importer, TFLiteNode node)
    {
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
}
