using FsCheck;
using FsCheck.Fluent;
using SeparableConv.Loops;

namespace SeparableConv.Tests.Loops.Standard;

public sealed unsafe class WinogradLoopTests
{
    // Beside the C products of a sum: two roundings in each transform's direction, one of the weights, and the bias.
    private const int TransformRoundings = 12;

    public static TheoryData<int> Widths => [.. SimdWidths.All.Select(w => (int)w)];

    public static TheoryData<int, int> WidthsAndThreads =>
        [.. SimdWidths.All.SelectMany(w => new[] { ((int)w, 2), ((int)w, 7) })];

    /// <summary>Odd and even images, from a single pixel on, any channels around the vector lengths, borders of up to 3.</summary>
    private static Gen<ConvGeometry> Any =>
        from height in Gen.Choose(1, 9)
        from width in Gen.Choose(1, 9)
        from inChannels in Gen.Elements(1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 35)
        from outChannels in Gen.Elements(1, 3, 4, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 40)
        from batch in Gen.Choose(1, 2)
        from mode in Gen.Choose(0, 3)
        from pads in Gen.Choose(0, 3).Four()
        let padding = mode switch
        {
            0 => Padding.Valid,
            1 => Padding.Same,
            2 => Padding.SameLower,
            _ => Padding.Explicit(Math.Max(pads.Item1, 3 - height), pads.Item2, Math.Max(pads.Item3, 3 - width), pads.Item4),
        }
        let least = mode == 0 ? 3 : 1
        select ConvGeometry.Create(
            batch, (Math.Max(least, height), Math.Max(least, width)), inChannels, outChannels, 3, 1, 1, padding);

    // Many blocks on one thread and on several, and a single block that they share.
    private static IEnumerable<ConvGeometry> Blocks =>
    [
        ConvGeometry.Create(1, (61, 43), 19, 35, 3, 1, 1, Padding.Same),
        ConvGeometry.Create(3, (9, 27), 256, 20, 3, 1, 1, Padding.Same),
        ConvGeometry.Create(1, (14, 11), 33, 256, 3, 1, 1, Padding.Valid),
        ConvGeometry.Create(1, (7, 7), 64, 96, 3, 1, 1, Padding.Same),
    ];

    [Theory]
    [MemberData(nameof(Widths))]
    public void Winograd_matches_reference_on_random_geometries(int width) =>
        Geometries.Check(Any, 150, g => CheckGeometry(g, (SimdWidth)width));

