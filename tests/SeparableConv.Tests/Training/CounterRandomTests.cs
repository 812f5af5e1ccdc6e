using SeparableConv.Training;

namespace SeparableConv.Tests.Training;

/// <summary>The generator that all of a training's chance comes from.</summary>
public sealed class CounterRandomTests
{
    [Fact]
    public void Numbers_follow_from_the_key_alone_and_keys_have_nothing_in_common()
    {
        var seen = new HashSet<ulong>();
        foreach (var purpose in Enum.GetValues<RandomPurpose>())
        {
            for (var key = 0; key < 4096; key++)
            {
                int Digit(int place) => (key >> (3 * place)) % 8;
                var random = new CounterRandom(Digit(0), purpose, Digit(1), Digit(2), Digit(3));
                var again = new CounterRandom(Digit(0), purpose, Digit(1), Digit(2), Digit(3));
                for (var i = 0; i < 4; i++)
                {
                    var number = random.Next();
                    Assert.Equal(number, again.Next());
                    Assert.True(seen.Add(number), $"{purpose}, key {key}: number {i} came before.");
                }
            }
        }
    }

    [Fact]
    public void Numbers_are_these_on_every_machine()
    {
        // Any change of the generator makes runs that were stopped before it go on to other numbers.
        var random = new CounterRandom(1, RandomPurpose.Shape, -2, 3, 4);
        Assert.Equal([16218831868161738102, 11287793701725484898, 16196712269367378581], [random.Next(), random.Next(), random.Next()]);
    }

    [Fact]
    public void Numbers_are_uniform()
    {
        // Chi-square over 64 cells, first numbers of neighbouring keys: 63 degrees of freedom, 10^-6 of the time above 129.
        var (cells, below, sum) = (new int[64], new int[7], 0.0);
        for (var i = 0; i < 70_000; i++)
        {
            var random = new CounterRandom(i % 7, RandomPurpose.Augmentation, i / 7);
            var unit = random.Unit();
            cells[(int)(64 * unit)]++;
            below[random.Below(7)]++;
            sum += random.Between(-1, 3);
        }

        Assert.InRange(cells.Sum(cell => Math.Pow(cell - (70_000 / 64.0), 2) / (70_000 / 64.0)), 20, 129);
        Assert.InRange(below.Sum(cell => Math.Pow(cell - 10_000, 2) / 10_000), 0, 38);
        Assert.InRange(sum / 70_000, 0.97, 1.03);
    }
}
