using System.Runtime.CompilerServices;

namespace SeparableConv.Loops;

/// <summary>
/// A real factor as TensorFlow Lite's reference kernels hold it: Mantissa * 2^(Shift - 31), where the mantissa's magnitude is
/// from 2^30 up to 2^31 - 1, or 0.
/// </summary>
/// <param name="Mantissa">31 bits after the binary point.</param>
/// <param name="Shift">The power of two, -31 to 30.</param>
internal readonly record struct FixedPointMultiplier(int Mantissa, int Shift)
{
    // A product is first shifted left by as much as 30; beyond that every number but 0 has left 32 bits.
    private const int MostShift = 30;
    private const int LeastShift = -31;

    /// <summary>The nearest such factor, half away from zero: TensorFlow Lite's QuantizeMultiplier.</summary>
    /// <param name="factor">Any finite number; below 2^-32 in magnitude it becomes 0, from 2^30 on the largest there is.</param>
    public static FixedPointMultiplier Create(double factor)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(double.IsFinite(factor), true, nameof(factor));
        if (factor == 0)
            return default;

        // factor = fraction * 2^shift, the fraction's magnitude from 0.5 up to 1.
        var shift = Math.ILogB(factor) + 1;
        var mantissa = (long)Math.Round(Math.ScaleB(factor, 31 - shift), MidpointRounding.AwayFromZero);
        if (Math.Abs(mantissa) == 1L << 31)
        {
            mantissa /= 2;
            shift++;
        }

        if (shift < LeastShift)
            return default;
        return shift > MostShift ? new(factor > 0 ? int.MaxValue : -int.MaxValue, MostShift) : new((int)mantissa, shift);
    }

    /// <summary>
    /// value times the factor: TensorFlow Lite's MultiplyByQuantizedMultiplier with two roundings, as gemmlowp has them. A left
    /// shift that leaves 32 bits wraps around.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Multiply(int value) =>
        DivideByPowerOfTwo(DoublingHighMultiply(value << Math.Max(Shift, 0), Mantissa), Math.Max(-Shift, 0));

    /// <summary>
    /// value times the factor with 15 bits of its mantissa and one rounding, half up: TensorFlow Lite's MultiplyByQuantizedMultiplier for
    /// sums of 64 bits.
    /// </summary>
    /// <param name="value">Of 48 bits at most; what does not fit 32 bits at last is cut off.</param>
    public int MultiplyWide(long value)
    {
        var mantissa = Mantissa < 0x7FFF0000 ? (Mantissa + (1 << 15)) >> 16 : short.MaxValue;
        var shift = Math.Max(15 - Shift, 1);
        return (int)(((value * mantissa) + (1L << (shift - 1))) >> shift);
    }

    /// <summary>round(a * b / 2^31), half up, saturating: gemmlowp's SaturatingRoundingDoublingHighMul.</summary>
    /// <remarks>
    /// gemmlowp adds 2^30 or 1 - 2^30, as the product's sign is, and divides by 2^31 towards zero. Towards zero a negative number is
    /// rounded up, which adds 2^31 - 1 before a floor: both signs are the floor of (a*b + 2^30) / 2^31.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int DoublingHighMultiply(int a, int b) =>
        a == int.MinValue && b == int.MinValue ? int.MaxValue : (int)((((long)a * b) + (1L << 30)) >> 31);

    /// <summary>round(value / 2^exponent), half away from zero: gemmlowp's RoundingDivideByPOT; the exponent is 0 to 31.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int DivideByPowerOfTwo(int value, int exponent)
    {
        var mask = (int)((1L << exponent) - 1);
        var threshold = (mask >> 1) + (value < 0 ? 1 : 0);
        return (value >> exponent) + ((value & mask) > threshold ? 1 : 0);
    }
}
