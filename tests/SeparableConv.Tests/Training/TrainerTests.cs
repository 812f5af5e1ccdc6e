using SeparableConv.Training;

namespace SeparableConv.Tests.Training;

/// <summary>The loop of a training: its bits, what it tells, how it is ended, what it refuses.</summary>
[Collection(QuietCollection.Name)]
public sealed class TrainerTests
{
    [Theory]
    [InlineData("sgd")]
    [InlineData("adam")]
    [InlineData("rmsprop")]
    public void Threads_change_no_bit(string optimizer)
    {
        var options = TrainerRun.Options with
        {
            Optimizer = optimizer switch
            {
                "sgd" => Optimizer.Sgd(0.05, nesterov: true, weightDecay: 1e-4),
                "adam" => Optimizer.AdamW() with { L1 = 1e-4 },
                _ => Optimizer.RmsProp(momentum: 0.5),
            },
        };
        var alone = TrainerRun.EndState(options);
        Assert.Equal(alone, TrainerRun.EndState(options with { Threads = 2 }));
        Assert.Equal(alone, TrainerRun.EndState(options with { Threads = 7 }));
        Assert.NotEqual(alone, TrainerRun.EndState(options with { Seed = 8 }));
    }

    [Fact]
    public void Progress_and_epochs_are_told()
    {
        var (told, ended) = (new List<TrainingProgress>(), new List<EpochResult>());
        var (training, validation) = TrainerRun.Data.SplitLast(2);
        var options = TrainerRun.Options;
        using var trainer = new Trainer(TrainerRun.Network(), training, validation, options);
        trainer.Run(
            new TrainerRun.Reports(progress =>
            {
                // The epochs before are told by then, this one is not.
                Assert.Equal(progress.Epoch, ended.Count);
                told.Add(progress);
            }),
            ended.Add);
        Assert.Equal((3, 9), (trainer.StepsPerEpoch, trainer.Steps));
        Assert.Equal(ended, trainer.Epochs);
        Assert.Equal([0, 1, 2], ended.Select(epoch => epoch.Epoch));
        Assert.All(ended, epoch => Assert.Equal(2, epoch.Validation!.Count));
        Assert.Equal(Enumerable.Range(1, 9).Select(step => (long)step), told.Select(progress => progress.Step));
        for (var i = 0; i < 9; i++)
        {
            var rate = 0.01 * options.Schedule.Factor(i, 3, 9);
            Assert.Equal((9L, i / 3, 3, rate), (told[i].Steps, told[i].Epoch, told[i].Epochs, told[i].Rate));
            Assert.True(told[i].Loss > 0 && told[i].PicturesPerSecond > 0 && told[i].Remaining >= TimeSpan.Zero);
            Assert.InRange(told[i].Accuracy, 0, 1);
        }

        for (var epoch = 0; epoch < 3; epoch++)
            Assert.Equal((told[(3 * epoch) + 2].Loss, told[(3 * epoch) + 2].Accuracy), (ended[epoch].Loss, ended[epoch].Accuracy));

        // A training at its end has nothing more to do.
        trainer.Run(new TrainerRun.Reports(_ => Assert.Fail("A step was made behind the last one.")));
    }

    [Fact]
    public void Epochs_report_the_mean_of_their_losses()
    {
        using var folder = new TempFolder();
        using var trainer = TrainerRun.Trainer();
        trainer.Save(folder["0"]);
        var means = new List<double>();
        trainer.Run(new TrainerRun.Reports(progress =>
        {
            means.Add(progress.Loss);
            trainer.Save(folder[$"{progress.Step}"]);
        }));
        var losses = new List<double>();
        for (var step = 0; step < 9; step++)
        {
            // Checkpoints had no sums once: the mean then begins anew, and that of one step is its loss.
            var file = SafetensorsFile.Load(folder[$"{step}"]);
            var metadata = file.Metadata.Where(note => !note.Key.StartsWith("epoch", StringComparison.Ordinal)).ToDictionary();
            SafetensorsFile.Save(folder["alone"], file.Tensors, metadata);
            using var single = TrainerRun.Trainer();
            single.Resume(folder["alone"]);
            TrainerRun.RunSteps(single, 1, progress => losses.Add(progress.Loss));
        }

        Assert.Equal(9, losses.Count);
        for (var i = 0; i < losses.Count; i++)
            Assert.Equal(losses[(i / 3 * 3)..(i + 1)].Average(), means[i], 1e-12);
    }

