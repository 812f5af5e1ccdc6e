using SeparableConv.Networks.Gradients;
using SeparableConv.Networks.Rewriting;
using SeparableConv.Tests.Networks.Operators;

namespace SeparableConv.Tests.Networks.Gradients;

/// <summary>Gradients of graphs of dense layers, beside central differences in double precision.</summary>
public sealed class GradientGraphTests
{
    [Theory]
    [InlineData(1, 1, 1, 1, 1)]
    [InlineData(1, 3, 5, 7, 4)]
    [InlineData(2, 3, 16, 33, 9)]
    [InlineData(5, 1, 40, 17, 1)]
    public void Dense_layers_have_the_gradients_of_central_differences(int outer, int inner, int inputs, int hidden, int outputs)
    {
        var (graph, x) = Begin(outer, inner, inputs);
        Value[] stored =
        [
            Stored(graph, 2, inputs, hidden),
            Stored(graph, 3, hidden),
            Stored(graph, 4, hidden, outputs),
            Stored(graph, 5, outputs),
        ];
        var first = graph.Add("first", new DenseOperator(Activation.Clip(-0.4f, 0.6f)), x, stored[0], stored[1]);
        var y = graph.Add("second", new DenseOperator(Activation.None), first, stored[2], stored[3]);
        var data = OperatorRun.Floats(1, outer, inner, inputs);
        var seed = OperatorRun.Floats(6, outer, inner, outputs);

        var gradients = Run(graph.BuildWithParameters("mlp", y), data, seed);

        double[][] numbers = [.. stored.Select(value => OperatorRun.Doubles(value.Data!)), OperatorRun.Doubles(data)];
        for (var i = 0; i < numbers.Length; i++)
        {
            for (var at = 0; at < numbers[i].Length; at++)
            {
                var difference = CentralDifference(
                    numbers, i, at, () => Loss(numbers, OperatorRun.Doubles(seed), outer * inner, inputs, hidden, outputs));
                Assert.True(
                    Math.Abs(difference - gradients[i].Span<float>()[at]) <= 1e-4 * Math.Max(1, Math.Abs(difference)),
                    $"tensor {i}, element {at}: {gradients[i].Span<float>()[at]}, expected {difference}");
            }
        }
    }

    [Fact]
    public void A_parameter_that_two_layers_read_gets_the_sum_of_both_gradients()
    {
        var (graph, x) = Begin(1, 2, 3);
        var shared = Stored(graph, 2, 3, 3);
        var y = graph.Add("b", new DenseOperator(Activation.None), graph.Add("a", new DenseOperator(Activation.None), x, shared), shared);
        var gradients = Run(graph.BuildWithParameters("twice", y), OperatorRun.Floats(1, 1, 2, 3), OperatorRun.Floats(3, 1, 2, 3));

        var (data, w, seed) = (
            OperatorRun.Doubles(OperatorRun.Floats(1, 1, 2, 3)),
            OperatorRun.Doubles(shared.Data!),
            OperatorRun.Doubles(OperatorRun.Floats(3, 1, 2, 3)));
        for (var at = 0; at < w.Length; at++)
        {
            var difference = CentralDifference([w], 0, at, () => Dot(Product(Product(data, w, 2, 3, 3), w, 2, 3, 3), seed));
            Assert.Equal(difference, gradients[0].Span<float>()[at], 1e-5);
        }
    }

    [Fact]
    public void What_nothing_depends_on_has_no_gradient()
    {
        var (graph, x) = Begin(1, 2, 3);
        var (used, unused) = (Stored(graph, 2, 3, 3), Stored(graph, 3, 3, 3));
        var y = graph.Add("y", new DenseOperator(Activation.None), x, used);
        var other = graph.Add("other", new DenseOperator(Activation.None), x, unused);
        var seed = graph.Input("seed", y.Type);
        var gradients = GradientGraph.Add(graph, [(y, seed)], [used, unused]);
        Assert.NotNull(gradients[0]);
        Assert.Null(gradients[1]);
        Assert.DoesNotContain(graph.Nodes, node => node.Name.StartsWith($"{other.Name}/", StringComparison.Ordinal));
    }

    [Fact]
    public void Operators_without_a_gradient_are_all_named()
    {
        var (graph, x) = Begin(1, 2, 3);
        var y = graph.Add("dense", new DenseOperator(Activation.None), x, Stored(graph, 2, 3, 3));
        y = graph.Add(
            "largest",
            new ArgExtremeOperator(true, 1, keepDimensions: false, ElementType.Int64),
            graph.Add("remainder", new BinaryOperator(BinaryKind.Mod, Activation.None), y, x));
        y = graph.Add("float", new CastOperator(ElementType.Float32), y);
        var seed = graph.Input("seed", y.Type);
        var error = Assert.Throws<NetworkException>(() => GradientGraph.Add(graph, [(y, seed)], [x]));
        Assert.StartsWith(
            "3 of the network's nodes have no gradient: 'float' (Cast), 'largest' (ArgMax), 'remainder' (Mod).", error.Message);
    }

