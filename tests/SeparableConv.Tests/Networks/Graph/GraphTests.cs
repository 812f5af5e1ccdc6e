namespace SeparableConv.Tests.Networks;

public class GraphTests
{
    [Fact]
    public void Shapes_whose_bytes_cannot_be_counted_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new TensorShape(1 << 30, 1 << 30));
        Assert.Throws<ArgumentException>(() => new TensorShape(0, 1 << 30, 1 << 30));
        Assert.Equal(1L << 62, new TensorType(ElementType.Float64, new TensorShape(1 << 30, 1 << 29)).Bytes);
    }

    [Fact]
    public void A_graph_of_two_convolutions_gives_what_they_give()
    {
        var (depthwise, pointwise) = (RandomData.Floats(9 * 4, 1), RandomData.Floats(4 * 8, 2));
        var graph = new GraphBuilder();
        var x = graph.Input("x", new TensorType(ElementType.Float32, new TensorShape(1, 6, 5, 4)));
        var y = graph.Add(
            "dw",
            new DepthwiseConv2DOperator(new() { Padding = Padding.Same }),
            x,
            graph.Constant("dw/w", TensorData.Create(depthwise, 3, 3, 4, 1)));
        var z = graph.Add(
            "pw",
            new Conv2DOperator(new() { Activation = Activation.ReLU }),
            y,
            graph.Constant("pw/w", TensorData.Create(pointwise, 1, 1, 4, 8)));
        var network = graph.BuildWithParameters("two", z);
        Assert.Equal((6 * 5 * 4 * 9) + (6 * 5 * 4 * 8), network.Macs);
        Assert.Equal((9 * 4) + (4 * 8), network.ParameterCount);

        var input = System.Numerics.Tensors.Tensor.Create(RandomData.Floats(6 * 5 * 4, 3), [1, 6, 5, 4]);
        using var session = new InferenceSession(network, new() { Threads = 1 });
        var separable = new SeparableConv2D(
            System.Numerics.Tensors.Tensor.Create(depthwise, [3, 3, 4, 1]),
            System.Numerics.Tensors.Tensor.Create(pointwise, [1, 1, 4, 8]),
            options: new() { Padding = Padding.Same, Activation = Activation.ReLU });
        Assert.Equal(separable.Run(input), session.Run(input));
    }

    [Fact]
    public void What_does_not_fit_is_refused_with_the_nodes_name()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", new TensorType(ElementType.Float32, new TensorShape(1, 6, 5, 4)));
        var e = Assert.Throws<NetworkException>(() =>
            graph.Add("first", new Conv2DOperator(new()), x, graph.Constant("w", TensorData.Create(new float[24], 1, 1, 3, 8))));
        Assert.Equal("In node 'first' (Conv2D): The input (1,6,5,4) has 4 channels but the weights are for 3.", e.Message);
    }
}
