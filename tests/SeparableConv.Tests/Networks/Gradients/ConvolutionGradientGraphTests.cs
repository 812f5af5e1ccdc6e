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
}
