using SeparableConv.Networks.Separating;

namespace SeparableConv.Tests.Networks.Separating;

/// <summary>Least squares over samples: products, the triangular factor, moments of patches, fits.</summary>
public sealed class SampleFitTests
{
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(7, 3, 300)]
    [InlineData(129, 65, 257)]
    [InlineData(260, 131, 600)]
    public void Sums_of_products_match_plain_ones_on_any_number_of_threads(int leftWidth, int rightWidth, int samples)
    {
        var left = RandomData.Floats(samples * leftWidth, 1);
        var right = RandomData.Floats(samples * rightWidth, 2);
        var sums = SampleProducts.Sum(left, leftWidth, right, rightWidth, samples, isLower: false, threads: 1);
        for (var i = 0; i < leftWidth; i++)
        {
            for (var j = 0; j < rightWidth; j++)
            {
                var expected = 0.0;
                for (var n = 0; n < samples; n++)
                    expected += (double)left[(n * leftWidth) + i] * right[(n * rightWidth) + j];
                Assert.Equal(expected, sums[(i * rightWidth) + j], 1e-4);
            }
        }

        Assert.Equal(sums, SampleProducts.Sum(left, leftWidth, right, rightWidth, samples, isLower: false, threads: 3));
        var lower = SampleProducts.Sum(left, leftWidth, left, leftWidth, samples, isLower: true, threads: 2);
        var whole = SampleProducts.Sum(left, leftWidth, left, leftWidth, samples, isLower: false, threads: 2);
        for (var i = 0; i < leftWidth; i++)
            Assert.Equal(whole.AsSpan(i * leftWidth, i + 1), lower.AsSpan(i * leftWidth, i + 1));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(5, 3)]
    [InlineData(40, 7)]
    [InlineData(21, 71)]
    public void The_triangular_factor_solves_and_tells_what_each_unknown_explains(int n, int columns)
    {
        var root = RandomData.Floats(n * n, 1);
        var matrix = new double[n * n];
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < n; j++)
            {
                for (var k = 0; k < n; k++)
                    matrix[(i * n) + j] += (double)root[(i * n) + k] * root[(j * n) + k];
            }

            matrix[(i * n) + i] += 1;
        }

        var b = Array.ConvertAll(RandomData.Floats(n * columns, 2), x => (double)x);
        var x = (double[])b.Clone();
        TriangularFactor.Of((double[])matrix.Clone(), n, 0).Solve(x, columns, 2);
        for (var i = 0; i < n; i++)
        {
            for (var c = 0; c < columns; c++)
            {
                var sum = 0.0;
                for (var j = 0; j < n; j++)
                    sum += matrix[(i * n) + j] * x[(j * columns) + c];
                Assert.Equal(b[(i * columns) + c], sum, 1e-9);
            }
        }

        // b' * inverse * b, and the same for the first unknowns alone.
        for (var used = 1; used <= n; used++)
        {
            var part = new double[used * used];
            for (var i = 0; i < used; i++)
                matrix.AsSpan(i * n, used).CopyTo(part.AsSpan(i * used));
            var solution = b.AsSpan(0, used * columns).ToArray();
            TriangularFactor.Of(part, used, 0).Solve(solution, columns, 1);
            var explained = TriangularFactor.Of((double[])matrix.Clone(), n, 0).Explained((double[])b.Clone(), columns, 2);
            var expected = solution.Zip(b, (s, t) => s * t).Sum();
            Assert.Equal(expected, explained[..used].Sum(), 1e-9);
        }
    }

    [Fact]
    public void A_fit_to_few_samples_does_not_believe_their_noise()
    {
        // As many samples as weights a filter: without a ridge their noise is given back, and the weights are far off.
        var layer = SeparatedLayers.Create(10, 8, 1, 2, 1, 1, Padding.Valid);
        const int Samples = 40;
        var patches = RandomData.Floats(Samples * 40, 5);
        var noise = RandomData.Floats(Samples * 8, 6);
        var wanted = new float[Samples * 8];
        for (var n = 0; n < Samples; n++)
        {
            for (var o = 0; o < 8; o++)
            {
                wanted[(n * 8) + o] = noise[(n * 8) + o];
                for (var d = 0; d < 40; d++)
                    wanted[(n * 8) + o] += patches[(n * 40) + d] * layer.Weights[(d * 8) + o];
            }
        }

        var (weights, _) = new LayerFit(threads: 1).Fit(
            layer.Geometry, [patches], wanted, Samples, layer.Weights, new float[8], FitBounds.None, CancellationToken.None);
        Assert.InRange(SeparatedLayers.Distance(layer.Weights, weights), 1e-3, 0.5);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void What_moments_promise_a_fit_keeps(int groups)
    {
        var layer = SeparatedLayers.Create(6 * groups, 9 * groups, groups, 3, 1, 1, Padding.Valid);
        var samples = 3000;
        var patches = Enumerable.Range(0, groups).Select(group => Patches(layer, samples, group)).ToArray();
        var wanted = new float[samples * layer.Filters];
        for (var n = 0; n < samples; n++)
        {
            for (var o = 0; o < layer.Filters; o++)
            {
                for (var d = 0; d < layer.PatchLength; d++)
                {
                    wanted[(n * layer.Filters) + o] += patches[o / layer.GroupFilters][(n * layer.PatchLength) + d]
                        * layer.Weights[(d * layer.Filters) + o];
                }
            }
        }

        var moments = PatchMoments.Of(layer, patches, samples, threads: 2);
        var splits = new LayerSplits(layer, 1);
        var family = splits.Families(SeparationMethod.DepthwisePointwise, isUniform: true).Single();
        var errors = moments.Errors(family);
        for (var i = 0; i < family.Forms.Length; i++)
        {
            // The depthwise step by hand, then a fit of the pointwise one.
            var chain = splits.Build(family.Forms[i]);
            var (depthwise, multiplier) = (chain.Stages[0], chain.Stages[0].Shape[3]);
            var between = new float[groups][];
            for (var group = 0; group < groups; group++)
            {
                var width = layer.GroupChannels * multiplier;
                between[group] = new float[samples * width];
                for (var n = 0; n < samples; n++)
                {
                    for (var e = 0; e < width; e++)
                    {
                        for (var tap = 0; tap < layer.Taps; tap++)
                        {
                            between[group][(n * width) + e] +=
                                patches[group][(n * layer.PatchLength) + (tap * layer.GroupChannels) + (e / multiplier)]
                                * depthwise.Weights[(tap * layer.Channels * multiplier) + (group * width) + e];
                        }
                    }
                }
            }

            var geometry = chain.Last.Geometry(new(1, 1, 1, layer.Channels * multiplier));
            var fit = new LayerFit(2);
            fit.Fit(geometry, between, wanted, samples, chain.Last.Weights, null, FitBounds.None, default);
            Assert.Equal(errors[i], fit.Error, 1e-3);
        }
    }

    [Fact]
    public void A_fit_that_looks_at_the_activation_loses_less_behind_it()
    {
        const int Samples = 4000;
        var layer = SeparatedLayers.Create(5, 8, 1, 3, 1, 1, Padding.Valid);
        var patches = Patches(layer, Samples, 0);
        var wanted = new float[Samples * 8];
        for (var n = 0; n < Samples; n++)
        {
            for (var o = 0; o < 8; o++)
            {
                for (var d = 0; d < layer.PatchLength; d++)
                    wanted[(n * 8) + o] += patches[(n * layer.PatchLength) + d] * layer.Weights[(d * 8) + o];
            }
        }

        // Too few features: every other number of the patch.
        var width = layer.PatchLength / 2;
        var few = new float[Samples * width];
        for (var n = 0; n < Samples; n++)
        {
            for (var d = 0; d < width; d++)
                few[(n * width) + d] = patches[(n * layer.PatchLength) + (2 * d)];
        }

        var geometry = ConvGeometry.Create(1, 1, width, 8, 1, 1, 1, Padding.Valid);
        var zeros = new float[width * 8];
        var linear = new LayerFit(1);
        var (weights, bias) = linear.Fit(geometry, [few], wanted, Samples, zeros, null, FitBounds.None, default);
        var relu = new FitBounds(0, float.PositiveInfinity);
        var aware = new LayerFit(1);
        var (better, betterBias) = aware.Fit(geometry, [few], wanted, Samples, zeros, null, relu, default);
        Assert.Equal(aware.Error, Behind(better, betterBias), 1e-4);
        Assert.True(aware.Error < 0.99 * Behind(weights, bias), $"{aware.Error} {Behind(weights, bias)}");

        double Behind(float[] w, float[] b)
        {
            var (lost, sum, squares) = (0.0, new double[8], 0.0);
            for (var i = 0; i < wanted.Length; i++)
            {
                var (n, o) = Math.DivRem(i, 8);
                double has = b[o];
                for (var d = 0; d < width; d++)
                    has += (double)few[(n * width) + d] * w[(d * 8) + o];
                var wants = Math.Max(0, wanted[i]);
                lost += Math.Pow(Math.Max(0, has) - wants, 2);
                sum[o] += wants;
                squares += (double)wants * wants;
            }

            return lost / (squares - sum.Sum(one => one * one / Samples));
        }
    }

    [Fact]
    public void Where_samples_say_nothing_weights_stay()
    {
        // The second number of every patch is 0.
        var patches = RandomData.Floats(200, 1);
        for (var n = 0; n < 100; n++)
            patches[(2 * n) + 1] = 0;
        var wanted = Enumerable.Range(0, 100).Select(n => 3 * patches[2 * n]).ToArray();
        var geometry = ConvGeometry.Create(1, 1, 2, 1, 1, 1, 1, Padding.Valid);
        var (weights, bias) = new LayerFit(1).Fit(geometry, [patches], wanted, 100, [1, 7], [0.5f], FitBounds.None, default);
        Assert.Equal(3, weights[0], 1e-2);
        Assert.Equal(7, weights[1]);
        Assert.Equal(0, bias[0], 1e-2);
    }

    // Neighbouring numbers are alike, as in pictures.
    private static float[] Patches(StandardLayer layer, int samples, int seed)
    {
        var numbers = RandomData.Floats(samples * layer.PatchLength, 10 + seed);
        for (var i = 1; i < numbers.Length; i++)
            numbers[i] += 0.7f * numbers[i - 1];
        return numbers;
    }
}
