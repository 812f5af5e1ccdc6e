using System.Numerics;
using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// a / b of quantized bytes: the reciprocal of b's distance from zero in 31 bits, times a's as far up as it goes, brought to the output's
/// scale within the clamp. Divided by zero a positive number gives the largest output, a negative one the least, and zero gives zero.
/// </summary>
internal sealed class TFLiteDivOperator(Quantization output, int clampMin, int clampMax) : BytePairOperator
{
    public override string Kind => "QuantizedDiv";

    private protected override TensorType Output(ElementType element, TensorShape shape)
    {
        QuantizedTypes.CheckPerTensor(output, element, "output");
        return new(element, shape, output);
    }

    private protected override Func<int, int, int> Function(TensorType a, TensorType b)
    {
        // Single-precision arithmetic, as in the reference.
        var toOutput = QuantizedTypes.Multiplier(a.Quantization!.Scale / (b.Quantization!.Scale * output.Scale));
        var (zeroA, zeroB) = (a.Quantization.ZeroPoint, b.Quantization.ZeroPoint);
        return (x, y) => (int)Math.Clamp(Quotient(x - zeroA, y - zeroB, toOutput) + (long)output.ZeroPoint, clampMin, clampMax);
    }

    private static int Quotient(int a, int b, FixedPointMultiplier toOutput)
    {
        if (b == 0)
            return a == 0 ? 0 : a > 0 ? int.MaxValue : int.MinValue;
        if (b < 0)
            (a, b) = (-a, -b);
        var reciprocal = FixedPointExponential.Reciprocal(b, 31, out var bits);

        // Bits that say no more than the sign: the quotient is as large as it can be before it is rounded.
        var headroom = BitOperations.LeadingZeroCount((uint)(a < 0 ? ~a : a)) - 1;
        var quotient = FixedPointMultiplier.DoublingHighMultiply(a << headroom, reciprocal);
        var shift = toOutput.Shift - bits - headroom;
        var scaled = FixedPointMultiplier.DoublingHighMultiply(quotient, toOutput.Mantissa);
        return shift > 0
            ? (int)Math.Clamp((long)scaled << Math.Min(shift, 31), int.MinValue, int.MaxValue)
            : FixedPointMultiplier.DivideByPowerOfTwo(scaled, Math.Min(-shift, 31));
    }
}

/// <summary>
/// (a - b)^2 of quantized bytes: both brought to half the larger scale with 7 bits after the binary point, subtracted, squared, and brought
/// to the output's scale.
/// </summary>
internal sealed class TFLiteSquaredDifferenceOperator(Quantization output) : BytePairOperator
{
    private const int FractionBits = 7;

    public override string Kind => "QuantizedSquaredDifference";

    private protected override TensorType Output(ElementType element, TensorShape shape)
    {
        QuantizedTypes.CheckPerTensor(output, element, "output");
        return new(element, shape, output);
    }

    private protected override Func<int, int, int> Function(TensorType a, TensorType b)
    {
        double unit = 2 * Math.Max(a.Quantization!.Scale, b.Quantization!.Scale);
        var first = QuantizedTypes.Multiplier(a.Quantization.Scale / unit);
        var second = QuantizedTypes.Multiplier(b.Quantization.Scale / unit);
        var toOutput = QuantizedTypes.Multiplier(unit * unit / ((1 << (2 * FractionBits)) * output.Scale));
        var (zeroA, zeroB) = (a.Quantization.ZeroPoint, b.Quantization.ZeroPoint);
        var (least, most) = QuantizedTypes.Range(a.Element);
        return (x, y) =>
        {
            var difference = first.Multiply((x - zeroA) << FractionBits) - second.Multiply((y - zeroB) << FractionBits);
            return Math.Clamp(toOutput.Multiply(difference * difference) + output.ZeroPoint, least, most);
        };
    }
}

/// <summary>
/// A comparison of quantized bytes, as bool: of the real numbers with 8 bits after the binary point, so that what differs by less may count
/// as equal.
/// </summary>
internal sealed class TFLiteCompareOperator(BinaryKind comparison) : BytePairOperator
{
    private const int FractionBits = 8;

    public override string Kind => "Quantized" + comparison;

    private protected override TensorType Output(ElementType element, TensorShape shape) => new(ElementType.Bool, shape);

    private protected override Func<int, int, int> Function(TensorType a, TensorType b)
    {
        var (first, second) = (Real(a), Real(b));
        Func<int, int, bool> compare = comparison switch
        {
            BinaryKind.Equal => (x, y) => x == y,
            BinaryKind.Less => (x, y) => x < y,
            BinaryKind.LessOrEqual => (x, y) => x <= y,
            BinaryKind.Greater => (x, y) => x > y,
            BinaryKind.GreaterOrEqual => (x, y) => x >= y,
            _ => throw new ArgumentException($"{comparison} is no comparison."),
        };
        return (x, y) => compare(first(x), second(y)) ? 1 : 0;
    }

    private static Func<int, int> Real(TensorType type)
    {
        var (scale, zeroPoint) = (QuantizedTypes.Multiplier(type.Quantization!.Scale), type.Quantization.ZeroPoint);
        return q => scale.Multiply((q - zeroPoint) << FractionBits);
    }
}
