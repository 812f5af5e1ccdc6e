using System.Numerics.Tensors;
using SeparableConv.Loops;

namespace SeparableConv.Networks.Separating;

/// <summary>
/// The covariance of the patches of each group, and what follows from it: how much of the layer's output any features of the patches can
/// give back, at best.
/// </summary>
/// <remarks>
/// Without calibration images patches are taken for white noise: errors are then those of the weights alone.
/// </remarks>
internal sealed class PatchMoments
{
    // A feature that the ones before it make up to a millionth adds nothing.
    private const double Ridge = 1e-6;

    // So many times the numbers of a patch.
    private const double EnoughSamples = 2;

    // Of the covariance that decompositions are weighted by, this share is white noise: what is left out then does little harm also to
    // inputs that the layers before have changed.
    private const double WhiteShare = 0.5;

    // Features of more numbers are multiplied as matrices.
    private const int LongestSparse = 64;

    private readonly StandardLayer _layer;
    private readonly float[][]? _covariances;
    private readonly int _threads;

    // For each group covariance*weights, (patch, filters of the group).
    private readonly float[][] _products;

    private PatchMoments(StandardLayer layer, float[][]? covariances, int threads)
    {
        (_layer, _covariances, _threads) = (layer, covariances, threads);
        _products = new float[layer.Groups][];
        for (var group = 0; group < layer.Groups; group++)
        {
            var weights = GroupWeights(group);
            _products[group] = covariances is null
                ? weights
                : DenseProduct.Of(covariances[group], layer.PatchLength, layer.PatchLength, weights, layer.GroupFilters, threads);
        }
    }

    /// <summary>Patches of which nothing is known.</summary>
    public static PatchMoments White(StandardLayer layer, int threads) => new(layer, null, threads);

    /// <summary>The moments of patches, (samples, patch) for each group.</summary>
    public static PatchMoments Of(StandardLayer layer, float[][] patches, int samples, int threads)
    {
        var length = layer.PatchLength;
        var covariances = new float[layer.Groups][];
        for (var group = 0; group < layer.Groups; group++)
        {
            var mean = SampleProducts.Mean(patches[group], length, samples);
            covariances[group] = Covariance(patches[group], length, mean, samples, threads);
            Shrink(covariances[group], length, samples);
        }

        return new(layer, covariances, threads);
    }

    /// <summary>The covariance of patches, (samples, length), whose mean is known.</summary>
    public static float[] Covariance(float[] patches, int length, double[] mean, int samples, int threads)
    {
        var sums = SampleProducts.Sum(patches, length, patches, length, samples, isLower: true, threads);
        var covariance = new float[sums.Length];
        for (var i = 0; i < length; i++)
        {
            for (var j = 0; j <= i; j++)
            {
                covariance[(i * length) + j] = covariance[(j * length) + i] =
                    (float)((sums[(i * length) + j] / samples) - (mean[i] * mean[j]));
            }
        }

        return covariance;
    }

    /// <summary>The mean of a covariance's diagonal.</summary>
    public static double MeanVariance(float[] covariance, int length)
    {
        var mean = 0.0;
        for (var i = 0; i < length; i++)
            mean += covariance[(i * length) + i] / length;
        return mean;
    }

    // Fewer samples than patches have numbers leave directions in which nothing was seen: towards white noise, the more the fewer they are
    // (Ledoit and Wolf, 2004, who say how much at best).
    private static void Shrink(float[] covariance, int length, int samples)
    {
        var share = 1 - (samples / (EnoughSamples * length));
        if (share <= 0)
            return;
        var mean = MeanVariance(covariance, length);
        TensorPrimitives.Multiply(covariance, (float)(1 - share), covariance);
        for (var i = 0; i < length; i++)
            covariance[(i * length) + i] += (float)(share * mean);
    }

    /// <summary>
    /// For each form of a family the share of the output's variance that is lost when the last convolution is fitted as well as can be.
    /// </summary>
    public double[] Errors(FormFamily family)
    {
        var (total, lost) = (0.0, new double[family.Forms.Length]);
        foreach (var block in family.Blocks)
        {
            var variance = Variance(block);
            var explained = Explained(block, family.AreOrthonormal);
            total += variance;
            for (var i = 0; i < lost.Length; i++)
                lost[i] += Math.Max(0, variance - TensorPrimitives.Sum<double>(explained.AsSpan(0, family.Kept[i])));
        }

        return Array.ConvertAll(lost, one => total > 0 ? one / total : 0);
    }

