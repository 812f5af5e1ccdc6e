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

    private readonly StandardLayer _layer;
    private readonly float[][]? _covariances;

    // For each group covariance*weights, (patch, filters of the group).
    private readonly float[][] _products;

    private PatchMoments(StandardLayer layer, float[][]? covariances, int threads)
    {
        (_layer, _covariances) = (layer, covariances);
        _products = new float[layer.Groups][];
        for (var group = 0; group < layer.Groups; group++)
            _products[group] = Product(covariances?[group], GroupWeights(group), threads);
    }

    /// <summary>Patches of which nothing is known.</summary>
    public static PatchMoments White(StandardLayer layer) => new(layer, null, 1);

    /// <summary>The moments of patches, (samples, patch) for each group.</summary>
    public static PatchMoments Of(StandardLayer layer, float[][] patches, int samples, int threads)
    {
        var length = layer.PatchLength;
        var covariances = new float[layer.Groups][];
        for (var group = 0; group < layer.Groups; group++)
        {
            var mean = SampleProducts.Mean(patches[group], length, samples);
            var sums = SampleProducts.Sum(patches[group], length, patches[group], length, samples, isLower: true, threads);
            var covariance = covariances[group] = new float[sums.Length];
            for (var i = 0; i < length; i++)
            {
                for (var j = 0; j <= i; j++)
                {
                    covariance[(i * length) + j] = covariance[(j * length) + i] =
                        (float)((sums[(i * length) + j] / samples) - (mean[i] * mean[j]));
                }
            }
        }

        return new(layer, covariances, threads);
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
            var explained = Explained(block);
            total += variance;
            for (var i = 0; i < lost.Length; i++)
                lost[i] += Math.Max(0, variance - TensorPrimitives.Sum<double>(explained.AsSpan(0, family.Kept[i])));
        }

        return Array.ConvertAll(lost, one => total > 0 ? one / total : 0);
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

    private double[] Explained(FeatureBlock block)
    {
        var (features, count) = (block.Features, block.Features.Length);
        var (products, width) = (_products[block.Group], _layer.GroupFilters);
        var first = block.FirstFilter - (block.Group * width);
        var gram = new double[count * count];
        var cross = new double[count * block.Filters];
        Parallel.For(0, count, e =>
        {
            var moved = Moved(block.Group, features[e]);
            for (var f = 0; f <= e; f++)
                gram[(e * count) + f] = Dot(features[f], moved);
            for (var i = 0; i < features[e].Index.Length; i++)
            {
                var (value, row) = (features[e].Values[i], (features[e].Index[i] * width) + first);
                for (var o = 0; o < block.Filters; o++)
                    cross[(e * block.Filters) + o] += value * products[row + o];
            }
        });
        return TriangularFactor.Of(gram, count, Ridge).Explained(cross, block.Filters);
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

    private static unsafe float[] Product(float[]? covariance, float[] weights, int threads)
    {
        if (covariance is null)
            return weights;
        var length = (int)Math.Sqrt(covariance.Length);
        var product = new float[weights.Length];
        PackedBuffer.FreeMadeBy(() =>
        {
            var loop = new PointwiseLoop(weights, length, weights.Length / length, default, Activation.None, SimdWidths.Best);
            fixed (float* x = covariance, y = product)
                loop.Run(x, y, length, threads);
        });
        return product;
    }
}