    [Fact]
    public void Activations_that_operators_apply_themselves_are_split_off()
    {
        (Func<Activation, Operator> Op, int Inputs)[] cases =
        [
            (activation => new BinaryOperator(BinaryKind.Mul, activation), 2),
            (activation => new Pool2DOperator(PoolKind.Average, 2, 1, 1, Padding.Same, false, false, activation), 1),
            (activation => new Pool2DOperator(PoolKind.Max, 2, 2, 1, Padding.Valid, false, false, activation), 1),
        ];
        foreach (var (op, inputs) in cases)
        {
            foreach (var activation in new[] { Activation.ReLU, Activation.HardSwish, Activation.Softmax, Activation.PReLU([0.1f, 2, -1]) })
            {
                var (fused, apart) = (Gradient(isFused: true), Gradient(isFused: false));
                Assert.Contains(fused.Nodes, node => node.Operator is ActivationOperator);
                TensorData[] data = [OperatorRun.Floats(1, 1, 4, 4, 3), OperatorRun.Floats(2, fused.Inputs[1].Shape.Lengths.ToArray())];
                var (first, second) = (GradientCheck.Run(fused, data)[0], GradientCheck.Run(apart, data)[0]);
                Assert.True(first.Bytes.SequenceEqual(second.Bytes), $"{op(activation).Kind} with {activation}");

                Network Gradient(bool isFused)
                {
                    var (graph, x) = Begin(1, 4, 4, 3);
                    var operands = Enumerable.Repeat(x, inputs).ToArray();
                    var y = isFused
                        ? graph.Add("y", op(activation), operands)
                        : graph.Add("y", new ActivationOperator(activation), graph.Add("x", op(Activation.None), operands));
                    var network = PassList.Training.Run(graph.BuildWithParameters("one", y));
                    graph = new GraphBuilder(network);
                    y = network.Outputs[0];
                    var seed = graph.Input("seed", y.Type);
                    return graph.Build("step", [GradientGraph.Add(graph, [(y, seed)], [network.Inputs[0]])[0]!, y]);
                }
            }
        }
    }

    private static (GraphBuilder Graph, Value X) Begin(params int[] shape)
    {
        var graph = new GraphBuilder();
        return (graph, graph.Input("x", new TensorType(ElementType.Float32, new TensorShape(shape))));
    }

    private static Value Stored(GraphBuilder graph, int seed, params int[] shape) =>
        graph.Constant($"p{seed}", OperatorRun.Floats(seed, shape));

    /// <summary>The gradients of all parameters in their order, and of the input.</summary>
    private static TensorData[] Run(Network network, TensorData data, TensorData seedData)
    {
        network = PassList.Training.Run(network);
        var graph = new GraphBuilder(network);
        var seed = graph.Input("seed", network.Outputs[0].Type);
        var gradients = GradientGraph.Add(graph, [(network.Outputs[0], seed)], [.. network.Parameters, network.Inputs[0]]);
        var step = graph.Build("step", gradients!);
        var alone = Compiled(step, 1, data, seedData);
        foreach (var threads in new[] { 2, 7 })
        {
            var together = Compiled(step, threads, data, seedData);
            for (var i = 0; i < alone.Length; i++)
                Assert.True(alone[i].Bytes.SequenceEqual(together[i].Bytes), $"gradient {i} differs on {threads} threads");
        }

        var plain = Evaluator.Run(step, data, seedData);
        for (var i = 0; i < alone.Length; i++)
        {
            var expected = Evaluator.Of(plain, step.Outputs[i]).Span<float>();
            for (var at = 0; at < expected.Length; at++)
                Assert.Equal(expected[at], alone[i].Span<float>()[at], 1e-5f);
        }

        return alone;
    }

    private static TensorData[] Compiled(Network step, int threads, TensorData data, TensorData seed)
    {
        using var compiled = new CompiledNetwork(step, new() { Threads = threads }, PassList.Step);
        using var session = new InferenceSession(compiled);
        foreach (var poison in new byte[] { 0xFF, 0 })
        {
            session.Poison(poison);
            data.Bytes.CopyTo(session.InputBytes(0));
            seed.Bytes.CopyTo(session.InputBytes(1));
            session.Run();
        }

        return
        [
            .. step.Outputs.Select((output, i) => new TensorData(
                output.Type, System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(session.OutputBytes(i)).ToArray())),
        ];
    }

    private static double CentralDifference(double[][] numbers, int tensor, int at, Func<double> loss)
    {
        const double step = 1e-6;
        var value = numbers[tensor][at];
        numbers[tensor][at] = value + step;
        var above = loss();
        numbers[tensor][at] = value - step;
        var below = loss();
        numbers[tensor][at] = value;
        return (above - below) / (2 * step);
    }

    private static double Loss(double[][] numbers, double[] seed, int rows, int inputs, int hidden, int outputs)
    {
        var first = Plus(Product(numbers[4], numbers[0], rows, inputs, hidden), numbers[1]);
        for (var i = 0; i < first.Length; i++)
            first[i] = Math.Clamp(first[i], -0.4f, 0.6f);
        return Dot(Plus(Product(first, numbers[2], rows, hidden, outputs), numbers[3]), seed);
    }

    private static double[] Product(double[] a, double[] b, int rows, int depth, int columns)
    {
        var y = new double[rows * columns];
        for (var r = 0; r < rows; r++)
        {
            for (var n = 0; n < columns; n++)
            {
                for (var k = 0; k < depth; k++)
                    y[(r * columns) + n] += a[(r * depth) + k] * b[(k * columns) + n];
            }
        }

        return y;
    }

    private static double[] Plus(double[] rows, double[] bias)
    {
        for (var i = 0; i < rows.Length; i++)
            rows[i] += bias[i % bias.Length];
        return rows;
    }

    private static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();
}
