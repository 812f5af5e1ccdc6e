using SeparableConv.Loops;

namespace SeparableConv.Tests.Loops.Pooling;

/// <summary>
/// Pooling, sums and largest of bytes, and pixels between others, beside plain loops, in memory that ends where the data does.
/// </summary>
public sealed unsafe class BytePoolLoopTests
{
    private static readonly int[] Channels = [1, 7, 8, 9, 15, 16, 17, 19, 31, 32, 33, 67];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Windows_are_reduced(bool signed)
    {
        foreach (var channels in Channels)
        {
            var window = new BytePoolLoop.Window(3, 2, 4 * channels, 2 * channels);
            using var x = Random(((2 * 4) + 2 + 1) * channels);
            using var y = new GuardedMemory(channels, endsAtGuard: true);
            using var sums = new GuardedMemory(channels * sizeof(int), endsAtGuard: true);
            var integers = (int*)sums.Start;
            if (signed)
                BytePoolLoop.Max((sbyte*)x.Start, window, (sbyte*)y.Start, channels);
            else
                BytePoolLoop.Max(x.Start, window, y.Start, channels);
            BytePoolLoop.Sum(x.Start, signed, window, integers, channels);
            var expected = new int[channels];
            for (var c = 0; c < channels; c++)
            {
                var taps = Enumerable.Range(0, 6).Select(t => Number(x, (((t / 2 * 4) + (t % 2 * 2)) * channels) + c, signed)).ToArray();
                Assert.Equal(taps.Max(), Number(y, c, signed));
                expected[c] = taps.Sum();
                Assert.Equal(expected[c], integers[c]);
            }

            foreach (var count in new[] { 1, 2, 6, 49 })
            {
                BytePoolLoop.Mean(integers, count, signed ? -100 : 3, 90, y.Start, channels);
                for (var c = 0; c < channels; c++)
                {
                    var mean = Math.Round((decimal)expected[c] / count, MidpointRounding.AwayFromZero);
                    Assert.Equal((int)Math.Clamp(mean, signed ? -100 : 3, 90), Number(y, c, signed));
                }
            }

            BytePoolLoop.Add(x.Start, signed, integers, channels);
            for (var c = 0; c < channels; c++)
                Assert.Equal(expected[c] + Number(x, c, signed), integers[c]);
            Assert.Equal(Enumerable.Range(0, channels).Sum(c => Number(x, c, signed)), BytePoolLoop.Sum(x.Start, signed, channels));
        }
    }

    [Fact]
    public void The_first_of_the_largest_is_found()
    {
        foreach (var count in Channels.Where(count => count >= BytePoolLoop.Lanes))
        {
            for (var seed = 0; seed < 50; seed++)
            {
                using var x = new GuardedMemory(count, endsAtGuard: true);
                var random = new Random(seed);
                foreach (ref var number in x.Span<byte>())
                    number = (byte)(126 + random.Next(5));
                var bytes = x.Span<byte>().ToArray();
                Assert.Equal(Array.IndexOf(bytes, bytes.Max()), BytePoolLoop.IndexOfMax(x.Start, count));
                var signed = Array.ConvertAll(bytes, b => (sbyte)b);
                Assert.Equal(Array.IndexOf(signed, signed.Max()), BytePoolLoop.IndexOfMax((sbyte*)x.Start, count));
            }
        }
    }

    [Fact]
    public void Pixels_between_four_others()
    {
        foreach (var channels in Channels)
        {
            using var a = Random(channels);
            using var b = Random(channels + 1);
            using var c = Random(channels + 2);
            using var d = Random(channels + 3);
            using var y = new GuardedMemory(channels, endsAtGuard: true);
            var corners = new ByteMix.Corners(a.Start, b.Start, c.Start, d.Start);
            foreach (var (down, across) in new[] { (0, 0), (1024, 0), (512, 512), (300, 900), (-200, 1100) })
            {
                ByteMix.Fixed(corners, down, across, y.Start, channels);
                for (var i = 0; i < channels; i++)
                {
                    var sum = ((decimal)Number(a, i, true) * (1024 - down) * (1024 - across))
                        + ((decimal)Number(b, i, true) * down * (1024 - across))
                        + ((decimal)Number(c, i, true) * (1024 - down) * across) + ((decimal)Number(d, i, true) * down * across);
                    var expected = (sbyte)(long)Math.Round(sum / (1 << 20), MidpointRounding.AwayFromZero);
                    if (Math.Abs(sum) < 127L << 20)
                        Assert.Equal(expected, Number(y, i, true));
                }

                var (below, right) = (Math.Clamp(down, 0, 1024) / 1024f, Math.Clamp(across, 0, 1024) / 1000f % 1);
                ByteMix.Single(corners, below, right, y.Start, channels);
                for (var i = 0; i < channels; i++)
                {
                    var expected = (a.Start[i] * (1 - below) * (1 - right)) + (b.Start[i] * below * (1 - right))
                        + (c.Start[i] * (1 - below) * right) + (d.Start[i] * below * right);
                    Assert.Equal((byte)expected, y.Start[i]);
                }
            }
        }
    }

    private static GuardedMemory Random(int count)
    {
        var memory = new GuardedMemory(count, endsAtGuard: true);
        new Random(count).NextBytes(memory.Span<byte>());
        return memory;
    }

    private static int Number(GuardedMemory memory, int index, bool signed) =>
        signed ? (sbyte)memory.Start[index] : memory.Start[index];
}
