using SeparableConv.Kernels;
using SeparableConv.Kernels.Reference;
using SeparableConv.Tests.Support;
using Xunit;

namespace SeparableConv.Tests.Kernels;

public sealed unsafe class StrassenMatrixTests
{
    public static TheoryData<int> Widths => [.. SimdWidths.All.Select(w => (int)w)];

    [Theory]
    [MemberData(nameof(Widths))]
    public void Strassen_matches_reference(int width)
    {
        // Odd and even numbers of rows around the tile heights; depths whose halves are odd; more rows than a block has.
        foreach (var rows in new[] { 1, 2, 3, 13, 28, 29, 49 })
        {
            foreach (var depth in new[] { 2, 6, 34, 96 })
            {
                foreach (var columns in new[] { 32, 64, 96, 160 })
                    Check(rows, depth, columns, (SimdWidth)width);
            }
        }

        Check(301, 700, 480, (SimdWidth)width);
    }

    [Fact]
    public void Whole_numbers_stay_exact()
    {
        var (rows, depth, columns) = (33, 160, 160);
        var random = new Random(4);
        var left = Enumerable.Range(0, rows * depth).Select(_ => (float)random.Next(-8, 9)).ToArray();
        var weights = Enumerable.Range(0, depth * columns).Select(_ => (float)random.Next(-8, 9)).ToArray();
        var expected = ConvolutionReference.Run(Geometry(rows, depth, columns), left, weights, [], []);
        Assert.Equal(expected, Run(rows, depth, columns, left, weights, new float[columns], SimdWidths.Best).Select(value => (double)value));
    }

    [Theory]
    [InlineData(1, 7, 7)]
    [InlineData(2, 7, 7)]
    [InlineData(3, 11, 5)]
    [InlineData(1, 14, 14)]
    public void Threads_batches_and_fusing_do_not_show_in_the_bits(int batch, int height, int width)
    {
        foreach (var activation in new[] { Activation.ReLU6, Activation.HardSwish, Activation.Softmax })
        {
            const int channels = 160;
            Assert.True(StrassenMatrix.Pays(channels, channels));
            var depthwise = System.Numerics.Tensors.Tensor.Create(RandomData.Floats(9 * channels, 1), [3, 3, channels, 1]);
            var pointwise = System.Numerics.Tensors.Tensor.Create(RandomData.Floats(channels * channels, 2), [1, 1, channels, channels]);
            var input = System.Numerics.Tensors.Tensor.Create(RandomData.Floats(batch * height * width * channels, 3), [batch, height, width, channels]);
            float[] Values(int threads, bool fused) => [.. new SeparableConv2D(depthwise, pointwise, options: new()
            {
                Padding = Padding.Same,
                Activation = activation,
                Threads = threads,
            })
            { Fused = fused }.Run(input)];

            var alone = Values(1, true);
            foreach (var threads in new[] { 1, 2, 7 })
            {
                Assert.Equal(alone, Values(threads, true));
                Assert.Equal(alone, Values(threads, false));
            }

            var image = System.Numerics.Tensors.Tensor.Create(RandomData.Floats(batch * height * width * channels, 3)[..(height * width * channels)], [1, height, width, channels]);
            var single = new SeparableConv2D(depthwise, pointwise, options: new() { Padding = Padding.Same, Activation = activation }).Run(image);
            Assert.Equal(alone[..(height * width * channels)], single.ToArray());
        }
    }

    [Fact]
    public void The_option_gives_the_plain_sums()
    {
        const int channels = 256;
        var input = System.Numerics.Tensors.Tensor.Create(RandomData.Floats(49 * channels, 1), [1, 7, 7, channels]);
        var weights = System.Numerics.Tensors.Tensor.Create(RandomData.Floats(channels * channels, 2), [1, 1, channels, channels]);
        float[] fast = [.. new PointwiseConv2D(weights).Run(input)];
        float[] plain = [.. new PointwiseConv2D(weights, options: new() { FastAlgorithms = false }).Run(input)];
        var g = Geometry(49, channels, channels);
        var magnitudes = new double[49 * channels];
        var expected = ConvolutionReference.Run(g, [.. input], [.. weights], [], magnitudes);
        ErrorBound.Check(expected, magnitudes, plain, channels, "plain");
        Assert.NotEqual(plain, fast);
    }

    [Fact]
    public void Nothing_beside_input_and_output_is_touched()
    {
        const int rows = 35;
        const int depth = 34;
        const int columns = 96;
        var (left, weights, bias) = (RandomData.Floats(rows * depth, 1), RandomData.Floats(depth * columns, 2), RandomData.Floats(columns, 3));
        var expected = Run(rows, depth, columns, left, weights, bias, SimdWidths.Best);
        var matrix = new StrassenMatrix(weights, depth, columns, bias, SimdWidths.Best);
        foreach (var endsAtGuard in new[] { false, true })
        {
            using var input = new GuardedMemory(rows * depth * sizeof(float), endsAtGuard);
            using var output = new GuardedMemory(rows * columns * sizeof(float), endsAtGuard);
            left.CopyTo(input.Span<float>());
            matrix.Run(
                (float*)input.Start, depth, rows, (float*)output.Start, columns, float.NegativeInfinity, float.PositiveInfinity, 0, matrix.Panels);
            Assert.Equal(expected, output.Span<float>().ToArray());
        }
    }

    private static void Check(int rows, int depth, int columns, SimdWidth width)
    {
        var (left, weights, bias) = (RandomData.Floats(rows * depth, 1), RandomData.Floats(depth * columns, 2), RandomData.Floats(columns, 3));
        var expected = ConvolutionReference.Run(Geometry(rows, depth, columns), left, weights, bias, []);
        var magnitudes = StrassenMagnitudes.Run(rows, depth, columns, left, weights, bias);
        var actual = Run(rows, depth, columns, left, weights, bias, width);

        // The sums of the weights and of the rows round up to four times more than a plain sum of as many terms.
        ErrorBound.Check(expected, magnitudes, actual, (depth / 2) + 8, $"{width} {rows}x{depth}x{columns}");
    }

    private static ConvGeometry Geometry(int rows, int depth, int columns) => ConvGeometry.Create(1, (1, rows), depth, columns, 1, 1, 1, Padding.Valid);

    private static float[] Run(int rows, int depth, int columns, float[] left, float[] weights, float[] bias, SimdWidth width)
    {
        var matrix = new StrassenMatrix(weights, depth, columns, bias, width);
        var output = new float[rows * columns];
        fixed (float* x = left, y = output)
            matrix.Run(x, depth, rows, y, columns, float.NegativeInfinity, float.PositiveInfinity, 0, matrix.Panels);
        return output;
    }
}