    [Fact]
    public void Cancellation_ends_it_after_a_step_and_it_can_go_on()
    {
        var expected = TrainerRun.EndState();
        for (var step = 1; step < 9; step++)
        {
            using var trainer = TrainerRun.Trainer();
            TrainerRun.RunTo(trainer, step);
            trainer.Run();
            Assert.Equal(expected, TrainerRun.State(trainer));
        }

        using var never = TrainerRun.Trainer();
        var begin = TrainerRun.State(never);
        Assert.Throws<OperationCanceledException>(() => never.Run(cancellation: new(canceled: true)));
        Assert.Equal(begin, TrainerRun.State(never));
    }

    [Fact]
    public void A_small_training_learns_its_pictures()
    {
        var options = new TrainingOptions
        {
            Optimizer = Optimizer.Adam(0.02),
            Schedule = LearningRateSchedule.OneCycle(),
            Epochs = 120,
            BatchSize = 13,
            Threads = 1,
        };
        using var trainer = new Trainer(TrainerRun.Network(), TrainerRun.Data, TrainerRun.Data, options);
        trainer.Run();
        Assert.InRange(trainer.Epochs[^1].Validation!.Accuracy, 0.9, 1);
        Assert.InRange(trainer.Epochs[^1].Loss, 0, trainer.Epochs[0].Loss / 2);
        Assert.Equal(1, trainer.ToNetwork().Inputs[0].Shape[0]);
        Assert.Equal($"{trainer.Normalization}", $"{Normalization.Of(trainer.ToNetwork())}");
    }

    [Fact]
    public void Steps_allocate_nothing_on_the_caller_s_thread()
    {
        var measured = new long[60];
        using var trainer = TrainerRun.Trainer(TrainerRun.Options with { Epochs = 20 });
        trainer.Run(new TrainerRun.Reports(progress => measured[progress.Step - 1] = GC.GetAllocatedBytesForCurrentThread()));

        // An epoch's end makes a result; in between is nothing.
        for (var i = 30; i < 60; i++)
        {
            if (i % 3 != 0)
                Assert.Equal(measured[i - 1], measured[i]);
        }
    }

    [Fact]
    public void What_does_not_suit_is_refused()
    {
        Assert.Equal(
            "A step takes 64 pictures but there are 26; make batches smaller.",
            Refusal(() => TrainerRun.Trainer(new() { Threads = 1 })));
        Assert.Contains("tells 10 classes apart but the pictures have 12", Refusal(TrainerRun.Network(10)), StringComparison.Ordinal);
        Assert.Contains("(1,9,9,3) but the pictures are 8x8x3", Refusal(TrainerRun.Network(size: 9)), StringComparison.Ordinal);
        foreach (var (options, message) in new[]
        {
            (TrainerRun.Options with { BatchSize = 0 }, "batch size is 0"),
            (TrainerRun.Options with { Epochs = 0 }, "0 epochs"),
            (TrainerRun.Options with { ClipNorm = -0.5 }, "clipped at -0.5"),
            (TrainerRun.Options with { LabelSmoothing = 1 }, "label smoothing is 1"),
            (TrainerRun.Options with { AverageDecay = double.NaN }, "average is NaN"),
            (TrainerRun.Options with { StatisticsMomentum = -1 }, "statistics is -1"),
            (TrainerRun.Options with { ClassWeights = [1, 2] }, "2 class weights but 12 classes"),
            (TrainerRun.Options with { ClassWeights = [.. Enumerable.Repeat(-0.5, 12)] }, "class weight is -0.5"),
            (TrainerRun.Options with { Freeze = ["stem/*", "steam/*"] }, "'steam/*'"),
        })
            Assert.Contains(message, Refusal(() => TrainerRun.Trainer(options)), StringComparison.Ordinal);

        var all = Assert.Throws<NetworkException>(() => TrainerRun.Trainer(TrainerRun.Options with { Freeze = ["*"] }));
        Assert.Contains("Nothing is left to train", all.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Labels_out_of_range_are_refused()
    {
        foreach (var label in new[] { -1, 12, int.MaxValue })
        {
            using var trainer = TrainerRun.Trainer(data: new Mislabeled(label));
            var begin = TrainerRun.State(trainer);
            Assert.Equal(
                $"A picture is of class {label}, but the network has the classes 0 to 11.",
                Assert.Throws<ArgumentException>(() => trainer.Run()).Message);
            Assert.Equal(begin, TrainerRun.State(trainer));
        }
    }

    private static string Refusal(Network network) =>
        Refusal(() => new Trainer(network, TrainerRun.Data, options: TrainerRun.Options));

    private static string Refusal(Func<object> make) => Assert.Throws<ArgumentException>(make).Message;

    private sealed class Mislabeled(int label) : PictureDataSet(TrainerRun.Data.Classes, 8, 8, 3)
    {
        public override int Count => 8;

        public override int ClassOf(int index) => index == 5 ? label : 0;

        protected override void ReadPixels(int index, Span<byte> pixels) => TrainerRun.Data.Read(index, pixels);
    }
}
