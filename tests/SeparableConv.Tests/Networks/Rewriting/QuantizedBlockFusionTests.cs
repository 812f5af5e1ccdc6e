using SeparableConv.Loops;
using SeparableConv.Networks.Rewriting;

namespace SeparableConv.Tests.Networks.Rewriting;

/// <summary>Quantized blocks in one step give the bytes of their layers.</summary>
public sealed class QuantizedBlockFusionTests
{
    private readonly GraphBuilder _graph = new();
    private readonly Random _random = new(3);
    private int _names;

    [Fact]
    public void Blocks_are_joined_and_give_the_bytes_of_their_layers()
    {
        var x = _graph.Input("x", new(ElementType.Int8, new(2, 31, 29, 3), new(0.02f, -7)));
        var stem = Pointwise(Depthwise(Conv(x, 3, 32, 2)), 24);
        var block = Pointwise(Depthwise(Pointwise(stem, 96), 2), 40);
        Check("QuantizedInvertedBottleneck QuantizedInvertedBottleneck", block);

        // Nothing before the depthwise convolution that may be joined: one without a stride, one with groups, one that others read.
        Check("QuantizedConv2D QuantizedSeparableConv2D", Pointwise(Depthwise(Conv(x, 3, 32, 1)), 24));
        Check("QuantizedInvertedBottleneck QuantizedConv2D QuantizedSeparableConv2D", Pointwise(Depthwise(Conv(stem, 3, 32, 2, 2)), 24));
        var shared = Pointwise(stem, 64);
        Check("QuantizedInvertedBottleneck QuantizedConv2D QuantizedSeparableConv2D", Pointwise(Depthwise(shared), 24), shared);

        // Channels that are spread out first, and a pair between which others read.
        Check("QuantizedConv2D QuantizedDepthwiseConv2D QuantizedConv2D", Pointwise(Depthwise(Conv(x, 3, 3, 2)), 24));
        var between = Depthwise(Conv(x, 3, 32, 2));
        Check("QuantizedConv2D QuantizedDepthwiseConv2D QuantizedConv2D", Pointwise(between, 24), between);
    }

    /// <summary>Bands of rows, and few rows, whose channels are cut; numbers enough to look for factors, and fewer.</summary>
    [Theory]
    [InlineData(29)]
    [InlineData(7)]
    public void The_shortcut_around_a_block_is_added_in_it(int size)
    {
        var x = _graph.Input("x", new(ElementType.Int8, new(1, size, size, 24), new(0.02f, -7)));
        foreach (var pair in new Operator[]
        {
            new DequantizedAddOperator(ElementType.Int8, Output(), -120, 127),
            new QLinearBinaryOperator(isProduct: false, Output()),
            new QLinearBinaryOperator(isProduct: true, Output()),
            new TFLiteAddOperator(Output(), -128, 127, subtract: false),
            new TFLiteAddOperator(Output(), -128, 127, subtract: true),
        })
        {
            Check("QuantizedInvertedBottleneck", Add(pair, Block(x), x));
            Check("QuantizedInvertedBottleneck", Add(pair, x, Block(x)));
            Check("QuantizedInvertedBottleneck QuantizedInvertedBottleneck", Add(pair, Block(x), Block(x)));

            // What others read too is not joined.
            var block = Block(x);
            Check($"QuantizedInvertedBottleneck {pair.Kind}", Add(pair, block, x), block);
        }
    }

    private Value Block(Value x) => Pointwise(Depthwise(Pointwise(x, 96)), 24);

    private Value Add(Operator pair, Value a, Value b) => _graph.Add($"pair{_names++}", pair, a, b);

    private void Check(string kinds, params Value[] outputs)
    {
        var network = _graph.Build("n", outputs);
        var joined = PassList.Inference.Run(network);
        Assert.Equal(kinds, string.Join(' ', joined.Nodes.Select(node => node.Operator.Kind)));
        Assert.Equal(
            string.Join(' ', network.Nodes.Select(node => node.Operator.Kind)),
            string.Join(' ', new Unfusing().Run(joined).Nodes.Select(node => node.Operator.Kind)));

        var input = Bytes(network.Inputs[0].Type);
        var values = Evaluator.Run(network, [input]);
        foreach (var threads in new[] { 1, 2, 5 })
        {
            using var session = new InferenceSession(network, new() { Threads = threads });
            input.Bytes.CopyTo(session.InputBytes(0));
            session.Run();
            for (var i = 0; i < outputs.Length; i++)
                Assert.Equal(Evaluator.Of(values, network.Outputs[i]).Bytes.ToArray(), session.OutputBytes(i).ToArray());
        }
    }

    private Value Pointwise(Value x, int filters) => Conv(x, 1, filters, 1);

    private Value Conv(Value x, int kernel, int filters, int stride, int groups = 1)
    {
        var options = new ConvOptions { Padding = Padding.Same, Stride = stride, Groups = groups };
        return Add(new QuantizedConv2DOperator(options, ElementType.Int8, Output(), -128, 127, Requantization.Float), x,
            kernel, kernel, x.Shape[3] / groups, filters);
    }

    private Value Depthwise(Value x, int stride = 1)
    {
        var options = new ConvOptions { Padding = Padding.Same, Stride = stride };
        return Add(new QuantizedDepthwiseConv2DOperator(options, ElementType.Int8, Output(), -120, 100, Requantization.Float), x,
            3, 3, x.Shape[3], 1);
    }

    private Value Add(Operator op, Value x, params ReadOnlySpan<int> shape)
    {
        var weights = Bytes(new(ElementType.Int8, new(shape), new(0.01f, 0)));
        var name = $"layer{_names++}";
        return _graph.Add(name, op, x, _graph.Constant($"{name}/weights", weights), null);
    }

    private Quantization Output() => new(0.3f + _random.NextSingle(), _random.Next(-100, 100));

    private TensorData Bytes(TensorType type)
    {
        var bytes = new byte[type.Bytes];
        _random.NextBytes(bytes);
        return new(type, Array.ConvertAll(bytes, number => (sbyte)number));
    }
}
