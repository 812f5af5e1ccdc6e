namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>What layers with weights share: reading their inputs, the weights' layout and type, and the padding.</summary>
internal static class ConvolutionWeights
{
    /// <summary>Reads a layer's input, weights and bias. Where the input is float32, weights and bias are converted to it.</summary>
    public static (Value X, Value Weights, Value? Bias) Operands(TFLiteImporter importer, TFLiteNode node, int rank)
    {
        var (x, weights, bias) = (importer.Input(node, 0), importer.Input(node, 1), importer.Optional(node, 2));
        if (weights.Shape.Rank != rank)
            throw TFLiteImporter.Refused(node, $"the weights are {weights.Type}; expected {rank} dimensions.");
        if (x.Type.Element is not (ElementType.Float32 or ElementType.Int8 or ElementType.UInt8 or ElementType.Int16))
            throw TFLiteImporter.Refused(node, $"the input is {x.Type}; expected float32, int8, uint8 or int16.");
        return x.Type.Element != ElementType.Float32
            ? (x, weights, bias)
            : (x, AsFloat(importer, node, weights), bias is null ? null : AsFloat(importer, node, bias));
    }

    /// <summary>The weights (1, kH, kW, C*M) of a depthwise convolution in the shape (kH, kW, C, M).</summary>
    public static Value Depthwise(TFLiteImporter importer, TFLiteNode node, Value weights, TensorShape shape)
    {
        // Scales run along c*M + m, which is no dimension any more; without them a view is enough.
        if (weights.Type.Quantization is not { IsPerTensor: false } quantization)
            return importer.Form(weights, $"shaped {shape}", v => importer.Emit(node, new ReshapeOperator(shape), v));
        if (weights.Constant is not { } constant || quantization.Axis != 3)
        {
            throw TFLiteImporter.Refused(
                node,
                $"the weights have {quantization}; expected constants with one scale, or one for each output channel along dimension 3.");
        }

        return importer.Form(weights, $"shaped {shape}", v => importer.Reshaped(v, constant, shape));
    }

    /// <summary>Weights (I, O) of a dense layer with dimensions of length 1 before them, their scales along the last one.</summary>
    public static Value Widened(TFLiteImporter importer, TFLiteNode node, Value weights, TensorShape shape)
    {
        if (weights.Type.Quantization is not { IsPerTensor: false } quantization)
            return importer.Emit(node, new ReshapeOperator(shape), weights);
        var moved = new Quantization(quantization.Scales, quantization.ZeroPoints, shape.Rank - 1);
        var data = new TensorData(weights.Type with { Quantization = moved }, weights.Constant!.Values);
        return importer.Form(weights, $"shaped {shape}", v => importer.Reshaped(v, data, shape));
    }

    /// <summary>A value with its dimensions in another order.</summary>
    public static Value Permuted(TFLiteImporter importer, TFLiteNode node, Value value, int[] permutation) =>
        importer.Form(value, $"permuted {string.Join(',', permutation)}", v => importer.Emit(node, new TransposeOperator(permutation), v));

    /// <summary>A value as float32: weights for float activations may be stored as int8 or float16.</summary>
    public static Value AsFloat(TFLiteImporter importer, TFLiteNode node, Value value) => value.Type switch
    {
        { Element: ElementType.Float16 } =>
            importer.Form(value, "float", v => importer.Emit(node, new CastOperator(ElementType.Float32), v)),
        { Quantization: not null, Element: not ElementType.Float32 } =>
            importer.Form(value, "float", v => importer.Emit(node, new TFLiteDequantizeOperator(), v)),
        _ => value,
    };

    /// <summary>SAME or VALID, as the schema numbers them.</summary>
    public static Padding Padding(TFLiteNode node, byte code) => code switch
    {
        0 => SeparableConv.Padding.Same,
        1 => SeparableConv.Padding.Valid,
        _ => throw TFLiteImporter.Refused(node, $"padding {code} is neither SAME (0) nor VALID (1)."),
    };
}
