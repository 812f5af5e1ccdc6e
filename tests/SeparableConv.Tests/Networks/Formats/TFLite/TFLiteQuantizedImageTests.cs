using SeparableConv.Networks.Formats.TFLite;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>Quantized operators on images, read from hand-made files, against the reference's arithmetic in plain loops.</summary>
public class TFLiteQuantizedImageTests
{
    private const int Seeds = 12;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Average_pool(bool isSigned)
    {
        var element = isSigned ? ElementType.Int8 : ElementType.UInt8;
        for (var seed = 0; seed < Seeds; seed++)
        {
            var numbers = new QuantizedNumbers(element, seed);
            var quantization = numbers.Quantization(0.05f);
            var (kernel, stride, isSame, activation) = (1 + (seed % 4), 1 + (seed % 3), seed % 2 == 0, seed % 4);
            var x = numbers.Bytes(2 * 7 * 6 * 3);
            var file = new TFLiteFile { Inputs = [0], Outputs = [1] };
            file.Tensor(element, [2, 7, 6, 3], quantization);
            file.Tensor(element, [1], quantization);
            file.Operator(BuiltinOperator.AVERAGE_POOL_2D, [0], [1], 5, new()
            {
                [0] = (byte)(isSame ? 0 : 1),
                [1] = stride,
                [2] = stride,
                [3] = kernel,
                [4] = kernel,
                [5] = (byte)activation,
            });
            var y = numbers.Values(file.Run(x));

            int Out(int length) => isSame ? (length + stride - 1) / stride : (length - kernel) / stride + 1;
            int Before(int length) => isSame ? Math.Max(0, ((Out(length) - 1) * stride) + kernel - length) / 2 : 0;
            var (values, expected) = (numbers.Values(x), new List<int>());
            var (min, max) = numbers.Clamp(activation, quantization);
            for (var i = 0; i < 2 * Out(7) * Out(6) * 3; i++)
            {
                var (n, outY, outX, c) = (i / 3 / Out(6) / Out(7), i / 3 / Out(6) % Out(7), i / 3 % Out(6), i % 3);
                var (sum, count) = (0, 0);
                for (var t = 0; t < kernel * kernel; t++)
                {
                    var (inY, inX) = ((outY * stride) - Before(7) + (t / kernel), (outX * stride) - Before(6) + (t % kernel));
                    if (inY is < 0 or >= 7 || inX is < 0 or >= 6)
                        continue;
                    sum += values[(((((n * 7) + inY) * 6) + inX) * 3) + c];
                    count++;
                }

                expected.Add(Math.Clamp((int)Math.Round((decimal)sum / count, MidpointRounding.AwayFromZero), min, max));
            }

            Assert.Equal(expected, y);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Bilinear_resizing(bool isSigned)
    {
        var element = isSigned ? ElementType.Int8 : ElementType.UInt8;
        for (var seed = 0; seed < 18; seed++)
        {
            var numbers = new QuantizedNumbers(element, seed);
            var quantization = numbers.Quantization(0.05f);
            var (align, half) = (seed % 3 == 1, seed % 3 == 2);
            var (outY, outX) = (1 + (seed * 5 % 13), 1 + (seed * 7 % 11));
            var x = numbers.Bytes(2 * 5 * 4 * 3);
            var file = new TFLiteFile { Inputs = [0], Outputs = [2] };
            file.Tensor(element, [2, 5, 4, 3], quantization);
            file.Constant([outY, outX], [2]);
            file.Tensor(element, [1], quantization);
            file.Operator(
                BuiltinOperator.RESIZE_BILINEAR, [0, 1], [2], 15, new() { [2] = (byte)(align ? 1 : 0), [3] = (byte)(half ? 1 : 0) });
            var (y, values) = (numbers.Values(file.Run(x)), numbers.Values(x));
            Assert.Equal(2 * outY * outX * 3, y.Length);
            for (var i = 0; i < y.Length; i++)
            {
                var (n, r, c, channel) = (i / 3 / outX / outY, i / 3 / outX % outY, i / 3 % outX, i % 3);
                int At(int row, int column) => values[(((((n * 5) + row) * 4) + column) * 3) + channel];
                Assert.Equal(isSigned ? Fixed(At, r, c, outY, outX, align, half) : Single(At, r, c, outY, outX, align, half), y[i]);
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Transposed_convolution(bool isSigned)
    {
        var element = isSigned ? ElementType.Int8 : ElementType.UInt8;
        for (var seed = 0; seed < Seeds; seed++)
        {
            var numbers = new QuantizedNumbers(element, seed);
            var (input, output) = (numbers.Quantization(0.05f), numbers.Quantization(0.2f));
            var (kernel, stride, isSame, activation) = (1 + (seed % 4), 1 + (seed % 3), seed % 2 == 0, seed % 4);
            var (inY, inX, channels, filters) = (4, 3, 3, 5);
            int Out(int length) => isSame ? length * stride : ((length - 1) * stride) + kernel;
            int Before(int length) => isSame ? Math.Max(0, ((length - 1) * stride) + kernel - Out(length)) / 2 : 0;
            var (x, w) = (numbers.Bytes(inY * inX * channels), numbers.Bytes(filters * kernel * kernel * channels));
            int[] bias = seed % 5 == 0 ? new int[filters] : [.. Enumerable.Range(0, filters).Select(_ => numbers.Next(-500, 500))];
            var scales = new (float Scale, int ZeroPoint)[isSigned ? filters : 1];
            for (var i = 0; i < scales.Length; i++)
                scales[i] = isSigned ? (numbers.Quantization(0.02f).Scale, 0) : numbers.Quantization(0.02f);
            var file = new TFLiteFile { Inputs = [2], Outputs = [4] };
            file.Constant([1, Out(inY), Out(inX), filters], [4]);
            if (isSigned)
                file.Constant(Array.ConvertAll(w, b => (sbyte)b), [filters, kernel, kernel, channels], 0, scales);
            else
                file.Constant(w, [filters, kernel, kernel, channels], 0, scales);
            file.Tensor(element, [1, inY, inX, channels], input);
            file.Constant(bias, [filters]);
            file.Tensor(element, [1, 1, 1, 1], output);
            int[] inputs = seed % 5 > 0 ? [0, 1, 2, 3] : seed % 2 > 0 ? [0, 1, 2] : [0, 1, 2, -1];
            file.Operator(
                BuiltinOperator.TRANSPOSE_CONV,
                inputs,
                [4],
                49,
                new() { [0] = (byte)(isSame ? 0 : 1), [1] = stride, [2] = stride, [3] = (byte)activation });
            var y = numbers.Values(file.Run(x));

            var sums = new int[Out(inY), Out(inX), filters];
            for (var i = 0; i < x.Length * kernel * kernel * filters; i++)
            {
                var (position, tap, o) = (i / filters / kernel / kernel, i / filters % (kernel * kernel), i % filters);
                var (row, column, c) = (position / channels / inX, position / channels % inX, position % channels);
                var (atY, atX) = ((row * stride) - Before(inY) + (tap / kernel), (column * stride) - Before(inX) + (tap % kernel));
                if (atY < 0 || atY >= Out(inY) || atX < 0 || atX >= Out(inX))
                    continue;
                var weight = numbers.Values(w)[(((o * kernel * kernel) + tap) * channels) + c] - scales[0].ZeroPoint;
                sums[atY, atX, o] += (numbers.Values(x)[position] - input.ZeroPoint) * weight;
            }

            var (min, max) = numbers.Clamp(activation, output);
            int Expected(int sum, int o)
            {
                var factor = (double)input.Scale * scales[isSigned ? o : 0].Scale / output.Scale;
                return Math.Clamp(TFLiteReference.Rescale(sum + bias[o], factor) + output.ZeroPoint, min, max);
            }

            Assert.Equal(sums.Cast<int>().Select((sum, i) => Expected(sum, i % filters)), y);
        }
    }

    private static int Fixed(Func<int, int, int> at, int row, int column, int outY, int outX, bool align, bool half)
    {
        (int Lower, int Upper, int Far) Axis(int i, int input, int output)
        {
            var (from, to) = align && output > 1 ? (input - 1, output - 1) : (input, output);
            var scale = ((1024 * from) + (to / 2)) / to;
            var position = half ? (i * scale) + (scale / 2) - 512 : i * scale;
            var lower = Math.Max(position / 1024, 0);
            return (lower, Math.Min((position + 1023) / 1024, input - 1), position - (1024 * lower));
        }

        var (top, bottom, dy) = Axis(row, 5, outY);
        var (left, right, dx) = Axis(column, 4, outX);
        var sum = ((long)at(top, left) * (1024 - dy) * (1024 - dx)) + ((long)at(bottom, left) * dy * (1024 - dx))
            + ((long)at(top, right) * (1024 - dy) * dx) + ((long)at(bottom, right) * dy * dx);
        return (int)Math.Round(sum / 1048576m, MidpointRounding.AwayFromZero);
    }

    private static int Single(Func<int, int, int> at, int row, int column, int outY, int outX, bool align, bool half)
    {
        (int Lower, int Upper, float Far) Axis(int i, int input, int output)
        {
            var scale = align && output > 1 ? (float)(input - 1) / (output - 1) : (float)input / output;
            var position = half ? ((i + 0.5f) * scale) - 0.5f : i * scale;
            var lower = Math.Max((int)MathF.Floor(position), 0);
            return (lower, Math.Min((int)MathF.Ceiling(position), input - 1), position - lower);
        }

        var (top, bottom, dy) = Axis(row, 5, outY);
        var (left, right, dx) = Axis(column, 4, outX);
        return (int)((at(top, left) * (1 - dy) * (1 - dx)) + (at(bottom, left) * dy * (1 - dx))
            + (at(top, right) * (1 - dy) * dx) + (at(bottom, right) * dy * dx));
    }
}
