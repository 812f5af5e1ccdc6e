using System.Numerics.Tensors;
using SeparableConv.Loops;
using SeparableConv.Separation;

namespace SeparableConv.Networks.Separating;

/// <summary>
/// Fits both convolutions of a chain of two to wanted outputs, in turns: the last by <see cref="LayerFit"/>, then the first for the last as
/// it is. What the chain gives is y = b + (F*P)'x for patches x of the layer's input: P are the last one's weights, and F,
/// (patch, features), holds each weight of the first at one or some places.
/// </summary>
/// <remarks>
/// With P fixed the first one's weights are a least squares problem again, of which only the covariance of the patches and that of patches
/// and rest are needed. Some steps of conjugate gradients (Hestenes and Stiefel, 1952) towards its solution are enough, as P changes next.
/// </remarks>
internal sealed class AlternatingFit
{
    // Covariances of larger patches take longer than they win.
    private const int LargestPatch = 2400;

    // Of longer patches there are fewer turns: each takes seconds.
    private const int LongPatch = 1200;
    private const int TurnsOfLong = 3;

    private const int Turns = 5;
    private const int Steps = 8;
    private const int RoundsInTurn = 2;

    private readonly StageChain _chain;
    private readonly Place[] _places;
    private readonly int _patch;
    private readonly int _features;
    private readonly int _filters;
    private readonly int _threads;

    private AlternatingFit(StageChain chain, StandardLayer layer, int features, IEnumerable<Place> places, int threads)
    {
        (_chain, _places, _features, _threads) = (chain, [.. places], features, threads);
        (_patch, _filters) = (layer.PatchLength, layer.Filters);
    }

    /// <summary>The fit of a chain; null where it is none of a depthwise or vertical convolution and one over all channels.</summary>
    public static AlternatingFit? Of(StandardLayer layer, StageChain chain, int threads)
    {
        if (chain.Stages is not [var first, { Operator: Conv2DOperator { Options.Groups: 1 } }] || layer.Groups > 1
            || layer.PatchLength > LargestPatch)
        {
            return null;
        }

        var (kH, kW, channels, width) = (layer.Kernel.Height, layer.Kernel.Width, layer.Channels, first.Filters);
        if (first.Operator is DepthwiseConv2DOperator)
        {
            var places = Enumerable.Range(0, layer.Taps * width).Select(weight =>
            {
                var (tap, e) = Math.DivRem(weight, width);
                return new Place((tap * channels) + (first.ChannelMap?[e] ?? (e / first.Shape[3])), e, weight);
            });
            return new(chain, layer, width, places, threads);
        }

        // Each column of a patch goes through the same vertical convolution.
        return (first.Shape[0], first.Shape[1]) != (kH, 1)
            ? null
            : new(chain, layer, kW * width, VerticalPlaces(kH, kW, channels, width), threads);
    }

    /// <summary>Fits, and returns the chain with the weights found.</summary>
    /// <param name="geometry">The whole layer.</param>
    /// <param name="patches">(samples, patch).</param>
    /// <param name="wanted">(samples, O).</param>
    /// <param name="bounds">What the activation can tell apart.</param>
    /// <param name="cancellation">Ends it early.</param>
    public StageChain Fit(in ConvGeometry geometry, float[] patches, float[] wanted, FitBounds bounds, CancellationToken cancellation)
    {
        var samples = patches.Length / _patch;
        var mean = SampleProducts.Mean(patches, _patch, samples);
        var covariance = PatchMoments.Covariance(patches, _patch, mean, samples, _threads);
        var fit = new LayerFit(_threads) { Rounds = RoundsInTurn };
        var (first, last, bias) = ((float[])_chain.Stages[0].Weights.Clone(), _chain.Last.Weights, _chain.Bias);
        var turns = _patch > LongPatch ? TurnsOfLong : Turns;
        for (var turn = 0; turn < turns; turn++)
        {
            var features = DenseProduct.Of(patches, samples, _patch, Matrix(first), _features, _threads);
            (last, bias) = fit.Fit(geometry, [features], wanted, samples, last, bias, bounds, cancellation);
            var rest = fit.Rest(features, last, bias, wanted, bounds);
            var missing = SampleProducts.Sum(patches, _patch, rest, _filters, samples, isLower: false, _threads);
            SampleProducts.Center(missing, mean, SampleProducts.Mean(rest, _filters, samples), samples);
            TensorPrimitives.Add(first, Change(covariance, samples, Array.ConvertAll(missing, value => (float)value), last), first);
        }

        return new([_chain.Stages[0] with { Weights = first }, _chain.Last with { Weights = last }], bias);
    }

    private static IEnumerable<Place> VerticalPlaces(int kH, int kW, int channels, int rank)
    {
        for (var weight = 0; weight < kH * channels * rank; weight++)
        {
            var (d, r) = Math.DivRem(weight, rank);
            var (i, c) = Math.DivRem(d, channels);
            for (var j = 0; j < kW; j++)
                yield return new((((i * kW) + j) * channels) + c, (j * rank) + r, weight);
        }
    }

    // What to add to the first convolution's weights, so that more of what is missing is given back.
    private float[] Change(float[] covariance, int samples, float[] missing, float[] last)
    {
        var columns = GramDecomposition.Transpose<float>(last, _features, _filters);
        var residual = Gradient(missing, columns);
        var (change, direction) = (new float[residual.Length], (float[])residual.Clone());
        var variance = PatchMoments.MeanVariance(covariance, _patch) * TensorPrimitives.SumOfSquares<float>(last) / _features;
        var ridge = LayerFit.RidgeFor(_patch, samples) * variance;
        double squares = TensorPrimitives.SumOfSquares<float>(residual);
        for (var step = 0; step < Steps && squares > 0; step++)
        {
            var whole = DenseProduct.Of(Matrix(direction), _patch, _features, last, _filters, _threads);
            var curved = Gradient(DenseProduct.Of(covariance, _patch, _patch, whole, _filters, _threads), columns);
            TensorPrimitives.MultiplyAdd(direction, (float)ridge, curved, curved);
            var length = (float)(squares / TensorPrimitives.Dot<float>(direction, curved));
            TensorPrimitives.MultiplyAdd(direction, length, change, change);
            TensorPrimitives.MultiplyAdd(curved, -length, residual, residual);
            double left = TensorPrimitives.SumOfSquares<float>(residual);
            TensorPrimitives.MultiplyAdd(direction, (float)(left / squares), residual, direction);
            squares = left;
        }

        return change;
    }

    // F.
    private float[] Matrix(float[] first)
    {
        var matrix = new float[_patch * _features];
        foreach (var (row, feature, weight) in _places)
            matrix[(row * _features) + feature] = first[weight];
        return matrix;
    }

    // For each weight the sum of (whole*P') over its places; columns are P'.
    private float[] Gradient(float[] whole, float[] columns)
    {
        var all = DenseProduct.Of(whole, _patch, _filters, columns, _features, _threads);
        var gradient = new float[_chain.Stages[0].Weights.Length];
        foreach (var (row, feature, weight) in _places)
            gradient[weight] += all[(row * _features) + feature];
        return gradient;
    }

    // Where in F a weight of the first convolution stands.
    private readonly record struct Place(int Row, int Feature, int Weight);
}
