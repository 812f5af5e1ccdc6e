using System.Runtime.InteropServices;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>
/// QLinearConv and ConvInteger beside plain loops in ONNX's own layout, as they are read and after they were written and read again.
/// </summary>
public sealed class OnnxQuantizedConvTests
{
    private static readonly (int Channels, int Filters, int Groups, int Kernel, int Stride, int Dilation, int Pad)[] Sizes =
    [
        (3, 8, 1, 3, 2, 1, 1), (7, 5, 1, 1, 1, 1, 0), (16, 33, 1, 1, 1, 1, 0), (6, 9, 3, 3, 1, 2, 2), (19, 19, 19, 3, 1, 1, 1),
        (5, 15, 5, 5, 2, 1, 2), (40, 40, 40, 3, 2, 2, 1), (1, 4, 1, 3, 1, 1, 0), (4, 1, 1, 2, 1, 1, 1),
    ];

    public static TheoryData<bool, bool, bool> Elements() =>
        new() { { false, false, true }, { false, true, false }, { true, false, false }, { true, true, true } };

    [Theory]
    [MemberData(nameof(Elements))]
    public void ConvInteger_gives_the_exact_sums(bool inputSigned, bool weightsSigned, bool perChannel)
    {
        foreach (var size in Sizes)
        {
            var layer = new Layer(size, inputSigned, weightsSigned, perChannel);
            var builder = layer.Start();
            builder.Node("ConvInteger", ["x", "w", "xz", "wz"], ["y"], layer.Attributes());
            Check(builder.Output("y").Read(), layer, MemoryMarshal.AsBytes<int>(layer.Sums()).ToArray());
        }
    }

    [Theory]
    [MemberData(nameof(Elements))]
    public void QLinearConv_rounds_once_half_to_even(bool inputSigned, bool weightsSigned, bool perChannel)
    {
        foreach (var size in Sizes)
        {
            foreach (var outputSigned in new[] { false, true })
            {
                var layer = new Layer(size, inputSigned, weightsSigned, perChannel);
                var builder = layer.Start()
                    .Constant("xs", [0.031f])
                    .Constant("ws", layer.WeightScales, layer.WeightScales.Length)
                    .Constant("ys", [0.7f])
                    .Constant("b", layer.Bias, layer.Bias.Length);
                var zeroPoint = outputSigned ? -5 : 120;
                builder = outputSigned ? builder.Constant("yz", [(sbyte)zeroPoint]) : builder.Constant("yz", [(byte)zeroPoint]);
                builder.Node("QLinearConv", ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz", "b"], ["y"], layer.Attributes());
                var sums = layer.Sums();
                var pixels = sums.Length / 2 / layer.Bias.Length;
                var expected = new byte[sums.Length];
                for (var i = 0; i < sums.Length; i++)
                {
                    var filter = i / pixels % layer.Bias.Length;
                    var factor = 0.031f * layer.WeightScales[layer.WeightScales.Length == 1 ? 0 : filter] / 0.7f;
                    var value = (int)MathF.Round((sums[i] + layer.Bias[filter]) * factor) + zeroPoint;
                    expected[i] = (byte)(outputSigned ? Math.Clamp(value, -128, 127) : Math.Clamp(value, 0, 255));
                }

                Check(builder.Output("y").Read(), layer, expected);
            }
        }
    }

    [Fact]
    public void Rows_of_one_spatial_axis_are_images_of_height_1()
    {
        var network = new OnnxBuilder()
            .Constant("w", new sbyte[] { 1, 2, -1 }, 1, 1, 3).Constant("xz", [(byte)1]).Bytes("x", signed: false, 1, 1, 5)
            .Node("ConvInteger", ["x", "w", "xz"], ["y"])
            .Output("y").Read();
        using var session = new InferenceSession(network);
        new byte[] { 1, 2, 3, 4, 9 }.CopyTo(session.InputBytes(0));
        session.Run();
        Assert.Equal([0, 2, 0], MemoryMarshal.Cast<byte, int>(session.OutputBytes(0)).ToArray());
        Assert.Equal(new TensorShape(1, 1, 3), network.Outputs[0].Type.Shape);
    }

    [Fact]
    public void A_fused_clamp_is_written_as_a_Clip_of_bytes()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", new(ElementType.Int8, new(1, 4, 4, 2), new(0.5f, 3)));
        var w = new TensorData(new(ElementType.Int8, new(1, 1, 2, 3), new(0.25f, 0)), new sbyte[] { 50, -40, 30, 20, -10, 60 });
        var op = new SeparableConv.Networks.Operators.QuantizedConv2DOperator(
            new(), ElementType.Int8, new(1, 0), -5, 20, SeparableConv.Loops.Requantization.Float);
        var network = graph.Build("n", graph.Add("y", op, x, graph.Constant("w", w)));
        var outputs = new List<byte[]>();
        foreach (var one in new[] { network, OnnxBackend.RoundTrip(network) })
        {
            using var session = new InferenceSession(one);
            new Random(1).NextBytes(session.InputBytes(0));
            session.Run();
            outputs.Add(session.OutputBytes(0).ToArray());
        }

        Assert.Equal(outputs[0], outputs[1]);
        Assert.Contains((byte)20, outputs[0]);
        Assert.DoesNotContain((byte)21, outputs[0]);
    }

