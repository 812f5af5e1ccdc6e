using System.Diagnostics;
using System.Globalization;
using System.Numerics.Tensors;

namespace SeparableConv.Training;

/// <summary>How far a training has come.</summary>
/// <param name="Step">Steps that were made.</param>
/// <param name="Steps">Steps of the whole training.</param>
/// <param name="Epoch">The epoch, from 0.</param>
/// <param name="Epochs">Epochs of the whole training.</param>
/// <param name="Loss">The mean loss of this epoch so far.</param>
/// <param name="Accuracy">
/// The share of this epoch's pictures so far that the network told right while it learned from them; of pictures without labels the share
/// that it told as its teacher did.
/// </param>
/// <param name="Rate">The learning rate.</param>
/// <param name="PicturesPerSecond">Pictures that were learned from in a second, since the training began.</param>
/// <param name="Remaining">The time that is left at this speed.</param>
public readonly record struct TrainingProgress(
    long Step, long Steps, int Epoch, int Epochs, double Loss, double Accuracy, double Rate, double PicturesPerSecond, TimeSpan Remaining);

/// <summary>An epoch of a training.</summary>
/// <param name="Epoch">The epoch, from 0.</param>
/// <param name="Loss">The mean loss over its steps.</param>
/// <param name="Accuracy">
/// The share of pictures that the network told right while it learned from them; of pictures without labels the share that it told as its
/// teacher did.
/// </param>
/// <param name="Validation">The figures on the pictures that are not trained on; null without them.</param>
/// <param name="Seconds">Seconds since the training began, validation counted.</param>
public sealed record EpochResult(int Epoch, double Loss, double Accuracy, Evaluation? Validation, double Seconds);

/// <summary>A loss or a weight that is no number any more, and where it was seen.</summary>
public sealed class DivergenceException : Exception
{
    internal DivergenceException(string message)
        : base(message)
    {
    }
}

/// <summary>Trains a network on a data set.</summary>
/// <remarks>The same options and seed give the same bits, on any number of threads, and after going on from a checkpoint.</remarks>
/// <example><code>
/// var (training, validation) = PictureDataSet.Load("fashion-mnist").SplitLast(10_000);
/// using var trainer = new Trainer(network, training, validation, new() { Epochs = 20, Schedule = LearningRateSchedule.OneCycle() });
/// trainer.Run();
/// OnnxWriter.Write(trainer.ToNetwork(), "model.onnx");
/// </code></example>
public sealed class Trainer : IDisposable
{
    private readonly PictureDataSet _training;
    private readonly PictureDataSet? _validation;
    private readonly TrainingOptions _options;
    private readonly TrainingStep _step;
    private readonly PictureInput _input;
    private readonly List<EpochResult> _epochs = [];

    // Of the teacher, for checkpoints; empty until one is asked for.
    private string _teacher = "";

    // Of the epoch that is not yet told of.
    private EpochSums _sums;

    /// <summary>Compiles a training.</summary>
    /// <param name="network">The network it begins with; it is not changed.</param>
    /// <param name="training">The pictures to learn from.</param>
    /// <param name="validation">Pictures to look at after each epoch; none where null.</param>
    /// <param name="options">How; the defaults where null.</param>
    /// <exception cref="ArgumentException">
    /// An option is out of range, network, teacher and pictures do not suit each other, or pictures have no labels where these count.
    /// </exception>
    /// <exception cref="NetworkException">The network cannot be trained; the message says why.</exception>
    public Trainer(Network network, PictureDataSet training, PictureDataSet? validation = null, TrainingOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(training);
        (_training, _validation, _options) = (training, validation, options ?? new());
        if (_options.BatchSize > training.Count)
        {
            throw new ArgumentException(
                $"A step takes {_options.BatchSize} pictures but there are {training.Count}; make batches smaller.");
        }

        CheckLabels(training, validation, _options.Distillation);
        _step = new TrainingStep(network, _options);
        try
        {
            if (training.IsLabelled && _step.Classes != training.Classes.Count)
            {
                throw new ArgumentException(
                    $"The network tells {_step.Classes} classes apart but the pictures have {training.Classes.Count}; give it a last layer "
                    + "for these.");
            }

            _input = new PictureInput(network.Inputs[0].Type, training);
            Normalization = Normalize(training, _options);
        }
        catch
        {
            _step.Dispose();
            throw;
        }

        StepsPerEpoch = training.Count / _options.BatchSize;
    }