    [Theory]
    [MemberData(nameof(Widths))]
    public void Every_size_up_to_9x9_matches_reference(int width)
    {
        for (var height = 1; height <= 9; height++)
        {
            for (var across = 1; across <= 9; across++)
                CheckGeometry(ConvGeometry.Create(2, (height, across), 5, 17, 3, 1, 1, Padding.Same), (SimdWidth)width);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Images_of_several_blocks_match_reference(int width)
    {
        foreach (var g in Blocks)
        {
            // Random numbers of one size cancel about as well here as tap by tap: the error keeps the direct form's bound.
            var (input, weights, bias) = RandomData.Convolution(g);
            var magnitudes = new double[g.Batch * g.Rows.Out * g.Columns.Out * g.OutChannels];
            var expected = ConvolutionReference.Run(g, input, weights, bias, magnitudes);
            ErrorBound.Check(expected, magnitudes, Run(g, (SimdWidth)width, 1, Activation.None), 9 * g.InChannels, $"{width} {g}");
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Whole_numbers_are_exact(int width)
    {
        foreach (var g in Blocks)
        {
            var (input, weights, bias) = RandomData.Convolution(g);
            foreach (var numbers in new[] { input, weights, bias })
            {
                foreach (ref var x in numbers.AsSpan())
                    x = MathF.Round(20 * x);
            }

            var expected = ConvolutionReference.Run(g, input, weights, bias, []).Select(y => (float)y).ToArray();
            Assert.Equal(expected, Run(g, (SimdWidth)width, 2, Activation.None, input, weights, bias));
        }
    }

    [Theory]
    [MemberData(nameof(WidthsAndThreads))]
    public void Winograd_gives_the_same_bits_on_any_number_of_threads(int width, int threads)
    {
        foreach (var g in Blocks)
            Assert.Equal(Run(g, (SimdWidth)width, 1, Activation.Sigmoid), Run(g, (SimdWidth)width, threads, Activation.Sigmoid));
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Activations_are_applied_to_every_pixel_once(int width)
    {
        foreach (var g in new[]
        {
            ConvGeometry.Create(2, (5, 7), 17, 19, 3, 1, 1, Padding.Same), ConvGeometry.Create(1, (40, 30), 16, 9, 3, 1, 1, Padding.Valid),
        })
        {
            var slopes = Activation.PReLU(RandomData.Floats(g.OutChannels, 9));
            foreach (var activation in new[] { Activation.ReLU6, Activation.HardSwish, Activation.Softmax, slopes })
            {
                var expected = Run(g, (SimdWidth)width, 1, Activation.None);
                fixed (float* y = expected)
                {
                    for (var i = 0; i < expected.Length; i++)
                        y[i] = Math.Min(activation.UpperBound, Math.Max(activation.LowerBound, y[i]));
                    activation.ApplyRows(y, expected.Length / g.OutChannels, g.OutChannels, g.OutChannels, 0, (SimdWidth)width);
                }

                // Where -0 is clamped at 0 either sign may come out: as numbers they are equal.
                var actual = Run(g, (SimdWidth)width, 3, activation);
                for (var i = 0; i < expected.Length; i++)
                    Assert.True(
                        expected[i] == actual[i] || Math.Abs(expected[i] - actual[i]) <= 1e-6,
                        $"{activation}, element {i}: {actual[i]:R} where {expected[i]:R} was expected.");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Nothing_beyond_input_or_output_is_touched(int width)
    {
        foreach (var atEnd in new[] { true, false })
        {
            foreach (var g in Blocks)
            {
                var (input, weights, bias) = RandomData.Convolution(g);
                using var from = new GuardedMemory((nint)input.Length * sizeof(float), atEnd);
                using var to = new GuardedMemory((nint)g.Batch * g.Rows.Out * g.Columns.Out * g.OutChannels * sizeof(float), atEnd);
                input.CopyTo(from.Span<float>());
                var loop = new WinogradLoop(weights, g.InChannels, g.OutChannels, bias, Activation.None, (SimdWidth)width);
                loop.Run((float*)from.Start, (float*)to.Start, g, 1);
                Assert.Equal(Run(g, (SimdWidth)width, 1, Activation.None), to.Span<float>().ToArray());
            }
        }
    }

    private static void CheckGeometry(ConvGeometry g, SimdWidth width)
    {
        var (input, weights, bias) = RandomData.Convolution(g);
        var expected = ConvolutionReference.Run(g, input, weights, bias, []);
        var magnitudes = WinogradMagnitudes.Run(g, input, weights, bias);
        ErrorBound.Check(expected, magnitudes, Run(g, width, 1, Activation.None), g.InChannels + TransformRoundings, $"{width} {g}");
    }

    private static float[] Run(ConvGeometry g, SimdWidth width, int threads, Activation activation)
    {
        var (input, weights, bias) = RandomData.Convolution(g);
        return Run(g, width, threads, activation, input, weights, bias);
    }

    private static float[] Run(
        ConvGeometry g, SimdWidth width, int threads, Activation activation, float[] input, float[] weights, float[] bias)
    {
        var loop = new WinogradLoop(weights, g.InChannels, g.OutChannels, bias, activation, width);
        var output = RandomData.Unwritten(g.Batch * g.Rows.Out * g.Columns.Out * g.OutChannels);
        fixed (float* x = input, y = output)
            loop.Run(x, y, g, threads);
        return output;
    }
}
