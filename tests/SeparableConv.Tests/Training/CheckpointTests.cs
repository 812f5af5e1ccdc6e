using System.Globalization;
using SeparableConv.Training;

namespace SeparableConv.Tests.Training;

/// <summary>Trainings that are broken off and taken up again, and those that are lost.</summary>
public sealed class CheckpointTests
{
    [Theory]
    [InlineData("adam")]
    [InlineData("sgd")]
    [InlineData("rmsprop")]
    public void Going_on_from_any_step_gives_the_bits_of_an_undisturbed_training(string optimizer)
    {
        var options = TrainerRun.Options with
        {
            Optimizer = optimizer switch { "adam" => Optimizer.Adam(), "sgd" => Optimizer.Sgd(0.05), _ => Optimizer.RmsProp(1e-3) },
        };
        using var folder = new TempFolder();
        using var whole = TrainerRun.Trainer(options);
        whole.Save(folder["0"]);
        whole.Run(new TrainerRun.Reports(progress => whole.Save(folder[$"{progress.Step}"])));
        var expected = TrainerRun.State(whole);
        for (var step = 0; step <= 9; step++)
        {
            using var trainer = TrainerRun.Trainer(options with { Threads = 2 });
            trainer.Resume(folder[$"{step}"]);
            Assert.Equal(File.ReadAllBytes(folder[$"{step}"]), TrainerRun.State(trainer));
            trainer.Run();
            Assert.Equal(expected, TrainerRun.State(trainer));
        }
    }

    [Fact]
    public void Going_on_from_any_step_gives_the_figures_of_an_undisturbed_training()
    {
        using var folder = new TempFolder();
        using var whole = Validated();
        whole.Save(folder["0"]);
        whole.Run(new TrainerRun.Reports(progress => whole.Save(folder[$"{progress.Step}"])));
        for (var step = 0; step <= 9; step++)
        {
            // Where it was saved behind an epoch's last step, the epoch had not been told of yet.
            using var trainer = Validated();
            trainer.Resume(folder[$"{step}"]);
            var done = Math.Max(0, step - 1) / 3;
            Assert.Equal(done, trainer.EpochsDone);
            trainer.Run();
            Assert.Equal(3, trainer.EpochsDone);
            Assert.Equal(whole.Epochs.Skip(done).Select(Figures), trainer.Epochs.Select(Figures));
        }

        // Interrupted while it is validated, an epoch is validated again.
        using var late = Validated();
        using var cancellation = new CancellationTokenSource();
        var reports = new TrainerRun.Reports(progress =>
        {
            if (progress.Step == 6)
                cancellation.Cancel();
        });
        Assert.Throws<OperationCanceledException>(() => late.Run(reports, cancellation: cancellation.Token));
        Assert.Equal((6, 1), (late.StepsDone, late.EpochsDone));
        late.Run();
        Assert.Equal(whole.Epochs.Select(Figures), late.Epochs.Select(Figures));

        static Trainer Validated()
        {
            var (training, validation) = TrainerRun.Data.SplitLast(2);
            return new(TrainerRun.Network(), training, validation, TrainerRun.Options);
        }

        static (int, double, double, double, double) Figures(EpochResult epoch) =>
            (epoch.Epoch, epoch.Loss, epoch.Accuracy, epoch.Validation!.Loss, epoch.Validation.Accuracy);
    }

    [Theory]
    [InlineData("steps", "10", "step 10 of 9")]
    [InlineData("steps", "9223372036854775807", "of 9")]
    [InlineData("steps", "-1", "no checkpoint")]
    [InlineData("steps", "4", "damaged")]
    [InlineData("epochSteps", "3", "damaged")]
    [InlineData("epochSteps", null, "damaged")]
    [InlineData("epochLoss", "NaN", "damaged")]
    [InlineData("epochLoss", null, "damaged")]
    [InlineData("epochRight", "17", "damaged")]
    [InlineData("epochRight", "-1", "damaged")]
    [InlineData("settings", "a\nb\u2028", "other settings: a?b?;")]
    [InlineData("settings", null, "other settings: none;")]
    public void Damaged_checkpoints_are_refused_in_one_line(string key, string? value, string piece)
    {
        using var folder = new TempFolder();
        using var trainer = TrainerRun.Trainer();
        TrainerRun.RunSteps(trainer, 5);
        trainer.Save(folder["whole"]);
        var file = SafetensorsFile.Load(folder["whole"]);
        var metadata = file.Metadata.Where(note => note.Key != key).ToDictionary();
        if (value is not null)
            metadata[key] = value;
        SafetensorsFile.Save(folder["damaged"], file.Tensors, metadata);
        CheckRefused(folder["damaged"], piece);
    }

