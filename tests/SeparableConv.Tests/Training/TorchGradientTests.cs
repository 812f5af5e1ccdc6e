using SeparableConv.Tests.Golden;
using SeparableConv.Training;

namespace SeparableConv.Tests.Training;

/// <summary>A step's loss, logits, gradients and statistics against PyTorch's, of small networks of each kind.</summary>
public sealed class TorchGradientTests
{
    // PyTorch's numbers are of double precision: these differences are ours alone.
    private const double OutputBound = 1e-5;
    private const double GradientBound = 1e-4;

    public static TheoryData<string, int> Cases =>
        new(from name in new[] { "v1", "v2", "residual" } from threads in new[] { 1, 2, 7 } select (name, threads));

    [Theory]
    [MemberData(nameof(Cases))]
    public void Step_is_pytorch_s(string name, int threads)
    {
        var network = TorchVectors.Network(name);
        using var step = new TrainingStep(network, Options(name) with { Threads = threads });
        TorchVectors.Pictures($"{name}/input").CopyTo(step.Pixels);
        TorchVectors.Wholes($"{name}/labels").CopyTo(step.Labels);
        if (step.SecondLabels.Length > 0)
        {
            TorchVectors.Wholes($"{name}/second_labels").CopyTo(step.SecondLabels);
            TorchVectors.Floats($"{name}/shares").CopyTo(step.MixWeights);
        }

        var losses = TorchVectors.Floats($"{name}/losses");
        Assert.Equal(losses.Average(), step.Forward(), OutputBound * losses.Average());
        var logits = TorchVectors.Floats($"{name}/logits");
        var outputs = Math.Max(TorchVectors.RelativeError(losses, step.Losses), TorchVectors.RelativeError(logits, step.Logits));
        Assert.InRange(outputs, 0, OutputBound);
        step.Backward();
        step.Update(rate: 1);

        var gradients = 0.0;
        Assert.Equal(network.Parameters.Count(value => value.Kind == ValueKind.Parameter), step.Graph.Trained.Count);
        foreach (var trained in step.Graph.Trained)
        {
            // The momentum is 0 before the first step, so that it is the gradient behind it.
            var error = TorchVectors.GradientError(name, trained.Parameter, step.Stored(trained.States[0]));
            Assert.True(error <= GradientBound, $"The gradient of '{trained.Parameter.Name}' is off by {error:E2}.");
            gradients = Math.Max(gradients, error);
        }

        var statistics = 0.0;
        foreach (var statistic in step.Graph.Statistics)
        {
            var error = TorchVectors.RelativeError(Followed(name, statistic), step.Stored(statistic));
            Assert.True(error <= OutputBound, $"'{statistic.Name}' is off by {error:E2}.");
            statistics = Math.Max(statistics, error);
        }

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{name}: outputs within {outputs:E1}, gradients within {gradients:E1}, statistics within {statistics:E1}");
    }

    private static TrainingOptions Options(string name)
    {
        var options = new TrainingOptions { BatchSize = TorchVectors.Batch, Optimizer = Optimizer.Sgd(momentum: 0.5) };
        return name switch
        {
            "v1" => options with { LabelSmoothing = 0.1 },
            "v2" => options with { LabelSmoothing = 0.1, Augmentation = PictureAugmentation.None.Mixup(1) },
            _ => options with { ClassWeights = [.. TorchVectors.Floats($"{name}/class_weights").Select(weight => (double)weight)] },
        };
    }

    // PyTorch divides by the standard deviation with N, as Keras does, but its moving variance follows the one with N - 1.
    private static float[] Followed(string name, Value statistic)
    {
        var after = TorchVectors.Floats($"{name}/after/{statistic.Name}");
        if (statistic.Name.EndsWith("/moving_mean", StringComparison.Ordinal))
            return after;
        var before = TorchVectors.Floats($"{name}/before/{statistic.Name}");
        double count = TorchVectors.Wholes($"{name}/count/{statistic.Name.Split('/')[0]}")[0];
        return [.. after.Zip(before, (now, then) => (float)((0.9 * then) + ((now - (0.9 * then)) * (count - 1) / count)))];
    }
}
