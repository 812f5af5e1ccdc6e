namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>Layers of floats with int8 weights, where they are to be computed as TensorFlow Lite's dynamic-range kernels do.</summary>
internal static class DynamicRangeOperators
{
    public static bool TryReadConv2D(TFLiteImporter importer, TFLiteNode node, FlatTable table)
    {
        if (Operands(importer, node, 4) is not var (x, weights, bias) || x.Shape.Rank != 4 || weights.Shape[3] < 1
            || x.Shape[3] % weights.Shape[3] != 0)
            return false;

        // Of one scale for all weights images are quantized about 0, else between their extremes.
        var options = ConvolutionOperators.Options(node, table, 4) with { Groups = x.Shape[3] / weights.Shape[3] };
        var isSymmetric = options.Groups == 1 && !weights.Type.Quantization!.Scales.ContainsAnyExcept(weights.Type.Quantization.Scale);
        weights = ConvolutionWeights.Permuted(importer, node, weights, [1, 2, 3, 0]);
        importer.Set(node, Layer(importer, node, table.Byte(3), options, isSymmetric, x, weights, bias));
        return true;
    }

    public static bool TryReadDepthwise(TFLiteImporter importer, TFLiteNode node, FlatTable table)
    {
        if (Operands(importer, node, 4) is not var (x, weights, bias) || x.Shape.Rank != 4 || x.Shape[3] < 1)
            return false;
        var shape = weights.Shape;
        if (shape[0] != 1 || shape[3] % x.Shape[3] != 0)
            return false;
        var options = ConvolutionOperators.Options(node, table, 5) with { Groups = x.Shape[3] };
        weights = ConvolutionWeights.Depthwise(importer, node, weights, new TensorShape(shape[1], shape[2], 1, shape[3]));
        importer.Set(node, Layer(importer, node, table.Byte(4), options, isSymmetric: false, x, weights, bias));
        return true;
    }

    public static bool TryReadDense(TFLiteImporter importer, TFLiteNode node, FlatTable table)
    {
        if (Operands(importer, node, 2) is not var (x, weights, bias) || table.Byte(1) != 0 || weights.Shape[1] < 1
            || x.Shape.ElementCount % weights.Shape[1] != 0)
            return false;

        // Each row is an image of one pixel.
        var (inputs, outputs) = (weights.Shape[1], weights.Shape[0]);
        var rows = (int)(x.Shape.ElementCount / inputs);
        var keeps = table.Bool(2) && x.Shape.Rank > 0 && x.Shape[^1] == inputs;
        weights = ConvolutionWeights.Permuted(importer, node, weights, [1, 0]);
        weights = ConvolutionWeights.Widened(importer, node, weights, new TensorShape(1, 1, inputs, outputs));
        var image = ShapeOperators.Reshaped(importer, node, x, [rows, 1, 1, inputs]);
        var y = Layer(importer, node, table.Byte(0), new ConvOptions(), isSymmetric: !table.Bool(3), image, weights, bias);
        importer.Set(node, ShapeOperators.Reshaped(importer, node, y, keeps ? [.. x.Shape.Lengths[..^1], outputs] : [rows, outputs]));
        return true;
    }

    private static Value Layer(
        TFLiteImporter importer,
        TFLiteNode node,
        byte activation,
        ConvOptions options,
        bool isSymmetric,
        Value x,
        Value weights,
        Value? bias)
    {
        var function = FusedActivation.Float(node, activation);
        var y = importer.Emit(node, new TFLiteDynamicRangeConvOperator(options, isSymmetric), x, weights, bias);
        return function.IsNone ? y : importer.Emit(node, new ActivationOperator(function), y);
    }

    // Input, weights and bias, where the option is set and they are what its kernels take.
    private static (Value X, Value Weights, Value? Bias)? Operands(TFLiteImporter importer, TFLiteNode node, int rank)
    {
        if (!importer.Options.DynamicRange)
            return null;
        var (x, weights, bias) = (importer.Input(node, 0), importer.Input(node, 1), importer.Optional(node, 2));
        return x.Type.Element == ElementType.Float32 && weights.Constant is not null && weights.Shape.Rank == rank
            && weights.Type is { Element: ElementType.Int8, Quantization: { } quantization }
            && !quantization.ZeroPoints.ContainsAnyExcept(0)
            ? (x, weights, bias is null ? null : ConvolutionWeights.AsFloat(importer, node, bias))
            : null;
    }
}
