using System.Runtime.ExceptionServices;
using SeparableConv.Threading;
using SeparableConv.Training.Data;

namespace SeparableConv.Training;

/// <summary>
/// The batches of a data set, epoch after epoch without end, prepared by threads of their own while the caller computes.
/// </summary>
/// <remarks>
/// What a batch contains follows from the options and its number alone, not from threads or time. Memory for
/// <see cref="BatchOptions.Ahead"/> batches and one more is taken once; after a first epoch nothing is allocated. One caller at a time.
/// </remarks>
/// <example><code>
/// var options = new BatchOptions { BatchSize = 64, Augmentation = PictureAugmentation.Parse("flip,shift:4") };
/// using var batches = new BatchLoader(PictureDataSet.Shapes(12_000), options);
/// for (var step = 0; step &lt; 10 * batches.BatchesPerEpoch; step++)
/// {
///     var batch = batches.Next();
///     batch.Pixels.CopyTo(input);
/// }
/// </code></example>
public sealed class BatchLoader : IDisposable
{
    private readonly BatchOptions _options;
    private readonly Slot[] _slots;
    private readonly Thread[] _threads;
    private readonly CancellationTokenSource _stop = new();
    private readonly object _gate = new();

    // Numbers of batches, counted through all epochs: which one is given next, and which one a thread takes next.
    private long _given;
    private long _taken;

    /// <summary>Begins to prepare batches.</summary>
    /// <param name="data">The data set.</param>
    /// <param name="options">Batch size, augmentation, order; 32 pictures as they are, shuffled, where null.</param>
    /// <exception cref="ArgumentException">An option does not suit the data set.</exception>
    public BatchLoader(PictureDataSet data, BatchOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(data);
        _options = options ?? new BatchOptions();
        BatchesPerEpoch = Check(data, _options);
        Normalization = _options.Normalization ?? data.MeasureNormalization();
        Normalization.Check(data.Channels);
        _given = _taken = ((long)_options.FirstEpoch * BatchesPerEpoch) + _options.FirstBatch;
        _slots = new Slot[_options.Ahead + 1];
        for (var i = 0; i < _slots.Length; i++)
            _slots[i] = new Slot(new PictureBatch(_options.BatchSize, data.PictureBytes));
        _threads = new Thread[_options.Threads];
        for (var i = 0; i < _threads.Length; i++)
        {
            var filler = new BatchFiller(data, _options, Normalization);
            _threads[i] = new Thread(() => Prepare(filler)) { IsBackground = true, Name = $"Batches {i}" };
        }

        Array.ForEach(_threads, thread => thread.Start());
    }

    /// <summary>Batches in an epoch.</summary>
    public int BatchesPerEpoch { get; }

    /// <summary>How samples become numbers: what was given, or what was measured.</summary>
    public Normalization Normalization { get; }

    /// <summary>Gives the next batch and waits for it where it is not ready. Allocates nothing.</summary>
    /// <returns>The batch, valid until the next call.</returns>
    /// <exception cref="ObjectDisposedException">The loader is disposed.</exception>
    /// <remarks>What reading a sample threw is thrown here, in its batch's turn and in every call after it.</remarks>
    public PictureBatch Next()
    {
        lock (_gate)
        {
            var slot = _slots[_given % _slots.Length];
            while (slot.Ready != _given && !_stop.IsCancellationRequested)
                Monitor.Wait(_gate);
            ObjectDisposedException.ThrowIf(_stop.IsCancellationRequested, this);
            slot.Failure?.Throw();

            // The batch that was given before is free from here on.
            _given++;
            Monitor.PulseAll(_gate);
            return slot.Batch;
        }
    }

    /// <summary>Stops the threads and waits for them: for a picture of each at most. A caller that waits is told.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _stop.Cancel();
            Monitor.PulseAll(_gate);
        }

        Array.ForEach(_threads, thread => thread.Join());
    }

    private static int Check(PictureDataSet data, BatchOptions options)
    {
        if (options.BatchSize < 1 || (long)options.BatchSize * data.PictureBytes > Array.MaxLength)
        {
            throw new ArgumentException(
                $"Batches of {options.BatchSize} pictures of {data.PictureBytes} samples were asked for; give 1 to "
                + $"{Array.MaxLength / data.PictureBytes} pictures.");
        }

        if (options.Ahead < 1)
            throw new ArgumentException($"{options.Ahead} batches were to be prepared ahead; give at least 1.");
        WorkerPool.CheckThreads(options.Threads);
        options.Augmentation.Check(data.Height, data.Width);
        var batches = (data.Count / options.BatchSize) + (options.KeepShortBatch && data.Count % options.BatchSize > 0 ? 1 : 0);
        if (batches == 0)
        {
            throw new ArgumentException(
                $"The data set has {data.Count} pictures, too few for a batch of {options.BatchSize}; make batches smaller, or keep the "
                + "short one.");
        }

        if (options.FirstEpoch < 0 || options.FirstBatch < 0 || options.FirstBatch >= batches)
        {
            throw new ArgumentException(
                $"Batch {options.FirstBatch} of epoch {options.FirstEpoch} was to be the first one, but an epoch has the batches 0 to "
                + $"{batches - 1}, and epochs count from 0.");
        }

        return batches;
    }

    private void Prepare(BatchFiller filler)
    {
        while (Take() is { } number)
        {
            var slot = _slots[number % _slots.Length];
            ExceptionDispatchInfo? failure = null;
            try
            {
                var (epoch, index) = Math.DivRem(number, BatchesPerEpoch);
                filler.Fill(slot.Batch, checked((int)epoch), (int)index, index == BatchesPerEpoch - 1, _stop.Token);
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }

            lock (_gate)
            {
                (slot.Failure, slot.Ready) = (failure, number);
                Monitor.PulseAll(_gate);
            }

            if (failure is not null)
                return;
        }
    }

    // The number of a batch whose memory is free; null at the end.
    private long? Take()
    {
        lock (_gate)
        {
            while (_taken >= _given + _options.Ahead && !_stop.IsCancellationRequested)
                Monitor.Wait(_gate);
            return _stop.IsCancellationRequested ? null : _taken++;
        }
    }

    /// <summary>
    /// The memory of a batch, and which one is in it; guarded by the gate, but for the batch itself while a thread fills it.
    /// </summary>
    private sealed class Slot(PictureBatch batch)
    {
        public PictureBatch Batch => batch;

        /// <summary>The number of the batch that is in it.</summary>
        public long Ready { get; set; } = -1;

        public ExceptionDispatchInfo? Failure { get; set; }
    }
}
