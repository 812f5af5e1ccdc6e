using SeparableConv.Networks.Separating;

namespace SeparableConv.Tests.Networks.Separating;

/// <summary>Decompositions that know the patches, and the fit of both convolutions.</summary>
public sealed class AlternatingFitTests
{
    private const int Samples = 3000;

    [Theory]
    [InlineData(SeparationMethod.DepthwisePointwise, 20, false)]
    [InlineData(SeparationMethod.DepthwisePointwise, 16, true)]
    [InlineData(SeparationMethod.Spatial, 4, false)]
    public void Both_halves_lose_less_than_the_last_alone(SeparationMethod method, int rank, bool isUniform)
    {
        var layer = SeparatedLayers.Create(8, 12, 1, (3, 2), 1, 1, Padding.Valid);
        var patches = Patches(layer);
        var wanted = Outputs(layer, patches);
        var chain = new LayerSplits(layer, 1).Build(new(method, rank, IsUniform: isUniform));
        foreach (var bounds in new[] { FitBounds.None, new FitBounds(0, float.PositiveInfinity) })
        {
            var alone = Lost(layer, FitLast(layer, chain, patches, wanted, bounds), patches, wanted, bounds);
            var both = AlternatingFit.Of(layer, chain, threads: 2)!.Fit(layer.Geometry, patches, wanted, bounds, default);
            var together = Lost(layer, both, patches, wanted, bounds);
            Assert.True(together < 0.97 * alone, $"{together} {alone}");
        }
    }

    /// <summary>A layer that is a chain, of which the first half is a little wrong.</summary>
    [Theory]
    [InlineData(SeparationMethod.DepthwisePointwise, 9)]
    [InlineData(SeparationMethod.Spatial, 3)]
    public void A_first_half_that_is_wrong_is_mended(SeparationMethod method, int rank)
    {
        var layer = SeparatedLayers.Create(8, 12, 1, 3, 1, 1, Padding.Valid);
        var patches = Patches(layer);
        var right = new LayerSplits(layer, 1).Build(new(method, rank));
        var wanted = Outputs(layer, right, patches);
        var weights = right.Stages[0].Weights.Zip(RandomData.Floats(right.Stages[0].Weights.Length, 7), (w, r) => w + (0.1f * r)).ToArray();
        var wrong = right with { Stages = [right.Stages[0] with { Weights = weights }, right.Stages[1]] };
        var last = FitLast(layer, wrong, patches, wanted, FitBounds.None);
        var both = AlternatingFit.Of(layer, wrong, threads: 2)!.Fit(layer.Geometry, patches, wanted, FitBounds.None, default);
        var (before, after) = (Lost(layer, last, patches, wanted, FitBounds.None), Lost(layer, both, patches, wanted, FitBounds.None));
        Assert.True(after < 0.2 * before, $"{before} {after}");
    }

