namespace SeparableConv.Networks.Gradients;

/// <summary>What is made small by a training.</summary>
internal enum TrainingLoss
{
    /// <summary>Softmax and cross-entropy with classes: <see cref="SoftmaxCrossEntropyOperator"/>.</summary>
    CrossEntropy,

    /// <summary>The mean of the squared distances from given numbers.</summary>
    MeanSquaredError,
}

/// <summary>What a training does to a network, as far as it is part of every step.</summary>
/// <param name="Rule">How parameters follow their gradients.</param>
internal sealed record TrainingPlan(OptimizerRule Rule)
{
    public TrainingLoss Loss { get; init; }

    /// <summary>The share of cross-entropy's target that is spread over all classes.</summary>
    public float Smoothing { get; init; }

    /// <summary>What each class counts; all the same where null.</summary>
    public float[]? ClassWeights { get; init; }

    /// <summary>The share of the loss that is the distance from a teacher; null without one, and at 1 there are no classes.</summary>
    public float? TeacherWeight { get; init; }

    /// <summary>What logits are divided by before they are compared with the teacher's.</summary>
    public float Temperature { get; init; } = 1;

    /// <summary>Whether samples are mixtures of two classes.</summary>
    public bool Mixes { get; init; }

    /// <summary>The largest norm of all gradients together; 0 for any.</summary>
    public float ClipNorm { get; init; }

    /// <summary>Whether a moving average of the weights is kept.</summary>
    public bool Averages { get; init; }

    /// <summary>The share of a batch normalization's statistics that stays when a batch's moments come.</summary>
    public float StatisticsMomentum { get; init; } = 0.9f;

    /// <summary>Whether a stored value of this name stays as it is.</summary>
    public Func<string, bool> IsFrozen { get; init; } = _ => false;
}