    [Theory]
    [InlineData("stem/kernel", float.NaN)]
    [InlineData("dw_bn/moving_variance", float.PositiveInfinity)]
    public void Weights_that_are_no_numbers_are_refused(string name, float number)
    {
        using var folder = new TempFolder();
        using var trainer = TrainerRun.Trainer();
        trainer.Save(folder["damaged"]);
        var file = SafetensorsFile.Load(folder["damaged"]);
        ((float[])file.Tensors[name].Values)[^1] = number;
        SafetensorsFile.Save(folder["damaged"], file.Tensors, file.Metadata);
        CheckRefused(folder["damaged"], $"'{name}' holds");
    }

    [Fact]
    public void A_training_that_is_killed_again_and_again_ends_with_the_same_bits()
    {
        var options = TrainerRun.Options with { Epochs = 20 };
        var expected = TrainerRun.EndState(options);
        using var folder = new TempFolder();
        var (random, kills) = (new Random(5), 0);
        while (true)
        {
            // What is behind the last checkpoint is lost, and made again.
            var left = kills < 20 ? random.Next(1, 6) : int.MaxValue;
            using var trainer = TrainerRun.Trainer(options);
            if (File.Exists(folder["checkpoint"]))
                trainer.Resume(folder["checkpoint"]);
            try
            {
                trainer.Run(new TrainerRun.Reports(progress =>
                {
                    if (left-- == 0)
                        throw new InvalidOperationException("Killed.");
                    if (progress.Step % 2 == 0)
                        trainer.Save(folder["checkpoint"]);
                }));
                Assert.Equal(20, kills);
                Assert.Equal(expected, TrainerRun.State(trainer));
                return;
            }
            catch (InvalidOperationException killed) when (killed.Message == "Killed.")
            {
                kills++;
            }
        }
    }

    [Fact]
    public void A_checkpoint_of_other_settings_is_refused()
    {
        using var folder = new TempFolder();
        using var trainer = TrainerRun.Trainer();
        trainer.Save(folder["checkpoint"]);
        var options = TrainerRun.Options;
        foreach (var other in new[]
        {
            options with { Optimizer = Optimizer.Adam(0.02, weightDecay: 1e-3) },
            options with { Optimizer = Optimizer.Adam(0.01, weightDecay: 2e-3) },
            options with { Optimizer = Optimizer.Adam(0.01, beta1: 0.8, weightDecay: 1e-3) },
            options with { Optimizer = Optimizer.Adam(0.01, beta2: 0.9, weightDecay: 1e-3) },
            options with { Optimizer = Optimizer.Adam(0.01, epsilon: 1e-3, weightDecay: 1e-3) },
            options with { Optimizer = Optimizer.AdamW(0.01, weightDecay: 1e-3) },
            options with { Optimizer = Optimizer.RmsProp(0.01, momentum: 0.9, weightDecay: 1e-3) },
            options with { Optimizer = options.Optimizer with { L1 = 1e-5 } },
            options with { Schedule = LearningRateSchedule.Cosine(0.2, 0.1) },
            options with { Schedule = LearningRateSchedule.OneCycle(0.2) },
            options with { Epochs = 4 },
            options with { BatchSize = 13 },
            options with { Augmentation = PictureAugmentation.Parse("flip,mixup:0.4") },
            options with { LabelSmoothing = 0 },
            options with { ClipNorm = 2 },
            options with { AverageDecay = 0.99 },
            options with { StatisticsMomentum = 0.99 },
            options with { ClassWeights = [.. Enumerable.Repeat(2.5, 12)] },
            options with { Freeze = ["stem/*"] },
            options with { Normalization = Normalization.ZeroToOne },
            options with { Seed = 8 },
        })
        {
            using var another = TrainerRun.Trainer(other);
            var begin = TrainerRun.State(another);
            var error = Assert.Throws<InvalidDataException>(() => another.Resume(folder["checkpoint"]));
            Assert.Contains("other settings", error.Message, StringComparison.Ordinal);
            Assert.Equal(begin, TrainerRun.State(another));
        }

        // Other pictures of the same number and size.
        using var elsewhere = TrainerRun.Trainer(data: PictureDataSet.Shapes(26, 8, seed: 1));
        Assert.Throws<InvalidDataException>(() => elsewhere.Resume(folder["checkpoint"]));

        // The bits depend on neither.
        using var same = TrainerRun.Trainer(options with { Threads = 2 });
        same.Resume(folder["checkpoint"]);
    }

