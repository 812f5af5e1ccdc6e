using SeparableConv.Networks.Gradients;
using SeparableConv.Networks.Rewriting;
using SeparableConv.Tests.Golden;

namespace SeparableConv.Tests.Networks.Gradients;

/// <summary>
/// The gradients' nodes against PyTorch's numbers, run one by one in memory of their own: without fusion, without a plan, and with the
/// fusion that a training uses. A compiled step is compared in TorchGradientTests.
/// </summary>
public sealed class TorchGradientGraphTests
{
    // Nothing is fused where there are but 3x3 convolutions.
    [Theory]
    [InlineData("v1", false)]
    [InlineData("v1", true)]
    [InlineData("v2", false)]
    [InlineData("v2", true)]
    [InlineData("residual", false)]
    public void Gradients_are_pytorch_s(string name, bool isFused)
    {
        var apart = new NormalizationTraining(_ => false).Run(PassList.Training.Run(TorchVectors.Network(name)));
        var forward = isFused ? new TrainedConvFusion(apart).Run(apart) : apart;
        Assert.Equal(isFused, forward.Nodes.Any(node => node.Operator is TrainedConvOperator));
        Value[] parameters = [.. forward.Parameters.Where(value => value.Kind == ValueKind.Parameter)];
        var graph = new GraphBuilder(forward);
        var seed = graph.Input("seed", forward.Outputs[0].Type);
        var gradients = GradientGraph.Add(graph, [(forward.Outputs[0], seed)], parameters);
        var backward = graph.Build("backward", [forward.Outputs[0], .. gradients.OfType<Value>()]);

        // The loss's own gradient is of the logits that PyTorch gave.
        var logits = TensorData.Create(TorchVectors.Floats($"{name}/logits"), TorchVectors.Batch, TorchVectors.Classes);
        var pictures = TensorData.Create(TorchVectors.Pictures($"{name}/input"), TorchVectors.Batch, 16, 16, 3);
        var values = Evaluator.Run(backward, pictures, LossGradient(name, logits));
        var output = Evaluator.Of(values, backward.Outputs[0]).Span<float>();
        Assert.InRange(TorchVectors.RelativeError(logits.Span<float>(), output), 0, 1e-5);
        Assert.Equal(parameters.Length + 1, backward.Outputs.Count);
        for (var i = 0; i < parameters.Length; i++)
        {
            var error = TorchVectors.GradientError(name, parameters[i], Evaluator.Of(values, backward.Outputs[i + 1]).Span<float>());
            Assert.True(error <= 1e-4, $"The gradient of '{parameters[i].Name}' is off by {error:E2}.");
        }
    }

    private static TensorData LossGradient(string name, TensorData logits)
    {
        var labels = TensorData.Create(TorchVectors.Wholes($"{name}/labels"), TorchVectors.Batch);
        return name switch
        {
            "v1" => Evaluator.Run(new SoftmaxCrossEntropyOperator(0.1f), logits, labels, null, null, null)[1],
            "v2" => Evaluator.Run(
                new SoftmaxCrossEntropyOperator(0.1f),
                logits,
                labels,
                TensorData.Create(TorchVectors.Wholes($"{name}/second_labels"), TorchVectors.Batch),
                TensorData.Create(TorchVectors.Floats($"{name}/shares"), TorchVectors.Batch),
                null)[1],
            _ => Evaluator.Run(
                new SoftmaxCrossEntropyOperator(0),
                logits,
                labels,
                null,
                null,
                TensorData.Create(TorchVectors.Floats($"{name}/class_weights"), TorchVectors.Classes))[1],
        };
    }
}