    [Fact]
    public void What_does_not_fit_is_refused_in_one_line()
    {
        Assert.Equal(
            "In node 'y_node' (ConvInteger): x_zero_point is int8 (); expected 1 of int8 or uint8, as the tensor has that it belongs to.",
            Refusal("ConvInteger", b => b.Constant("xz", [(sbyte)1]), ["x", "w", "xz"]));
        Assert.Contains(
            "w_zero_point is int8 (2); expected 1 of",
            Refusal("QLinearConv", b => b.Constant("wz", new sbyte[2], 2), ["x", "s", "z", "w", "s", "wz", "s", "z"]),
            StringComparison.Ordinal);
        Assert.Contains(
            "scale 0",
            Refusal("QLinearConv", b => b.Constant("ys", [0f]).Constant("wz", new sbyte[1]), ["x", "s", "z", "w", "s", "wz", "ys", "z"]),
            StringComparison.Ordinal);
        Assert.Contains(
            "the weights are (1,2)",
            Refusal("ConvInteger", b => b.Constant("v", new sbyte[2], 1, 2), ["x", "v"]),
            StringComparison.Ordinal);

        static string Refusal(string type, Func<OnnxBuilder, OnnxBuilder> more, string[] inputs) => Assert.Throws<NetworkException>(() =>
            more(new OnnxBuilder().Bytes("x", signed: false, 1, 2, 4, 4)
                .Constant("w", new sbyte[2], 1, 2, 1, 1).Constant("s", [0.5f]).Constant("z", [(byte)3]))
                .Node(type, inputs, ["y"]).Output("y").Read()).Message;
    }

    private static void Check(Network network, Layer layer, byte[] expected)
    {
        foreach (var read in new[] { network, OnnxBackend.RoundTrip(network) })
        {
            foreach (var optimize in new[] { true, false })
            {
                using var session = new InferenceSession(read, new() { Threads = 2, Optimize = optimize });
                layer.Input.CopyTo(session.InputBytes(0));
                session.Run();
                Assert.Equal(expected, session.OutputBytes(0).ToArray());
            }
        }
    }

    /// <summary>A random layer on two images of 9x8.</summary>
    private sealed class Layer
    {
        private const int Height = 9;
        private const int Width = 8;

        private readonly (int Channels, int Filters, int Groups, int Kernel, int Stride, int Dilation, int Pad) _size;
        private readonly bool _inputSigned;
        private readonly bool _weightsSigned;
        private readonly byte[] _weights;
        private readonly byte[] _weightZeroPoints;
        private readonly byte _inputZeroPoint;

