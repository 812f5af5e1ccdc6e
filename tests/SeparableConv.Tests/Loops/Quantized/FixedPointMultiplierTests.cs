using System.Numerics;
using SeparableConv.Loops;

namespace SeparableConv.Tests.Loops.Quantized;

public sealed class FixedPointMultiplierTests
{
    private static readonly int[] Edges =
    [
        int.MinValue, int.MinValue + 1, -(1 << 30) - 1, -(1 << 30), -65537, -65536, -257, -3, -2, -1,
        0, 1, 2, 3, 255, 65535, 1 << 30, (1 << 30) + 1, int.MaxValue - 1, int.MaxValue,
    ];

    [Theory]
    [InlineData(0.0, 0, 0)]
    [InlineData(1.0, 1 << 30, 1)]
    [InlineData(0.5, 1 << 30, 0)]
    [InlineData(0.75, 3 << 29, 0)]
    [InlineData(-0.75, -(3 << 29), 0)]
    [InlineData(4.0, 1 << 30, 3)]
    [InlineData(0.1, 1717986918, -3)]
    [InlineData(1 - 1e-12, 1 << 30, 1)]
    [InlineData(3.0e-10, 1383505806, -31)]
    [InlineData(1.0e-10, 0, 0)]
    [InlineData(5.0e-324, 0, 0)]
    [InlineData(1e30, int.MaxValue, 30)]
    public void A_factor_becomes_mantissa_and_shift(double factor, int mantissa, int shift) =>
        Assert.Equal(new FixedPointMultiplier(mantissa, shift), FixedPointMultiplier.Create(factor));

    [Fact]
    public void A_factor_that_is_no_number_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => FixedPointMultiplier.Create(double.NaN));
        Assert.Throws<ArgumentOutOfRangeException>(() => FixedPointMultiplier.Create(double.PositiveInfinity));
    }

    [Fact]
    public void Doubling_high_multiply_rounds_as_gemmlowp_defines_it()
    {
        var random = new Random(1);
        foreach (var a in Edges.Concat(Numbers(random, 200)))
        {
            foreach (var b in Edges.Concat(Numbers(random, 200)))
                Assert.Equal(GemmlowpHighMultiply(a, b), FixedPointMultiplier.DoublingHighMultiply(a, b));
        }
    }

    [Fact]
    public void Dividing_by_a_power_of_two_rounds_half_away_from_zero()
    {
        var random = new Random(2);
        for (var exponent = 0; exponent <= 31; exponent++)
        {
            var half = exponent == 0 ? 0 : 1L << (exponent - 1);
            int[] halves = [(int)half, (int)-half, (int)Math.Min(3 * half, int.MaxValue), (int)Math.Max(-3 * half, int.MinValue)];
            foreach (var value in Edges.Concat(Numbers(random, 500)).Concat(halves))
            {
                var magnitude = (Math.Abs((long)value) + half) >> exponent;
                Assert.Equal(Math.Sign(value) * magnitude, FixedPointMultiplier.DivideByPowerOfTwo(value, exponent));
            }
        }
    }

    [Fact]
    public void Multiply_shifts_left_before_and_right_after()
    {
        Assert.Equal(300, FixedPointMultiplier.Create(3.0).Multiply(100));
        Assert.Equal(-25, FixedPointMultiplier.Create(0.25).Multiply(-100));

        // 5 * 0.5 = 2.5 rounds up in the product; 5 / 2 in the shift away from zero: -2.5 tells them apart.
        Assert.Equal(-2, FixedPointMultiplier.Create(0.5).Multiply(-5));
        Assert.Equal(-3, new FixedPointMultiplier(1 << 30, -1).Multiply(-10));
        Assert.Equal(0, default(FixedPointMultiplier).Multiply(int.MaxValue));
    }

    // The definition, word for word but in wide numbers.
    private static int GemmlowpHighMultiply(int a, int b)
    {
        if (a == b && a == int.MinValue)
            return int.MaxValue;
        var product = (BigInteger)a * b;
        var nudge = product >= 0 ? 1 << 30 : 1 - (1 << 30);
        return (int)BigInteger.Divide(product + nudge, (BigInteger)1 << 31);
    }

    private static IEnumerable<int> Numbers(Random random, int count) =>
        Enumerable.Range(0, count).Select(_ => (int)random.NextInt64(int.MinValue, 1L << 31) >> random.Next(31));
}
