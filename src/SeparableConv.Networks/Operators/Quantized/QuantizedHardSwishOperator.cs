using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// y = x * min(1, max(0, x/6 + 1/2)) of quantized bytes in 16-bit fixed point: the input times 2^7 on the output's scale, times the
/// same number brought from -3 .. 3 to 0 .. 1.
/// </summary>
internal sealed class QuantizedHardSwishOperator(ElementType element, Quantization output) : ByteTableOperator(element, output)
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
            throw new ArgumentException(FormattableString.Invariant(
                $"Hard-swish has an input scale of {input.Scale} and an output scale of {Output.Scale}; the input's may be 128 times the output's at most."));
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
