using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>The checks and ranges that quantized operators share.</summary>
internal static class QuantizedTypes
{
    /// <summary>An input of quantized bytes with one scale.</summary>
    /// <exception cref="ArgumentException">It is not there or is something else.</exception>
    public static TensorType Required(ReadOnlySpan<TensorType?> inputs, int index, string what)
    {
        var type = OperatorChecks.Required(inputs, index, what);
        if (!type.Element.IsByte())
            throw new ArgumentException($"The {what} is {type}; expected int8 or uint8.");
        CheckPerTensor(type.Quantization, type.Element, what);
        return type;
    }

    /// <summary>An input of quantized bytes or int16 with one scale.</summary>
    /// <exception cref="ArgumentException">It is not there or is something else.</exception>
    public static TensorType RequiredAny(ReadOnlySpan<TensorType?> inputs, int index, string what) =>
        OperatorChecks.Required(inputs, index, what).Element == ElementType.Int16
            ? RequiredWide(inputs, index, what)
            : Required(inputs, index, what);

    /// <summary>An input of quantized int16 with one scale and zero point 0.</summary>
    /// <exception cref="ArgumentException">It is not there or is something else.</exception>
    public static TensorType RequiredWide(ReadOnlySpan<TensorType?> inputs, int index, string what)
    {
        var type = OperatorChecks.Required(inputs, index, what);
        if (type.Element != ElementType.Int16)
            throw new ArgumentException($"The {what} is {type}; expected int16.");
        CheckWide(type.Quantization, what);
        return type;
    }

    /// <summary>Checks that one scale and a zero point of 0 are there, as numbers of 16 bits have them.</summary>
    /// <exception cref="ArgumentException">They are not.</exception>
    public static void CheckWide(Quantization? quantization, string what)
    {
        CheckPerTensor(quantization, ElementType.Int16, what);
        if (quantization!.ZeroPoint != 0)
            throw new ArgumentException($"The {what} has zero point {quantization.ZeroPoint}; numbers of 16 bits have 0.");
    }

    /// <summary>Two inputs of quantized bytes, both of one element type.</summary>
    /// <exception cref="ArgumentException">They are not.</exception>
    public static (TensorType First, TensorType Second) RequiredPair(ReadOnlySpan<TensorType?> inputs, string first, string second)
    {
        var (a, b) = (Required(inputs, 0, first), Required(inputs, 1, second));
        return a.Element == b.Element ? (a, b) : throw new ArgumentException(
            $"The {first} is {a} and the {second} {b}; both must have the same elements.");
    }

    /// <summary>Checks that one scale and a zero point that the elements can hold are there.</summary>
    /// <exception cref="ArgumentException">They are not.</exception>
    public static void CheckPerTensor(Quantization? quantization, ElementType element, string what)
    {
        if (quantization is null)
            throw new ArgumentException($"The {what} has no scale and zero point; quantized arithmetic needs them.");
        if (!quantization.IsPerTensor)
            throw new ArgumentException($"The {what} has {quantization}; one scale for the whole tensor is supported here.");
        var (least, most) = Range(element);
        if (quantization.ZeroPoint < least || quantization.ZeroPoint > most)
        {
            throw new ArgumentException(
                $"The {what} has zero point {quantization.ZeroPoint}; {element.ToString().ToLowerInvariant()} holds {least} to {most}.");
        }
    }

    /// <summary>The least and greatest number that an element holds.</summary>
    public static (int Least, int Most) Range(ElementType element) => element switch
    {
        ElementType.Int8 => (sbyte.MinValue, sbyte.MaxValue),
        ElementType.UInt8 => (byte.MinValue, byte.MaxValue),
        ElementType.Int16 => (short.MinValue, short.MaxValue),
        _ => throw new ArgumentException($"Quantized elements are int8, uint8 or int16, not {element.ToString().ToLowerInvariant()}."),
    };

    /// <summary>A ratio of scales as a fixed-point multiplier.</summary>
    /// <exception cref="ArgumentException">It is not finite.</exception>
    public static FixedPointMultiplier Multiplier(double ratio) => double.IsFinite(ratio)
        ? FixedPointMultiplier.Create(ratio)
        : throw new ArgumentException("The scales are so far apart that their ratio is not finite.");

    /// <summary>What signed bytes stand for, of unsigned ones 128 above them.</summary>
    public static Quantization AsUnsigned(Quantization signed) => new(signed.Scale, signed.ZeroPoint + 128);

    /// <summary>The number that a byte of memory holds.</summary>
    public static int Value(byte raw, ElementType element) => element == ElementType.Int8 ? (sbyte)raw : raw;

    /// <summary>
    /// zeroPoint + round(x / scale), half away from zero, in single precision and within the range of the element: how TensorFlow
    /// Lite finds the bounds of a fused activation.
    /// </summary>
    public static int Quantize(float x, Quantization quantization, ElementType element)
    {
        var (least, most) = Range(element);
        var q = (double)MathF.Round(x / quantization.Scale, MidpointRounding.AwayFromZero) + quantization.ZeroPoint;
        return double.IsNaN(q) ? quantization.ZeroPoint : (int)Math.Clamp(q, least, most);
    }
}