        public Layer(
            (int Channels, int Filters, int Groups, int Kernel, int Stride, int Dilation, int Pad) size,
            bool inputSigned,
            bool weightsSigned,
            bool perChannel)
        {
            (_size, _inputSigned, _weightsSigned) = (size, inputSigned, weightsSigned);
            var random = new Random(size.Channels);
            Input = new byte[2 * size.Channels * Height * Width];
            random.NextBytes(Input);
            _weights = new byte[size.Filters * size.Channels / size.Groups * size.Kernel * size.Kernel];
            random.NextBytes(_weights);
            _weightZeroPoints = new byte[perChannel ? size.Filters : 1];
            random.NextBytes(_weightZeroPoints);
            _inputZeroPoint = (byte)random.Next(256);
            WeightScales = [.. _weightZeroPoints.Select(_ => 0.002f + (0.01f * random.NextSingle()))];
            Bias = [.. Enumerable.Range(0, size.Filters).Select(_ => random.Next(-5000, 5000))];
        }

        public byte[] Input { get; }

        public float[] WeightScales { get; }

        public int[] Bias { get; }

        public OnnxBuilder Start()
        {
            int[] shape = [_size.Filters, _size.Channels / _size.Groups, _size.Kernel, _size.Kernel];
            var builder = new OnnxBuilder().Bytes("x", _inputSigned, 2, _size.Channels, Height, Width);
            builder = _inputSigned ? builder.Constant("xz", [(sbyte)_inputZeroPoint]) : builder.Constant("xz", [_inputZeroPoint]);
            int[] zeroPoints = _weightZeroPoints.Length == 1 ? [] : [_weightZeroPoints.Length];
            return _weightsSigned
                ? builder.Constant("w", Array.ConvertAll(_weights, b => (sbyte)b), shape)
                    .Constant("wz", Array.ConvertAll(_weightZeroPoints, b => (sbyte)b), zeroPoints)
                : builder.Constant("w", _weights, shape).Constant("wz", _weightZeroPoints, zeroPoints);
        }

        public SeparableConv.Networks.Formats.Onnx.Schema.AttributeProto[] Attributes() =>
        [
            OnnxBuilder.Int("group", _size.Groups),
            OnnxBuilder.Ints("strides", _size.Stride, _size.Stride),
            OnnxBuilder.Ints("dilations", _size.Dilation, _size.Dilation),
            OnnxBuilder.Ints("pads", _size.Pad, _size.Pad, _size.Pad, _size.Pad),
        ];

        /// <summary>(2, filters, outH, outW).</summary>
        public int[] Sums()
        {
            var (channels, filters, groups, kernel, stride, dilation, pad) = _size;
            int Out(int size) => ((size + (2 * pad) - (dilation * (kernel - 1)) - 1) / stride) + 1;
            var (outHeight, outWidth, inGroup) = (Out(Height), Out(Width), channels / groups);
            var sums = new int[2 * filters * outHeight * outWidth];
            for (var i = 0; i < sums.Length; i++)
            {
                var (x, y, o, n) =
                    (i % outWidth, i / outWidth % outHeight, i / outWidth / outHeight % filters, i / outWidth / outHeight / filters);
                for (var k = 0; k < inGroup * kernel * kernel; k++)
                {
                    var (v, u, c) = (k % kernel, k / kernel % kernel, k / kernel / kernel);
                    var (row, column) = ((y * stride) + (u * dilation) - pad, (x * stride) + (v * dilation) - pad);
                    if (row < 0 || row >= Height || column < 0 || column >= Width)
                        continue;
                    var channel = (o / (filters / groups) * inGroup) + c;
                    var a = Number(Input[(((((n * channels) + channel) * Height) + row) * Width) + column], _inputSigned)
                        - Number(_inputZeroPoint, _inputSigned);
                    var w = Number(_weights[(o * inGroup * kernel * kernel) + k], _weightsSigned)
                        - Number(_weightZeroPoints[_weightZeroPoints.Length == 1 ? 0 : o], _weightsSigned);
                    sums[i] += a * w;
                }
            }

            return sums;
        }

        private static int Number(byte raw, bool signed) => signed ? (sbyte)raw : raw;
    }
}