    /// <summary>
    /// How samples become numbers: as <see cref="TrainingOptions.Normalization"/> says, else as the teacher's metadata does, else by what
    /// is measured.
    /// </summary>
    public Normalization Normalization { get; }

    /// <summary>Steps in an epoch.</summary>
    public int StepsPerEpoch { get; }

    /// <summary>Steps of the whole training.</summary>
    public long Steps => _options.Steps ?? (long)StepsPerEpoch * _options.Epochs;

    /// <summary>Steps that were made, those before a checkpoint counted.</summary>
    public long StepsDone => _step.Steps;

    /// <summary>Epochs of the whole training; the last one may be cut.</summary>
    public int EpochCount => (int)((Steps + StepsPerEpoch - 1) / StepsPerEpoch);

    /// <summary>Epochs that were finished, those before a checkpoint counted.</summary>
    public int EpochsDone => (int)(IsAtEpochEnd && _sums.Steps == 0 ? CurrentEpoch + 1 : CurrentEpoch);

    /// <summary>The epochs that were finished since this object was made.</summary>
    public IReadOnlyList<EpochResult> Epochs => _epochs;

    /// <summary>Bytes that a step works in, weights not counted.</summary>
    public long MemoryBytes => _step.MemoryBytes;

    /// <summary>
    /// Goes on from a checkpoint: the rest of the training gives the same bits and figures as if it had never stopped.
    /// </summary>
    /// <param name="path">A file that <see cref="Save(string)"/> wrote.</param>
    /// <exception cref="InvalidDataException">
    /// It is no checkpoint, is damaged, or is that of another training; nothing has changed.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public void Resume(string path) => _sums = Checkpoint.Load(path);

    /// <summary>Writes a checkpoint; a file that is there stays until the new one is on the disk.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="DivergenceException">The weights are lost; the file that is there is not.</exception>
    public void Save(string path)
    {
        CheckWeights();
        Checkpoint.Save(path, _sums);
    }

    /// <summary>Writes what a checkpoint would hold.</summary>
    internal void Save(Stream stream)
    {
        CheckWeights();
        Checkpoint.Write(stream, _sums);
    }

    /// <summary>As the other <see cref="Resume(string)"/>, from what a file would hold.</summary>
    internal void Resume(Stream stream) => _sums = Checkpoint.Read(stream, "stream");

