namespace SeparableConv.Training;

/// <summary>How a network is trained.</summary>
public sealed record TrainingOptions
{
    /// <summary>How parameters follow their gradients; SGD with momentum 0.9 and a rate of 0.1 by default.</summary>
    public Optimizer Optimizer { get; init; } = Optimizer.Sgd();

    /// <summary>What becomes of the learning rate; nothing by default.</summary>
    public LearningRateSchedule Schedule { get; init; } = LearningRateSchedule.Constant;

    /// <summary>How often all pictures are gone through. Default 10.</summary>
    public int Epochs { get; init; } = 10;

    /// <summary>
    /// Steps of the whole training in place of <see cref="Epochs"/>: the schedule is stretched over them, and the last epoch may be cut.
    /// Null for whole epochs.
    /// </summary>
    public long? Steps { get; init; }

    /// <summary>Pictures in a step. Default 64.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>What is done to the pictures that are trained on; nothing by default.</summary>
    public PictureAugmentation Augmentation { get; init; } = PictureAugmentation.None;

    /// <summary>How samples become numbers; measured over the pictures that are trained on where null.</summary>
    public Normalization? Normalization { get; init; }

    /// <summary>The share of the target that is spread over all classes, 0 up to and without 1.</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>
    /// What each class counts in the loss, one number a class; all the same where null. The mean loss of a step is
    /// sum of weight[label]*loss / <see cref="BatchSize"/>, as Keras's with <c>class_weight</c>; PyTorch's CrossEntropyLoss divides by
    /// the sum of the weights instead. A mixed picture has the weights of its two classes in the shares that it was mixed by.
    /// </summary>
    public IReadOnlyList<double>? ClassWeights { get; init; }

    /// <summary>Another network to learn from, beside the classes or in their place; null for none.</summary>
    public Distillation? Distillation { get; init; }

    /// <summary>The largest norm of all gradients together, to which they are shrunk; 0 for any.</summary>
    public double ClipNorm { get; init; }

    /// <summary>The share of the weights' moving average that stays from step to step, such as 0.999; 0 for no average.</summary>
    public double AverageDecay { get; init; }

    /// <summary>The share of a batch normalization's statistics that stays from step to step. Default 0.9.</summary>
    public double StatisticsMomentum { get; init; } = 0.9;

    /// <summary>
    /// Names of parameters that stay as they are; <c>*</c> stands for any letters. A batch normalization whose statistics stay is run as it
    /// is when the network is used.
    /// </summary>
    public IReadOnlyList<string> Freeze { get; init; } = [];

    /// <summary>All that is random follows from it.</summary>
    public int Seed { get; init; }

    /// <summary>Threads of a step; its result does not depend on them. One a processor by default.</summary>
    public int Threads { get; init; } = MachineInfo.DefaultThreads;
}