    /// <summary>
    /// The covariance of some numbers of a group's patches, half white noise, for decompositions; null where nothing is known of them.
    /// </summary>
    public double[]? Among(int group, int[] index)
    {
        if (_covariances is null)
            return null;
        var (covariance, length, n) = (_covariances[group], _layer.PatchLength, index.Length);
        var mean = MeanVariance(covariance, length);
        var some = new double[n * n];
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < n; j++)
                some[(i * n) + j] = (1 - WhiteShare) * covariance[(index[i] * length) + index[j]];
            some[(i * n) + i] += WhiteShare * mean;
        }

        return some;
    }

    private double Variance(FeatureBlock block)
    {
        var (product, weights, width) = (_products[block.Group], GroupWeights(block.Group), _layer.GroupFilters);
        var first = block.FirstFilter - (block.Group * width);
        var variance = 0.0;
        for (var d = 0; d < _layer.PatchLength; d++)
        {
            for (var o = 0; o < block.Filters; o++)
                variance += (double)weights[(d * width) + first + o] * product[(d * width) + first + o];
        }

        return variance;
    }

    private double[] Explained(FeatureBlock block, bool areOrthonormal)
    {
        var (count, filters) = (block.Features.Length, block.Filters);
        var isWide = block.Features[0].Index.Length > LongestSparse && filters == _layer.GroupFilters;
        var matrix = isWide ? Matrix(block) : null;
        var cross = matrix is null
            ? Cross(block)
            : SampleProducts.Sum(matrix, count, _products[block.Group], filters, _layer.PatchLength, isLower: false, _threads);

        // Of white noise such features are not correlated.
        if (_covariances is null && areOrthonormal)
            return [.. Enumerable.Range(0, count).Select(e => TensorPrimitives.SumOfSquares<double>(cross.AsSpan(e * filters, filters)))];
        return TriangularFactor.Of(matrix is null ? Gram(block) : Gram(block.Group, matrix, count), count, Ridge)
            .Explained(cross, filters, _threads);
    }

    // The features, (patch, features): those of many numbers are multiplied faster so.
    private float[] Matrix(FeatureBlock block)
    {
        var count = block.Features.Length;
        var matrix = new float[_layer.PatchLength * count];
        for (var e = 0; e < count; e++)
        {
            var (index, values) = block.Features[e];
            for (var i = 0; i < index.Length; i++)
                matrix[(index[i] * count) + e] = values[i];
        }

        return matrix;
    }

    // The covariances of the features with the layer's sums.
    private double[] Cross(FeatureBlock block)
    {
        var (filters, width, products) = (block.Filters, _layer.GroupFilters, _products[block.Group]);
        var first = block.FirstFilter - (block.Group * width);
        var cross = new double[block.Features.Length * filters];
        Parallel.For(0, block.Features.Length, new ParallelOptions { MaxDegreeOfParallelism = _threads }, e =>
        {
            var (index, values) = block.Features[e];
            for (var i = 0; i < index.Length; i++)
            {
                var (value, row) = (values[i], (index[i] * width) + first);
                for (var o = 0; o < filters; o++)
                    cross[(e * filters) + o] += value * products[row + o];
            }
        });
        return cross;
    }

    // The covariances of the features with each other, on and below the diagonal.
    private double[] Gram(FeatureBlock block)
    {
        var (features, count) = (block.Features, block.Features.Length);
        var gram = new double[count * count];
        Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = _threads }, e =>
        {
            var moved = Moved(block.Group, features[e]);
            for (var f = 0; f <= e; f++)
                gram[(e * count) + f] = Dot(features[f], moved);
        });
        return gram;
    }

    private double[] Gram(int group, float[] matrix, int count)
    {
        var length = _layer.PatchLength;
        var moved = _covariances is null ? matrix : DenseProduct.Of(_covariances[group], length, length, matrix, count, _threads);
        return SampleProducts.Sum(moved, count, matrix, count, length, isLower: true, _threads);
    }

    // covariance*feature.
    private float[] Moved(int group, Feature feature)
    {
        var moved = new float[_layer.PatchLength];
        for (var i = 0; i < feature.Index.Length; i++)
        {
            if (_covariances is null)
                moved[feature.Index[i]] = feature.Values[i];
            else
            {
                TensorPrimitives.MultiplyAdd(
                    _covariances[group].AsSpan(feature.Index[i] * moved.Length, moved.Length), feature.Values[i], moved, moved);
            }
        }

        return moved;
    }

    private static double Dot(Feature feature, float[] vector)
    {
        var sum = 0.0;
        for (var i = 0; i < feature.Index.Length; i++)
            sum += (double)feature.Values[i] * vector[feature.Index[i]];
        return sum;
    }

    private float[] GroupWeights(int group)
    {
        var (width, filters) = (_layer.GroupFilters, _layer.Filters);
        if (_layer.Groups == 1)
            return _layer.Weights;
        var weights = new float[_layer.PatchLength * width];
        for (var d = 0; d < _layer.PatchLength; d++)
            _layer.Weights.AsSpan((d * filters) + (group * width), width).CopyTo(weights.AsSpan(d * width));
        return weights;
    }
}