    [Fact]
    public void Only_chains_of_two_with_one_over_all_channels_behind_are_fitted_so()
    {
        var layer = SeparatedLayers.Create(8, 12, 1, 3, 1, 1, Padding.Same);
        var splits = new LayerSplits(layer, 1);
        Assert.Null(AlternatingFit.Of(layer, StageChain.Whole(layer), 1));
        Assert.Null(AlternatingFit.Of(layer, splits.Build(new(SeparationMethod.PointwiseDepthwise, 2)), 1));
        Assert.Null(AlternatingFit.Of(layer, splits.Build(new(SeparationMethod.SpatialDepthwise, 4, 2, 2)), 1));
        Assert.NotNull(AlternatingFit.Of(layer, splits.Build(new(SeparationMethod.Spatial, 4)), 1));
        var grouped = SeparatedLayers.Create(8, 12, 2, 3, 1, 1, Padding.Same);
        Assert.Null(AlternatingFit.Of(grouped, new LayerSplits(grouped, 1).Build(new(SeparationMethod.Spatial, 4)), 1));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(9, 5)]
    [InlineData(5, 30)]
    [InlineData(70, 90)]
    public void Terms_that_know_the_inputs_leave_least_of_the_outputs(int rows, int columns)
    {
        var matrix = RandomData.Floats(rows * columns, 3);
        var covariance = new double[rows * rows];
        var root = RandomData.Floats(rows * rows, 4);
        for (var i = 0; i < rows * rows; i++)
        {
            for (var k = 0; k < rows; k++)
                covariance[i] += (double)root[(i / rows * rows) + k] * root[(i % rows * rows) + k];
        }

        var seeing = WeightedTerms.Of(matrix, rows, columns, (double[])covariance.Clone(), rows, threads: 2);
        var blind = WeightedTerms.Of(matrix, rows, columns, null, rows, threads: 2);
        var all = Math.Min(rows, columns);
        Assert.Equal(all, seeing.Length);
        var whole = Lost([], matrix);
        for (var kept = 1; kept < all; kept++)
        {
            var lost = Lost(seeing.Take(kept), matrix);
            Assert.Equal(seeing.Skip(kept).Sum(term => term.Value * term.Value), lost, 1e-4 * whole);
            Assert.True(lost <= Lost(blind.Take(kept), matrix) + (1e-4 * whole));
        }

        Assert.Equal(0, Lost(seeing, matrix), 1e-6 * whole);
        Assert.All(seeing, term => Assert.Equal(1, term.Left.Sum(value => value * value), 1e-9));

        // E |(W - kept)'x|^2.
        double Lost(IEnumerable<SeparableConv.Separation.GramDecomposition.Term> kept, float[] w)
        {
            var rest = Array.ConvertAll(w, value => (double)value);
            foreach (var (value, left, right) in kept)
            {
                for (var i = 0; i < rest.Length; i++)
                    rest[i] -= value * left[i / columns] * right[i % columns];
            }

            var sum = 0.0;
            for (var i = 0; i < rows; i++)
            {
                for (var j = 0; j < rows; j++)
                {
                    for (var o = 0; o < columns; o++)
                        sum += rest[(i * columns) + o] * covariance[(i * rows) + j] * rest[(j * columns) + o];
                }
            }

            return sum;
        }
    }

    private static StageChain FitLast(StandardLayer layer, StageChain chain, float[] patches, float[] wanted, FitBounds bounds)
    {
        var fit = new LayerFit(2);
        var (weights, bias) = fit.Fit(
            layer.Geometry, [Features(layer, chain, patches)], wanted, Samples, chain.Last.Weights, chain.Bias, bounds, default);
        return chain.With(weights, bias);
    }

    private static double Lost(StandardLayer layer, StageChain chain, float[] patches, float[] wanted, FitBounds bounds)
    {
        var lost = 0.0;
        var outputs = Outputs(layer, chain, patches);
        for (var i = 0; i < outputs.Length; i++)
            lost += Math.Pow(Math.Clamp(outputs[i], bounds.Lower, bounds.Upper) - Math.Clamp(wanted[i], bounds.Lower, bounds.Upper), 2);
        return lost;
    }

    private static float[] Outputs(StandardLayer layer, float[] patches) => Outputs(layer, StageChain.Whole(layer), patches);

    // By running a network: each patch is an image.
    private static float[] Outputs(StandardLayer layer, StageChain chain, float[] patches) =>
        Run(layer, graph => chain.Append(graph, "layer", graph.Input("input", Image(layer))), patches);

    // What the last convolution reads, in the order in which it does.
    private static float[] Features(StandardLayer layer, StageChain chain, float[] patches) =>
        Run(layer, graph => chain.AppendAllButLast(graph, "layer", graph.Input("input", Image(layer))), patches);

    private static TensorType Image(StandardLayer layer) =>
        new(ElementType.Float32, new TensorShape(Samples, layer.Kernel.Height, layer.Kernel.Width, layer.Channels));

    private static float[] Run(StandardLayer layer, Func<GraphBuilder, Value> build, float[] patches)
    {
        var graph = new GraphBuilder();
        return SeparatedLayers.Run(graph.Build("chain", build(graph)), patches);
    }

    // Neighbouring numbers are alike, as in pictures.
    private static float[] Patches(StandardLayer layer)
    {
        var numbers = RandomData.Floats(Samples * layer.PatchLength, 11);
        for (var i = layer.Channels; i < numbers.Length; i++)
            numbers[i] += 0.7f * numbers[i - layer.Channels];
        return numbers;
    }
}
