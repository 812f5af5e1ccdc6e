using System.Security.Cryptography;

namespace SeparableConv.Tests.Networks;

/// <summary>The numbers that weights start from.</summary>
public sealed class WeightStreamTests
{
    private const double CutDeviation = 0.87962566103423978;

    // Of (3,3,16,8) and seed 7, computed a second time by other means: the same on every machine.
    [Theory]
    [InlineData(Initializer.GlorotUniform, "29CF8BE1CF85F1BD0633D8E112327986")]
    [InlineData(Initializer.HeUniform, "88199FE56A8021009F949FE7B000CDCE")]
    [InlineData(Initializer.LecunUniform, "E1E903D6812FD5F319BB71A5F231D4BC")]
    [InlineData(Initializer.GlorotNormal, "06ABDCF47EF2AE016DCDF4FBAF3EBD25")]
    [InlineData(Initializer.HeNormal, "45E21B7BF7A253268C059CEED635747A")]
    [InlineData(Initializer.LecunNormal, "1687CA0C692000CD0174075669C56991")]
    public void Bits_of_first_weights_stay(Initializer initializer, string hash)
    {
        var weights = new WeightStream(7).Next(initializer, new(3, 3, 16, 8), isDepthwise: false);
        Assert.Equal(hash, Convert.ToHexString(SHA256.HashData(weights.Bytes))[..32]);
    }

    [Theory]
    [InlineData(Initializer.GlorotNormal, false, 2.0 / (9 * (64 + 256)))]
    [InlineData(Initializer.HeNormal, false, 2.0 / (9 * 64))]
    [InlineData(Initializer.LecunNormal, false, 1.0 / (9 * 64))]
    [InlineData(Initializer.GlorotNormal, true, 2.0 / (9 * (64 + 256)))]
    [InlineData(Initializer.HeNormal, true, 2.0 / 9)]
    [InlineData(Initializer.LecunNormal, true, 1.0 / 9)]
    public void Normal_weights_have_the_deviation_and_are_cut_at_two_sigma(Initializer initializer, bool isDepthwise, double variance)
    {
        var weights = Array.ConvertAll(
            new WeightStream(1).Next(initializer, new(3, 3, 64, 256), isDepthwise).Span<float>().ToArray(), weight => (double)weight);
        var cut = 2 * Math.Sqrt(variance) / CutDeviation;
        Assert.InRange(weights.Max(), 0.999 * cut, cut * (1 + 1e-7));
        Assert.InRange(weights.Min(), -cut * (1 + 1e-7), -0.999 * cut);

        // Five standard errors of 147,456 weights. The fourth moment of a normal distribution that is cut at two sigma is 2.366 times its
        // squared variance, that of one that is not cut 3 times, that of even numbers 1.8 times.
        Assert.InRange(weights.Average() / Math.Sqrt(variance), -0.013, 0.013);
        Assert.InRange(weights.Average(weight => weight * weight) / variance, 0.984, 1.016);
        Assert.InRange(weights.Average(weight => Math.Pow(weight, 4)) / (variance * variance), 2.31, 2.43);
        Assert.InRange(weights.Average(weight => Math.Pow(weight, 3)) / Math.Pow(variance, 1.5), -0.04, 0.04);
    }

    [Fact]
    public void A_builder_takes_them()
    {
        var net = new NetworkBuilder(7);
        var layer = net.Conv2D(net.Input(new(8, 8, 16)), 8, 3, kernelInitializer: Initializer.HeNormal);
        var expected = new WeightStream(7).Next(Initializer.HeNormal, new(3, 3, 16, 8), false);
        Assert.True(expected.Bytes.SequenceEqual(layer.Producer!.Inputs[1]!.Data!.Bytes));
    }
}
