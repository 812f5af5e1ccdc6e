using System.Runtime.InteropServices;
using SeparableConv.Networks.Formats.TFLite;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>
/// Convolutions between SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND are read as dilated ones: the same as the operators one by one, each in a
/// file of its own.
/// </summary>
public class TFLiteDilationTests
{
    private const int Conv = 3;

    /// <summary>Image, kernel, block, paddings, crops, and the convolution's padding (0 SAME, 1 VALID) and own dilation.</summary>
    public static TheoryData<int[], int[], int[], int[], int[], int, int> Cases => new()
    {
        { [8, 8], [3, 3], [2, 2], [2, 2, 2, 2], [0, 0, 0, 0], 1, 1 },
        { [9, 7], [3, 3], [2, 2], [2, 3, 2, 3], [0, 1, 0, 1], 1, 1 },
        { [10, 9], [3, 2], [3, 2], [1, 1, 0, 1], [1, 0, 0, 2], 1, 1 },
        { [12, 8], [3, 3], [2, 4], [0, 0, 0, 0], [0, 0, 0, 0], 0, 1 },
        { [12, 8], [3, 3], [2, 2], [2, 2, 1, 3], [1, 2, 0, 3], 0, 1 },
        { [16, 16], [3, 3], [2, 2], [4, 4, 4, 4], [0, 0, 0, 0], 1, 2 },
        { [8, 9], [3, 3], [1, 3], [1, 1, 3, 3], [2, 1, 0, 1], 1, 1 },
        { [6, 6], [1, 1], [2, 3], [0, 0, 0, 0], [5, 0, 0, 0], 1, 1 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_same_as_one_by_one(int[] size, int[] kernel, int[] block, int[] pads, int[] crops, int padding, int dilation)
    {
        foreach (var element in new[] { ElementType.Float32, ElementType.Int8, ElementType.UInt8 })
        {
            foreach (var isDepthwise in new[] { false, true })
            {
                var chain = new Chain(element, [2, size[0], size[1], Conv]);
                chain.Move(BuiltinOperator.SPACE_TO_BATCH_ND, block, pads);
                chain.Convolution(isDepthwise, kernel, padding, dilation);
                chain.Add();
                chain.Call(BuiltinOperator.RELU, []);
                chain.Move(BuiltinOperator.BATCH_TO_SPACE_ND, block, crops);
                chain.Check(recognized: true);
            }
        }
    }

    [Theory]
    [InlineData(1, 4)]
    [InlineData(2, 6)]
    public void Rows_with_a_dimension_put_in_for_the_convolution(int dilation, int length)
    {
        foreach (var element in new[] { ElementType.Float32, ElementType.Int8 })
        {
            var chain = new Chain(element, [1, length * dilation, Conv]);
            chain.Move(BuiltinOperator.SPACE_TO_BATCH_ND, [dilation], [2 * dilation, dilation]);
            chain.Reshape(dilation, 1, length + 3, Conv);
            chain.Convolution(false, [1, 3], 1, 1);
            chain.Reshape(dilation, length + 1, 4);
            chain.Move(BuiltinOperator.BATCH_TO_SPACE_ND, [dilation], [0, dilation]);
            chain.Check(recognized: true);
        }
    }

    [Fact]
    public void What_needs_the_blocks_is_left_as_it_is()
    {
        var strided = new Chain(ElementType.Float32, [1, 8, 8, Conv]);
        strided.Move(BuiltinOperator.SPACE_TO_BATCH_ND, [2, 2], [0, 0, 0, 0]);
        strided.Convolution(false, [1, 1], 1, 1, stride: 2);
        strided.Move(BuiltinOperator.BATCH_TO_SPACE_ND, [2, 2], [0, 0, 0, 0]);
        strided.Check(recognized: false);

        var otherBlock = new Chain(ElementType.Float32, [1, 8, 8, Conv]);
        otherBlock.Move(BuiltinOperator.SPACE_TO_BATCH_ND, [4, 1], [0, 0, 0, 0]);
        otherBlock.Convolution(false, [1, 3], 1, 1);
        otherBlock.Move(BuiltinOperator.BATCH_TO_SPACE_ND, [2, 2], [0, 0, 0, 0]);
        otherBlock.Check(recognized: false);
    }

    [Fact]
    public void A_constant_with_places_of_its_own_needs_the_blocks()
    {
        var chain = new Chain(ElementType.Float32, [1, 4, 4, Conv]);
        chain.Move(BuiltinOperator.SPACE_TO_BATCH_ND, [2, 2], [0, 0, 0, 0]);
        chain.Add([1, 2, 2, Conv]);
        chain.Move(BuiltinOperator.BATCH_TO_SPACE_ND, [2, 2], [0, 0, 0, 0]);
        chain.Check(recognized: false);
    }

    /// <summary>Operators one behind the other, as one file and each as one of its own.</summary>
    private sealed class Chain
    {
        private readonly ElementType _element;
        private readonly TFLiteFile _file = new() { Inputs = [0] };
        private readonly List<Func<TFLiteFile, int, int>> _steps = [];
        private readonly List<int[]> _shapes = [];
        private readonly byte[] _input;
        private int _last;

        public Chain(ElementType element, int[] shape)
        {
            _element = element;
            _shapes.Add(shape);
            _file.Tensor(element, shape, Scales(0));
            var count = shape.Aggregate(1, (a, b) => a * b);
            _input = element == ElementType.Float32
                ? MemoryMarshal.AsBytes<float>(RandomData.Floats(count, 1)).ToArray()
                : new QuantizedNumbers(element, 1).Bytes(count);
        }

        private int[] Shape => _shapes[^1];

        public void Move(BuiltinOperator code, int[] block, int[] borders)
        {
            int[] shape = [.. Shape];
            for (var d = 0; d < block.Length; d++)
            {
                var sum = borders[2 * d] + borders[(2 * d) + 1];
                var isCut = code == BuiltinOperator.SPACE_TO_BATCH_ND;
                shape[0] = isCut ? shape[0] * block[d] : shape[0] / block[d];
                shape[d + 1] = isCut ? (shape[d + 1] + sum) / block[d] : (shape[d + 1] * block[d]) - sum;
            }

            Step(shape, 0, (file, x, y) =>
                file.Operator(code, [x, file.Constant(block, [block.Length]), file.Constant(borders, [block.Length, 2])], [y]));
        }

        public void Reshape(params int[] shape) =>
            Step(shape, 0, (file, x, y) => file.Operator(BuiltinOperator.RESHAPE, [x, file.Constant(shape, [shape.Length])], [y]));

        public void Call(BuiltinOperator code, FlatRecord options) =>
            Step(Shape, 1, (file, x, y) => file.Operator(code, [x], [y], 0, options));

        public void Add(int[]? shape = null)
        {
            int[] terms = shape ?? [1, 1, Shape[^1]];
            Step(Shape, 1, (file, x, y) => file.Operator(BuiltinOperator.ADD, [x, Numbers(file, 7, terms)], [y], 11, []));
        }

        public void Convolution(bool isDepthwise, int[] kernel, int padding, int dilation, int stride = 1)
        {
            int Out(int length, int taps) => padding == 0
                ? (length + stride - 1) / stride
                : (length - ((taps - 1) * dilation) - 1 + stride) / stride;
            var channels = isDepthwise ? 2 * Shape[3] : 4;
            int[] shape = [Shape[0], Out(Shape[1], kernel[0]), Out(Shape[2], kernel[1]), channels];
            int[] weights = isDepthwise ? [1, kernel[0], kernel[1], channels] : [channels, kernel[0], kernel[1], Shape[3]];
            FlatRecord options = isDepthwise
                ? new() { [0] = (byte)padding, [1] = stride, [2] = stride, [3] = 2, [4] = (byte)1, [5] = dilation, [6] = dilation }
                : new() { [0] = (byte)padding, [1] = stride, [2] = stride, [3] = (byte)1, [4] = dilation, [5] = dilation };
            var code = isDepthwise ? BuiltinOperator.DEPTHWISE_CONV_2D : BuiltinOperator.CONV_2D;
            Step(shape, 1, (file, x, y) =>
                file.Operator(code, [x, Numbers(file, 5, weights), Bias(file, channels)], [y], isDepthwise ? 2 : 1, options));
        }

        public void Check(bool recognized)
        {
            var network = _file.Read();
            Assert.Equal(!recognized, network.Nodes.Any(node => node.Operator is SpaceToBatchOperator or BatchToSpaceOperator));
            var whole = _file.Run(_input);
            var alone = _input;
            for (var i = 0; i < _steps.Count; i++)
            {
                var file = new TFLiteFile { Inputs = [0] };
                file.Tensor(_element, _shapes[i], Scales(_quantizations[i]));
                file.Outputs = [_steps[i](file, 0)];
                alone = file.Run(alone);
            }

            if (_element != ElementType.Float32)
            {
                Assert.Equal(alone, whole);
                return;
            }

            var (expected, actual) = (MemoryMarshal.Cast<byte, float>(alone).ToArray(), MemoryMarshal.Cast<byte, float>(whole).ToArray());
            Assert.Equal(expected.Length, actual.Length);
            for (var i = 0; i < expected.Length; i++)
                Assert.InRange(actual[i], expected[i] - 1e-5f, expected[i] + 1e-5f);
        }

        private readonly List<int> _quantizations = [0];

        private void Step(int[] shape, int quantization, Action<TFLiteFile, int, int> add)
        {
            var which = quantization == 0 ? _quantizations[^1] : _quantizations[^1] + 1;
            int Build(TFLiteFile file, int x)
            {
                var y = file.Tensor(_element, shape, Scales(which));
                add(file, x, y);
                return y;
            }

            _last = Build(_file, _last);
            _file.Outputs = [_last];
            _steps.Add(Build);
            _shapes.Add(shape);
            _quantizations.Add(which);
        }

        private (float, int)[] Scales(int which) =>
            _element == ElementType.Float32 ? [] : [(0.05f + (0.03f * which), _element == ElementType.Int8 ? 5 + which : 120 - which)];

        private int Numbers(TFLiteFile file, int seed, int[] shape)
        {
            var count = shape.Aggregate(1, (a, b) => a * b);
            var bytes = new QuantizedNumbers(_element, seed).Bytes(count);
            return _element switch
            {
                ElementType.Float32 => file.Constant(RandomData.Floats(count, seed), shape),
                ElementType.Int8 => file.Constant(Array.ConvertAll(bytes, b => (sbyte)b), shape, (0.02f, 0)),
                _ => file.Constant(bytes, shape, (0.02f, 121)),
            };
        }

        private int Bias(TFLiteFile file, int count) => _element == ElementType.Float32
            ? file.Constant(RandomData.Floats(count, 9), [count])
            : file.Constant([.. Enumerable.Range(0, count).Select(i => i * 50)], [count], (0.001f, 0));
    }
}
