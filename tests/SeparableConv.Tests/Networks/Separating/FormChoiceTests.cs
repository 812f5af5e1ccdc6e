using SeparableConv.Networks.Separating;

namespace SeparableConv.Tests.Networks.Separating;

public sealed class FormChoiceTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Choices_keep_the_budget_and_are_near_the_best(int seed)
    {
        var random = new Random(seed);
        var layers = Enumerable.Range(0, 4).Select(_ =>
        {
            var options = new List<FormOption> { new(null, 10 + (random.NextDouble() * 10), 0) };
            for (var i = 1; i < 7; i++)
                options.Add(new(new(SeparationMethod.Spatial, i), options[0].Cost * i / 8, Math.Exp(-i) * (1 + random.NextDouble())));
            return options.ToArray();
        }).ToArray();
        var whole = layers.Sum(options => options[0].Cost);
        for (var share = 0.2; share <= 1; share += 0.1)
        {
            var chosen = FormChoice.Within(layers, share * whole);
            Assert.True(FormChoice.Cost(chosen) <= share * whole);
            Assert.InRange(FormChoice.Error(chosen), Best(share * whole), (2 * Best(share * whole)) + 1e-9);
        }

        Assert.All(FormChoice.Within(layers, whole), option => Assert.Null(option.Form));

        // Nothing is that small: the smallest of all.
        Assert.Equal(
            layers.Sum(options => options.Min(option => option.Cost)), FormChoice.Cost(FormChoice.Within(layers, 0)), 1e-9);

        double Best(double budget)
        {
            var best = double.MaxValue;
            for (var i = 0; i < 7 * 7 * 7 * 7; i++)
            {
                FormOption[] one = [layers[0][i % 7], layers[1][i / 7 % 7], layers[2][i / 49 % 7], layers[3][i / 343]];
                if (FormChoice.Cost(one) <= budget)
                    best = Math.Min(best, FormChoice.Error(one));
            }

            return best;
        }
    }
}
