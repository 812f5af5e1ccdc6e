using SeparableConv.Loops;

namespace SeparableConv.Tests.Loops.Quantized;

public sealed unsafe class RequantizerTests
{
    public static TheoryData<int> Widths => [.. SimdWidths.All.Select(w => (int)w)];

    [Theory]
    [MemberData(nameof(Widths))]
    public void Fixed_point_is_the_multipliers_at_every_shift_tie_and_extreme(int width)
    {
        const long bound = (1L << 30) - 1;
        foreach (var exponent in Enumerable.Range(-3, 30))
        {
            foreach (var mantissa in new[] { 0.5, 0.5000000001, 0.75, 1 - 1e-9, 0.6180339887 })
            {
                var factor = Math.ScaleB(mantissa, -exponent);
                CheckSums(Sums(factor, bound), factor, bound, Requantization.FixedPoint, (SimdWidth)width);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Fixed_point_is_the_multipliers_where_sums_may_be_any(int width)
    {
        foreach (var factor in new[] { 1e-9, 0.001, 0.5, 3.0 })
            CheckSums(Sums(factor, int.MaxValue), factor, 1L << 31, Requantization.FixedPoint, (SimdWidth)width);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Float_rounds_half_to_even(int width)
    {
        foreach (var factor in new[] { 1e-9f, 0.001f, 0.125f, 0.5f, 1, 3, 1e30f })
            CheckSums(Sums(factor, int.MaxValue), factor, 1L << 31, Requantization.Float, (SimdWidth)width);
    }

    // Small numbers, the sums whose products lie around halves, and the largest.
    private static int[] Sums(double factor, long bound)
    {
        var sums = new List<long> { bound, bound - 1, -bound, 1 - bound, 0, 1, -1 };
        for (var i = -300; i <= 300; i++)
        {
            sums.Add(i);
            for (var near = -1; near <= 1; near++)
                sums.Add((long)Math.Clamp(Math.Round((i + 0.5) / factor) + near, -bound, bound));
        }

        return [.. sums.Select(sum => (int)sum)];
    }

    private static void CheckSums(int[] sums, double factor, long bound, Requantization rounding, SimdWidth width)
    {
        // One vector of 512 bits, two, and four with some over.
        foreach (var channels in new[] { 19, 35, 83 })
            CheckSums(sums, channels, factor, bound, rounding, width);
    }

    private static void CheckSums(int[] sums, int channels, double factor, long bound, Requantization rounding, SimdWidth width)
    {
        foreach (var (signed, zeroPoint, least, most) in new[]
            {
                (true, 0, -128, 127), (true, -128, -128, 127), (true, 127, -128, 127), (false, 0, 0, 255), (false, 255, 0, 255),
                (false, 100, 100, 200), (true, -5, -20, 9),
            })
        {
            var output = new QuantizedOutput(rounding, signed, zeroPoint, least, most);
            var requantizer = new Requantizer([factor], [.. Enumerable.Repeat(bound, channels)], output, width);
            var rows = (sums.Length + channels - 1) / channels;
            var given = new int[rows * channels];
            sums.CopyTo(given, 0);
            var bytes = new byte[given.Length];
            fixed (int* from = given)
            {
                fixed (byte* to = bytes)
                    requantizer.Run(from, channels, rows, 0, channels, to, channels);
            }

            var apart = Apart(given, factor, bound, output, width);
            var multiplier = FixedPointMultiplier.Create(factor);
            for (var i = 0; i < sums.Length; i++)
            {
                var scaled = rounding == Requantization.FixedPoint
                    ? multiplier.Multiply(sums[i])
                    : (int)Math.Clamp(MathF.Round(sums[i] * (float)factor, MidpointRounding.ToEven), -100000, 100000);
                var expected = Math.Clamp(unchecked(scaled + zeroPoint), least, most);
                Assert.True(
                    (byte)expected == bytes[i] && (byte)expected == apart[i],
                    $"{width} {output}: {sums[i]} * {factor} gives {bytes[i]} and {apart[i]}; expected {expected}.");
            }
        }
    }

    // The same sums, taken apart.
    private static byte[] Apart(int[] given, double factor, long bound, QuantizedOutput output, SimdWidth width)
    {
        var lanes = (int)width;
        var channels = 2 * lanes;
        var order = Enumerable.Range(0, channels).Select(column => Requantizer.ChannelApart(column, lanes)).ToArray();
        Assert.Equal(Enumerable.Range(0, channels), order.Order());
        var requantizer = new Requantizer([factor], [.. Enumerable.Repeat(bound, channels)], output, width, order);
        var rows = (given.Length + channels - 1) / channels;
        var apart = new int[rows * channels];
        for (var i = 0; i < apart.Length; i++)
        {
            var from = (i / channels * channels) + order[i % channels];
            apart[i] = from < given.Length ? given[from] : 0;
        }

        var bytes = new byte[rows * channels];
        fixed (int* from = apart)
        {
            fixed (byte* to = bytes)
                requantizer.RunApart(from, rows, 0, to, channels);
        }

        return bytes[..given.Length];
    }
}
