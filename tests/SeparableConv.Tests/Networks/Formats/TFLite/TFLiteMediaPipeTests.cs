using System.Runtime.InteropServices;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>MediaPipe's custom operators, whose options are structures as they lie in memory.</summary>
public class TFLiteMediaPipeTests
{
    [Theory]
    [InlineData(5, 4, 3, 2, 1)]
    [InlineData(4, 5, 2, 2, 1)]
    [InlineData(3, 3, 3, 2, 2)]
    [InlineData(4, 4, 4, 3, 1)]
    [InlineData(5, 3, 1, 2, 1)]
    public void Transposed_convolution_with_a_bias(int height, int width, int kernel, int stride, int padding)
    {
        const int Channels = 3, Filters = 2;
        var x = RandomData.Floats(height * width * Channels, 1);
        var weights = RandomData.Floats(Filters * kernel * kernel * Channels, 2);
        var bias = RandomData.Floats(Filters, 3);
        int Cut(int length) => padding == 1 ? Math.Max(0, kernel - ((length - 1) % stride) - 1) : 0;
        var (cutY, cutX) = (Cut(height), Cut(width));
        var (outH, outW) = ((stride * (height - 1)) + kernel - cutY, (stride * (width - 1)) + kernel - cutX);
        var expected = new double[outH * outW * Filters];
        for (var i = 0; i < expected.Length; i++)
            expected[i] = bias[i % Filters];
        for (var t = 0; t < height * width * kernel * kernel; t++)
        {
            var (v, u) = (t / kernel % kernel, t % kernel);
            var (inY, inX) = (t / (kernel * kernel) / width, t / (kernel * kernel) % width);
            var (outY, outX) = ((inY * stride) - (cutY / 2) + v, (inX * stride) - (cutX / 2) + u);
            if (outY < 0 || outY >= outH || outX < 0 || outX >= outW)
                continue;
            for (var c = 0; c < Channels * Filters; c++)
            {
                var (o, channel) = (c / Channels, c % Channels);
                expected[(((outY * outW) + outX) * Filters) + o] += (double)x[(((inY * width) + inX) * Channels) + channel]
                    * weights[(((((o * kernel) + v) * kernel) + u) * Channels) + channel];
            }
        }

        var file = new TFLiteFile { Inputs = [0], Outputs = [3] };
        file.Tensor(ElementType.Float32, [1, height, width, Channels]);
        file.Constant(weights, [Filters, kernel, kernel, Channels]);
        file.Constant(bias, [Filters]);
        file.Tensor(ElementType.Float32, [1, outH, outW, Filters]);
        file.Custom("Convolution2DTransposeBias", Numbers(padding, stride, stride), [0, 1, 2], [3]);
        var y = MemoryMarshal.Cast<byte, float>(file.Run(MemoryMarshal.AsBytes<float>(x).ToArray())).ToArray();
        Assert.Equal(expected.Length, y.Length);
        for (var i = 0; i < y.Length; i++)
            Assert.InRange(y[i], expected[i] - 1e-5, expected[i] + 1e-5);
    }

    [Theory]
    [InlineData(6, 8, 2, 2, 1)]
    [InlineData(5, 7, 2, 2, 1)]
    [InlineData(5, 7, 3, 2, 2)]
    [InlineData(7, 6, 3, 3, 1)]
    public void Pool_with_taps_and_back(int height, int width, int kernel, int stride, int padding)
    {
        const int Channels = 3;
        var x = Array.ConvertAll(RandomData.Floats(2 * height * width * Channels, 4), f => MathF.Round(f * 4) - 8);
        int Out(int length) => padding == 1 ? (length + stride - 1) / stride : (length - kernel + stride) / stride;
        int Before(int length) => padding == 1 ? Math.Max(0, ((Out(length) - 1) * stride) + kernel - length) / 2 : 0;
        var (outH, outW) = (Out(height), Out(width));
        var file = new TFLiteFile { Inputs = [0], Outputs = [1, 2, 3] };
        file.Tensor(ElementType.Float32, [2, height, width, Channels]);
        file.Tensor(ElementType.Float32, [2, outH, outW, Channels]);
        file.Tensor(ElementType.Float32, [2, outH, outW, Channels]);
        file.Tensor(ElementType.Float32, [2, outH * kernel, outW * kernel, Channels]);
        var options = Numbers(padding, stride, stride, kernel, kernel, 0);
        file.Custom("MaxPoolingWithArgmax2D", options, [0], [1, 2]);
        file.Custom("MaxUnpooling2D", options, [1, 2], [3]);
        using var session = new InferenceSession(file.Read(), new() { Threads = 3 });
        MemoryMarshal.AsBytes<float>(x).CopyTo(session.InputBytes(0));
        session.Run();
        float[] Output(int i) => MemoryMarshal.Cast<byte, float>(session.OutputBytes(i)).ToArray();
        var (y, taps, back) = (Output(0), Output(1), Output(2));
        var expectedBack = new float[back.Length];
        var around = Math.Max(0, ((outH - 1) * stride) + kernel - (outH * kernel)) / 2;
        for (var i = 0; i < y.Length; i++)
        {
            var (n, outY, outX, c) = (i / Channels / outW / outH, i / Channels / outW % outH, i / Channels % outW, i % Channels);
            var (largest, tap) = (float.MinValue, 0);
            for (var t = 0; t < kernel * kernel; t++)
            {
                var (inY, inX) = ((outY * stride) - Before(height) + (t / kernel), (outX * stride) - Before(width) + (t % kernel));
                if (inY < 0 || inY >= height || inX < 0 || inX >= width)
                    continue;
                var value = x[(((((n * height) + inY) * width) + inX) * Channels) + c];
                if (value > largest)
                    (largest, tap) = (value, t);
            }

            Assert.Equal(largest, y[i]);
            Assert.Equal(tap + 0.1f, taps[i]);
            var (toY, toX) = ((outY * stride) - around + (tap / kernel), (outX * stride) - around + (tap % kernel));
            expectedBack[(((((n * outH * kernel) + toY) * outW * kernel) + toX) * Channels) + c] = largest;
        }

        Assert.Equal(expectedBack, back);
    }

    [Fact]
    public void Options_that_are_cut_off_are_refused()
    {
        var file = new TFLiteFile { Inputs = [0], Outputs = [1] };
        file.Tensor(ElementType.Float32, [1, 4, 4, 1]);
        file.Tensor(ElementType.Float32, [1, 2, 2, 1]);
        file.Custom("MaxPoolingWithArgmax2D", Numbers(1, 2), [0], [1]);
        var refused = Assert.Throws<NetworkException>(() => file.Read());
        Assert.Contains("its options have 8 bytes; expected 24 at least", refused.Message);
    }

    private static byte[] Numbers(params int[] fields) => MemoryMarshal.AsBytes<int>(fields).ToArray();
}
