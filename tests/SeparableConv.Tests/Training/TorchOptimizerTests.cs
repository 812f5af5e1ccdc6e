using SeparableConv.Tests.Golden;
using SeparableConv.Training;

namespace SeparableConv.Tests.Training;

/// <summary>
/// Ten steps of each optimizer against PyTorch's, each step on a batch of its own with a rate of its own; weight decay reaches matrices
/// alone, in PyTorch by groups of parameters.
/// </summary>
public sealed class TorchOptimizerTests
{
    private const int Samples = 8;
    private const int Features = 6;

    private static readonly Dictionary<string, (Optimizer Optimizer, double Clip)> Optimizers = new()
    {
        ["sgd"] = (Optimizer.Sgd(0.5, momentum: 0), 0),
        ["sgd_momentum"] = (Optimizer.Sgd(0.1), 0),
        ["sgd_momentum_clip"] = (Optimizer.Sgd(0.1, weightDecay: 0.01), 1.2),
        ["sgd_nesterov_decay"] = (Optimizer.Sgd(0.1, nesterov: true, weightDecay: 0.05), 0),
        ["adam"] = (Optimizer.Adam(0.02), 0),
        ["adam_decay"] = (Optimizer.Adam(0.02, 0.8, 0.95, 1e-6, 0.05), 0),
        ["adam_clip"] = (Optimizer.Adam(0.02), 0.4),
        ["adamw"] = (Optimizer.AdamW(0.02, weightDecay: 0.1), 0),
        ["rmsprop"] = (Optimizer.RmsProp(0.02), 0),
        ["rmsprop_momentum"] = (Optimizer.RmsProp(0.01, 0.9, 0.8, weightDecay: 0.01), 0),
    };

    public static TheoryData<string, int> Cases =>
        new(from name in Optimizers.Keys from threads in new[] { 1, 2, 7 } select (name, threads));

    [Theory]
    [MemberData(nameof(Cases))]
    public void Ten_steps_are_pytorch_s(string name, int threads)
    {
        var (optimizer, clip) = Optimizers[name];
        var network = TorchVectors.Network("optimizer");
        using var step = new TrainingStep(
            network, new() { BatchSize = Samples, Optimizer = optimizer, ClipNorm = clip, Threads = threads });
        var pixels = TorchVectors.Floats("optimizer/input");
        var labels = TorchVectors.Wholes("optimizer/labels");
        var largest = 0.0;
        for (var i = 0; i < 10; i++)
        {
            pixels.AsSpan(i * Samples * Features, Samples * Features).CopyTo(step.Pixels);
            labels.AsSpan(i * Samples, Samples).CopyTo(step.Labels);
            step.Forward();
            step.Backward();
            step.Update(optimizer.LearningRate * (1 - (0.05 * i)));
            if (clip > 0)
            {
                var norm = TorchVectors.Doubles($"optimizer/{name}/norms")[i];
                Assert.Equal(norm, step.GradientNorm!.Value, 1e-5 * norm);
            }

            if (i is not (0 or 9))
                continue;
            foreach (var trained in step.Graph.Trained)
            {
                var expected = TorchVectors.Like(trained.Parameter, $"optimizer/{name}/{i + 1}/{trained.Parameter.Name}");
                var error = TorchVectors.RelativeError(expected, step.Stored(trained.Parameter));
                Assert.True(error <= 1e-4, $"'{trained.Parameter.Name}' is off by {error:E2} behind step {i + 1}.");
                largest = Math.Max(largest, error);
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{name}: parameters within {largest:E1}");
    }

    [Fact]
    public void Norms_are_above_and_below_what_they_are_clipped_at()
    {
        var norms = TorchVectors.Doubles("optimizer/sgd_momentum_clip/norms");
        Assert.Contains(norms, norm => norm > 1.2);
        Assert.Contains(norms, norm => norm < 1.2);
    }
}
