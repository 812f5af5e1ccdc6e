using SeparableConv.Loops;

namespace SeparableConv.Tests.Loops.Filters;

/// <summary>Compares the row pass that cuts its vectors out of registers with the one that loads them.</summary>
public unsafe class RowWindowPassTests
{
    private const int OverRead = 16;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(6)]
    [InlineData(8)]
    public void Windows_give_the_same_bits_as_loads(int step)
    {
        Assert.SkipUnless(RowWindowPass.Handles(step), "The processor has no AVX-512.");
        for (var taps = 2; taps <= 7; taps++)
        {
            foreach (var count in (int[])[1, 31, 32, 33, 47, 64, 101])
            {
                Assert.Equal(Run<float>(taps, step, count, 0), Run<float>(taps, step, count, step));
                Assert.Equal(Run<byte>(taps, step, count, 0), Run<byte>(taps, step, count, step));
                Assert.Equal(Run<ushort>(taps, step, count, 0), Run<ushort>(taps, step, count, step));
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Windows_of_pairs_give_the_same_bits_as_loads(int step)
    {
        Assert.SkipUnless(RowPairsWindowPass.Handles(step), "The processor has no AVX-512.");
        foreach (var (taps, mirror) in new[] { (8, Mirror.Even), (8, Mirror.Odd), (15, Mirror.Even), (34, Mirror.Odd), (47, Mirror.Even) })
        {
            foreach (var count in (int[])[1, 31, 32, 33, 47, 64, 101])
            {
                Assert.Equal(Run<float>(taps, step, count, 0, mirror), Run<float>(taps, step, count, step, mirror));
                Assert.Equal(Run<byte>(taps, step, count, 0, mirror), Run<byte>(taps, step, count, step, mirror));
            }
        }
    }

    [Fact]
    public void Irregular_taps_and_other_steps_are_loaded()
    {
        Assert.False(RowWindowPass.Handles(0));
        Assert.False(RowWindowPass.Handles(5));
        Assert.False(RowWindowPass.Handles(16));
    }

    // Between the halves of taps that change their sign a tap is missing.
    private static T[] Run<T>(int taps, int step, int count, int stepGiven, Mirror mirror = Mirror.None)
        where T : unmanaged
    {
        var random = new Random((taps * 100) + count);
        var (offsets, weights) = (new nint[taps], new float[taps]);
        for (var i = 0; i < taps; i++)
            (offsets[i], weights[i]) = (3 + ((mirror == Mirror.Odd && i >= taps / 2 ? i + 1 : i) * step), random.NextSingle() - 0.3f);
        var line = new float[3 + (taps * step) + count + OverRead];
        for (var i = 0; i < line.Length; i++)
            line[i] = 200 * random.NextSingle();
        var target = new T[count];
        fixed (nint* offset = offsets)
        fixed (float* weight = weights, start = line)
        fixed (T* output = target)
        {
            var call = new RowTaps
            {
                Line = start,
                Offsets = offset,
                Weights = weight,
                Taps = taps,
                Step = stepGiven,
                Mirror = mirror,
                Offset = 0.25f,
                Target = output,
                Count = count,
            };
            FilterLoops.Row<T>(SimdWidth.V512, taps, stepGiven, mirror)(&call);
        }

        return target;
    }
}
