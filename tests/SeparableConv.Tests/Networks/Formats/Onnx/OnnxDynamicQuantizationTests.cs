using System.Runtime.InteropServices;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>What ONNX Runtime's dynamic quantizer writes, beside plain loops: ranges that are found when the network runs.</summary>
public sealed class OnnxDynamicQuantizationTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(33)]
    [InlineData(70001)]
    public void Numbers_are_quantized_by_their_own_range(int count)
    {
        foreach (var (low, high) in new[] { (-1f, 3f), (0.5f, 2f), (-4f, -1f), (0f, 0f), (-1e-30f, 1e-30f), (-3f, 3f) })
        {
            var x = Array.ConvertAll(RandomData.Floats(count, 5), number => low + ((high - low) * (number + 1) / 2));
            var network = new OnnxBuilder().Input("x", $"{count}").Node("DynamicQuantizeLinear", ["x"], ["y", "s", "z"])
                .Output("y", "s", "z").Read();
            var (quantized, scale, zeroPoint) = Quantized(x);
            foreach (var one in new[] { network, OnnxBackend.RoundTrip(network) })
            {
                for (var threads = 1; threads <= 3; threads++)
                {
                    using var session = new InferenceSession(one, new() { Threads = threads });
                    MemoryMarshal.AsBytes(x.AsSpan()).CopyTo(session.InputBytes(0));
                    session.Run();
                    Assert.Equal(quantized, session.OutputBytes(0).ToArray());
                    Assert.Equal(scale, MemoryMarshal.Read<float>(session.OutputBytes(1)));
                    Assert.Equal(zeroPoint, session.OutputBytes(2)[0]);
                }
            }
        }
    }

    [Theory]
    [InlineData(4, 6, 1, 3, 1, 1, 1, true)]
    [InlineData(4, 6, 1, 3, 2, 1, 2, false)]
    [InlineData(5, 8, 1, 1, 1, 1, 0, true)]
    [InlineData(6, 9, 3, 3, 1, 2, 2, true)]
    [InlineData(19, 19, 19, 3, 1, 1, 1, false)]
    [InlineData(3, 6, 3, 5, 2, 1, 3, true)]
    [InlineData(2, 3, 1, 2, 9, 1, 40, true)]
    public void Convolutions_run_in_integers(
        int channels, int filters, int groups, int kernel, int stride, int dilation, int pad, bool weightsSigned)
    {
        var (x, w, y) = Layer(channels, filters, groups, kernel, stride, dilation, pad, weightsSigned, out var builder);
        builder.Node("Cast", ["sums"], ["f"], OnnxBuilder.Int("to", 1)).Node("Mul", ["xs", "ws"], ["scale"])
            .Node("Mul", ["f", "scale"], ["m"]).Node("Add", ["m", "bias"], ["b"]).Node("Relu", ["b"], ["y"]);
        var network = builder.Output("y").Read();
        var kinds = Check(network, x, y);
        Assert.Contains(groups == channels ? "IntegerDepthwiseConv2D" : "IntegerConv2D", kinds, StringComparison.Ordinal);
        Assert.Contains("ScaledSums", kinds, StringComparison.Ordinal);
        Assert.DoesNotContain("Cast", kinds, StringComparison.Ordinal);
        Assert.NotEmpty(w);
    }

    [Fact]
    public void A_zero_point_of_weights_may_be_computed_too()
    {
        var (x, _, y) = Layer(4, 6, 2, 3, 1, 1, 1, weightsSigned: false, out var builder);

        // A sum that is only known when the network runs: that of the zero point and 0 times the input's.
        builder.Model.Graph.Node[1].Input[3] = "wz2";
        var late = new OnnxBuilder().Constant("nothing", [(byte)0]).Node("Mul", ["xz", "nothing"], ["none"])
            .Node("Add", ["none", "wz"], ["wz2"]).Model.Graph;
        builder.Model.Graph.Initializer.Add(late.Initializer);
        builder.Model.Graph.Node.Insert(1, late.Node[1]);
        builder.Model.Graph.Node.Insert(1, late.Node[0]);
        builder.Node("Cast", ["sums"], ["f"], OnnxBuilder.Int("to", 1)).Node("Mul", ["xs", "ws"], ["scale"])
            .Node("Mul", ["f", "scale"], ["m"]).Node("Add", ["m", "bias"], ["b"]).Node("Relu", ["b"], ["y"]);
        Check(builder.Output("y").Read(), x, y);
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(5, 19, 11)]
    [InlineData(3, 64, 33)]
    public void Matrix_products_run_in_integers(int rows, int depth, int columns)
    {
        foreach (var fused in new[] { false, true })
        {
            var x = RandomData.Floats(2 * rows * depth, rows);
            var (w, bias) = (new byte[depth * columns], RandomData.Floats(columns, 7));
            new Random(depth).NextBytes(w);
            var scales = Array.ConvertAll(RandomData.Floats(columns, 8), number => 0.02f + (0.01f * number));
            var zeros = Enumerable.Range(0, columns).Select(i => (sbyte)(i - 3)).ToArray();
            var builder = new OnnxBuilder().Input("x", "2", $"{rows}", $"{depth}").ByteConstant("w", true, w, depth, columns)
                .Constant("ws", scales, columns).Constant("wz", zeros, columns).Constant("bias", bias, columns);
            if (fused)
            {
                builder.Node("com.microsoft.DynamicQuantizeMatMul", ["x", "w", "ws", "wz", "bias"], ["y"]);
            }
            else
            {
                builder.Node("DynamicQuantizeLinear", ["x"], ["q", "xs", "xz"]).Node("MatMulInteger", ["q", "w", "xz", "wz"], ["sums"])
                    .Node("Cast", ["sums"], ["f"], OnnxBuilder.Int("to", 1)).Node("Mul", ["xs", "ws"], ["scale"])
                    .Node("Mul", ["f", "scale"], ["m"]).Node("Add", ["bias", "m"], ["y"]);
            }

            var (quantized, scale, zeroPoint) = Quantized(x);
            var expected = new float[2 * rows * columns];
            for (var i = 0; i < expected.Length; i++)
            {
                var sum = 0;
                for (var k = 0; k < depth; k++)
                {
                    sum += (quantized[(i / columns * depth) + k] - zeroPoint)
                        * ((sbyte)w[(k * columns) + (i % columns)] - zeros[i % columns]);
                }

                expected[i] = (sum * (scale * scales[i % columns])) + bias[i % columns];
            }

            var kinds = Check(builder.Output("y").Read(), x, expected);
            Assert.Equal("DynamicQuantize IntegerMatMul Multiply ScaledSums", kinds);
        }
    }

    // The quantized layer up to its sums, and what follows from them.
    private static (float[] X, byte[] W, float[] Y) Layer(
        int channels, int filters, int groups, int kernel, int stride, int dilation, int pad, bool weightsSigned, out OnnxBuilder builder)
    {
        const int Height = 9, Width = 8;
        var x = RandomData.Floats(2 * channels * Height * Width, channels);
        var (inGroup, bias) = (channels / groups, RandomData.Floats(filters, 7));
        var w = new byte[filters * inGroup * kernel * kernel];
        new Random(kernel).NextBytes(w);
        const byte WeightZero = 5;
        builder = new OnnxBuilder().Input("x", "2", $"{channels}", $"{Height}", $"{Width}")
            .ByteConstant("w", weightsSigned, w, filters, inGroup, kernel, kernel).ByteConstant("wz", weightsSigned, [WeightZero])
            .Constant("ws", [0.02f]).Constant("bias", bias, 1, filters, 1, 1)
            .Node("DynamicQuantizeLinear", ["x"], ["q", "xs", "xz"])
            .Node(
                "ConvInteger",
                ["q", "w", "xz", "wz"],
                ["sums"],
                OnnxBuilder.Int("group", groups),
                OnnxBuilder.Ints("strides", stride, stride),
                OnnxBuilder.Ints("dilations", dilation, dilation),
                OnnxBuilder.Ints("pads", pad, pad, pad, pad));
        var (quantized, scale, zeroPoint) = Quantized(x);
        int Out(int size) => ((size + (2 * pad) - (dilation * (kernel - 1)) - 1) / stride) + 1;
        var (outHeight, outWidth) = (Out(Height), Out(Width));
        var result = new float[2 * filters * outHeight * outWidth];
        for (var i = 0; i < result.Length; i++)
        {
            var (column, row, o, n) =
                (i % outWidth, i / outWidth % outHeight, i / outWidth / outHeight % filters, i / outWidth / outHeight / filters);
            var sum = 0;
            for (var k = 0; k < inGroup * kernel * kernel; k++)
            {
                var (v, u, c) = (k % kernel, k / kernel % kernel, k / kernel / kernel);
                var (y, z) = ((row * stride) + (u * dilation) - pad, (column * stride) + (v * dilation) - pad);
                if (y < 0 || y >= Height || z < 0 || z >= Width)
                    continue;
                var channel = (o / (filters / groups) * inGroup) + c;
                var raw = w[(o * inGroup * kernel * kernel) + k];
                sum += (quantized[(((((n * channels) + channel) * Height) + y) * Width) + z] - zeroPoint)
                    * ((weightsSigned ? (sbyte)raw : raw) - WeightZero);
            }

            result[i] = MathF.Max(0, (sum * (scale * 0.02f)) + bias[o]);
        }

        return (x, w, result);
    }

    private static (byte[] Numbers, float Scale, byte ZeroPoint) Quantized(float[] x)
    {
        var (least, most) = (Math.Min(0, x.Min()), Math.Max(0, x.Max()));
        var scale = least == most ? 1 : (most - least) / 255;
        var zeroPoint = MathF.Round(Math.Clamp(-least / scale, 0, 255));
        return (Array.ConvertAll(x, number => (byte)Math.Clamp(MathF.Round(number / scale) + zeroPoint, 0, 255)), scale, (byte)zeroPoint);
    }

    private static string Check(Network network, float[] x, float[] expected)
    {
        var kinds = "";
        foreach (var one in new[] { OnnxBackend.RoundTrip(network), network })
        {
            foreach (var (threads, optimize) in new[] { (2, false), (3, true), (1, true) })
            {
                using var session = new InferenceSession(one, new() { Threads = threads, Optimize = optimize });
                MemoryMarshal.AsBytes(x.AsSpan()).CopyTo(session.InputBytes(0));
                session.Run();
                Assert.Equal(expected, MemoryMarshal.Cast<byte, float>(session.OutputBytes(0)).ToArray());
                kinds = string.Join(' ', session.Compiled.Steps.Select(step => step.Kind));
            }
        }

        return kinds;
    }
}
