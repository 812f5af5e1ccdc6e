using FsCheck;
using FsCheck.Fluent;
using SeparableConv.Loops;

namespace SeparableConv.Tests.Loops.Quantized;

public sealed unsafe class QuantizedConvLoopTests
{
    public static TheoryData<int> Widths => [.. SimdWidths.All.Select(w => (int)w)];

    [Theory]
    [MemberData(nameof(Widths))]
    public void Pointwise_gives_the_bytes_of_plain_loops(int width)
    {
        var seed = width;
        foreach (var pixels in new[] { 1, 2, 13, 14, 15, 29, 49, 90 })
        {
            foreach (var outChannels in new[] { 1, 3, 4, 7, 8, 15, 16, 17, 31, 32, 33, 48, 79, 100 })
            {
                foreach (var inChannels in new[] { 1, 2, 3, 8, 17, 64 })
                {
                    var g = ConvGeometry.Create(1, (1, pixels), inChannels, outChannels, 1, 1, 1, Padding.Valid);
                    new QuantizedCase(g, isDepthwise: false, seed++).Check((SimdWidth)width);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Convolution_gives_the_bytes_of_plain_loops_on_random_geometries(int width) =>
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(200),
            Prop.ForAll(
                Geometries.Any.Zip(Gen.Choose(0, 1 << 30)).ToArbitrary(),
                pair => new QuantizedCase(pair.Item1, isDepthwise: false, pair.Item2).Check((SimdWidth)width)));

    [Theory]
    [MemberData(nameof(Widths))]
    public void Strides_and_dilations_far_apart_are_computed_from_patches(int width)
    {
        foreach (var (size, kernel, stride, dilation, pad) in new[]
        {
            (40, 2, 30, 1, 0), (3, 3, 1, 200, 200), (5, 1, 1000, 1, 2000), (9, 3, 7, 2, 9),
        })
        {
            var g = ConvGeometry.Create(1, size, 3, 9, kernel, stride, dilation, Padding.Explicit(pad, pad, pad, pad));
            new QuantizedCase(g, isDepthwise: false, size).Check((SimdWidth)width);
        }
    }

    [Theory]
    [InlineData(49, 64, 256)]
    [InlineData(300, 40, 24)]
    [InlineData(3, 8, 1000)]
    [InlineData(1, 1024, 1001)]
    public void Pointwise_gives_the_same_bytes_on_any_number_of_threads(int pixels, int inChannels, int outChannels)
    {
        foreach (var threads in new[] { 1, 2, 7 })
        {
            var g = ConvGeometry.Create(1, (1, pixels), inChannels, outChannels, 1, 1, 1, Padding.Valid);
            for (var seed = 0; seed < 3; seed++)
                new QuantizedCase(g, isDepthwise: false, seed).Check(SimdWidths.Best, threads);
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(7)]
    public void Convolution_gives_the_same_bytes_on_any_number_of_threads(int threads)
    {
        foreach (var (kernel, stride, size, groups) in new[] { (3, 2, 33, 1), (3, 1, 7, 1), (5, 1, 12, 2), (1, 2, 9, 1) })
        {
            var g = ConvGeometry.Create(2, size, 6, 20, kernel, stride, 1, Padding.Same, groups);
            new QuantizedCase(g, isDepthwise: false, size).Check(SimdWidths.Best, threads);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Nothing_beside_input_and_output_is_touched(int width)
    {
        var seed = 0;
        foreach (var (kernel, stride, size, inChannels, outChannels, groups) in new[]
            {
                (1, 1, 5, 6, 24, 1), (1, 1, 3, 7, 33, 1), (1, 1, 1, 5, 3, 1), (3, 2, 9, 3, 8, 1), (3, 1, 6, 3, 17, 1), (3, 1, 7, 4, 34, 2),
                (2, 5, 11, 1, 5, 1),
            })
        {
            var g = ConvGeometry.Create(1, size, inChannels, outChannels, kernel, stride, 1, Padding.Same, groups);
            new QuantizedCase(g, isDepthwise: false, seed++).Check((SimdWidth)width, guarded: true);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Images_and_lines_are_computed_in_parts(int threads)
    {
        // More lines than the second-level cache holds, and lines longer than there is room for sums.
        var g = ConvGeometry.Create(1, (30, 300), 24, 40, 3, 1, 1, Padding.Same);
        new QuantizedCase(g, isDepthwise: false, 1).Check(SimdWidths.Best, threads);
    }

    [Theory]
    [InlineData(1024)]
    [InlineData(4096)]
    public void Rows_that_would_share_a_set_of_the_cache_are_copied_apart(int channels)
    {
        for (var seed = 0; seed < 4; seed++)
        {
            var g = ConvGeometry.Create(1, (1, 40), channels, 20, 1, 1, 1, Padding.Valid);
            new QuantizedCase(g, isDepthwise: false, seed).Check(SimdWidths.Best);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Sums_are_given_as_they_are(int width)
    {
        foreach (var (kernel, height, length, inChannels, outChannels, groups) in new[]
            { (1, 1, 90, 12, 40, 1), (1, 1, 3, 7, 70, 1), (3, 6, 7, 3, 17, 1), (3, 9, 5, 8, 10, 2), (1, 1, 1, 30, 200, 1) })
        {
            var g = ConvGeometry.Create(1, (height, length), inChannels, outChannels, kernel, 1, 1, Padding.Same, groups);
            for (var seed = 0; seed < 4; seed++)
            {
                var test = new QuantizedCase(g, isDepthwise: false, seed);
                foreach (var (byteQuads, threads) in new[] { (false, 1), (true, 1), (true, 2) })
                {
                    var sums = new int[test.OutputLength];
                    fixed (byte* x = test.Input)
                    {
                        fixed (int* y = sums)
                        {
                            var loop = new QuantizedConvLoop(
                                test.SumsLayer, kernel, inChannels, outChannels, groups, (SimdWidth)width, byteQuads);
                            loop.Run(x, (byte*)y, g, threads);
                        }
                    }

                    Assert.Equal(test.ExpectedSums(), sums);
                }
            }
        }
    }

    /// <summary>uint8 weights with any zero point, deep enough that sums of bytes leave 16 bits.</summary>
    [Theory]
    [MemberData(nameof(Widths))]
    public void Weights_beyond_a_signed_byte_are_shifted(int width)
    {
        foreach (var (kernel, size, inChannels, outChannels, groups) in new[]
        {
            (1, 6, 1200, 17, 1), (3, 7, 8, 40, 1), (3, 6, 16, 16, 2), (1, 5, 4, 16, 1), (1, 9, 132, 70, 1),
        })
        {
            var g = ConvGeometry.Create(1, size, inChannels, outChannels, kernel, 1, 1, Padding.Same, groups);
            foreach (var zeroPoint in new[] { 0, 20, 150, 255 })
            {
                var random = new Random(zeroPoint);
                var test = new QuantizedCase(g, isDepthwise: false, zeroPoint);
                foreach (ref var weight in test.Weights.AsSpan())
                    weight = (short)(random.Next(256) - zeroPoint);
                test.Check((SimdWidth)width);
            }
        }
    }

    /// <summary>With machine code, with it switched off or refused by the system, and with neither it nor AVX-VNNI.</summary>
    [Fact]
    public void Whichever_instructions_a_machine_has_the_bytes_are_the_same()
    {
        foreach (var (kernel, size, inChannels, outChannels) in new[] { (1, 9, 64, 70), (1, 3, 1100, 40), (3, 7, 8, 48), (3, 5, 5, 20) })
        {
            var g = ConvGeometry.Create(1, size, inChannels, outChannels, kernel, 1, 1, Padding.Same);
            var test = new QuantizedCase(g, isDepthwise: false, size) { InputLayer = new(true, -3) };
            var expected = test.Expected();
            Assert.Equal(expected, test.Run(SimdWidths.Best, 1, byteQuads: null));
            foreach (var machine in new ByteInstructions[] { new(true, true), new(false, true), new(true, false), new(false, false) })
            {
                var (lanes, width) = machine.Choose(SimdWidths.Best);
                Assert.Equal(expected, test.Run(width, 1, byteQuads: lanes == LaneKind.ByteQuad));
            }
        }
    }

    [Fact]
    public void The_largest_products_do_not_saturate()
    {
        // 255 * 255 twice in one pair, and sums beyond 24 bits, which a float could not hold.
        var g = ConvGeometry.Create(1, 1, 512, 16, 1, 1, 1, Padding.Valid);
        foreach (var sign in new[] { 1, -1 })
        {
            var input = new byte[512];
            Array.Fill(input, (byte)255);
            var weights = new short[512 * 16];
            Array.Fill(weights, (short)(255 * sign));
            foreach (var width in SimdWidths.All)
            {
                var layer = new QuantizedLayer
                {
                    Weights = weights,
                    Bias = Enumerable.Range(0, 16).Select(o => -sign * 255 * 255 * 512 + o).ToArray(),
                    Input = new(false, 0),
                    Factors = [1.0],
                    Output = new(Requantization.FixedPoint, false, 0, 0, 255),
                };
                var output = new byte[16];
                fixed (byte* x = input, y = output)
                    new QuantizedConvLoop(layer, 1, 512, 16, 1, width).Run(x, y, g, 1);
                Assert.Equal(Enumerable.Range(0, 16).Select(o => (byte)o), output);
            }
        }
    }
}
