using SeparableConv.Training;

namespace SeparableConv.Tests.Training;

/// <summary>A small training with all that is random: augmentation, mixing, dropout; and what tests ask of it.</summary>
internal static class TrainerRun
{
    /// <summary>Three steps in an epoch.</summary>
    public static PictureDataSet Data { get; } = PictureDataSet.Shapes(26, 8);

    /// <summary>Nine steps.</summary>
    public static TrainingOptions Options { get; } = new()
    {
        Optimizer = Optimizer.Adam(0.01, weightDecay: 1e-3),
        Schedule = LearningRateSchedule.Cosine(0.2),
        Epochs = 3,
        BatchSize = 8,
        Augmentation = PictureAugmentation.Parse("flip,shift:2,cutout:3,jitter:0.2,mixup:0.4"),
        LabelSmoothing = 0.1,
        ClipNorm = 1,
        AverageDecay = 0.9,
        Seed = 7,
        Threads = 1,
    };

    /// <summary>Convolutions with and without normalization, a dropout, 12 classes.</summary>
    public static Network Network(int classes = 12, int size = 8)
    {
        var net = new NetworkBuilder(seed: 4);
        var x = net.Input(new(size, size, 3));
        x = net.Conv2D(x, 9, 3, 2, Padding.Same, useBias: false, name: "stem");
        x = net.ReLU(net.BatchNormalization(x, name: "stem_bn"), 6);
        x = net.DepthwiseConv2D(x, 3, 1, Padding.Same, useBias: false, name: "dw");
        x = net.ReLU(net.BatchNormalization(x, name: "dw_bn"));
        x = net.Conv2D(x, 14, 1, activation: Activation.HardSwish, name: "pw");
        x = net.Dropout(net.GlobalAveragePooling2D(x), 0.3f);
        return net.Build(net.Dense(x, classes, Activation.Softmax, name: "dense"));
    }

    public static Trainer Trainer(TrainingOptions? options = null, PictureDataSet? data = null) =>
        new(Network(), data ?? Data, null, options ?? Options);

    /// <summary>All bytes of a checkpoint: weights, the optimizer's tensors, averages, statistics, the step.</summary>
    public static byte[] State(Trainer trainer)
    {
        using var folder = new TempFolder();
        trainer.Save(folder["state"]);
        return File.ReadAllBytes(folder["state"]);
    }

    /// <summary>The state at the end of a training that nothing disturbs.</summary>
    public static byte[] EndState(TrainingOptions? options = null)
    {
        using var trainer = Trainer(options);
        trainer.Run();
        return State(trainer);
    }

    /// <summary>Runs until so many steps of the training are made.</summary>
    public static void RunTo(Trainer trainer, long step)
    {
        using var cancellation = new CancellationTokenSource();
        var reports = new Reports(progress =>
        {
            if (progress.Step == step)
                cancellation.Cancel();
        });
        Assert.Throws<OperationCanceledException>(() => trainer.Run(reports, cancellation: cancellation.Token));
    }

    /// <summary>Makes so many steps, or those that are left.</summary>
    public static void RunSteps(Trainer trainer, int count, Action<TrainingProgress>? report = null)
    {
        using var cancellation = new CancellationTokenSource();
        try
        {
            trainer.Run(
                new Reports(progress =>
                {
                    report?.Invoke(progress);
                    if (--count == 0)
                        cancellation.Cancel();
                }),
                cancellation: cancellation.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Equal(0, count);
        }
    }

    /// <summary>Progress that is told at once, on the caller's thread.</summary>
    internal sealed class Reports(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }
}