    [Fact]
    public void A_checkpoint_is_the_same_in_every_language()
    {
        var before = CultureInfo.CurrentCulture;
        var options = TrainerRun.Options with { ClassWeights = [.. Enumerable.Repeat(2.5, 12)] };
        using var folder = new TempFolder();
        using var trainer = TrainerRun.Trainer(options);
        trainer.Save(folder["checkpoint"]);
        try
        {
            var comma = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            comma.NumberFormat.NumberDecimalSeparator = ",";
            CultureInfo.CurrentCulture = comma;
            Assert.Equal(File.ReadAllBytes(folder["checkpoint"]), TrainerRun.State(trainer));
            using var again = TrainerRun.Trainer(options);
            again.Resume(folder["checkpoint"]);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void Files_that_are_no_checkpoint_are_refused()
    {
        using var folder = new TempFolder();
        using var trainer = TrainerRun.Trainer();
        var begin = TrainerRun.State(trainer);
        File.WriteAllText(folder["text"], "no tensors");
        SafetensorsFile.Save(folder["tensors"], new Dictionary<string, TensorData> { ["a"] = TensorData.Create([1f], 1) });
        trainer.Save(folder["whole"]);
        var bytes = File.ReadAllBytes(folder["whole"]);
        File.WriteAllBytes(folder["cut"], bytes[..^1]);
        foreach (var name in new[] { "text", "tensors", "cut" })
        {
            var error = Assert.Throws<InvalidDataException>(() => trainer.Resume(folder[name]));
            Assert.Contains("no checkpoint", error.Message, StringComparison.Ordinal);
        }

        Assert.Throws<FileNotFoundException>(() => trainer.Resume(folder["nothing"]));

        // Of a network whose layers have other names.
        var file = SafetensorsFile.Load(folder["whole"]);
        SafetensorsFile.Save(
            folder["renamed"], file.Tensors.ToDictionary(tensor => tensor.Key.Replace('m', 'n'), tensor => tensor.Value), file.Metadata);
        var renamed = Assert.Throws<InvalidDataException>(() => trainer.Resume(folder["renamed"]));
        Assert.Contains("has no tensor 'stem/kernel'", renamed.Message, StringComparison.Ordinal);
        Assert.Equal(begin, TrainerRun.State(trainer));
    }

    [Theory]
    [InlineData(1e9)]
    [InlineData(1e38)]
    [InlineData(1e300)]
    public void A_training_that_diverges_says_where_and_leaves_its_checkpoint(double rate)
    {
        // Without a normalization nothing holds the numbers back.
        var net = new NetworkBuilder();
        var x = net.Conv2D(net.Input(new(8, 8, 3)), 8, 3, activation: Activation.ReLU, name: "first");
        x = net.Dense(net.GlobalAveragePooling2D(net.Conv2D(x, 8, 3, activation: Activation.HardSwish)), 12, name: "last");
        var options = new TrainingOptions { Optimizer = Optimizer.Sgd(rate), BatchSize = 26, Threads = 1 };
        using var folder = new TempFolder();
        using var trainer = new Trainer(net.Build(x), TrainerRun.Data, TrainerRun.Data, options);
        trainer.Save(folder["checkpoint"]);
        var error = Assert.Throws<DivergenceException>(() => trainer.Run(onEpoch: _ => trainer.Save(folder["checkpoint"])));
        Assert.Matches("step [0-9]+", error.Message);
        Assert.Matches("(is|holds) (NaN|-?Infinity|∞)", error.Message);
        Assert.Matches("'(first|conv2d|last)/(kernel|bias)'|all weights are finite", error.Message);
        Assert.Equal(["checkpoint"], folder.Names);

        // What is lost is not written over what is not.
        var file = SafetensorsFile.Load(folder["checkpoint"]);
        Assert.All(file.Tensors.Values, tensor => Assert.All((float[])tensor.Values, number => Assert.True(float.IsFinite(number))));
        using var again = new Trainer(net.Build(x), TrainerRun.Data, options: options);
        again.Resume(folder["checkpoint"]);
    }

    private static void CheckRefused(string path, string piece)
    {
        using var trainer = TrainerRun.Trainer();
        var begin = TrainerRun.State(trainer);
        var e = Assert.Throws<InvalidDataException>(() => trainer.Resume(path));
        Assert.Contains(piece, e.Message, StringComparison.Ordinal);
        Assert.Equal(-1, e.Message.AsSpan().IndexOfAny("\r\n\u2028\u2029"));
        Assert.Equal(begin, TrainerRun.State(trainer));
    }
}
