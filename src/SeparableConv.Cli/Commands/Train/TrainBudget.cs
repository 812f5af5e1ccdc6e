using System.Diagnostics;

namespace SeparableConv.Cli.Commands;

/// <summary>Plans a training that ends in a given time: measures how long a step and a validation take, and counts steps.</summary>
internal sealed class TrainBudget
{
    // Machines slow down while they work; what is left of this share is not used.
    private const double Used = 0.93;
    private const double MeasuredShare = 0.1;
    private const double LeastMeasured = 1;
    private const double MostMeasured = 20;
    private const int FewPictures = 64;
    private const int ManyPictures = 512;

    private readonly TimeSpan _whole;
    private readonly Stopwatch _watch;

    private double _validationSeconds;

    /// <summary>The time runs from when the watch was started.</summary>
    public TrainBudget(double minutes, Stopwatch watch)
    {
        // Timers go no further than 24 days.
        (_whole, _watch) = (TimeSpan.FromMinutes(Math.Min(minutes, 24 * 24 * 60)), watch);
    }

    /// <summary>What is left until the training must end, so that a last validation still fits.</summary>
    public TimeSpan Left => Positive(_whole - _watch.Elapsed - TimeSpan.FromSeconds(_validationSeconds));

    /// <summary>How many steps fit into the time, at least 1.</summary>
    public long Plan(
        Network network, PictureDataSet training, PictureDataSet? validation, TrainingOptions options, CancellationToken cancellation)
    {
        var normalization = options.Normalization ?? training.MeasureNormalization();
        options = options with { Normalization = normalization };
        var step = StepSeconds(network, training, options, cancellation);
        _validationSeconds = ValidationSeconds(network, validation ?? training, normalization, options.Threads, cancellation);

        var stepsPerEpoch = Math.Max(1, training.Count / options.BatchSize);
        var eachEpoch = validation is null ? 0 : _validationSeconds / stepsPerEpoch;
        var left = (_whole.TotalSeconds * Used) - _watch.Elapsed.TotalSeconds - _validationSeconds;
        return (long)Math.Clamp(left / (step + eachEpoch), 1, int.MaxValue);
    }

    // The last third of what is measured: before it code is compiled and memory is touched for the first time.
    private double StepSeconds(Network network, PictureDataSet training, TrainingOptions options, CancellationToken cancellation)
    {
        var time = TimeSpan.FromSeconds(Math.Min(
            Math.Clamp(_whole.TotalSeconds * MeasuredShare, LeastMeasured, MostMeasured), Left.TotalSeconds * 0.3));
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var trainer = new Trainer(network, training, null, options with { Steps = int.MaxValue });
        var ends = new List<double>();
        var watch = Stopwatch.StartNew();
        try
        {
            trainer.Run(
                new Told(_ =>
                {
                    ends.Add(watch.Elapsed.TotalSeconds);
                    if (watch.Elapsed > time && ends.Count > 2)
                        end.Cancel();
                }),
                cancellation: end.Token);
        }
        catch (OperationCanceledException)
        {
            cancellation.ThrowIfCancellationRequested();
        }

        var first = Math.Max(1, ends.Count * 2 / 3);
        return (ends[^1] - ends[first - 1]) / (ends.Count - first);
    }

    // Two sizes, since compiling the network for an evaluation takes the same for any number of pictures.
    private static double ValidationSeconds(
        Network network, PictureDataSet data, Normalization normalization, int threads, CancellationToken cancellation)
    {
        Time(FewPictures);
        var few = Time(FewPictures);
        if (data.Count <= FewPictures)
            return few;
        var count = Math.Min(data.Count, ManyPictures);
        return few + (Math.Max(0, Time(count) - few) / (count - FewPictures) * (data.Count - FewPictures));

        double Time(int pictures)
        {
            var part = pictures >= data.Count ? data : data.SplitLast(pictures).Validation;
            var watch = Stopwatch.StartNew();
            Evaluation.Run(network, part, normalization, threads, cancellation);
            return watch.Elapsed.TotalSeconds;
        }
    }

    private static TimeSpan Positive(TimeSpan time) => time > TimeSpan.Zero ? time : TimeSpan.Zero;
}
