using SeparableConv.Training;
using SeparableConv.Training.Augmentation;
using static SeparableConv.Tests.Training.Data.DataFiles;

namespace SeparableConv.Tests.Training.Augmentation;

/// <summary>What the steps do to pictures, and how they are written.</summary>
public sealed class PictureAugmentationTests
{
    private const int Height = 8;
    private const int Width = 10;
    private const int Tries = 4000;

    [Theory]
    [InlineData("none")]
    [InlineData("flip")]
    [InlineData("shift:4")]
    [InlineData("flip,shift:4,crop:0.6,cutout:8,jitter:0.2,jitter:0.1:0.2:0,mixup:0.2")]
    [InlineData("cutout:2,cutout:2,flip")]
    public void Text_is_read_and_written(string text) => Assert.Equal(text, PictureAugmentation.Parse(text).ToString());

    [Fact]
    public void Text_and_methods_say_the_same()
    {
        Assert.Equal("none", PictureAugmentation.Parse(" ").ToString());
        Assert.Equal(
            PictureAugmentation.Parse(" flip, shift : 4 ,mixup:1.0").ToString(),
            PictureAugmentation.None.Flip().Shift(4).Mixup(1).ToString());
        var flip = PictureAugmentation.None.Flip();
        Assert.Equal("flip,cutout:3", flip.Cutout(3).ToString());
        Assert.Equal("flip", flip.ToString());
        Assert.True(PictureAugmentation.Parse("mixup:0.5").IsMixing);
        Assert.False(flip.IsMixing);
    }

    [Theory]
    [InlineData("flop", "'flop' is no step", "flip, shift:PIXELS")]
    [InlineData("flip:1", "'flip:1' is no step", "flip, shift:PIXELS")]
    [InlineData("shift", "'shift' is no step", "shift:PIXELS")]
    [InlineData("flip,,shift:2", "'' is no step", "shift:PIXELS")]
    [InlineData("jitter:1:2", "'jitter:1:2' is no step", "jitter:BRIGHTNESS:CONTRAST:SATURATION")]
    [InlineData("shift:2.5", "'shift:2.5' takes a whole number of pixels", "'2.5'")]
    [InlineData("shift:-2", "'shift:-2' takes a whole number of pixels", "'-2'")]
    [InlineData("shift:0", "at least 1", "0 was given")]
    [InlineData("cutout:0", "at least 1", "0 was given")]
    [InlineData("crop:x", "takes a number such as 0.2", "'x'")]
    [InlineData("crop:0", "above 0 and at most 1", "0 was given")]
    [InlineData("crop:1.5", "above 0 and at most 1", "1.5 was given")]
    [InlineData("jitter:1.5", "strengths of 0 to 1", "1.5 was given")]
    [InlineData("mixup:0", "above 0 and at most 1", "0 was given")]
    [InlineData("mixup:2", "above 0 and at most 1", "2 was given")]
    [InlineData("mixup:0.2,flip", "'flip' comes behind 'mixup:0.2'", "last")]
    [InlineData("mixup:0.2,mixup:0.3", "'mixup:0.3' comes behind 'mixup:0.2'", "once")]
    public void Other_text_is_refused(string text, string what, string remedy) =>
        Refused<ArgumentException>(() => PictureAugmentation.Parse(text), what, remedy);

