namespace SeparableConv.Networks.Rewriting;

/// <summary>
/// A dense layer of dequantized bytes whose output is not quantized, as a classifier's last one often is: its sums are computed in
/// integers, from weights that stay bytes, and brought to floats at the end.
/// </summary>
internal sealed class IntegerSums : NetworkPass
{
    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs)
    {
        if (node.Operator is not DenseOperator { Activation.IsNone: true } || IntegerSource.Of(inputs[0]!) is not { } x)
            return null;
        var shape = node.Outputs[0].Shape;
        var (depth, columns) = (inputs[0]!.Shape[^1], shape[^1]);
        if (IntegerLayer.Sums(x, inputs[1]!, inputs.Length > 2 ? inputs[2] : null, columns) is not var (weights, scales, zeroPoints))
            return null;

        // Rows are pixels of a convolution of one tap.
        var rows = checked((int)(inputs[0]!.Shape.ElementCount / depth));
        var kernel = new TensorType(weights.Type.Element, new TensorShape(1, 1, depth, columns), OnLastAxis(weights.Type.Quantization!));
        var pixels = Graph.Add($"{node.Name}/rows", new ReshapeOperator(new TensorShape(rows, 1, 1, depth)), x.Seen(Graph));
        var sums = Graph.Add(
            $"{node.Name}/sums",
            new IntegerConv2DOperator(ConvOptions.Default, isDepthwise: false),
            pixels,
            Constant($"{node.Name}/bytes", new(kernel, weights.Values)));
        return
        [
            Graph.Add(
                node.Name,
                new DequantizeLinearOperator(shape.Rank - 1),
                Graph.Add($"{node.Name}/shaped", new ReshapeOperator(shape), sums),
                Constant($"{node.Name}/scales", TensorData.Create(scales, columns)),
                Constant($"{node.Name}/units", TensorData.Create(zeroPoints, columns))),
        ];
    }

    private static Quantization OnLastAxis(Quantization quantization) => new(quantization.Scales, quantization.ZeroPoints, 3);
}
