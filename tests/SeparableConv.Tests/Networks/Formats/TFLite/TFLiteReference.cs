using System.Numerics;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>
/// TensorFlow Lite's fixed-point arithmetic, written from its definitions in integers of any length: slow, and nothing of it shared
/// with what is tested.
/// </summary>
internal static class TFLiteReference
{
    /// <summary>x times a factor that was quantized to 31 bits: MultiplyByQuantizedMultiplier.</summary>
    public static int Rescale(int x, double factor, bool negated = false)
    {
        var (mantissa, shift) = Multiplier(factor);
        return Rescale(x, negated ? -mantissa : mantissa, shift);
    }

    public static int Rescale(int x, long mantissa, int shift)
    {
        var shifted = unchecked((int)((long)x << Math.Max(0, shift)));
        return DividePower(HighMultiply(shifted, (int)mantissa), Math.Max(0, -shift));
    }

    /// <summary>QuantizeMultiplier: factor = mantissa / 2^31 * 2^shift.</summary>
    public static (long Mantissa, int Shift) Multiplier(double factor)
    {
        var shift = 0;
        for (; factor >= 1; shift++)
            factor /= 2;
        for (; factor < 0.5; shift--)
            factor *= 2;
        var mantissa = (long)Math.Floor((factor * 2147483648.0) + 0.5);
        return mantissa == 2147483648L ? (mantissa / 2, shift + 1) : (mantissa, shift);
    }

    /// <summary>SaturatingRoundingDoublingHighMul, with its nudge and its division towards zero.</summary>
    public static int HighMultiply(int a, int b)
    {
        if (a == int.MinValue && b == int.MinValue)
            return int.MaxValue;
        var product = (BigInteger)a * b;
        var nudge = product.Sign >= 0 ? BigInteger.One << 30 : 1 - (BigInteger.One << 30);
        return (int)BigInteger.Divide(product + nudge, BigInteger.One << 31);
    }

    /// <summary>RoundingDivideByPOT: to the nearest, half away from zero.</summary>
    public static int DividePower(int x, int exponent)
    {
        var power = BigInteger.One << exponent;
        var magnitude = (BigInteger.Abs(x) + (power / 2)) / power;
        return (int)(x < 0 ? -magnitude : magnitude);
    }

    /// <summary>Softmax of a row in fixed point; the scores in 1/256.</summary>
    public static int[] Softmax(int[] row, float scale, float beta)
    {
        var (mantissa, shift) = Multiplier(Math.Min((double)beta * scale * (1 << 26), 2147483647.0));
        var radius = Math.Floor(31.0 * Math.Pow(2, 26 - shift));
        var most = row.Max();
        var powers = Array.ConvertAll(row, q => most - q > radius ? -1 : Exponential(Rescale(q - most, mantissa, shift)));
        var sum = powers.Sum(e => e < 0 ? 0 : DividePower(e, 12));

        // The reciprocal of the sum, brought to 1 .. 2 by its leading zeros.
        var headroom = BitOperations.LeadingZeroCount((uint)sum);
        var fraction = (int)(((long)sum << headroom) - (1L << 31));
        var half = (int)((fraction + (long)int.MaxValue + 1) / 2);
        var y = 1515870810 + HighMultiply(half, -1010580540);
        for (var i = 0; i < 3; i++)
            y += Saturate((long)HighMultiply(y, (1 << 29) - HighMultiply(half, y)) * 4);
        var reciprocal = Saturate((long)y * 2);
        return Array.ConvertAll(powers, e => e < 0 ? 0 : Math.Min(255, DividePower(HighMultiply(reciprocal, e), 12 - headroom + 31 - 8)));
    }

    private static int Exponential(int x)
    {
        if (x == 0)
            return int.MaxValue;
        var within = (int)(x - (Math.Floor(x / 16777216.0) * 16777216)) - 16777216;
        var a = Saturate((long)within * 32) + (1 << 28);
        var (a2, third) = (HighMultiply(a, a), 715827883);
        var (a3, a4) = (HighMultiply(a2, a), HighMultiply(a2, a2));
        var tail = DividePower(HighMultiply(DividePower(a4, 2) + a3, third) + a2, 1);
        var result = 1895147668 + HighMultiply(1895147668, a + tail);
        var steps = (within - x) / 16777216;
        var constants = new[] { 1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242 };
        for (var k = 0; k < constants.Length; k++)
        {
            if ((steps >> k) % 2 == 1)
                result = HighMultiply(result, constants[k]);
        }

        return result;
    }

    private static int Saturate(long x) => (int)Math.Clamp(x, int.MinValue, int.MaxValue);
}
