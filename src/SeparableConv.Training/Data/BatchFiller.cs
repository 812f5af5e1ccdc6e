using System.Numerics.Tensors;
using SeparableConv.Training.Augmentation;

namespace SeparableConv.Training.Data;

/// <summary>
/// Fills batches: one thread's part of a <see cref="BatchLoader"/>, with memory of its own. A batch follows from its epoch and its place in
/// it alone.
/// </summary>
internal sealed class BatchFiller
{
    private readonly PictureDataSet _data;
    private readonly BatchOptions _options;

    // Of each sample of a row.
    private readonly double[] _mean;
    private readonly double[] _deviation;
    private readonly double[] _row;
    private readonly byte[] _bytes;
    private readonly PictureScratch _scratch;
    private readonly int[] _order;
    private int _orderEpoch = -1;

    public BatchFiller(PictureDataSet data, BatchOptions options, Normalization normalization)
    {
        (_data, _options) = (data, options);
        var length = data.Width * data.Channels;
        (_mean, _deviation, _row) = (new double[length], new double[length], new double[length]);
        for (var i = 0; i < length; i++)
            (_mean[i], _deviation[i]) = (normalization.MeanOf(i % data.Channels), normalization.DeviationOf(i % data.Channels));
        _bytes = new byte[data.PictureBytes];
        var colour = Array.ConvertAll(_mean[..data.Channels], mean => (float)mean);
        _scratch = new PictureScratch(data.Height, data.Width, data.Channels, colour);
        _order = new int[data.Count];
    }

    /// <summary>Fills a batch.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="epoch">Its epoch.</param>
    /// <param name="index">Which one of the epoch.</param>
    /// <param name="isLast">Whether it is the epoch's last one.</param>
    /// <param name="stop">Asked between pictures: the batch is then left as it is.</param>
    public void Fill(PictureBatch batch, int epoch, int index, bool isLast, CancellationToken stop)
    {
        Order(epoch);
        var first = index * _options.BatchSize;
        var samples = _order.AsSpan(first, Math.Min(_options.BatchSize, _order.Length - first));
        batch.Begin(epoch, index, isLast, samples.Length);
        for (var i = 0; i < samples.Length; i++)
        {
            if (stop.IsCancellationRequested)
                return;
            FillPicture(batch.Picture(i), epoch, samples[i]);
            batch.SetLabel(i, _data.ClassOf(samples[i]));
        }

        if (_options.Augmentation.Mixing is { } mixing)
            Mix(mixing, batch, epoch, samples);
    }

    private void FillPicture(Span<float> picture, int epoch, int sample)
    {
        _data.Read(sample, _bytes);
        TensorPrimitives.ConvertTruncating<byte, float>(_bytes, picture);
        var steps = _options.Augmentation.Steps;
        for (var s = 0; s < steps.Length; s++)
            steps[s].Apply(picture, _scratch, new CounterRandom(_options.Seed, RandomPurpose.Augmentation, epoch, sample, s));

        // In double precision, as PictureTransform does it: a network is used on the very numbers that it was trained on.
        for (var at = 0; at < picture.Length; at += _row.Length)
        {
            var row = picture.Slice(at, _row.Length);
            TensorPrimitives.ConvertTruncating<float, double>(row, _row);
            TensorPrimitives.Subtract(_row, _mean, _row);
            TensorPrimitives.Divide(_row, _deviation, _row);
            TensorPrimitives.ConvertTruncating<double, float>(_row, row);
        }
    }

    // The first with the last, the second with the last but one; the order is random, and so are the pairs. The one in the middle of an odd
    // number stays as it is.
    private void Mix(MixupStep mixing, PictureBatch batch, int epoch, ReadOnlySpan<int> samples)
    {
        for (int i = 0, j = samples.Length - 1; i < j; i++, j--)
        {
            var (kept, other) = (Weight(mixing, epoch, samples[i]), Weight(mixing, epoch, samples[j]));
            MixupStep.Mix(batch.Picture(i), kept, batch.Picture(j), other, _scratch.Copy);
            batch.SetMix(i, kept, j);
            batch.SetMix(j, other, i);
        }
    }

    private float Weight(MixupStep mixing, int epoch, int sample) => mixing.Weight(
        new CounterRandom(_options.Seed, RandomPurpose.Augmentation, epoch, sample, _options.Augmentation.Steps.Length));

    // Fisher and Yates, from the data set's own order: no epoch depends on the one before.
    private void Order(int epoch)
    {
        if (_orderEpoch == epoch)
            return;
        for (var i = 0; i < _order.Length; i++)
            _order[i] = i;
        _orderEpoch = epoch;
        if (!_options.Shuffle)
            return;
        var random = new CounterRandom(_options.Seed, RandomPurpose.Order, epoch);
        for (var i = _order.Length - 1; i > 0; i--)
        {
            var other = random.Below(i + 1);
            (_order[i], _order[other]) = (_order[other], _order[i]);
        }
    }
}
