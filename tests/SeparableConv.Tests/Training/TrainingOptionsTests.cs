using SeparableConv.Training;

namespace SeparableConv.Tests.Training;

/// <summary>Steps with each option of a training.</summary>
[Collection(QuietCollection.Name)]
public sealed class TrainingOptionsTests
{
    private static readonly TrainingOptions Options = new() { BatchSize = 6, Optimizer = Optimizer.Adam(0.01), Threads = 1 };

    [Fact]
    public void Frozen_parameters_and_statistics_keep_their_bits()
    {
        var network = TrainerRun.Network();
        using var step = new TrainingStep(network, Options with { Freeze = ["stem*", "pw/bias"] });
        Assert.DoesNotContain(step.Graph.Trained, trained => trained.Parameter.Name.StartsWith("stem", StringComparison.Ordinal));
        Assert.Equal(["dw_bn/moving_mean", "dw_bn/moving_variance"], step.Graph.Statistics.Select(value => value.Name));
        for (var i = 0; i < 5; i++)
            Run(step, i);
        foreach (var (before, after) in network.Parameters.Zip(step.ToNetwork().Parameters))
        {
            Assert.Equal(before.Name, after.Name);
            var isFrozen = before.Name.StartsWith("stem", StringComparison.Ordinal) || before.Name == "pw/bias";
            Assert.True(isFrozen == before.Data!.Bytes.SequenceEqual(after.Data!.Bytes), $"'{after.Name}'");
        }
    }

    [Theory]
    [InlineData("stem_bn/moving_mean")]
    [InlineData("stem_bn/moving_variance")]
    [InlineData("stem_bn/moving_*")]
    public void A_normalization_one_of_whose_statistics_is_frozen_keeps_both(string pattern)
    {
        var network = TrainerRun.Network();
        using var step = new TrainingStep(network, Options with { Freeze = [pattern] });
        Run(step, 1);
        var before = network.Parameters.ToDictionary(value => value.Name);
        foreach (var after in step.ToNetwork().Parameters)
        {
            var isFrozen = after.Name.StartsWith("stem_bn/moving", StringComparison.Ordinal);
            Assert.True(isFrozen == before[after.Name].Data!.Bytes.SequenceEqual(after.Data!.Bytes), $"'{after.Name}'");
        }
    }

    [Fact]
    public void The_weights_moving_average_is_one()
    {
        const double decay = 0.8;
        using var step = new TrainingStep(TrainerRun.Network(), Options with { AverageDecay = decay });
        var averages = Parameters(step);
        for (var i = 0; i < 10; i++)
        {
            Run(step, i);
            foreach (var (average, parameter) in averages.Zip(Parameters(step)))
            {
                for (var at = 0; at < average.Length; at++)
                    average[at] = (decay * average[at]) + ((1 - decay) * parameter[at]);
            }
        }

        var averaged = step.ToNetwork(averaged: true).Parameters.ToDictionary(value => value.Name);
        var plain = step.ToNetwork().Parameters.ToDictionary(value => value.Name);
        for (var i = 0; i < averages.Length; i++)
        {
            var trained = step.Graph.Trained[i].Parameter.Name;
            var actual = averaged[trained].Data!.Span<float>();
            Assert.False(actual.SequenceEqual(plain[trained].Data!.Span<float>()));
            for (var at = 0; at < averages[i].Length; at++)
                Assert.Equal(averages[i][at], actual[at], 1e-6);
        }

        // Statistics are not averaged twice.
        Assert.True(averaged["dw_bn/moving_mean"].Data!.Bytes.SequenceEqual(plain["dw_bn/moving_mean"].Data!.Bytes));
    }