    /// <summary>Trains to the end, or until it is ended.</summary>
    /// <param name="progress">Told after each step.</param>
    /// <param name="onEpoch">Told after each epoch, with what came out; a good moment to <see cref="Save(string)"/>.</param>
    /// <param name="cancellation">Ends the training after a step; what was learned stays.</param>
    /// <exception cref="DivergenceException">
    /// The loss or a weight is NaN or infinite; the weights are lost, a checkpoint is not.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was ended.</exception>
    public void Run(
        IProgress<TrainingProgress>? progress = null, Action<EpochResult>? onEpoch = null, CancellationToken cancellation = default)
    {
        var watch = Stopwatch.StartNew();

        // Where the validation behind an epoch's last step was interrupted.
        if (IsAtEpochEnd && _sums.Steps > 0)
            EndEpoch(onEpoch, watch, cancellation);
        if (_step.Steps >= Steps)
            return;
        var (firstEpoch, firstBatch) = Math.DivRem(_step.Steps, StepsPerEpoch);
        using var batches = new BatchLoader(_training, new()
        {
            BatchSize = _options.BatchSize,
            Augmentation = _options.Augmentation,
            Normalization = Normalization,
            Seed = _options.Seed,
            FirstEpoch = (int)firstEpoch,
            FirstBatch = (int)firstBatch,
        });
        var begin = _step.Steps;
        while (_step.Steps < Steps)
        {
            cancellation.ThrowIfCancellationRequested();
            var batch = batches.Next();
            var loss = Learn(batch, out var rate);
            _sums = _sums.With(loss, Right(batch));
            if (progress is not null)
            {
                var speed = (_step.Steps - begin) * _options.BatchSize / watch.Elapsed.TotalSeconds;
                var remaining = TimeSpan.FromSeconds((Steps - _step.Steps) * _options.BatchSize / speed);
                progress.Report(new(
                    _step.Steps,
                    Steps,
                    batch.Epoch,
                    EpochCount,
                    _sums.MeanLoss,
                    _sums.Accuracy(_options.BatchSize),
                    rate,
                    speed,
                    remaining));
            }

            if (IsAtEpochEnd)
                EndEpoch(onEpoch, watch, cancellation);
        }
    }

    /// <summary>
    /// The network as it is now, with the moving average of its weights where one is kept; its input takes one picture, and its metadata
    /// has the <see cref="Normalization"/>, so that a <see cref="PictureClassifier"/> does the same to pictures.
    /// </summary>
    /// <returns>A new network.</returns>
    public Network ToNetwork()
    {
        var trained = _step.ToNetwork(_options.AverageDecay > 0).WithBatch(1);
        var metadata = new Dictionary<string, string>(trained.Metadata);
        foreach (var (name, numbers) in Normalization.ToMetadata())
            metadata[name] = numbers;
        return trained.WithMetadata(metadata);
    }

    /// <summary>Lets the memory go.</summary>
    public void Dispose() => _step.Dispose();

    // What must be the same for a checkpoint to be gone on from: all that the bits of the rest follow from.
    private string Settings => string.Create(
        CultureInfo.InvariantCulture,
        $"{_options.Optimizer}, {_options.Schedule}, "
        + $"steps {Steps}, batch {_options.BatchSize}, seed {_options.Seed}, "
        + $"augmentation {_options.Augmentation}, smoothing {_options.LabelSmoothing}, clip {_options.ClipNorm}, "
        + $"average {_options.AverageDecay}, statistics {_options.StatisticsMomentum}, "
        + $"weights {ClassWeights}, {Teaching}"
        + $"freeze {string.Join(' ', _options.Freeze)}, normalization {Normalization}, data {_training}");

    private Checkpoint Checkpoint => new(_step, Settings, Steps, StepsPerEpoch);

    // The epoch of the step that was made last.
    private long CurrentEpoch => Math.Max(0, _step.Steps - 1) / StepsPerEpoch;

    private bool IsAtEpochEnd => _step.Steps > 0 && (_step.Steps % StepsPerEpoch == 0 || _step.Steps == Steps);

    private string ClassWeights => string.Join(
        ' ', (_options.ClassWeights ?? []).Select(weight => weight.ToString(CultureInfo.InvariantCulture)));

    // Nothing without a teacher: checkpoints that were written before there were any can be gone on from.
    private string Teaching
    {
        get
        {
            if (_options.Distillation is not { } distillation)
                return "";
            if (_teacher.Length == 0)
                _teacher = NetworkFingerprint.Of(distillation.Teacher);
            return FormattableString.Invariant(
                $"teacher {_teacher} (weight {distillation.Weight}, temperature {distillation.Temperature}), ");
        }
    }

    private static void CheckLabels(PictureDataSet training, PictureDataSet? validation, Distillation? distillation)
    {
        if (!training.IsLabelled && distillation?.NeedsLabels != false)
        {
            throw new ArgumentException(
                "The pictures have no labels, and a network learns from these alone where it has no teacher of weight 1; give it one, or "
                + "pictures with labels.");
        }

        if (validation is { IsLabelled: false })
            throw new ArgumentException("The pictures to validate with have no labels; give others, or none.");
    }

