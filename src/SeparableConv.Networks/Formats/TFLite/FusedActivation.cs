namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>The activations that the schema fuses into other operators.</summary>
internal static class FusedActivation
{
    /// <summary>RELU_0_TO_1, which is never fused and has no number in the schema.</summary>
    public const byte Relu0To1 = 255;

    private const byte None = 0;
    private const byte Relu = 1;
    private const byte ReluN1To1 = 2;
    private const byte Relu6 = 3;
    private const byte TanhCode = 4;

    /// <summary>
    /// Adds a layer with a fused activation: one of floats, or a quantized one where its first input is of bytes or int16.
    /// </summary>
    /// <param name="importer">The network being made.</param>
    /// <param name="node">The file's operator.</param>
    /// <param name="code">Its activation.</param>
    /// <param name="floats">The layer of floats.</param>
    /// <param name="quantized">The layer of bytes, for the output's quantization and the clamp that the activation is.</param>
    /// <param name="inputs">The layer's inputs.</param>
    /// <returns>The layer's output.</returns>
    public static Value Layer(
        TFLiteImporter importer,
        TFLiteNode node,
        byte code,
        Func<Activation, Operator> floats,
        Func<Quantization, int, int, Operator> quantized,
        params ReadOnlySpan<Value?> inputs)
    {
        var element = inputs[0]!.Type.Element;
        if (!element.IsByte() && element != ElementType.Int16)
            return importer.Emit(node, floats(Float(node, code)), inputs);
        var output = importer.OutputQuantization(node);
        var (min, max) = Clamp(node, code, output, element);
        return importer.Emit(node, quantized(output, min, max), inputs);
    }

    /// <summary>The activation as a function of floats.</summary>
    public static Activation Float(TFLiteNode node, byte code) => code switch
    {
        None => Activation.None,
        Relu => Activation.ReLU,
        ReluN1To1 => Activation.Clip(-1, 1),
        Relu6 => Activation.ReLU6,
        TanhCode => Activation.Tanh,
        Relu0To1 => Activation.Clip(0, 1),
        _ => throw TFLiteImporter.Refused(node, $"the fused activation {code} is not supported."),
    };

    /// <summary>The activation as a clamp of quantized numbers.</summary>
    public static (int Min, int Max) Clamp(TFLiteNode node, byte code, Quantization output, ElementType element)
    {
        var (least, most) = QuantizedTypes.Range(element);
        return code switch
        {
            None => (least, most),
            Relu => (QuantizedTypes.Quantize(0, output, element), most),
            ReluN1To1 => (QuantizedTypes.Quantize(-1, output, element), QuantizedTypes.Quantize(1, output, element)),
            Relu6 => (QuantizedTypes.Quantize(0, output, element), QuantizedTypes.Quantize(6, output, element)),
            Relu0To1 => (QuantizedTypes.Quantize(0, output, element), QuantizedTypes.Quantize(1, output, element)),
            _ => throw TFLiteImporter.Refused(node, $"the fused activation {code} of quantized numbers is not supported."),
        };
    }

    /// <summary>Refuses an activation where there can be none.</summary>
    public static void RequireNone(TFLiteNode node, byte code, Value value)
    {
        if (code != None)
            throw TFLiteImporter.Refused(node, $"the fused activation {code} of {value.Type} is not supported.");
    }
}
