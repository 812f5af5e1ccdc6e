using SeparableConv.Networks.Rewriting;
using SeparableConv.Tests.Networks.Operators;

namespace SeparableConv.Tests.Networks.Graph;

/// <summary>Which stored tensors are parameters, and how they are counted.</summary>
public sealed class ParameterRuleTests
{
    [Fact]
    public void Weights_are_parameters_statistics_are_tracked_and_literals_are_constants()
    {
        var net = new NetworkBuilder();
        var image = net.Input(new(8, 8, 3));
        var x = net.BatchNormalization(net.Conv2D(image, 4, 3, useBias: false));
        var network = net.Build(net.Add([x, x]));
        Assert.Equal(
            [
                "conv2d/kernel Parameter",
                "batch_normalization/gamma Parameter",
                "batch_normalization/beta Parameter",
                "batch_normalization/moving_mean Statistic",
                "batch_normalization/moving_variance Statistic",
            ],
            network.Parameters.Select(value => $"{value.Name} {value.Kind}"));
        Assert.Equal((9 * 3 * 4) + (4 * 4), network.ParameterCount);
        Assert.Equal(ValueKind.Input, network.Inputs[0].Kind);
        Assert.Equal(ValueKind.Computed, network.Outputs[0].Kind);
    }

    [Fact]
    public void A_parameter_counts_once_however_many_nodes_read_it()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", new(ElementType.Float32, new TensorShape(1, 4)));
        var w = graph.Constant("w", OperatorRun.Floats(1, 4, 4));
        var y = graph.Add("b", new DenseOperator(Activation.None), graph.Add("a", new DenseOperator(Activation.None), x, w), w);
        var network = graph.BuildWithParameters("twice", y);
        Assert.Equal([w], network.Parameters);
        Assert.Equal(16, network.ParameterCount);
        Assert.All(network.Nodes, node => Assert.Equal(16, node.ParameterCount));
    }

    [Fact]
    public void A_vector_that_is_added_is_a_parameter_and_a_number_is_a_literal()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", new(ElementType.Float32, new TensorShape(1, 4)));
        var (bias, three) = (graph.Constant("bias", OperatorRun.Floats(1, 4)), graph.Constant("three", TensorData.Create([3f])));
        var y = graph.Add("plus", new BinaryOperator(BinaryKind.Add, Activation.None), x, bias);
        var network = graph.BuildWithParameters("sum", graph.Add("more", new BinaryOperator(BinaryKind.Add, Activation.None), y, three));
        Assert.Equal([bias], network.Parameters);
        Assert.True(three.IsConstant);
    }

    [Fact]
    public void Frozen_parameters_are_constants_of_the_same_numbers_and_names()
    {
        var network = MobileNetV1.Create(width: 0.25, resolution: 32, classes: 5);
        var frozen = new Freezing().Run(network);
        Assert.Empty(frozen.Parameters);
        var stored = frozen.Nodes.SelectMany(node => node.Inputs).OfType<Value>().Where(value => value.IsStored).Distinct();
        Assert.Equal(network.Parameters.Select(value => (value.Name, value.Data)), stored.Select(value => (value.Name, value.Data)));
        Assert.All(network.Parameters, value => Assert.True(value.IsParameter));
    }
}
