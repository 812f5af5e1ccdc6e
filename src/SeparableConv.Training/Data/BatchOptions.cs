namespace SeparableConv.Training;

/// <summary>How a data set is made into batches.</summary>
public sealed record BatchOptions
{
    /// <summary>Pictures in a batch. Default 32.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>What is done to every picture; nothing by default.</summary>
    public PictureAugmentation Augmentation { get; init; } = PictureAugmentation.None;

    /// <summary>
    /// How samples become numbers, behind the augmentation; <see cref="PictureDataSet.MeasureNormalization"/> of the data set where null.
    /// Give that of the training part to the validation part.
    /// </summary>
    public Normalization? Normalization { get; init; }

    /// <summary>All that is random follows from it: the order of every epoch, and the augmentation.</summary>
    public int Seed { get; init; }

    /// <summary>Whether every epoch has an order of its own; otherwise it is the data set's. Default true.</summary>
    public bool Shuffle { get; init; } = true;

    /// <summary>
    /// Whether an epoch ends with a batch of fewer pictures where their number is no multiple of the batch size; otherwise these wait for
    /// another epoch's order. Default false.
    /// </summary>
    public bool KeepShortBatch { get; init; }

    /// <summary>The epoch of the first batch: to go on with a training.</summary>
    public int FirstEpoch { get; init; }

    /// <summary>Which batch of its epoch is the first one.</summary>
    public int FirstBatch { get; init; }

    /// <summary>How many batches are prepared before they are asked for, at least 1; memory for one more is taken. Default 2.</summary>
    public int Ahead { get; init; } = 2;

    /// <summary>Threads that prepare batches; batches do not depend on their number. Default 1.</summary>
    public int Threads { get; init; } = 1;
}
