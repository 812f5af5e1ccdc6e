using SeparableConv.Training;
using static SeparableConv.Tests.Training.Data.DataFiles;

namespace SeparableConv.Tests.Training.Data;

/// <summary>What all data sets have in common.</summary>
public sealed class PictureDataSetTests
{
    [Theory]
    [InlineData(0.1)]
    [InlineData(0.25)]
    [InlineData(0.9)]
    public void A_split_takes_the_same_share_of_every_class(double fraction)
    {
        var data = new Numbered(1000, i => i < 700 ? 0 : i < 900 ? 1 : 2);
        var (training, validation) = data.Split(fraction, seed: 3);
        foreach (var (label, count) in new[] { (0, 700), (1, 200), (2, 100) })
        {
            Assert.Equal(Math.Round(fraction * count), Labels(validation).Count(c => c == label));
            Assert.Equal(count - Math.Round(fraction * count), Labels(training).Count(c => c == label));
        }

        var (inTraining, inValidation) = (Samples(training), Samples(validation));
        Assert.Equal(Enumerable.Range(0, 1000), inTraining.Concat(inValidation).Order());
        Assert.Equal(inTraining.Order(), inTraining);
        Assert.Equal(inValidation.Order(), inValidation);
        Assert.Equal(inValidation, Samples(data.Split(fraction, seed: 3).Validation));
        Assert.NotEqual(inValidation, Samples(data.Split(fraction, seed: 4).Validation));

        // At random: not the first of a class, nor the last.
        Assert.NotEqual(Enumerable.Range(0, inValidation.Length), inValidation);
        Assert.All(inTraining, (sample, i) => Assert.Equal(data.ClassOf(sample), training.ClassOf(i)));
    }

    [Fact]
    public void Every_class_keeps_a_sample_to_train_on()
    {
        var (training, validation) = new Numbered(4, i => Math.Min(i, 2)).Split(0.99);
        Assert.Equal([0, 1, 2], Labels(training));
        Assert.Equal([2], Labels(validation));
    }

    [Fact]
    public void The_last_samples_can_be_taken()
    {
        var (training, validation) = new Numbered(10, i => i % 3).SplitLast(3);
        Assert.Equal([0, 1, 2, 3, 4, 5, 6], Samples(training));
        Assert.Equal([7, 8, 9], Samples(validation));
        Assert.Equal("3 pictures of 2x1x2 in 3 classes", validation.ToString());
        Assert.Equal([2, 3], Samples(training.SplitLast(5).Validation)[..2]);
    }

    [Fact]
    public void Parts_that_would_be_empty_are_refused()
    {
        var data = new Numbered(10, i => i % 3);
        foreach (var count in new[] { 0, -1, 10, 11 })
            Refused<ArgumentException>(() => data.SplitLast(count), $"The last {count} of 10", "1 to 9");
        foreach (var fraction in new[] { 0, 1, -0.1, double.NaN })
            Refused<ArgumentException>(() => data.Split(fraction), "above 0 and below 1");
        Refused<ArgumentException>(() => data.Split(0.01), "10 samples in 3 classes 0 would validate");
    }

    [Fact]
    public void Normalization_is_mean_and_deviation_of_every_channel()
    {
        // The first channel counts from 0, the second is always 7.
        var normalization = new Numbered(101, _ => 0).MeasureNormalization();
        Assert.Equal([50, 7], normalization.Mean.ToArray());
        Assert.Equal([Math.Round(Math.Sqrt(((101.0 * 101) - 1) / 12), 4), 1], normalization.Deviation.ToArray());
    }

    [Fact]
    public void Reading_checks_its_arguments()
    {
        var data = new Numbered(10, _ => 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => data.Read(10, new byte[4]));
        Assert.Throws<ArgumentOutOfRangeException>(() => data.Read(-1, new byte[4]));
        Refused<ArgumentException>(() => data.Read(0, new byte[5]), "2x1x2 takes 4 bytes, but there are 5");
        Assert.Equal(0, data.SkippedCount);
        Assert.Empty(data.SkippedExamples);
    }

    // The numbers that Numbered gave its pictures.
    private static int[] Samples(PictureDataSet data)
    {
        var pixels = new byte[4];
        return [.. Enumerable.Range(0, data.Count).Select(i =>
        {
            data.Read(i, pixels);
            return pixels[0] + (256 * (byte)(pixels[2] - pixels[0]));
        })];
    }

    /// <summary>Pictures of 2x1 pixels, whose first channels tell their number.</summary>
    private sealed class Numbered(int count, Func<int, int> label) : PictureDataSet(new(["a", "b", "c"]), 2, 1, 2)
    {
        public override int Count => count;

        public override int ClassOf(int index) => label(index);

        protected override void ReadPixels(int index, Span<byte> pixels)
        {
            pixels[0] = (byte)index;
            pixels[1] = pixels[3] = 7;
            pixels[2] = (byte)(index + (index / 256));
        }
    }
}
