using System.Diagnostics;
using System.Runtime.InteropServices;
using SeparableConv.Imaging;
using SeparableConv.Training;
using static SeparableConv.Tests.Training.Data.DataFiles;

namespace SeparableConv.Tests.Training.Data;

/// <summary>Batches, and the threads that prepare them.</summary>
[Collection(QuietCollection.Name)]
public sealed class BatchLoaderTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);
    private static readonly PictureAugmentation Everything =
        PictureAugmentation.Parse("flip,shift:2,crop:0.6,cutout:4,jitter:0.2,mixup:0.4");

    [Fact]
    public void Batches_do_not_depend_on_threads_nor_on_where_a_run_went_on()
    {
        var data = PictureDataSet.Shapes(50, 12);
        var options = new BatchOptions { BatchSize = 8, Augmentation = Everything, Seed = 3, KeepShortBatch = true };
        var expected = Take(data, options, 21);
        foreach (var (threads, ahead) in new[] { (1, 1), (2, 2), (3, 7), (8, 3) })
            Assert.Equal(expected, Take(data, options with { Threads = threads, Ahead = ahead }, 21));
        for (var first = 1; first < 21; first += 3)
        {
            var resumed = options with { FirstEpoch = first / 7, FirstBatch = first % 7, Threads = 2 };
            Assert.Equal(expected[first..], Take(data, resumed, 21 - first));
        }

        Assert.Equal(21, expected.Distinct().Count());
        Assert.NotEqual(expected, Take(data, options with { Seed = 4 }, 21));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Every_epoch_has_every_sample_once_in_an_order_of_its_own(bool isShortKept)
    {
        var data = new Numbered(50);
        using var loader = new BatchLoader(
            data, new() { BatchSize = 8, KeepShortBatch = isShortKept, Normalization = Normalization.Pixels, Threads = 2 });
        Assert.Equal(isShortKept ? 7 : 6, loader.BatchesPerEpoch);
        var orders = new List<List<int>>();
        for (var epoch = 0; epoch < 4; epoch++)
        {
            var order = new List<int>();
            for (var index = 0; index < loader.BatchesPerEpoch; index++)
            {
                var batch = loader.Next();
                Assert.Equal((epoch, index, index == loader.BatchesPerEpoch - 1), (batch.Epoch, batch.Index, batch.IsLast));
                Assert.Equal(isShortKept && batch.IsLast ? 2 : 8, batch.Count);
                Assert.Equal((batch.Count, batch.Count), (batch.Pixels.Length, batch.SecondLabels.Length));
                for (var i = 0; i < batch.Count; i++)
                {
                    order.Add((int)batch.Pixels[i]);
                    Assert.Equal((order[^1] % 3, order[^1] % 3, 1f), (batch.Labels[i], batch.SecondLabels[i], batch.Weights[i]));
                }
            }

            Assert.Equal(isShortKept ? 50 : 48, order.Distinct().Count());
            orders.Add(order);
        }

        Assert.Equal(4, orders.Select(order => string.Join(' ', order)).Distinct().Count());
    }

    [Fact]
    public void Every_place_is_as_likely_for_a_sample()
    {
        // 3000 epochs of 6 samples: 500 expected in each place, with a deviation of 20.
        var counts = new int[6, 6];
        using var loader = new BatchLoader(new Numbered(6), new() { BatchSize = 6, Normalization = Normalization.Pixels, Ahead = 8 });
        for (var epoch = 0; epoch < 3000; epoch++)
        {
            var batch = loader.Next();
            for (var i = 0; i < 6; i++)
                counts[i, (int)batch.Pixels[i]]++;
        }

        foreach (var count in counts)
            Assert.InRange(count, 400, 600);
    }

    [Fact]
    public void Without_shuffling_the_order_is_the_data_set_s()
    {
        using var loader = new BatchLoader(
            new Numbered(5), new() { BatchSize = 3, Shuffle = false, KeepShortBatch = true, Normalization = Normalization.Pixels });
        foreach (var expected in new float[][] { [0, 1, 2], [3, 4], [0, 1, 2], [3, 4] })
            Assert.Equal(expected, loader.Next().Pixels.ToArray());
    }

    [Fact]
    public void Pixels_are_normalized_to_the_bit_as_they_are_when_the_network_is_used()
    {
        var data = PictureDataSet.Shapes(40, 9);
        var pixels = Pixels(data);
        using var measured = new BatchLoader(data, new() { BatchSize = 40, Shuffle = false });
        Assert.Equal(data.MeasureNormalization().Mean.ToArray(), measured.Normalization.Mean.ToArray());
        var batch = measured.Next().Pixels.ToArray();
        foreach (var channel in new[] { 0, 1, 2 })
        {
            var samples = batch.Where((_, i) => i % 3 == channel).ToArray();
            Assert.Equal(0, samples.Average(), 1e-5);
            Assert.Equal(1, samples.Average(sample => sample * sample), 1e-4);
        }

        // One number for all channels, and one a channel.
        foreach (var normalization in new[] { Normalization.MinusOneToOne, Normalization.ImageNet })
        {
            using var loader = new BatchLoader(data, new() { BatchSize = 40, Shuffle = false, Normalization = normalization });
            var actual = loader.Next().Pixels;
            var transform = new PictureTransform(
                new Value("x", new TensorType(ElementType.Float32, new TensorShape(1, 9, 9, 3))), normalization);
            var expected = new float[243];
            for (var i = 0; i < 40; i++)
            {
                transform.Write(
                    Image.Create(9, 9, 3, pixels[(i * 243)..((i + 1) * 243)]), MemoryMarshal.AsBytes(expected.AsSpan()));
                Assert.Equal(expected, actual.Slice(i * 243, 243).ToArray());
            }
        }
    }

    [Fact]
    public void Mixed_pictures_are_sums_of_two_with_their_classes()
    {
        var data = new Numbered(21);
        var options = new BatchOptions
        {
            BatchSize = 7,
            Normalization = Normalization.Pixels,
            Augmentation = PictureAugmentation.None.Mixup(0.5),
            Seed = 2,
        };
        using var mixed = new BatchLoader(data, options);
        using var plain = new BatchLoader(data, options with { Augmentation = PictureAugmentation.None });
        var weights = new HashSet<float>();
        for (var step = 0; step < 30; step++)
        {
            var (batch, original) = (mixed.Next(), plain.Next());
            for (var i = 0; i < 7; i++)
            {
                var (weight, other) = (batch.Weights[i], 6 - i);
                weights.Add(weight);
                Assert.InRange(weight, 0, 1);
                Assert.Equal((original.Labels[i], original.Labels[other]), (batch.Labels[i], batch.SecondLabels[i]));
                Assert.Equal((weight * original.Pixels[i]) + ((1 - weight) * original.Pixels[other]), batch.Pixels[i], 1e-5f);
            }

            Assert.Equal(1, batch.Weights[3]);
        }

        // 3 pairs of 30 batches, each picture with a weight of its own, and the 1 in the middle.
        Assert.InRange(weights.Count, 170, 181);
    }

    [Fact]
    public void What_steps_do_differs_between_epochs_samples_and_steps()
    {
        // All pictures are the same, but for what is done to them.
        const string Brighter = "jitter:0.5:0:0";
        var data = new Constant(16);
        var options = new BatchOptions
        {
            BatchSize = 16,
            Normalization = Normalization.Pixels,
            Augmentation = PictureAugmentation.Parse(Brighter),
            Shuffle = false,
        };
        using var once = new BatchLoader(data, options);
        var first = once.Next().Pixels.ToArray();
        var seen = first.ToHashSet();
        for (var epoch = 1; epoch < 20; epoch++)
            seen.UnionWith(once.Next().Pixels.ToArray());
        Assert.Equal(320, seen.Count);

        // Two equal factors would give a square.
        using var twice = new BatchLoader(data, options with { Augmentation = PictureAugmentation.Parse($"{Brighter},{Brighter}") });
        var products = twice.Next().Pixels.ToArray();
        Assert.All(products.Zip(first), pair => Assert.True(Math.Abs((pair.First / 100) - Math.Pow(pair.Second / 100, 2)) > 1e-4));
    }

    [Fact]
    public void Two_batches_are_prepared_ahead_and_no_more()
    {
        var data = new Counted(100);
        using var loader = new BatchLoader(
            data, new() { BatchSize = 10, Normalization = Normalization.Pixels, Ahead = 2, Threads = 2, Shuffle = false });
        Assert.True(SpinWait.SpinUntil(() => data.Reads == 20, Long), $"{data.Reads} pictures were read.");
        loader.Next();
        Assert.True(SpinWait.SpinUntil(() => data.Reads == 30, Long), $"{data.Reads} pictures were read.");
        Thread.Sleep(50);
        Assert.Equal(30, data.Reads);
    }

    [Fact]
    public void What_was_thrown_is_thrown_to_the_caller_in_its_turn()
    {
        using var loader = new BatchLoader(
            new Broken(100, broken: 25),
            new() { BatchSize = 10, Normalization = Normalization.Pixels, Ahead = 5, Threads = 2, Shuffle = false });
        loader.Next();
        Assert.Equal(10, loader.Next().Pixels[0]);
        for (var again = 0; again < 2; again++)
            Assert.Equal("Sample 25 is broken.", Assert.Throws<IOException>(() => loader.Next()).Message);
    }

    [Fact]
    public void Disposing_stops_threads_that_wait_and_those_that_work()
    {
        var data = new Counted(1_000_000);
        var waiting = new BatchLoader(data, new() { BatchSize = 1, Normalization = Normalization.Pixels });
        waiting.Next();
        var slow = new Slow();
        var working = new BatchLoader(slow, new() { BatchSize = 1_000_000, Normalization = Normalization.Pixels, Threads = 2 });
        Assert.True(SpinWait.SpinUntil(() => slow.Reads > 0, Long));
        var caller = Task.Run(() => working.Next());
        var watch = Stopwatch.StartNew();
        waiting.Dispose();
        working.Dispose();
        working.Dispose();
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 10);
        Assert.Throws<ObjectDisposedException>(() => caller.GetAwaiter().GetResult());
        Assert.Throws<ObjectDisposedException>(() => waiting.Next());
        var reads = slow.Reads;
        Thread.Sleep(20);
        Assert.Equal(reads, slow.Reads);
    }

    [Fact]
    public void Options_that_do_not_suit_are_refused()
    {
        var data = new Numbered(10);
        Check(new() { BatchSize = 0 }, "Batches of 0 pictures");
        Check(new() { BatchSize = 11 }, "10 pictures, too few for a batch of 11", "keep the short one");
        Check(new() { BatchSize = 5, FirstBatch = 2 }, "Batch 2 of epoch 0", "0 to 1");
        Check(new() { BatchSize = 5, FirstEpoch = -1 }, "epoch -1");
        Check(new() { BatchSize = 5, Ahead = 0 }, "0 batches were to be prepared", "at least 1");
        Check(new() { BatchSize = 5, Threads = 0 }, "0");
        Check(new() { BatchSize = 5, Normalization = Normalization.ImageNet }, "3 means", "1 channel");
        Check(new() { BatchSize = 5, Augmentation = PictureAugmentation.None.Shift(1) }, "'shift:1'", "1x1");

        void Check(BatchOptions options, params string[] words) => Refused<ArgumentException>(() => new BatchLoader(data, options), words);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Batches_allocate_nothing(int threads)
    {
        using var loader = new BatchLoader(
            PictureDataSet.Shapes(40, 12).SplitLast(8).Training,
            new() { BatchSize = 8, Augmentation = Everything, Threads = threads, KeepShortBatch = true });
        var sum = 0f;
        Allocations.AreNone(("a batch", () => sum += loader.Next().Pixels[0]));
        Assert.NotEqual(0, sum);
    }

    // What the batches contain, each in a line.
    private static string[] Take(PictureDataSet data, BatchOptions options, int count)
    {
        using var loader = new BatchLoader(data, options);
        var batches = new string[count];
        for (var i = 0; i < count; i++)
        {
            var batch = loader.Next();
            var hash = new HashCode();
            hash.AddBytes(MemoryMarshal.AsBytes(batch.Pixels));
            batches[i] = $"{batch.Epoch} {batch.Index} {hash.ToHashCode()} {string.Join(',', batch.Labels.ToArray())} "
                + $"{string.Join(',', batch.SecondLabels.ToArray())} {string.Join(',', batch.Weights.ToArray())}";
        }

        return batches;
    }

    private abstract class OnePixel(int count) : PictureDataSet(new(["a", "b", "c"]), 1, 1, 1)
    {
        public override int Count => count;

        public override int ClassOf(int index) => index % 3;
    }

    private sealed class Numbered(int count) : OnePixel(count)
    {
        protected override void ReadPixels(int index, Span<byte> pixels) => pixels[0] = (byte)index;
    }

    private sealed class Constant(int count) : OnePixel(count)
    {
        protected override void ReadPixels(int index, Span<byte> pixels) => pixels[0] = 100;
    }

    private sealed class Broken(int count, int broken) : OnePixel(count)
    {
        protected override void ReadPixels(int index, Span<byte> pixels) =>
            pixels[0] = index == broken ? throw new IOException($"Sample {index} is broken.") : (byte)index;
    }

    private sealed class Counted(int count) : OnePixel(count)
    {
        private int _reads;

        public int Reads => Volatile.Read(ref _reads);

        protected override void ReadPixels(int index, Span<byte> pixels) => Interlocked.Increment(ref _reads);
    }

    private sealed class Slow() : OnePixel(1_000_000)
    {
        private int _reads;

        public int Reads => Volatile.Read(ref _reads);

        protected override void ReadPixels(int index, Span<byte> pixels)
        {
            Interlocked.Increment(ref _reads);
            Thread.Sleep(1);
        }
    }
}
