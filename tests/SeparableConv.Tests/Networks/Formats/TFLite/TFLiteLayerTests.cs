using System.Runtime.InteropServices;
using SeparableConv.Networks.Formats.TFLite;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>Layers with weights, read from hand-made files in the file's own layouts, against plain loops.</summary>
public class TFLiteLayerTests
{
    private const int Height = 7;
    private const int Width = 6;

    public static TheoryData<string, int, int, bool, int, int, int> Layers()
    {
        var data = new TheoryData<string, int, int, bool, int, int, int>();
        foreach (var type in new[] { "float", "int8", "uint8", "hybrid", "half" })
        {
            data.Add(type, 1, 1, true, 0, 4, 6);
            data.Add(type, 2, 1, true, 3, 4, 6);
            data.Add(type, 1, 2, false, 1, 4, 6);
            data.Add(type, 2, 1, false, 2, 3, 3);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void Convolution(string type, int stride, int dilation, bool isSame, int activation, int channels, int filters)
    {
        Check(new Layer(type, stride, dilation, isSame, activation, channels, filters, 1, isDepthwise: false));
        if (channels % 2 == 0 && filters % 2 == 0)
            Check(new Layer(type, stride, dilation, isSame, activation, channels, filters, 2, isDepthwise: false));
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void Depthwise_convolution(string type, int stride, int dilation, bool isSame, int activation, int channels, int filters)
    {
        Assert.NotEqual(0, filters);
        Check(new Layer(type, stride, dilation, isSame, activation, channels, channels, channels, isDepthwise: true));
        Check(new Layer(type, stride, dilation, isSame, activation, channels, 2 * channels, channels, isDepthwise: true));
        Check(new Layer(type, stride, dilation, isSame, activation, 1, 8, 1, isDepthwise: true));
    }

    [Theory]
    [InlineData("float", false)]
    [InlineData("float", true)]
    [InlineData("int8", false)]
    [InlineData("int8", true)]
    [InlineData("uint8", true)]
    [InlineData("hybrid", false)]
    public void Dense_layer(string type, bool keepsDimensions)
    {
        // (2,3,5) x (4,5) -> (6,4) or (2,3,4): a 1x1 convolution of a 6 by 1 image.
        var layer = new Layer(type, 1, 1, false, 3, 5, 4, 1, isDepthwise: false) { Input = (6, 1), Kernel = 1 };
        var file = layer.File(
            BuiltinOperator.FULLY_CONNECTED,
            [2, 3, 5],
            [4, 5],
            8,
            new() { [0] = (byte)3, [2] = (byte)(keepsDimensions ? 1 : 0) },
            onePerTensor: true);
        Assert.Equal(keepsDimensions ? "(2,3,4)" : "(6,4)", file.Read().Outputs[0].Type.Shape.ToString());
        layer.Compare(file, onePerTensor: true);
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [InlineData(2, false)]
    [InlineData(3, false)]
    public void Transposed_convolution_of_floats(int stride, bool isSame)
    {
        var (kernel, channels, filters) = (3, 2, 4);
        int Out(int length) => isSame ? length * stride : ((length - 1) * stride) + kernel;
        int Before(int length) => isSame ? Math.Max(0, ((length - 1) * stride) + kernel - Out(length)) / 2 : 0;
        var (x, w, b) = (
            RandomData.Floats(Height * Width * channels, 1),
            RandomData.Floats(filters * 9 * channels, 2),
            RandomData.Floats(filters, 3));
        var file = new TFLiteFile { Inputs = [2], Outputs = [4] };
        file.Constant([1, Out(Height), Out(Width), filters], [4]);
        file.Constant(w, [filters, kernel, kernel, channels]);
        file.Tensor(ElementType.Float32, [1, Height, Width, channels]);
        file.Constant(b, [filters]);
        file.Tensor(ElementType.Float32, [1, 1, 1, 1]);
        file.Operator(
            BuiltinOperator.TRANSPOSE_CONV, [0, 1, 2, 3], [4], 49, new() { [0] = (byte)(isSame ? 0 : 1), [1] = stride, [2] = stride });
        var y = MemoryMarshal.Cast<byte, float>(file.Run(MemoryMarshal.AsBytes<float>(x).ToArray())).ToArray();

        var expected = new double[Out(Height) * Out(Width) * filters];
        for (var i = 0; i < expected.Length; i++)
            expected[i] = b[i % filters];
        for (var i = 0; i < x.Length * 9 * filters; i++)
        {
            var (position, tap, o) = (i / filters / 9, i / filters % 9, i % filters);
            var (row, column, c) = (position / channels / Width, position / channels % Width, position % channels);
            var (atY, atX) = ((row * stride) - Before(Height) + (tap / 3), (column * stride) - Before(Width) + (tap % 3));
            if (atY >= 0 && atY < Out(Height) && atX >= 0 && atX < Out(Width))
                expected[(((atY * Out(Width)) + atX) * filters) + o] += (double)x[position] * w[(((o * 9) + tap) * channels) + c];
        }

        Assert.Equal(expected.Length, y.Length);
        for (var i = 0; i < y.Length; i++)
            Assert.InRange(y[i], expected[i] - 1e-5, expected[i] + 1e-5);
    }

    private static void Check(Layer layer)
    {
        var options = layer.IsDepthwise
            ? new FlatRecord
            {
                [0] = layer.PaddingCode,
                [1] = layer.Stride,
                [2] = layer.Stride,
                [3] = layer.Filters / layer.Channels,
                [4] = (byte)layer.Activation,
                [5] = layer.Dilation,
                [6] = layer.Dilation,
            }
            : new FlatRecord
            {
                [0] = layer.PaddingCode,
                [1] = layer.Stride,
                [2] = layer.Stride,
                [3] = (byte)layer.Activation,
                [4] = layer.Dilation,
                [5] = layer.Dilation,
            };
        int[] weights = layer.IsDepthwise ? [1, 3, 3, layer.Filters] : [layer.Filters, 3, 3, layer.Channels / layer.Groups];
        var code = layer.IsDepthwise ? BuiltinOperator.DEPTHWISE_CONV_2D : BuiltinOperator.CONV_2D;
        layer.Compare(layer.File(code, [1, Height, Width, layer.Channels], weights, layer.IsDepthwise ? 2 : 1, options));
    }

    /// <summary>One layer: its file, and what plain loops over the file's own layouts give.</summary>
    private sealed class Layer(
        string type, int stride, int dilation, bool isSame, int activation, int channels, int filters, int groups, bool isDepthwise)
    {
        private readonly QuantizedNumbers _numbers = new(type == "uint8" ? ElementType.UInt8 : ElementType.Int8, stride + (10 * filters));
        private (float Scale, int ZeroPoint) _input;
        private (float Scale, int ZeroPoint) _output;
        private (float Scale, int ZeroPoint)[] _scales = [];
        private byte[] _weightBytes = [];
        private double[] _weights = [];
        private int[] _bias = [];

        public bool IsDepthwise => isDepthwise;

        public int Stride => stride;

        public int Dilation => dilation;

        public int Activation => activation;

        public int Channels => channels;

        public int Filters => filters;

        public int Groups => groups;

        public byte PaddingCode => (byte)(isSame ? 0 : 1);

        public (int Height, int Width) Input { get; init; } = (Height, Width);

        public int Kernel { get; init; } = 3;

        private bool IsQuantized => type is "int8" or "uint8";

        private ElementType Element => type switch { "int8" => ElementType.Int8, "uint8" => ElementType.UInt8, _ => ElementType.Float32 };

        public TFLiteFile File(
            BuiltinOperator code, int[] inputShape, int[] weightShape, int optionsType, FlatRecord options, bool onePerTensor = false)
        {
            var one = onePerTensor || type == "uint8";
            (_input, _output) = (_numbers.Quantization(0.05f), _numbers.Quantization(0.1f));
            _scales =
            [
                .. Enumerable.Range(0, one ? 1 : filters).Select(
                    _ => type == "uint8" ? _numbers.Quantization(0.02f) : (_numbers.Quantization(0.02f).Scale, 0)),
            ];
            _weightBytes = _numbers.Bytes(weightShape.Aggregate(1, (a, b) => a * b));
            _bias = [.. Enumerable.Range(0, filters).Select(_ => _numbers.Next(-800, 800))];
            var values = _numbers.Values(_weightBytes);
            _weights = [.. values.Select((q, i) => (double)(q - _scales[ScaleOf(i)].ZeroPoint))];

            var file = new TFLiteFile { Inputs = [0], Outputs = [3] };
            if (IsQuantized)
                file.Tensor(Element, inputShape, _input);
            else
                file.Tensor(Element, inputShape);
            var axis = isDepthwise ? 3 : 0;
            if (type == "uint8")
                file.Constant(_weightBytes, weightShape, _scales);
            else if (type is "int8" or "hybrid")
                file.Constant(Array.ConvertAll(_weightBytes, b => (sbyte)b), weightShape, axis, _scales);
            else if (type == "half")
                file.Constant(Array.ConvertAll(values, q => (Half)(q / 64.0)), weightShape);
            else
                file.Constant(Array.ConvertAll(values, q => (float)(q / 64.0)), weightShape);
            if (IsQuantized)
                file.Constant(_bias, [filters], [.. _scales.Select(s => (s.Scale * _input.Scale, 0))]);
            else
                file.Constant(Array.ConvertAll(_bias, b => b / 64f), [filters]);
            if (IsQuantized)
                file.Tensor(Element, [1], _output);
            else
                file.Tensor(Element, [1]);
            file.Operator(code, [0, 1, 2], [3], optionsType, options);
            return file;
        }

        public void Compare(TFLiteFile file, bool onePerTensor = false)
        {
            var count = Input.Height * Input.Width * channels;
            var bytes = _numbers.Bytes(count);
            var floats = RandomData.Floats(count, 5);
            var y = file.Run(IsQuantized ? bytes : MemoryMarshal.AsBytes<float>(floats).ToArray());
            var x = IsQuantized
                ? [.. _numbers.Values(bytes).Select(q => (double)(q - _input.ZeroPoint))]
                : Array.ConvertAll(floats, f => (double)f);
            var sums = Sums(x);
            if (!IsQuantized)
            {
                var results = MemoryMarshal.Cast<byte, float>(y);
                Assert.Equal(sums.Length, results.Length);
                for (var i = 0; i < sums.Length; i++)
                    Assert.InRange(results[i], Activated(sums[i]) - 2e-5, Activated(sums[i]) + 2e-5);
                return;
            }

            var (min, max) = _numbers.Clamp(activation, _output);
            var expected = sums.Select((sum, i) =>
            {
                var scale = _scales[_scales.Length == 1 ? 0 : i % filters].Scale;
                var product = onePerTensor ? _input.Scale * scale : (double)_input.Scale * scale;
                return Math.Clamp(TFLiteReference.Rescale((int)sum, product / _output.Scale) + _output.ZeroPoint, min, max);
            });
            Assert.Equal(expected, _numbers.Values(y));
        }

        // The scale of a weight by its place in the file: the filter is the last dimension of a depthwise layer, else the first.
        private int ScaleOf(int index) => _scales.Length == 1 ? 0 : isDepthwise ? index % filters : index / (_weightBytes.Length / filters);

        private double Activated(double x) =>
            activation switch { 1 => Math.Max(0, x), 2 => Math.Clamp(x, -1, 1), 3 => Math.Clamp(x, 0, 6), _ => x };

        private double Weight(int filter, int tap, int channel)
        {
            var index = isDepthwise ? (tap * filters) + filter : (((filter * Kernel * Kernel) + tap) * (channels / groups)) + channel;
            return type switch
            {
                "int8" or "uint8" => _weights[index],
                "hybrid" => _weights[index] * _scales[ScaleOf(index)].Scale,
                _ => _weights[index] / 64,
            };
        }

        private double[] Sums(double[] x)
        {
            var span = ((Kernel - 1) * dilation) + 1;
            int Out(int length) => isSame ? (length + stride - 1) / stride : ((length - span) / stride) + 1;
            int Before(int length) => isSame ? Math.Max(0, ((Out(length) - 1) * stride) + span - length) / 2 : 0;
            var (outY, outX) = (Out(Input.Height), Out(Input.Width));
            var sums = new double[outY * outX * filters];
            var inGroup = channels / groups;
            for (var i = 0; i < sums.Length; i++)
            {
                var (row, column, o) = (i / filters / outX, i / filters % outX, i % filters);
                var group = o / (filters / groups);
                sums[i] = IsQuantized ? _bias[o] : _bias[o] / 64.0;
                for (var tap = 0; tap < Kernel * Kernel; tap++)
                {
                    var (atY, atX) = (
                        (row * stride) - Before(Input.Height) + (tap / Kernel * dilation),
                        (column * stride) - Before(Input.Width) + (tap % Kernel * dilation));
                    if (atY < 0 || atY >= Input.Height || atX < 0 || atX >= Input.Width)
                        continue;
                    for (var c = 0; c < inGroup; c++)
                        sums[i] += x[(((atY * Input.Width) + atX) * channels) + (group * inGroup) + c] * Weight(o, tap, c);
                }
            }

            return sums;
        }
    }
}
