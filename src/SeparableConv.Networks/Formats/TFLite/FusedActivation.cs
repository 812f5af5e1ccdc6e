using SeparableConv.Networks.Operators;

namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>The activations that the schema fuses into other operators.</summary>
internal static class FusedActivation
{
    private const byte None = 0;
    private const byte Relu = 1;
    private const byte ReluN1To1 = 2;
    private const byte Relu6 = 3;
    private const byte TanhCode = 4;

    /// <summary>As a function of floats.</summary>
    public static Activation Float(TFLiteNode node, byte code) => code switch
    {
        None => Activation.None,
        Relu => Activation.ReLU,
        ReluN1To1 => Activation.Clip(-1, 1),
        Relu6 => Activation.ReLU6,
        TanhCode => Activation.Tanh,
        _ => throw TFLiteImporter.Refused(node, $"the fused activation {code} is not supported."),
    };

    /// <summary>As a clamp of quantized numbers.</summary>
    public static (int Min, int Max) Clamp(TFLiteNode node, byte code, Quantization output, ElementType element)
    {
        var (least, most) = QuantizedTypes.Range(element);
        return code switch
        {
            None => (least, most),
            Relu => (QuantizedTypes.Quantize(0, output, element), most),
            ReluN1To1 => (QuantizedTypes.Quantize(-1, output, element), QuantizedTypes.Quantize(1, output, element)),
            Relu6 => (QuantizedTypes.Quantize(0, output, element), QuantizedTypes.Quantize(6, output, element)),
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
