using FsCheck;
using FsCheck.Fluent;
using SeparableConv.Loops;

namespace SeparableConv.Tests.Loops.Quantized;

public sealed unsafe class QuantizedDepthwiseLoopTests
{
    public static TheoryData<int> Widths => [.. SimdWidths.All.Select(w => (int)w)];

    /// <summary>The kernels of networks.</summary>
    private static Gen<ConvGeometry> Squares =>
        from kernel in Gen.Elements(3, 5)
        from stride in Gen.Choose(1, 2)
        from height in Gen.Choose(1, 30)
        from width in Gen.Choose(1, 60)
        from channels in Gen.Elements(1, 3, 8, 16, 17, 31, 32, 33, 64, 67, 100)
        from batch in Gen.Choose(1, 2)
        from pads in Gen.Choose(0, 3).Four()
        from same in Gen.Elements(true, false)
        let padding = same
            ? Padding.Same
            : Padding.Explicit(Math.Max(pads.Item1, kernel - height), pads.Item2, Math.Max(pads.Item3, kernel - width), pads.Item4)
        select ConvGeometry.Create(batch, (height, width), channels, channels, kernel, stride, 1, padding, channels);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Depthwise_gives_the_bytes_of_plain_loops_on_random_geometries(int width) => CheckAll(Geometries.Depthwise, width, 300);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Depthwise_3x3_and_5x5_give_the_bytes_of_plain_loops(int width) => CheckAll(Squares, width, 300);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Kernels_that_read_every_number_once_pair_it_on_the_way(int width)
    {
        foreach (var (size, kernel, stride, dilation, pad) in new[]
        {
            (7, 7, 1, 1, 0), (6, 6, 1, 1, 0), (12, 3, 3, 1, 0), (14, 7, 9, 1, 3), (13, 4, 10, 3, 5),
        })
        {
            foreach (var channels in new[] { 1, 17, 64, 100 })
            {
                var g = ConvGeometry.Create(
                    2, size, channels, channels, kernel, stride, dilation, Padding.Explicit(pad, pad, pad, pad), channels);
                foreach (var seed in new[] { 1, 2, 3 })
                    new QuantizedCase(g, isDepthwise: true, size + seed).Check((SimdWidth)width, seed);
            }
        }
    }

    [Theory]
    [InlineData(3, 1)]
    [InlineData(3, 2)]
    [InlineData(5, 1)]
    [InlineData(5, 2)]
    public void Large_images_are_computed_in_bands(int kernel, int stride)
    {
        var g = ConvGeometry.Create(1, (64, 90), 72, 72, kernel, stride, 1, Padding.Same, 72);
        foreach (var threads in new[] { 1, 2 })
            new QuantizedCase(g, isDepthwise: true, kernel + stride).Check(SimdWidths.Best, threads);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Strides_and_dilations_far_apart_are_paired_one_by_one(int width)
    {
        foreach (var (size, kernel, stride, dilation, pad) in new[]
        {
            (40, 2, 30, 1, 0), (3, 3, 1, 200, 200), (5, 1, 1000, 1, 2000), (9, 3, 7, 2, 9),
        })
        {
            var g = ConvGeometry.Create(1, size, 9, 9, kernel, stride, dilation, Padding.Explicit(pad, pad, pad, pad), 9);
            new QuantizedCase(g, isDepthwise: true, size).Check((SimdWidth)width);
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(7)]
    public void Depthwise_gives_the_same_bytes_on_any_number_of_threads(int threads)
    {
        foreach (var (kernel, stride, size, channels, batch) in new[]
        {
            (3, 1, 7, 200, 1), (5, 1, 14, 147, 1), (3, 2, 28, 67, 2), (3, 1, 61, 8, 1),
        })
        {
            var g = ConvGeometry.Create(batch, size, channels, channels, kernel, stride, 1, Padding.Same, channels);
            new QuantizedCase(g, isDepthwise: true, size).Check(SimdWidths.Best, threads);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Nothing_beyond_input_or_output_is_touched(int width)
    {
        foreach (var (kernel, stride, size, channels, multiplier) in new[]
            {
                (3, 1, 7, 35, 1), (3, 2, 8, 17, 1), (5, 1, 7, 19, 1), (4, 3, 10, 20, 1), (3, 1, 9, 3, 1), (3, 2, 10, 1, 8),
                (3, 1, 30, 64, 1),
            })
        {
            var g = ConvGeometry.Create(1, size, channels, channels * multiplier, kernel, stride, 1, Padding.Same, channels);
            new QuantizedCase(g, isDepthwise: true, size).Check((SimdWidth)width, guarded: true);
        }
    }

    /// <summary>Channels that are spread, some rows at a time, for kernels that are filled up with zeros.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Spread_rows_are_computed_in_bands(int threads)
    {
        foreach (var (height, width, dilation) in new[] { (1, 3, 1), (2, 2, 1), (4, 4, 1), (3, 5, 2), (1, 1, 1), (2, 3, 40), (7, 7, 1) })
        {
            foreach (var (channels, multiplier, length) in new[] { (3, 1, 300), (3, 2, 300), (20, 1, 150), (24, 2, 100) })
            {
                var g = ConvGeometry.Create(
                    1, (90, length), channels, channels * multiplier, (height, width), 1, dilation, Padding.Same, channels);
                new QuantizedCase(g, isDepthwise: true, height + width + channels).Check(SimdWidths.Best, threads);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Sums_are_given_as_they_are(int width)
    {
        foreach (var (channels, multiplier) in new[] { (1, 1), (5, 1), (40, 1), (6, 4) })
        {
            var g = ConvGeometry.Create(1, (8, 9), channels, channels * multiplier, 3, 1, 1, Padding.Same, channels);
            var test = new QuantizedCase(g, isDepthwise: true, channels);
            foreach (var threads in new[] { 1, 2 })
            {
                var sums = new int[test.OutputLength];
                fixed (byte* x = test.Input)
                {
                    fixed (int* y = sums)
                        new QuantizedDepthwiseLoop(test.SumsLayer, g, (SimdWidth)width).Run(x, (byte*)y, threads);
                }

                Assert.Equal(test.ExpectedSums(), sums);
            }
        }
    }

    private static void CheckAll(Gen<ConvGeometry> geometries, int width, int count) => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(count),
        Prop.ForAll(
            geometries.Zip(Gen.Choose(0, 1 << 30)).ToArbitrary(),
            pair => new QuantizedCase(pair.Item1, isDepthwise: true, pair.Item2).Check((SimdWidth)width)));
}
