using System.Runtime.InteropServices;
using SeparableConv.Loops;
using SeparableConv.Networks.Formats.Onnx.Schema;
using SeparableConv.Networks.Rewriting;
using SeparableConv.Tests.Networks.Inference;

namespace SeparableConv.Tests.Networks.Rewriting;

/// <summary>
/// A Gather of channels before a depthwise convolution becomes the convolution's own map, and a Gather again in a file.
/// <see cref="GraphSketch.Check"/> compares the answers every time.
/// </summary>
public sealed class ChannelMapFusionTests
{
    private static readonly long[] Map = [0, 0, 0, 1, 2, 2, 4, 5, 5, 7, 8, 9, 10, 10, 13, 14, 15, 15, 17, 18, 18];

    private readonly GraphSketch _g = new();

    [Fact]
    public void A_depthwise_convolution_reads_the_channels_itself()
    {
        var x = _g.Input(2, 9, 7, 20);
        Assert.Equal("DepthwiseConv2D", _g.Check(_g.Depthwise(_g.Channels(x, Map), 3)));
        var y = _g.Depthwise(_g.Channels(x, Map), 5, 1, new() { Padding = Padding.Same, Stride = 2, Activation = Activation.ReLU6 });
        Assert.Equal("SeparableConv2D", _g.Check(_g.Conv(y, 1, 33, new() { Activation = Activation.HardSwish })));
    }

    [Fact]
    public void Indices_of_any_kind_are_read()
    {
        var x = _g.Input(1, 5, 6, 8);
        Assert.Equal("DepthwiseConv2D", _g.Check(_g.Depthwise(_g.Channels(x, -1, 3, -8, 3), 3)));
        var narrow = TensorData.Create([7, 0, -2], 3);
        var picked = _g.Add(new GatherOperator(-1), x, new Value("narrow", narrow.Type, narrow));
        Assert.Equal("DepthwiseConv2D", _g.Check(_g.Depthwise(picked, 3)));
    }

    [Fact]
    public void All_channels_in_order_are_no_map()
    {
        var y = _g.Depthwise(_g.Channels(_g.Input(1, 5, 6, 4), 0, 1, 2, 3), 3);
        var node = Assert.Single(PassList.Inference.Run(_g.Build(y)).Nodes);
        Assert.Null(Assert.IsType<DepthwiseConv2DOperator>(node.Operator).Map);
        Assert.Equal("DepthwiseConv2D", _g.Check(y));
    }

    [Fact]
    public void Other_Gathers_stay()
    {
        var x = _g.Input(1, 9, 9, 20);
        var shared = _g.Channels(x, Map);
        Assert.Equal("Gather DepthwiseConv2D", _g.Check(_g.Depthwise(shared, 3), shared));
        Assert.Equal("Gather DepthwiseConv2D", _g.Check(_g.Depthwise(_g.Channels(x, Map), 3, 2)));
        Assert.Equal("Gather Conv2D", _g.Check(_g.Conv(_g.Channels(x, Map), 3, 2)));
        var rows = TensorData.Create([8L, 0, 4, 4], 4);
        var picked = _g.Add(new GatherOperator(2), x, new Value("rows", rows.Type, rows));
        Assert.Equal("Gather DepthwiseConv2D", _g.Check(_g.Depthwise(picked, 3)));
    }

    [Fact]
    public void What_stands_around_is_folded_as_without_a_map()
    {
        var x = _g.Conv(_g.Input(1, 9, 7, 6), 1, 20);
        x = _g.Add(new ActivationOperator(Activation.ReLU), _g.Normalized(x));
        var padded = _g.Add(new PadOperator([0, 1, 2, 0], [0, 0, 3, 0], PadMode.Constant, 0), _g.Channels(x, Map));
        var y = _g.Add(new ActivationOperator(Activation.ReLU6), _g.Normalized(_g.Depthwise(padded, 3, bias: false)));
        Assert.Equal("Conv2D DepthwiseConv2D", _g.Check(y));
    }

