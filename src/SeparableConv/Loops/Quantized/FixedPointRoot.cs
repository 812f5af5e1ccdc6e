using System.Numerics;

namespace SeparableConv.Loops;

/// <summary>The inverse square root in 32-bit fixed point, bit for bit as TensorFlow Lite's reference kernels compute it.</summary>
internal static class FixedPointRoot
{
    private const int Iterations = 5;

    /// <summary>1 / the square root of a whole number as a factor of 31 bits; of 0 as of 1, for which it is the largest below 1.</summary>
    public static FixedPointMultiplier Inverse(int x)
    {
        if (x <= 1)
            return new(int.MaxValue, 0);

        // x times a power of four, from 2^27 up to 2^29: Q3.28 with half of that between 1/4 and 1.
        var shift = 11;
        for (; x >= 1 << 29; shift++)
            x /= 4;
        var pairs = ((BitOperations.LeadingZeroCount((uint)x) - 1) / 2) - 1;
        shift -= pairs;
        x <<= 2 * pairs;

        // Newton's iteration y = y*(3/2 - x/2*y^2) from y = 1, in Q3.28; a product of two such numbers is Q6.25.
        const int One = 1 << 28;
        const int ThreeHalves = One + (One / 2);
        const int RootOfHalf = 1518500250;
        var half = FixedPointMultiplier.DivideByPowerOfTwo(x >> 1, 1);
        var y = One;
        for (var i = 0; i < Iterations; i++)
        {
            var square = FixedPointMultiplier.DoublingHighMultiply(y, y);
            var cube = ShiftLeft(FixedPointMultiplier.DoublingHighMultiply(square, y), 6);
            var next = FixedPointMultiplier.DoublingHighMultiply(ThreeHalves, y) - FixedPointMultiplier.DoublingHighMultiply(half, cube);
            y = ShiftLeft(next, 3);
        }

        y = FixedPointMultiplier.DoublingHighMultiply(y, RootOfHalf);
        return shift < 0 ? new(y << -shift, 0) : new(y, -shift);
    }

    private static int ShiftLeft(int value, int bits) => (int)Math.Clamp((long)value << bits, int.MinValue, int.MaxValue);
}