    [Fact]
    public void Steps_that_do_not_suit_the_size_are_refused()
    {
        PictureAugmentation.Parse("shift:7,cutout:8").Check(Height, Width);
        Refused<ArgumentException>(() => PictureAugmentation.Parse("shift:8").Check(Height, Width), "8x10", "fewer than 8");
        Refused<ArgumentException>(() => PictureAugmentation.Parse("cutout:9").Check(Height, Width), "8x10", "at most 8");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    public void Half_of_the_pictures_are_flipped(int channels)
    {
        var flipped = 0;
        Try("flip", channels, (before, after, _) =>
        {
            var isFlipped = At(after, channels, 0, 0, 0) != At(before, channels, 0, 0, 0);
            flipped += isFlipped ? 1 : 0;
            foreach (var (y, x, c) in Everywhere(channels))
                Assert.Equal(At(before, channels, y, isFlipped ? Width - 1 - x : x, c), At(after, channels, y, x, c));
        });

        // 2000 expected, with a deviation of 32.
        Assert.InRange(flipped, 1840, 2160);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Pictures_are_shifted_by_every_number_of_pixels_alike(int channels)
    {
        var counts = new int[7, 7];
        Try("shift:3", channels, (before, after, _) =>
        {
            // Samples are all different and none is 0.
            var middle = At(after, channels, 4, 5, 0);
            var (fromY, fromX, _) = Everywhere(channels).Single(p => At(before, channels, p.Y, p.X, p.C) == middle);
            var (down, right) = (4 - fromY, 5 - fromX);
            counts[down + 3, right + 3]++;
            foreach (var (y, x, c) in Everywhere(channels))
            {
                var isIn = y - down is >= 0 and < Height && x - right is >= 0 and < Width;
                Assert.Equal(isIn ? At(before, channels, y - down, x - right, c) : 0, At(after, channels, y, x, c));
            }
        });
        foreach (var count in counts)
            Assert.InRange(count, 35, 135);
    }

    [Fact]
    public void A_square_is_cut_out_around_any_pixel()
    {
        var (covered, corners) = (0, 0);
        Try("cutout:4", 2, (before, after, scratch) =>
        {
            var changed = Everywhere(2).Where(p => p.C == 0 && At(before, 2, p.Y, p.X, 0) != At(after, 2, p.Y, p.X, 0)).ToList();
            Assert.All(changed, p => Assert.Equal((101, 102), (At(after, 2, p.Y, p.X, 0), At(after, 2, p.Y, p.X, 1))));
            var (rows, columns) = (changed.Select(p => p.Y).Distinct().Count(), changed.Select(p => p.X).Distinct().Count());
            Assert.Equal(rows * columns, changed.Count);
            Assert.InRange(rows, 2, 4);
            Assert.InRange(columns, 2, 4);
            covered += changed.Count;
            corners += changed.Contains((0, 0, 0)) ? 1 : 0;
        });

        // Of 4x4 pixels as many as lie inside: over the 8 rows 3.5 on the average, over the 10 columns 3.6. The corner is covered where the
        // middle is in the first three rows and columns.
        Assert.InRange(covered / (double)Tries, 3.5 * 3.6 * 0.97, 3.5 * 3.6 * 1.03);
        Assert.InRange(corners, Tries * 9 / 80 * 0.8, Tries * 9 / 80 * 1.2);
    }

    [Fact]
    public void Crops_are_parts_of_the_picture_as_large_as_asked_for()
    {
        // A ramp from 0 to 1 over the columns, another over the rows: from what is left of them follow the part's sides.
        const int Side = 40;
        var scratch = new PictureScratch(Side, Side, 2, [0, 0]);
        var (smallest, largest, picture) = (1.0, 0.0, new float[Side * Side * 2]);
        var step = PictureAugmentation.Parse("crop:0.4").Steps[0];
        for (var i = 0; i < 1000; i++)
        {
            for (var p = 0; p < Side * Side; p++)
                (picture[2 * p], picture[(2 * p) + 1]) = (p % Side, p / Side);
            step.Apply(picture, scratch, new CounterRandom(0, RandomPurpose.Augmentation, i));

            // Between the centres of the middle pixels, where no edge bends the ramp.
            var width = (picture[2 * 30] - picture[2 * 10]) / 20;
            var height = (picture[(2 * 30 * Side) + 1] - picture[(2 * 10 * Side) + 1]) / 20;
            Assert.InRange(width / height, 0.72, 1.4);
            (smallest, largest) = (Math.Min(smallest, width * height), Math.Max(largest, width * height));
            Assert.InRange(picture.Min(), 0, Side);
            Assert.InRange(picture.Max(), 0, Side - 0.99f);
        }

        Assert.InRange(smallest, 0.37, 0.43);
        Assert.InRange(largest, 0.96, 1.0001);
        step = PictureAugmentation.Parse("crop:1").Steps[0];
        var before = Array.ConvertAll(Noise(picture.Length), sample => (float)sample);
        before.CopyTo(picture, 0);
        step.Apply(picture, scratch, new CounterRandom(0, RandomPurpose.Augmentation));
        Assert.Equal(before, picture);
    }

    [Fact]
    public void Brightness_contrast_and_saturation_change_what_they_say()
    {
        var factors = new List<float>();
        Try("jitter:0.2:0:0", 3, (before, after, _) =>
        {
            factors.Add(after[0] / before[0]);
            for (var i = 0; i < before.Length; i++)
                Assert.Equal(Math.Min(255, before[i] * after[0] / before[0]), after[i], 1e-3f * before[i]);
        });
        CheckFactors(factors, 0.8, 1.2);

        factors.Clear();
        Try("jitter:0:0.2:0", 3, (before, after, _) =>
        {
            var mean = Gray(before).Average();
            Assert.Equal(mean, Gray(after).Average(), 0.02);
            factors.Add((after[0] - mean) / (before[0] - mean));
            for (var i = 0; i < before.Length; i++)
                Assert.Equal(Math.Clamp(mean + ((before[i] - mean) * factors[^1]), 0, 255), after[i], 0.02);
        });
        CheckFactors(factors, 0.8, 1.2);

        factors.Clear();
        Try("jitter:0:0:0.2", 3, (before, after, _) =>
        {
            var (grayBefore, grayAfter) = (Gray(before), Gray(after));
            factors.Add((after[0] - grayBefore[0]) / (before[0] - grayBefore[0]));
            for (var i = 0; i < before.Length; i++)
            {
                Assert.Equal(grayBefore[i / 3], grayAfter[i / 3], 0.02);
                Assert.Equal(grayBefore[i / 3] + ((before[i] - grayBefore[i / 3]) * factors[^1]), after[i], 0.02);
            }
        });
        CheckFactors(factors, 0.8, 1.2);
        Try("jitter:0:0:1", 1, (before, after, _) => Assert.Equal(before, after));
        var ends = new HashSet<float>();
        Try("jitter:1", 3, (_, after, _) => ends.UnionWith([after.Min(), after.Max()]));
        Assert.Equal((0, 255), (ends.Min(), ends.Max()));
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.2)]
    [InlineData(0.5)]
    [InlineData(1)]
    public void Weights_are_distributed_as_Beta(double alpha)
    {
        var step = new MixupStep(alpha);
        var weights = new double[20_000];
        for (var i = 0; i < weights.Length; i++)
            weights[i] = step.Weight(new CounterRandom(5, RandomPurpose.Augmentation, 0, i));
        Assert.All(weights, weight => Assert.InRange(weight, 0, 1));

        // Mean 1/2, variance 1 / (4 (2 alpha + 1)); the fourth moment tells Beta from others that have these two.
        var variance = 1 / (4 * ((2 * alpha) + 1));
        var error = 5 * Math.Sqrt(variance / weights.Length);
        Assert.InRange(weights.Average(), 0.5 - error, 0.5 + error);
        Assert.InRange(weights.Average(w => Math.Pow(w - 0.5, 2)) / variance, 0.97, 1.03);
        var fourth = 3 / (16 * ((2 * alpha) + 1) * ((2 * alpha) + 3));
        Assert.InRange(weights.Average(w => Math.Pow(w - 0.5, 4)) / fourth, 0.95, 1.05);
    }

    private static void CheckFactors(List<float> factors, double least, double most)
    {
        Assert.InRange(factors.Min(), least - 0.002, least + 0.005);
        Assert.InRange(factors.Max(), most - 0.005, most + 0.002);
        Assert.InRange(factors.Average(), ((least + most) / 2) - 0.01, ((least + most) / 2) + 0.01);
    }

    private static float[] Gray(float[] picture) =>
        [.. picture.Chunk(3).Select(pixel => (0.299f * pixel[0]) + (0.587f * pixel[1]) + (0.114f * pixel[2]))];

    // One step on the same picture with many keys. Samples are different, of 60 to 200.
    private static void Try(string text, int channels, Action<float[], float[], PictureScratch> check)
    {
        var before = new float[Height * Width * channels];
        for (var i = 0; i < before.Length; i++)
            before[i] = 60 + (140f * (i * 37 % before.Length) / before.Length);
        Assert.Equal(before.Length, before.Distinct().Count());
        var scratch = new PictureScratch(Height, Width, channels, [.. Enumerable.Range(101, channels)]);
        var step = PictureAugmentation.Parse(text).Steps[0];
        for (var i = 0; i < Tries; i++)
        {
            var after = before.ToArray();
            step.Apply(after, scratch, new CounterRandom(1, RandomPurpose.Augmentation, 0, i));
            check(before, after, scratch);
        }
    }

    private static IEnumerable<(int Y, int X, int C)> Everywhere(int channels) =>
        from y in Enumerable.Range(0, Height)
        from x in Enumerable.Range(0, Width)
        from c in Enumerable.Range(0, channels)
        select (y, x, c);

    private static float At(float[] picture, int channels, int y, int x, int c) => picture[(((y * Width) + x) * channels) + c];
}
