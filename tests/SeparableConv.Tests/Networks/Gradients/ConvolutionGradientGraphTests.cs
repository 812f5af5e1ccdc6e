using SeparableConv.Networks.Gradients;
using SeparableConv.Tests.Networks.Operators;

namespace SeparableConv.Tests.Networks.Gradients;

/// <summary>Gradients of convolutions as nodes of a graph; the loops behind them have tests of their own.</summary>
public sealed class ConvolutionGradientGraphTests
{
    [Theory]
    [InlineData(5, 4, 3, 2, 1, 1, 1, 1)]
    [InlineData(3, 3, 2, 1, 1, 0, 0, 0)]
    [InlineData(4, 3, 3, 3, 2, 2, 0, 2)]
    [InlineData(2, 5, 4, 2, 1, 1, 2, 0)]
    public void A_transposed_convolution_has_the_gradients_of_central_differences(
        int height, int width, int kernel, int stride, int dilation, int before, int after, int extra)
    {
        const int channels = 3;
        const int filters = 2;
        const int batch = 2;
        var op = new ConvTranspose2DOperator(
            stride, dilation, before, after, before, after, extra, 1, Activation.None);
        var (x, w, bias) = (
            OperatorRun.Floats(1, batch, height, width, channels),
            OperatorRun.Floats(2, kernel, kernel, channels, filters),
            OperatorRun.Floats(3, filters));
        var (outHeight, outWidth) = (Length(height), Length(width));
        GradientCheck.Run(op, [x, w, bias], numbers => [Transposed(numbers)], tolerance: 1e-4);

        int Length(int size) => (stride * (size - 1)) + extra + (dilation * (kernel - 1)) + 1 - before - after;

        double[] Transposed(double[][] numbers)
        {
            var y = new double[batch * outHeight * outWidth * filters];
            for (var i = 0; i < y.Length; i++)
                y[i] = numbers[2][i % filters];
            for (var n = 0; n < batch; n++)
            {
                for (var i = 0; i < height * width; i++)
                {
                    for (var tap = 0; tap < kernel * kernel; tap++)
                    {
                        var row = (i / width * stride) + (tap / kernel * dilation) - before;
                        var column = (i % width * stride) + (tap % kernel * dilation) - before;
                        if (row < 0 || row >= outHeight || column < 0 || column >= outWidth)
                            continue;
                        for (var c = 0; c < channels; c++)
                        {
                            for (var o = 0; o < filters; o++)
                            {
                                y[(((((n * outHeight) + row) * outWidth) + column) * filters) + o] +=
                                    numbers[0][(((n * height * width) + i) * channels) + c]
                                    * numbers[1][(((tap * channels) + c) * filters) + o];
                            }
                        }
                    }
                }
            }

            return y;
        }
    }

    [Fact]
    public void Picked_channels_before_a_separable_convolution_have_the_gradients_of_central_differences()
    {
        // What a convolution is separated into: channels that are read several times or not at all, 3x3 depthwise, 1x1.
        const int size = 5;
        const int channels = 4;
        const int filters = 3;
        long[] map = [0, 0, 1, 3, 3, 3];
        var graph = new GraphBuilder();
        TensorData[] data =
        [
            OperatorRun.Floats(1, 1, size, size, channels), OperatorRun.Floats(2, 3, 3, map.Length, 1),
            OperatorRun.Floats(3, 1, 1, map.Length, filters), OperatorRun.Floats(4, 1, size, size, filters),
        ];
        Value[] inputs = [.. data.Select((numbers, i) => graph.Input($"x{i}", numbers.Type))];
        var picked = graph.Add("picked", new GatherOperator(3), inputs[0], graph.Constant("map", TensorData.Create(map, map.Length)));
        var depthwise = graph.Add("depthwise", new DepthwiseConv2DOperator(new() { Padding = Padding.Same }), picked, inputs[1]);
        var y = graph.Add("pointwise", new Conv2DOperator(new()), depthwise, inputs[2]);
        var gradients = GradientGraph.Add(graph, [(y, inputs[3])], inputs[..3]);
        Assert.All(gradients, Assert.NotNull);
        var actual = GradientCheck.Run(graph.Build("step", gradients!), data);

        double[][] numbers = [.. data.Select(OperatorRun.Doubles)];
        for (var target = 0; target < actual.Length; target++)
        {
            var result = actual[target].Span<float>();
            for (var i = 0; i < result.Length; i++)
            {
                // The sum is linear in every number, so that differences of any step are exact.
                var value = numbers[target][i];
                numbers[target][i] = value + 0.5;
                var above = Sum();
                numbers[target][i] = value - 0.5;
                Assert.Equal(above - Sum(), result[i], 1e-4);
                numbers[target][i] = value;
            }
        }

        double Sum()
        {
            var sum = 0.0;
            for (var pixel = 0; pixel < size * size; pixel++)
            {
                for (var e = 0; e < map.Length; e++)
                {
                    var between = 0.0;
                    for (var tap = 0; tap < 9; tap++)
                    {
                        var (row, column) = ((pixel / size) + (tap / 3) - 1, (pixel % size) + (tap % 3) - 1);
                        if (row is >= 0 and < size && column is >= 0 and < size)
                            between += numbers[0][(((row * size) + column) * channels) + map[e]] * numbers[1][(tap * map.Length) + e];
                    }

                    for (var o = 0; o < filters; o++)
                        sum += between * numbers[2][(e * filters) + o] * numbers[3][(pixel * filters) + o];
                }
            }

            return sum;
        }
    }
}
