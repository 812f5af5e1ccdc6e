using System.Security.Cryptography;
using SeparableConv.Training;
using SeparableConv.Training.Data;
using static SeparableConv.Tests.Training.Data.DataFiles;

namespace SeparableConv.Tests.Training.Data.Shapes;

/// <summary>Drawn shapes.</summary>
public sealed class ShapeDataSetTests
{
    [Fact]
    public void Pictures_are_these_on_every_machine()
    {
        // Nothing but a change of the drawing may change it: results of trainings are told by seed.
        var hash = Convert.ToHexString(SHA256.HashData(Pixels(PictureDataSet.Shapes(240, 32, seed: 7))));
        Assert.StartsWith("F4981C19F92226A3FF62FA97EA93A570", hash);
    }

    [Fact]
    public void A_sample_follows_from_seed_and_number_alone()
    {
        var all = Pixels(PictureDataSet.Shapes(60, 16, seed: 1));
        Assert.Equal(all[..(20 * 768)], Pixels(PictureDataSet.Shapes(20, 16, seed: 1)));
        Assert.NotEqual(all, Pixels(PictureDataSet.Shapes(60, 16, seed: 2)));

        // From the last to the first, by several threads, and twice.
        var data = PictureDataSet.Shapes(60, 16, seed: 1);
        var (first, second) = (new byte[all.Length], new byte[all.Length]);
        Parallel.For(0, 60, i => data.Read(59 - i, first.AsSpan((59 - i) * 768, 768)));
        Parallel.For(0, 60, i => data.Read(i, second.AsSpan(i * 768, 768)));
        Assert.Equal(all, first);
        Assert.Equal(all, second);
    }

    [Fact]
    public void Classes_take_turns_and_have_names()
    {
        var data = PictureDataSet.Shapes(25, 8);
        Assert.Equal("25 pictures of 8x8x3 in 12 classes", data.ToString());
        Assert.Equal(12, data.Classes.Distinct().Count());
        Assert.Equal([0, 1, 2], Labels(data)[..3]);
        Assert.Equal(0, data.ClassOf(24));
        Refused<ArgumentException>(() => PictureDataSet.Shapes(0), "0 shapes");
        Refused<ArgumentException>(() => PictureDataSet.Shapes(1, 7), "7x7", "8 to 1024");
        Refused<ArgumentException>(() => PictureDataSet.Shapes(1, 1025), "8 to 1024");
    }

    [Fact]
    public void Outlines_keep_within_the_unit_circle_and_differ()
    {
        const int Grid = 60;
        var inside = new bool[12][];
        for (var shape = 0; shape < 12; shape++)
        {
            inside[shape] = new bool[Grid * Grid];
            for (var i = 0; i < Grid * Grid; i++)
            {
                var (x, y) = (((i % Grid) + 0.5) / (Grid / 2) - 1, (i / Grid + 0.5) / (Grid / 2) - 1);
                var distance = ShapeOutline.Distance(shape, x, y);
                inside[shape][i] = distance < 0;

                var beyond = Math.Sqrt((x * x) + (y * y)) - ShapeOutline.Reach;
                if (beyond > 0)
                    Assert.True(distance > 0, $"{ShapeOutline.Names[shape]}: {distance} at {x}, {y}.");
            }

            Assert.InRange(inside[shape].Count(isInside => isInside), Grid * Grid / 8, Grid * Grid * 7 / 10);
        }

        for (var a = 0; a < 12; a++)
        {
            for (var b = 0; b < a; b++)
                Assert.InRange(inside[a].Zip(inside[b]).Count(pair => pair.First != pair.Second), Grid * Grid / 40, Grid * Grid);
        }
    }

    [Fact]
    public void Distances_are_those_to_the_outline()
    {
        // A square of half a diagonal 1: the nearest point of the origin is half a side away, that of (2, 2) a corner.
        Assert.Equal(-Math.Sqrt(0.5), ShapeOutline.Distance(6, 0, 0), 12);
        Assert.Equal((2 - Math.Sqrt(0.5)) * Math.Sqrt(2), ShapeOutline.Distance(6, 2, 2), 12);
        Assert.Equal(1.3, ShapeOutline.Distance(6, Math.Sqrt(0.5) + 1.3, 0.1), 12);
        Assert.Equal(-0.9, ShapeOutline.Distance(0, 0, 0), 12);
        Assert.Equal(0.5, ShapeOutline.Distance(2, 0, 0), 12);
        Assert.Equal(0, ShapeOutline.Distance(1, 1, 0), 12);
        Assert.Equal(0, ShapeOutline.Distance(1, 0, 0.55), 12);
        Assert.Equal(0.5, ShapeOutline.Distance(5, -1, 0), 12);
    }

    [Fact]
    public void Means_tell_little()
    {
        // A picture is given the class whose mean picture it is nearest to: what can be told without looking at shapes.
        var (training, test) = (PictureDataSet.Shapes(2400, 16, 1), PictureDataSet.Shapes(480, 16, 2));
        var means = new double[12][];
        var (pixels, right) = (new byte[768], 0);
        for (var c = 0; c < 12; c++)
            means[c] = new double[768];
        for (var i = 0; i < training.Count; i++)
        {
            training.Read(i, pixels);
            for (var p = 0; p < 768; p++)
                means[training.ClassOf(i)][p] += pixels[p] / 200.0;
        }

        for (var i = 0; i < test.Count; i++)
        {
            test.Read(i, pixels);
            var nearest = Enumerable.Range(0, 12).MinBy(c => means[c].Zip(pixels).Sum(pair => Math.Pow(pair.First - pair.Second, 2)));
            right += nearest == test.ClassOf(i) ? 1 : 0;
        }

        Assert.InRange(right, 0, 480 / 5);
    }
}