    [Fact]
    public void L1_draws_kernels_and_matrices_alone_and_is_no_part_of_the_loss()
    {
        const double l1 = 0.5;
        var plain = Options with { Optimizer = Optimizer.Sgd(0.01, momentum: 0) };
        using var without = new TrainingStep(TrainerRun.Network(), plain);
        using var with = new TrainingStep(TrainerRun.Network(), plain with { Optimizer = plain.Optimizer with { L1 = l1 } });
        var before = Parameters(with);
        Assert.Equal(Loss(without), Loss(with));
        for (var i = 0; i < before.Length; i++)
        {
            var trained = with.Graph.Trained[i].Parameter;
            var share = trained.Shape.Rank > 1 ? 0.01 * l1 : 0;
            var (expected, actual) = (Parameters(without)[i], Parameters(with)[i]);
            for (var at = 0; at < actual.Length; at++)
                Assert.Equal(expected[at] - (share * Math.Sign(before[i][at])), actual[at], 1e-7);
        }

        static double Loss(TrainingStep step)
        {
            RandomData.Floats(step.Pixels.Length, 3).CopyTo(step.Pixels);
            var loss = step.Forward();
            step.Backward();
            step.Update(0.01);
            return loss;
        }
    }

    [Fact]
    public void L1_is_not_negative_and_without_it_an_optimizer_is_called_as_ever()
    {
        Assert.Throws<ArgumentException>(() => Optimizer.Adam() with { L1 = -1 });
        Assert.Throws<ArgumentException>(() => Optimizer.Adam() with { L1 = double.NaN });
        Assert.Equal("SGD (rate 0.1, momentum 0.9, weight decay 0)", Optimizer.Sgd().ToString());
        Assert.Equal("SGD (rate 0.1, momentum 0.9, weight decay 0, L1 1E-05)", (Optimizer.Sgd() with { L1 = 1e-5 }).ToString());
    }

    // As Keras's class_weight; PyTorch's divides by the sum of the weights.
    [Fact]
    public void The_mean_of_weighted_losses_is_over_the_batch()
    {
        double[] weights = [.. Enumerable.Range(0, 12).Select(c => 0.25 * c)];
        using var plain = new TrainingStep(TrainerRun.Network(), Options);
        using var weighted = new TrainingStep(TrainerRun.Network(), Options with { ClassWeights = weights });
        foreach (var step in new[] { plain, weighted })
        {
            RandomData.Floats(step.Pixels.Length, 3).CopyTo(step.Pixels);
            for (var n = 0; n < step.BatchSize; n++)
                step.Labels[n] = 2 * n;
        }

        plain.Forward();
        var sum = 0.0;
        for (var n = 0; n < plain.BatchSize; n++)
            sum += weights[2 * n] * plain.Losses[n];
        Assert.Equal(sum / plain.BatchSize, weighted.Forward(), 1e-6 * sum);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Steps_allocate_nothing(int threads)
    {
        using var step = new TrainingStep(TrainerRun.Network(), TrainerRun.Options with { Threads = threads });
        step.Pixels.Fill(0.5f);
        Allocations.AreNone(($"a training step on {threads} threads", () => Run(step)));
    }

    [Fact]
    public void Labels_out_of_range_are_refused()
    {
        using var step = new TrainingStep(TrainerRun.Network(), TrainerRun.Options);
        step.Labels[3] = 12;
        Assert.Contains("class 12", Assert.Throws<ArgumentException>(() => step.Forward()).Message, StringComparison.Ordinal);
        step.Labels[3] = 0;
        step.SecondLabels[2] = -1;
        Assert.Contains("class -1", Assert.Throws<ArgumentException>(() => step.Forward()).Message, StringComparison.Ordinal);
    }

    private static double[][] Parameters(TrainingStep step) =>
        [.. step.Graph.Trained.Select(trained => Array.ConvertAll(step.Stored(trained.Parameter).ToArray(), number => (double)number))];

    private static void Run(TrainingStep step, int seed)
    {
        RandomData.Floats(step.Pixels.Length, seed).CopyTo(step.Pixels);
        for (var n = 0; n < step.BatchSize; n++)
            step.Labels[n] = (n + seed) % step.Classes;
        Run(step);
    }

    private static void Run(TrainingStep step)
    {
        step.Forward();
        step.Backward();
        step.Update(0.01);
    }
}