    // A teacher sees the same numbers as the network: they must be those that it was trained on.
    private static Normalization Normalize(PictureDataSet training, TrainingOptions options)
    {
        var known = options.Distillation is { } distillation ? Normalization.Of(distillation.Teacher) : null;
        known?.Check(training.Channels);
        options.Normalization?.Check(training.Channels);
        if (options.Normalization is not { } given)
            return known ?? training.MeasureNormalization();
        for (var c = 0; known is not null && c < training.Channels; c++)
        {
            if (given.MeanOf(c) != known.MeanOf(c) || given.DeviationOf(c) != known.DeviationOf(c))
            {
                throw new ArgumentException(
                    $"The pictures are normalized by {given} but the teacher was trained with {known}; give both the same.");
            }
        }

        return given;
    }

    private void EndEpoch(Action<EpochResult>? onEpoch, Stopwatch watch, CancellationToken cancellation)
    {
        // The loss of the next step would tell it: too late for what is done at an epoch's end, and there may be none.
        CheckWeights();
        var (loss, accuracy) = (_sums.MeanLoss, _sums.Accuracy(_options.BatchSize));
        var result = new EpochResult((int)CurrentEpoch, loss, accuracy, Validate(cancellation), watch.Elapsed.TotalSeconds);
        _epochs.Add(result);
        _sums = default;
        onEpoch?.Invoke(result);
    }

    private double Learn(PictureBatch batch, out double rate)
    {
        _input.Write(batch.Pixels, System.Runtime.InteropServices.MemoryMarshal.AsBytes(_step.Pixels));
        if (!_step.Labels.IsEmpty)
            batch.Labels.CopyTo(_step.Labels);
        if (!_step.SecondLabels.IsEmpty)
        {
            batch.SecondLabels.CopyTo(_step.SecondLabels);
            batch.Weights.CopyTo(_step.MixWeights);
        }

        rate = _options.Optimizer.LearningRate * _options.Schedule.Factor(_step.Steps, StepsPerEpoch, Steps);
        var loss = _step.Forward();
        if (!double.IsFinite(loss))
            throw Divergence(loss);
        _step.Backward();
        _step.Update(rate);
        return loss;
    }

    private int Right(PictureBatch batch)
    {
        var right = 0;
        for (var n = 0; n < batch.Count; n++)
        {
            var label = _training.IsLabelled ? batch.Labels[n] : Best(_step.TeacherLogits, n);
            right += Best(_step.Logits, n) == label ? 1 : 0;
        }

        return right;
    }

    private int Best(ReadOnlySpan<float> logits, int picture) =>
        TensorPrimitives.IndexOfMax(logits.Slice(picture * _step.Classes, _step.Classes));

    private Evaluation? Validate(CancellationToken cancellation) => _validation is null
        ? null
        : Evaluation.Run(ToNetwork(), _validation, Normalization, _options.Threads, cancellation);

    private DivergenceException Divergence(double loss) => new(FormattableString.Invariant(
        $"The loss of step {_step.Steps + 1} is {loss}")
        + (Lost() is { } lost
            ? $": {lost}; lower the learning rate, or clip the gradients."
            : " though all weights are finite; lower the learning rate, or look at the pictures."));

    private void CheckWeights()
    {
        if (Lost() is { } lost)
        {
            throw new DivergenceException(
                FormattableString.Invariant($"Behind step {_step.Steps} {lost}; lower the learning rate, or clip the gradients."));
        }
    }

    // The first weight or statistic that is no number any more.
    private string? Lost()
    {
        foreach (var value in _step.Weights)
        {
            foreach (var number in _step.Stored(value))
            {
                if (!float.IsFinite(number))
                    return FormattableString.Invariant($"'{value.Name}' holds {number}");
            }
        }

        return null;
    }
}
