using System.Numerics;

namespace SeparableConv.Loops;

/// <summary>
/// The exponential and the reciprocal in 32-bit fixed point, bit for bit as gemmlowp computes them: what TensorFlow Lite's
/// reference softmax is made of. Qm.n is a number with m bits before and n after the binary point; Q0.31 stands for -1 to 1.
/// </summary>
internal static class FixedPointExponential
{
    /// <summary>Bits after the binary point of what <see cref="OfNegative"/> takes.</summary>
    public const int InputFraction = 26;

    private const int One = int.MaxValue;

    // e^-(2^k) in Q0.31, for k = -2 (a quarter) to 4 (sixteen).
    private static ReadOnlySpan<int> Powers => [1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242];

    /// <summary>e^x in Q0.31 for x of 0 or less in Q5.26.</summary>
    public static int OfNegative(int x)
    {
        if (x == 0)
            return One;

        // x = (what lies between -1/4 and 0) - (a sum of powers of two from a quarter on); each power has its constant.
        const int Quarter = 1 << (InputFraction - 2);
        var rest = (x & (Quarter - 1)) - Quarter;
        var result = OfLessThanQuarter(ShiftLeft(rest, 31 - InputFraction));
        var powers = rest - x;
        for (var k = 0; k < Powers.Length; k++)
        {
            if ((powers & (Quarter << k)) != 0)
                result = FixedPointMultiplier.DoublingHighMultiply(result, Powers[k]);
        }

        return result;
    }

    /// <summary>1 / x as a number of Q0.31 that is to be divided by 2^<paramref name="bits"/>; x is above 0.</summary>
    /// <param name="x">The number, with <paramref name="integerBits"/> bits before the binary point.</param>
    /// <param name="integerBits">Those.</param>
    /// <param name="bits">By how many powers of two x is 1 or more.</param>
    public static int Reciprocal(int x, int integerBits, out int bits)
    {
        var headroom = BitOperations.LeadingZeroCount((uint)x);
        bits = integerBits - headroom;
        return ReciprocalOfOnePlus((int)(((uint)x << headroom) - (1u << 31)));
    }

    /// <summary>1 / (1 + x) for x between 0 and 1, both in Q0.31.</summary>
    public static int ReciprocalOfOnePlus(int x)
    {
        // Newton's iteration for 1/d, d = (1 + x)/2 between 1/2 and 1, in Q2.29.
        const int OneInQ2 = 1 << 29;
        var d = (int)(((long)x + One + 1) / 2);
        var y = 1515870810 + FixedPointMultiplier.DoublingHighMultiply(d, -1010580540);
        for (var i = 0; i < 3; i++)
        {
            var error = OneInQ2 - FixedPointMultiplier.DoublingHighMultiply(d, y);
            y += ShiftLeft(FixedPointMultiplier.DoublingHighMultiply(y, error), 2);
        }

        // 1/(1 + x) is half of it, and Q2.29 becomes Q0.31.
        return ShiftLeft(y, 1);
    }

    // e^x in Q0.31 for x in Q0.31 from -1/4 up to 0: Taylor's series about -1/8.
    private static int OfLessThanQuarter(int x)
    {
        const int ExponentialOfMinusEighth = 1895147668;
        const int Third = 715827883;
        var t = x + (1 << 28);
        var t2 = FixedPointMultiplier.DoublingHighMultiply(t, t);
        var t3 = FixedPointMultiplier.DoublingHighMultiply(t2, t);
        var t4 = FixedPointMultiplier.DoublingHighMultiply(t2, t2);
        var quarterT4 = FixedPointMultiplier.DivideByPowerOfTwo(t4, 2);
        var higher = FixedPointMultiplier.DivideByPowerOfTwo(FixedPointMultiplier.DoublingHighMultiply(quarterT4 + t3, Third) + t2, 1);
        return ExponentialOfMinusEighth + FixedPointMultiplier.DoublingHighMultiply(ExponentialOfMinusEighth, t + higher);
    }

    private static int ShiftLeft(int value, int bits) => (int)Math.Clamp((long)value << bits, int.MinValue, int.MaxValue);
}
