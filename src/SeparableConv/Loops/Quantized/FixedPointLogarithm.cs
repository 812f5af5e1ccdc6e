using System.Numerics;

namespace SeparableConv.Loops;

/// <summary>The natural logarithm in 32-bit fixed point, bit for bit as TensorFlow Lite's reference log-softmax computes it.</summary>
internal static class FixedPointLogarithm
{
    private const int Log2 = 1488522236;
    private const int FourthRootOfHalf = 1805811301;
    private const int RootOfHalf = 1518500250;
    private const int Quarter = 1 << 29;

    // With r the fourth root of 2: 11/240*r, r/20, 2/r - r and r/4 in Q0.31.
    private const int Numerator = 117049297;
    private const int Denominator = 127690142;
    private const int Constant = 1057819769;
    private const int Linear = 638450708;

    /// <summary>log(x) for x of 1 or more.</summary>
    /// <param name="x">With <paramref name="integerBits"/> bits before the binary point.</param>
    /// <param name="integerBits">Those.</param>
    /// <param name="resultBits">Bits before the binary point of the logarithm.</param>
    public static int OfOneOrMore(int x, int integerBits, int resultBits)
    {
        // x = 2^n * r: once with r between 1/2 and 1, once with x*sqrt(1/2) in that range; whichever has the smaller r is taken. One bit
        // more than the result has keeps n*log(2) from saturating.
        var accumulatedBits = resultBits + 1;
        var quarter = FixedPointMultiplier.DivideByPowerOfTwo(Quarter, accumulatedBits);
        var headroom = BitOperations.LeadingZeroCount((uint)x);
        var first = ShiftLeft(Product(ShiftLeft(x, headroom - 1), RootOfHalf), 1);
        var firstPower = Saturate((long)ShiftLeft(integerBits - headroom, 31 - accumulatedBits) + quarter);
        var otherHeadroom = BitOperations.LeadingZeroCount((uint)Product(x, RootOfHalf)) - 1;
        var second = ShiftLeft(x, otherHeadroom);
        var secondPower = Saturate((long)ShiftLeft(integerBits - otherHeadroom, 31 - accumulatedBits) - quarter);
        var (r, power) = (Math.Min(first, second), Math.Max(firstPower, secondPower));

        // log(r) by a quotient of polynomials about the fourth root of 1/2.
        var p = HalfSum(r, FourthRootOfHalf);
        var q = r - FourthRootOfHalf;
        q += q;
        var square = Product(q, q);
        var above = Product(q, r) + Product(Product(q, square), Numerator);
        var below = Product(p, Constant + q + Product(Denominator, square)) + Product(Linear, q);
        var scaled = FixedPointMultiplier.DivideByPowerOfTwo(above, accumulatedBits);
        var sum = Product(power, Log2) + Product(scaled, FixedPointExponential.ReciprocalOfOnePlus(below));
        return ShiftLeft(sum, accumulatedBits - resultBits);
    }

    private static int Product(int a, int b) => FixedPointMultiplier.DoublingHighMultiply(a, b);

    // Half of a sum, half away from zero.
    private static int HalfSum(int a, int b)
    {
        var sum = (long)a + b;
        return (int)((sum + (sum >= 0 ? 1 : -1)) / 2);
    }

    private static int ShiftLeft(int value, int bits) => Saturate((long)value << bits);

    private static int Saturate(long value) => (int)Math.Clamp(value, int.MinValue, int.MaxValue);
}
