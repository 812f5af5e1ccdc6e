using SeparableConv.Tests.Networks.Inference;
using SeparableConv.Tests.Networks.Operators;

namespace SeparableConv.Tests.Networks.Rewriting;

/// <summary>A network for another batch gives for each image what it gives for that image alone.</summary>
public sealed class RebatchingTests
{
    [Fact]
    public void Images_of_a_batch_give_what_they_give_alone()
    {
        Check(MobileNetV2.Create(resolution: 32, classes: 5), 3);
        Check(Reshaped(g => g.Input(1, 4, 3, 2), [1, 4, 6], [1, 24]), 5);

        // The batch moves to the second place, and comes back.
        Check(Moved(), 4);

        // A part of each image.
        var g = new GraphSketch();
        Check(g.Build(g.Add(new SliceOperator([0, 1], [1, 2], [1, 3]), g.Input(1, 8))), 3);
    }

    [Fact]
    public void A_batch_can_be_taken_back_and_shares_the_parameters()
    {
        var network = MobileNetV2.Create(resolution: 32, classes: 5);
        var four = network.WithBatch(4);
        Assert.Equal([4, 32, 32, 3], four.Inputs[0].Type.Shape.Lengths.ToArray());
        Assert.Equal(4 * network.Macs, four.Macs);
        Assert.Equal(network.Parameters, four.Parameters);
        Assert.Same(network, network.WithBatch(1));
        Assert.Equal(network.Macs, four.WithBatch(1).Macs);
        Assert.Equal(network.Outputs.Select(output => output.ToString()), four.WithBatch(1).Outputs.Select(output => output.ToString()));
    }

    [Fact]
    public void A_batch_that_does_not_fit_is_refused()
    {
        var network = Reshaped(g => g.Input(1, 4, 3, 2), [4, 6], [1, 24]);
        Assert.Contains("1 or more", Assert.Throws<ArgumentException>(() => network.WithBatch(0)).Message, StringComparison.Ordinal);

        var six = Reshaped(g => g.Input(6, 2), [3, 4], [3, 4]);
        Assert.Contains(
            "'Reshape' (Reshape) joins the batch",
            Assert.Throws<NetworkException>(() => six.WithBatch(1)).Message,
            StringComparison.Ordinal);

        var g = new GraphSketch();
        var first = g.Build(g.Add(new SliceOperator([0, 0], [1, 1], [1, 3]), g.Input(2, 3)));
        Assert.Contains(
            "gives (1,3), in which",
            Assert.Throws<NetworkException>(() => first.WithBatch(3)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void What_would_mix_the_images_of_a_batch_is_refused()
    {
        // Each of these gives shapes that fit, and another answer than the images alone.
        Refuse(g => g.Add(new SoftmaxOperator(0), g.Add(new ReshapeOperator(new TensorShape(16)), g.Input(1, 16))), "Reshape");
        Refuse(g => g.Add(new ReshapeOperator(new TensorShape(16, 8)), g.Input(1, 4, 4, 8)), "Reshape");
        Refuse(g => g.Add(new SoftmaxOperator(0), g.Input(1, 16)), "Softmax");
        Refuse(g => g.Add(new ReduceOperator(ReduceKind.Sum, [0], keepDimensions: true), g.Input(1, 16)), "ReduceSum");
        Refuse(
            g =>
            {
                var x = g.Input(1, 16);
                return g.Add(new ConcatOperator(0), x, x);
            },
            "Concatenate");
        Refuse(
            g =>
            {
                var x = g.Input(1, 3, 3);
                return g.Add(new MatMulOperator(), x, g.Add(new TransposeOperator([1, 2, 0]), x));
            },
            "MatMul");

        static void Refuse(Func<GraphSketch, Value> make, string kind)
        {
            var g = new GraphSketch();
            var network = g.Build(make(g));
            Assert.Contains($"({kind})", Assert.Throws<NetworkException>(() => network.WithBatch(2)).Message, StringComparison.Ordinal);
        }
    }

    private static Network Reshaped(Func<GraphSketch, Value> input, params int[][] shapes)
    {
        var g = new GraphSketch();
        var x = input(g);
        foreach (var shape in shapes)
            x = g.Add(new ReshapeOperator(new TensorShape(shape)), x);
        return g.Build(g.Add(new ActivationOperator(Activation.ReLU), x));
    }

    private static Network Moved()
    {
        var g = new GraphSketch();
        var x = g.Add(new TransposeOperator([1, 0, 2]), g.Input(1, 4, 6));
        x = g.Add(new ReshapeOperator(new TensorShape(4, 1, 2, 3)), x);
        x = g.Add(new ReshapeOperator(new TensorShape(4, 1, 6)), x);
        return g.Build(g.Add(new TransposeOperator([1, 2, 0]), x));
    }

    private static void Check(Network network, int batch)
    {
        var shape = network.Inputs[0].Type.Shape;
        var images = Enumerable.Range(0, batch).Select(i => OperatorRun.Floats(i + 1, [.. shape.Lengths])).ToArray();
        var together = TensorData.Create(
            images.SelectMany(image => image.Span<float>().ToArray()).ToArray(), [batch, .. shape.Lengths[1..]]);
        var many = network.WithBatch(batch);
        var all = Evaluator.Of(Evaluator.Run(many, together), many.Outputs[0]).Span<float>();
        Assert.Equal(batch, many.Outputs[0].Type.Shape[0]);
        for (var i = 0; i < batch; i++)
        {
            var alone = Evaluator.Of(Evaluator.Run(network, images[i]), network.Outputs[0]).Span<float>();
            Assert.Equal(alone.ToArray(), all.Slice(i * alone.Length, alone.Length).ToArray());
        }
    }
}
