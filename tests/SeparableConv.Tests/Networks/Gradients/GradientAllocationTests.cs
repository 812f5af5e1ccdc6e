using SeparableConv.Networks.Gradients;
using SeparableConv.Networks.Inference;
using SeparableConv.Networks.Rewriting;
using SeparableConv.Tests.Networks.Operators;

namespace SeparableConv.Tests.Networks.Gradients;

/// <summary>Steps of gradients in a steady state.</summary>
[Collection(QuietCollection.Name)]
public sealed class GradientAllocationTests
{
    [Fact]
    public void Steps_of_gradients_allocate_nothing()
    {
        var image = OperatorRun.Floats(1, 2, 12, 10, 9);
        var matrices = OperatorRun.Floats(2, 3, 20, 20);
        var window = (Kernel: (Size2D)3, Stride: (Size2D)2, Dilation: (Size2D)1, Padding: Padding.Same);
        (Operator Op, TensorData[] Inputs)[] cases =
        [
            (new ActivationOperator(Activation.HardSwish), [image]),
            (new ActivationOperator(Activation.PReLU(RandomData.Floats(9, 3))), [image]),
            (new ActivationOperator(Activation.Softmax), [image]),
            (new SoftmaxOperator(1, logarithm: true), [image]),
            (new PReluOperator(), [image, OperatorRun.Floats(3, 9)]),
            (new UnaryOperator(UnaryKind.Erf), [image]),
            (new BinaryOperator(BinaryKind.Div, Activation.None), [image, OperatorRun.Floats(4, 2, 1, 1, 9)]),
            (new BinaryOperator(BinaryKind.Max, Activation.None), [image, OperatorRun.Floats(4, 9)]),
            (new BinaryOperator(BinaryKind.Pow, Activation.None), [image, TensorData.Create([2L], 1)]),
            (new WhereOperator(), [TensorData.Create([true, false], 2, 1, 1, 1), image, image]),
            (new SliceOperator([0, 1, 9, 0], [1, 2, -3, 1], [2, 4, 3, 9]), [image]),
            (new PadOperator([0, 2, 2, 0], [0, 2, 2, 0], PadMode.Reflect, 0), [image]),
            (new GatherOperator(1), [image, TensorData.Create([3, 3, -1], 3)]),
            (new Pool2DOperator(
                PoolKind.Max, window.Kernel, window.Stride, window.Dilation, window.Padding, false, false, Activation.None), [image]),
            (new Pool2DOperator(
                PoolKind.Average, window.Kernel, window.Stride, window.Dilation, window.Padding, false, true, Activation.None), [image]),
            (new GlobalPoolOperator(PoolKind.Average), [image]),
            (new ReduceOperator(ReduceKind.Max, [1, 3], false), [image]),
            (new GemmOperator(0.5f, 1, true, false), [OperatorRun.Floats(5, 20, 30), OperatorRun.Floats(6, 20, 10)]),
            (new MatMulOperator(), [matrices, matrices]),
            (new ResizeOperator(ResizeMode.Linear, 20, 15, null, null, CoordinateMode.HalfPixel), [image]),
            (new TrainingDropoutOperator(0.5f), [image, TensorData.Create([1L, 2], 2)]),
        ];
        var steps = cases.Select(Compile).ToArray();
        Allocations.AreNone([.. steps.Select((step, i) => ($"the gradient of {cases[i].Op.Kind}", (Action)step.Session.Run))]);
        foreach (var (network, session) in steps)
        {
            session.Dispose();
            network.Dispose();
        }
    }

    private static (CompiledNetwork Network, InferenceSession Session) Compile((Operator Op, TensorData[] Inputs) step)
    {
        var graph = new GraphBuilder();
        Value[] values = [.. step.Inputs.Select((input, i) => graph.Input($"x{i}", input.Type))];
        var y = graph.Add("op", step.Op, values);
        var targets = values.Where(value => value.Type.Element == ElementType.Float32).ToArray();
        var gradients = GradientGraph.Add(graph, [(y, graph.Input("seed", y.Type))], targets);
        var compiled = new CompiledNetwork(graph.Build("step", gradients!), new() { Threads = 2 }, PassList.Step);
        var session = new InferenceSession(compiled);
        for (var i = 0; i < step.Inputs.Length; i++)
            step.Inputs[i].Bytes.CopyTo(session.InputBytes(i));
        OperatorRun.Floats(7, y.Shape.Lengths.ToArray()).Bytes.CopyTo(session.InputBytes(step.Inputs.Length));
        return (compiled, session);
    }
}
