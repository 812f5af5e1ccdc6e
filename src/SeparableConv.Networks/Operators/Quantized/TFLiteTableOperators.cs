using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>The functions that <see cref="TFLiteFunctionOperator"/> has.</summary>
internal enum TFLiteFunction
{
    /// <summary>1 / (1 + e^-x).</summary>
    Logistic,

    /// <summary>The hyperbolic tangent.</summary>
    Tanh,

    /// <summary>e^x.</summary>
    Exp,

    /// <summary>The natural logarithm; the least output for numbers of 0 and below.</summary>
    Log,

    /// <summary>x where it is 0 or more, e^x - 1 below.</summary>
    Elu,

    /// <summary>x * (1 + erf(x / sqrt(2))) / 2.</summary>
    Gelu,

    /// <summary>The same with tanh in place of erf.</summary>
    GeluTanh,
}

/// <summary>
/// A function of quantized bytes, as TensorFlow Lite fills its tables: the real input and the function in single precision,
/// times 1/scale, rounded half away from zero.
/// </summary>
internal sealed class TFLiteFunctionOperator(
    TFLiteFunction function, ElementType element, Quantization output) : ByteTableOperator(element, output)
{
    private const float RootOfHalf = 0.70710678f;
    private const float RootOfTwoByPi = 0.79788456f;

    public override string Kind => $"Quantized{function}";

    private protected override Func<int, int> Function(Quantization input)
    {
        var (inverse, least) = (1 / Output.Scale, (QuantizedTypes.Range(Element).Least - Output.ZeroPoint) * Output.Scale);
        return q =>
        {
            var y = Real(input.Scale * (q - input.ZeroPoint), least);
            return (int)(MathF.Round(y * inverse, MidpointRounding.AwayFromZero) + Output.ZeroPoint);
        };
    }

    private float Real(float x, float least) => function switch
    {
        TFLiteFunction.Tanh => MathF.Tanh(x),
        TFLiteFunction.Exp => MathF.Exp(x),
        TFLiteFunction.Log => x <= 0 ? least : MathF.Log(x),
        TFLiteFunction.Gelu => x * 0.5f * (1 + (float)ErrorFunction.Erf(x * RootOfHalf)),
        TFLiteFunction.GeluTanh => x * 0.5f * (1 + MathF.Tanh(RootOfTwoByPi * (x + (0.044715f * x * x * x)))),
        TFLiteFunction.Elu => x < 0 ? (float)(Math.Exp(x) - 1) : x,
        _ => 1 / (1 + MathF.Exp(-x)),
    };
}

/// <summary>
/// y = x * min(1, max(0, x/6 + 1/2)) of quantized bytes in 16-bit fixed point: the input times 2^7 on the output's scale, times the
/// same number brought from -3 .. 3 to 0 .. 1.
/// </summary>
internal sealed class TFLiteHardSwishOperator(ElementType element, Quantization output) : ByteTableOperator(element, output)
{
    public override string Kind => "QuantizedHardSwish";

    private protected override Func<int, int> Function(Quantization input)
    {
        // All of these are single-precision divisions in the reference.
        var fine = 1f / 128 * input.Scale;
        var toOutput = QuantizedTypes.Multiplier(fine / Output.Scale);
        var toRelu = QuantizedTypes.Multiplier(fine / (3f / 32768));
        if (toOutput.Shift > 0)
        {
            throw new ArgumentException(
                FormattableString.Invariant($"Hard-swish has an input scale of {input.Scale} and an output scale of {Output.Scale}; ")
                + "the input's may be 128 times the output's at most.");
        }

        var (outputMantissa, reluMantissa) = (HighHalf(toOutput.Mantissa), HighHalf(toRelu.Mantissa));
        return q =>
        {
            var x = (q - input.ZeroPoint) * 128;
            var scaled = RoundingMultiply(x, outputMantissa);

            // Left shifts saturate; the last one comes after the product, so that none is lost before it.
            var relu = toRelu.Shift > 0 ? SaturatingShift(x, toRelu.Shift - 1) : x;
            relu = RoundingMultiply(relu, reluMantissa);
            if (toRelu.Shift > 0)
                relu = SaturatingShift(relu, 1);
            if (toRelu.Shift < 0)
                relu = FixedPointMultiplier.DivideByPowerOfTwo(relu, -toRelu.Shift);
            relu = (relu + 32768) >> 1;

            // Towards zero, which takes out the bias of the two roundings above.
            var product = relu * scaled / 32768;
            return FixedPointMultiplier.DivideByPowerOfTwo(product, -toOutput.Shift) + Output.ZeroPoint;
        };
    }

    private static int HighHalf(int mantissa) => mantissa >= int.MaxValue - 32768 ? short.MaxValue : (mantissa + 32768) >> 16;

    private static int RoundingMultiply(int a, int b) => ((a * b) + (1 << 14)) >> 15;

    private static int SaturatingShift(int value, int bits) =>
        (int)Math.Clamp((long)value << Math.Min(bits, 16), short.MinValue, short.MaxValue);
}

/// <summary>y = x where x is 0 or more, alpha*x below, of quantized bytes.</summary>
internal sealed class TFLiteLeakyReluOperator(float alpha, ElementType element, Quantization output) : ByteTableOperator(element, output)
{
    public override string Kind => "QuantizedLeakyRelu";

    private protected override Func<int, int> Function(Quantization input)
    {
        // Single-precision arithmetic, as in the reference.
        var positive = QuantizedTypes.Multiplier(input.Scale / Output.Scale);
        var negative = QuantizedTypes.Multiplier(input.Scale * alpha / Output.Scale);
        return q =>
        {
            var x = q - input.ZeroPoint;
            return (x >= 0 ? positive : negative).Multiply(x) + Output.ZeroPoint;
        };
    }
}

/// <summary>
/// The same real numbers on another scale, or in the other byte type, within a clamp in the output's numbers: QUANTIZE of bytes, and
/// ReLU, ReLU6 and the like of bytes.
/// </summary>
/// <param name="element">The output's elements.</param>
/// <param name="output">The output's quantization.</param>
/// <param name="clampMin">The least output.</param>
/// <param name="clampMax">The greatest output.</param>
/// <param name="singlePrecision">
/// Whether the ratio of the scales is a single-precision number, as for ReLU, and not a double, as for QUANTIZE.
/// </param>
internal sealed class TFLiteRequantizeOperator(ElementType element, Quantization output, int clampMin, int clampMax, bool singlePrecision)
    : ByteTableOperator(element, output)
{
    public override string Kind => "Requantize";

    private protected override Func<int, int> Function(Quantization input)
    {
        if (clampMin > clampMax)
            throw new ArgumentException($"The clamp is {clampMin} to {clampMax}; the minimum must be no greater than the maximum.");
        var ratio = QuantizedTypes.Multiplier(singlePrecision ? input.Scale / Output.Scale : (double)input.Scale / Output.Scale);
        return q => Math.Clamp(ratio.Multiply(q - input.ZeroPoint) + Output.ZeroPoint, clampMin, clampMax);
    }
}
