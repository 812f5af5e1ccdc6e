using SeparableConv.Loops;

namespace SeparableConv.Tests.Loops.Quantized;

/// <summary>Functions of one byte and of two, on every vector width, in memory that ends where the data does.</summary>
public sealed unsafe class BytePairLoopTests
{
    private static readonly int[] Counts = [0, 1, 3, 4, 5, 15, 16, 17, 63, 64, 65, 131];

    [Fact]
    public void A_table_is_looked_up()
    {
        var table = new byte[256];
        new Random(1).NextBytes(table);
        foreach (var count in Counts)
        {
            using var x = new GuardedMemory(count, endsAtGuard: true);
            using var y = new GuardedMemory(count, endsAtGuard: true);
            new Random(count).NextBytes(x.Span<byte>());
            ByteLookup.Run(table, x.Start, y.Start, count);
            Assert.Equal(x.Span<byte>().ToArray().Select(v => table[v]), y.Span<byte>().ToArray());
            fixed (byte* entries = table)
                ByteLookup.RunBytes(entries, x.Start, x.Start, count);
            Assert.Equal(y.Span<byte>().ToArray(), x.Span<byte>().ToArray());
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Sums_are_rounded_half_away_from_zero(bool signed)
    {
        // Quarters and halves: every number is exact, and many are ties.
        var formula = new BytePairFormula
        {
            IsSigned = signed,
            FactorA = new(0.25f, 0, 1),
            FactorB = new(0.5f, 0, 1),
            Fixed = -3,
            ZeroA = 4,
            ZeroB = -2,
            ZeroPoint = signed ? 7 : 100,
            Least = -90,
            Most = 101,
        };
        foreach (var width in SimdWidths.All)
        {
            foreach (var count in Counts)
            {
                for (var steps = 0; steps < 4; steps++)
                    Check(formula, width, count, steps & 1, steps >> 1);
            }
        }
    }

    [Theory]
    [InlineData(0.5, 0.5, -3, 4, 7)]
    [InlineData(0.8333, 0.47, -128, 127, -100)]
    [InlineData(1.718281828, 0.0137131, 0, 0, 0)]
    public void Factors_are_found_that_give_the_bytes_of_another_arithmetic(double a, double b, int zeroA, int zeroB, int zeroPoint)
    {
        var sums = new byte[65536];
        for (var i = 0; i < sums.Length; i++)
        {
            var exact = (((sbyte)(i >> 8) - zeroA) * a) + (((sbyte)i - zeroB) * b);
            sums[i] = (byte)(int)Math.Clamp(Math.Round(exact, MidpointRounding.AwayFromZero) + zeroPoint, -128, 127);
        }

        var near = new BytePairFormula
        {
            IsSigned = true,
            FactorA = new((float)a, 0, 1),
            FactorB = new((float)b, 0, 1),
            Fixed = (float)-((a * zeroA) + (b * zeroB)),
            ZeroPoint = zeroPoint,
            Least = -128 - zeroPoint,
            Most = 127 - zeroPoint,
        };
        foreach (var width in SimdWidths.All)
        {
            var found = Assert.NotNull(BytePairFit.Sum(near, sums, width));
            var x = new byte[256];
            for (var i = 0; i < x.Length; i++)
                x[i] = (byte)i;
            fixed (byte* bytes = x, y = new byte[256])
            {
                for (var first = 0; first < 256; first++)
                {
                    BytePairLoop.Run<BytePairLoop.Sum>(bytes + first, 0, bytes, 1, y, 256, found, width);
                    Assert.True(new ReadOnlySpan<byte>(y, 256).SequenceEqual(sums.AsSpan(first * 256, 256)));
                }
            }

            // No factor gives random bytes.
            new Random(1).NextBytes(x);
            Assert.Null(BytePairFit.Sum(near, [.. Enumerable.Repeat(x, 256).SelectMany(row => row)], width));
        }
    }

    [Theory]
    [InlineData(0.5, 0.25)]
    [InlineData(0.0039211, 0.98731)]
    [InlineData(0.00048, 0.0077)]
    [InlineData(1.7, 3.4)]
    public void Products_and_slopes_are_those_of_fixed_point(double factor, double positive)
    {
        var (times, above) = (FixedPointMultiplier.Create(factor), FixedPointMultiplier.Create(positive));
        var formula = new BytePairFormula
        {
            FactorA = BytePairFactor.Of(times),
            FactorB = BytePairFactor.Of(above),
            ZeroA = 100,
            ZeroB = 131,
            ZeroPoint = 90,
            Least = -80,
            Most = 165,
        };
        var (products, slopes) = (new byte[65536], new byte[65536]);
        for (var i = 0; i < products.Length; i++)
        {
            var (a, b) = ((i >> 8) - 100, (byte)i - 131);
            products[i] = (byte)(Math.Clamp(times.Multiply(a * b), -80, 165) + 90);
            slopes[i] = a < 0 ? products[i] : (byte)(Math.Clamp(above.Multiply(a), -80, 165) + 90);
        }

        foreach (var width in SimdWidths.All)
        {
            Assert.True(BytePairFit.Fits<BytePairLoop.Product>(formula, products, width));
            Assert.True(BytePairFit.Fits<BytePairLoop.Slope>(formula, slopes, width));
            Assert.False(BytePairFit.Fits<BytePairLoop.Product>(formula with { ZeroA = 99 }, products, width));
        }
    }

    private static void Check(BytePairFormula formula, SimdWidth width, int count, int stepA, int stepB)
    {
        using var a = new GuardedMemory(Math.Max(1, stepA * count), endsAtGuard: true);
        using var b = new GuardedMemory(Math.Max(1, stepB * count), endsAtGuard: true);
        using var y = new GuardedMemory(count, endsAtGuard: true);
        var random = new Random(count);
        random.NextBytes(a.Span<byte>());
        random.NextBytes(b.Span<byte>());
        BytePairLoop.Run<BytePairLoop.Sum>(a.Start, stepA, b.Start, stepB, y.Start, count, formula, width);
        for (var i = 0; i < count; i++)
            Assert.Equal(Expected((0.25 * A(i)) + (0.5 * B(i)) - 3), y.Start[i]);

        int A(int i) => Number(a.Start[i * stepA]);
        int B(int i) => Number(b.Start[i * stepB]);
        int Number(byte raw) => formula.IsSigned ? (sbyte)raw : raw;
        byte Expected(double number) => (byte)(int)(
            Math.Clamp(Math.Round(number, MidpointRounding.AwayFromZero), formula.Least, formula.Most) + formula.ZeroPoint);
    }
}