    [Fact]
    public void A_map_is_kept_where_scales_before_and_behind_are_folded()
    {
        var x = _g.Input(1, 6, 7, 20);
        var map = new DepthwiseMap(20, Array.ConvertAll(Map, channel => (int)channel));
        var op = new DepthwiseConv2DOperator(new(), map);
        var before = _g.Add(op, _g.Normalized(x), _g.Random(3, 3, Map.Length, 1), _g.Random(Map.Length));
        Assert.Equal("DepthwiseConv2D", _g.Check(before));
        Assert.Equal("DepthwiseConv2D", _g.Check(_g.Normalized(_g.Add(op, x, _g.Random(3, 3, Map.Length, 1)))));
        var node = _g.Add(op, x, _g.Random(3, 3, Map.Length, 1)).Producer!;
        Assert.Equal(4L * 5 * Map.Length * 9, node.Cost.Macs);
        Assert.Contains(
            "expected (kH, kW, 21, 1)",
            Assert.Throws<NetworkException>(() => _g.Add(op, x, _g.Random(3, 3, 20, 1))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_large_block_with_a_map_is_joined_in_whole()
    {
        var expanded = _g.Conv(_g.Input(1, 60, 60, 8), 1, 96, new() { Activation = Activation.ReLU6 });
        long[] map = [.. Enumerable.Range(0, 96).SelectMany(c => Enumerable.Repeat((long)c, c % 3))];
        var y = _g.Depthwise(_g.Channels(expanded, map), 3, 1, new() { Padding = Padding.Same, Activation = Activation.ReLU6 });
        var z = _g.Conv(y, 1, 12);
        Assert.Equal("InvertedBottleneck", _g.Check(z));
        var apart = new Unfusing().Run(PassList.Inference.Run(_g.Build(z)));
        Assert.Equal(["Conv2D", "Gather", "DepthwiseConv2D", "Conv2D"], apart.Nodes.Select(node => node.Operator.Kind));
    }

    [Fact]
    public void Taken_apart_it_gives_the_same_bits()
    {
        var y = _g.Depthwise(_g.Channels(_g.Input(1, 9, 7, 20), Map), 3, 1, new() { Padding = Padding.Same });
        foreach (var output in new[] { y, _g.Conv(y, 1, 5) })
        {
            var joined = PassList.Inference.Run(_g.Build(output));
            Assert.Single(joined.Nodes);
            var apart = new Unfusing().Run(joined);
            Assert.Equal("Gather", apart.Nodes[0].Operator.Kind);
            Assert.Equal(Run(joined), Run(apart));
        }
    }

    [Fact]
    public void A_file_has_a_Gather_of_channels_and_no_transposes_around_it()
    {
        var x = _g.Conv(_g.Input(1, 9, 7, 6), 3, 20, new() { Padding = Padding.Same, Activation = Activation.ReLU });
        var y = _g.Conv(_g.Depthwise(_g.Channels(x, Map), 3), 1, 5);
        foreach (var network in new[] { _g.Build(y), PassList.Inference.Run(_g.Build(y)) })
        {
            using var file = new MemoryStream();
            OnnxWriter.Write(network, file);
            var graph = ModelProto.Parser.ParseFrom(file.ToArray()).Graph;
            Assert.Equal(
                ["Transpose", "Conv", "Relu", "Gather", "Conv", "Conv", "Transpose"], graph.Node.Select(node => node.OpType));
            Assert.Equal(1, graph.Node[3].Attribute.Single(attribute => attribute.Name == "axis").I);
            file.Position = 0;
            var read = OnnxReader.Read(file);
            Assert.Equal(
                ["Conv2D", "Activation", "Gather", "DepthwiseConv2D", "Conv2D"], read.Nodes.Select(node => node.Operator.Kind));
            Assert.Equal(["Conv2D", "SeparableConv2D"], CompiledComparison.Check(read));
            Assert.Equal(Run(network), Run(read));
        }
    }

    private static float[] Run(Network network)
    {
        using var session = new InferenceSession(network, new() { Threads = 1 });
        RandomData.Floats((int)network.Inputs[0].Shape.ElementCount, 1).CopyTo(MemoryMarshal.Cast<byte, float>(session.InputBytes(0)));
        session.Run();
        return MemoryMarshal.Cast<byte, float>(session.OutputBytes(0)).ToArray();
    }
}
