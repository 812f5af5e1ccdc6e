using SeparableConv.Loops;

namespace SeparableConv.Tests.Loops.Quantized;

/// <summary>The vector loops beside the formulas, number by number, in memory that ends where the data does.</summary>
public sealed unsafe class LinearBytesTests
{
    private static readonly int[] Counts = [0, 1, 7, 31, 32, 33, 64, 95, 129, 300];

    public static TheoryData<int> Widths => [.. SimdWidths.All.Select(w => (int)w)];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Quantize_rounds_half_to_even_and_saturates(bool signed)
    {
        foreach (var count in Counts)
        {
            // Halves are ties at a scale of 1/4; the others round somewhere.
            foreach (var (scale, zeroPoint) in new[] { (0.25f, 3), (0.0173f, -20), (1e-30f, 100), (1e30f, 0) })
            {
                using var input = new GuardedMemory(count * sizeof(float), endsAtGuard: true);
                using var output = new GuardedMemory(count, endsAtGuard: true);
                var x = input.Span<float>();
                RandomData.Floats(count, 1).CopyTo(x);
                for (var i = 0; i < count; i++)
                    x[i] = (i % 11) switch
                    {
                        0 => float.NaN,
                        1 => float.PositiveInfinity,
                        2 => float.NegativeInfinity,
                        3 => (i - 20) / 8f,
                        4 => i * 1e6f,
                        _ => x[i] * 3
                    };
                var (least, most) = signed ? (-100, 127) : (2, 250);
                var zero = signed ? zeroPoint : zeroPoint + 128;
                var target = new LinearByte(signed, scale, zero);
                LinearBytes.Quantize<LinearBytes.HalfToEven>((float*)input.Start, output.Start, count, target, least, most);
                for (var i = 0; i < count; i++)
                {
                    var exact = Math.Round((double)(x[i] / scale), MidpointRounding.ToEven) + zero;
                    var expected = double.IsNaN(exact) ? Math.Clamp(zero, least, most) : Math.Clamp(exact, least, most);
                    Assert.Equal((int)expected, Number(output.Start[i], signed));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Quantize_divides_what_a_product_leaves_in_doubt(int width)
    {
        const int Count = 128 * 20;
        using var input = new GuardedMemory(Count * sizeof(float), endsAtGuard: true);
        using var output = new GuardedMemory(Count, endsAtGuard: true);
        var x = input.Span<float>();
        foreach (var scale in new[] { 0.25f, 0.0173f, 1 / 127.5f, 0.3333333f, 7.77e-7f, 3.21e8f })
        {
            // Neighbours of halves of the scale, some blocks without; numbers beyond all bounds, one to a block.
            for (var i = 0; i < Count; i++)
                x[i] = (i % 300 * 0.9f * scale) - (130 * scale);
            for (var i = 0; i < Count; i += 2)
                x[i] = i / 128 % 3 == 0 ? ((i % 260) - 130.5f) * scale : x[i];
            foreach (var (at, number) in new[] { (130, 1e30f), (400, -1e30f), (900, float.NaN), (1300, float.MinValue) })
                x[at] = number;
            for (var i = 0; i < Count; i += 7)
                x[i] = MathF.BitIncrement(x[i]);
            for (var i = 0; i < Count; i += 11)
                x[i] = MathF.BitDecrement(x[i]);
            Check<LinearBytes.HalfToEven>(MidpointRounding.ToEven);
            Check<LinearBytes.HalfAway>(MidpointRounding.AwayFromZero);

            void Check<THalves>(MidpointRounding rounding)
                where THalves : struct, LinearBytes.IHalves
            {
                LinearBytes.Quantize<THalves>(
                    (float*)input.Start, output.Start, Count, new(true, scale, 5), -100, 127, (SimdWidth)width);
                var numbers = input.Span<float>();
                for (var i = 0; i < Count; i++)
                {
                    var exact = float.IsNaN(numbers[i]) ? 0 : Math.Round((double)(numbers[i] / scale), rounding);
                    Assert.Equal((int)Math.Clamp(exact + 5, -100, 127), (sbyte)output.Start[i]);
                }
            }
        }
    }

    [Fact]
    public void Halves_are_rounded_away_from_zero_too_and_numbers_may_have_16_bits()
    {
        foreach (var count in Counts)
        {
            using var input = new GuardedMemory(count * sizeof(float), endsAtGuard: true);
            using var bytes = new GuardedMemory(count, endsAtGuard: true);
            using var shorts = new GuardedMemory(count * sizeof(short), endsAtGuard: true);
            using var floats = new GuardedMemory(count * sizeof(float), endsAtGuard: true);
            var x = input.Span<float>();
            for (var i = 0; i < count; i++)
                x[i] = (i % 9) switch { 0 => float.NaN, 1 => 1e9f, 2 => -1e9f, 3 => MathF.BitDecrement(0.125f), _ => (i - 40) / 8f };
            LinearBytes.Quantize<LinearBytes.HalfAway>(
                (float*)input.Start, bytes.Start, count, new(IsSigned: true, 0.25f, 5), sbyte.MinValue, sbyte.MaxValue);
            LinearBytes.Quantize<LinearBytes.HalfAway>((float*)input.Start, (short*)shorts.Start, count, 0.25f, -9);
            LinearBytes.Dequantize((short*)shorts.Start, (float*)floats.Start, count, 0.0371f, -9);
            for (var i = 0; i < count; i++)
            {
                var exact = float.IsNaN(x[i]) ? 0 : Math.Round(x[i] / 0.25, MidpointRounding.AwayFromZero);
                Assert.Equal((int)Math.Clamp(exact + 5, sbyte.MinValue, sbyte.MaxValue), (sbyte)bytes.Start[i]);
                var wide = (int)Math.Clamp(exact - 9, short.MinValue, short.MaxValue);
                Assert.Equal(wide, ((short*)shorts.Start)[i]);
                Assert.Equal((float)(0.0371f * (double)(wide + 9)), ((float*)floats.Start)[i]);
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Dequantize_and_Add_are_the_single_operations(bool signed)
    {
        foreach (var count in Counts)
        {
            using var first = new GuardedMemory(count, endsAtGuard: true);
            using var second = new GuardedMemory(count, endsAtGuard: true);
            using var floats = new GuardedMemory(count * sizeof(float), endsAtGuard: true);
            using var sums = new GuardedMemory(count, endsAtGuard: true);
            var random = new Random(count);
            random.NextBytes(first.Span<byte>());
            random.NextBytes(second.Span<byte>());
            var (a, b, y) =
                (
                    new LinearByte(signed, 0.013f, signed ? -3 : 130),
                    new LinearByte(!signed, 0.2f, signed ? 7 : 9),
                    new LinearByte(signed, 0.3f, signed ? 5 : 99));
            LinearBytes.Dequantize(first.Start, (float*)floats.Start, count, a);
            LinearBytes.Add(first.Start, a, second.Start, b, sums.Start, count, y, signed ? -128 : 99, signed ? 127 : 255);
            for (var i = 0; i < count; i++)
            {
                var x = (Number(first.Start[i], signed) - a.ZeroPoint) * 0.013f;
                Assert.Equal(x, ((float*)floats.Start)[i]);
                var sum = x + ((Number(second.Start[i], !signed) - b.ZeroPoint) * 0.2f);
                var expected = Math.Clamp((int)MathF.Round(sum / 0.3f) + y.ZeroPoint, signed ? -128 : 99, signed ? 127 : 255);
                Assert.Equal(expected, Number(sums.Start[i], signed));
            }
        }
    }

    [Fact]
    public void Planes_of_bytes_become_pixels_of_three()
    {
        foreach (var pixels in new[] { 1, 15, 16, 17, 48, 50 })
        {
            using var planes = new GuardedMemory(pixels * 3, endsAtGuard: true);
            using var target = new GuardedMemory(pixels * 3, endsAtGuard: true);
            new Random(pixels).NextBytes(planes.Span<byte>());
            TransposeLoop.Run(planes.Start, pixels, target.Start, 3, pixels, 3);
            for (var i = 0; i < pixels * 3; i++)
                Assert.Equal(planes.Start[(i % 3 * pixels) + (i / 3)], target.Start[i]);
        }
    }

    private static int Number(byte raw, bool signed) => signed ? (sbyte)raw : raw;
}
