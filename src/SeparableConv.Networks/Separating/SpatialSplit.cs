using System.Numerics.Tensors;
using SeparableConv.Separation;

namespace SeparableConv.Networks.Separating;

/// <summary>
/// A convolution as kH x 1 to R channels a group and 1 x kW from them: for each group the singular value decomposition of its weights,
/// (C*kH, kW*O) = sum over r of s_r * u_r * v_r' (Jaderberg, Vedaldi and Zisserman, 2014, arXiv:1405.3866).
/// </summary>
internal sealed class SpatialSplit
{
    private readonly StandardLayer _layer;
    private readonly GramDecomposition.Term[][] _terms;

    /// <param name="layer">The convolution.</param>
    /// <param name="most">The highest rank that is asked for; large layers are done much sooner when it is low.</param>
    /// <param name="moments">What is known of its patches; null for nothing.</param>
    /// <param name="threads">Threads to use.</param>
    public SpatialSplit(StandardLayer layer, int most, PatchMoments? moments, int threads)
    {
        _layer = layer;
        _terms = new GramDecomposition.Term[layer.Groups][];
        var (kH, kW) = (layer.Kernel.Height, layer.Kernel.Width);
        Parallel.For(0, layer.Groups, new ParallelOptions { MaxDegreeOfParallelism = threads }, group =>
        {
            var columns = kW * layer.GroupFilters;
            var matrix = new float[layer.GroupChannels * kH * columns];
            for (var i = 0; i < kH; i++)
            {
                for (var j = 0; j < kW; j++)
                {
                    for (var c = 0; c < layer.GroupChannels; c++)
                    {
                        var from = (((((i * kW) + j) * layer.GroupChannels) + c) * layer.Filters) + (group * layer.GroupFilters);
                        layer.Weights.AsSpan(from, layer.GroupFilters)
                            .CopyTo(matrix.AsSpan((((i * layer.GroupChannels) + c) * columns) + (j * layer.GroupFilters)));
                    }
                }
            }

            _terms[group] = WeightedTerms.Of(matrix, layer.GroupChannels * kH, columns, Seen(moments, group), most, threads);
        });
    }

    /// <summary>So many channels a group make the split exact, or as nearly so as was asked.</summary>
    public int FullRank => Math.Max(1, _terms.Max(terms => terms.Length));

    /// <summary>Those of all groups, the largest first.</summary>
    public double[] SingularValues() => [.. _terms.SelectMany(terms => terms.Select(term => term.Value)).OrderDescending()];

    /// <summary>u_r, (kH, C/groups), without its singular value; zeros where the group has fewer terms.</summary>
    public float[] Vertical(int group, int rank) => rank < _terms[group].Length
        ? Array.ConvertAll(_terms[group][rank].Left, value => (float)value)
        : new float[_layer.Kernel.Height * _layer.GroupChannels];

    /// <summary>Both convolutions.</summary>
    public ConvStage[] Keep(int rank)
    {
        var (kH, kW, channels, filters) = (_layer.Kernel.Height, _layer.Kernel.Width, _layer.GroupChannels, _layer.Filters);
        var between = rank * _layer.Groups;
        var vertical = new float[kH * channels * between];
        var horizontal = new float[kW * rank * filters];
        for (var group = 0; group < _layer.Groups; group++)
        {
            for (var r = 0; r < Math.Min(rank, _terms[group].Length); r++)
            {
                // Each side takes the root of the singular value, so that neither has much larger numbers than the other.
                var (value, left, right) = _terms[group][r];
                var root = Math.Sqrt(value);
                for (var d = 0; d < left.Length; d++)
                    vertical[(d * between) + (group * rank) + r] = (float)(root * left[d]);
                for (var j = 0; j < kW; j++)
                {
                    for (var o = 0; o < _layer.GroupFilters; o++)
                    {
                        horizontal[(((j * rank) + r) * filters) + (group * _layer.GroupFilters) + o] =
                            (float)(root * right[(j * _layer.GroupFilters) + o]);
                    }
                }
            }
        }

        return
        [
            ConvStage.Standard((kH, 1), channels, between, Along(_layer.Options, isVertical: true), vertical),
            ConvStage.Standard((1, kW), rank, filters, Along(_layer.Options, isVertical: false), horizontal),
        ];
    }

    // The mean of the covariances of a patch's columns, each of which the vertical convolution reads.
    private double[]? Seen(PatchMoments? moments, int group)
    {
        var (kW, channels) = (_layer.Kernel.Width, _layer.GroupChannels);
        double[]? seen = null;
        for (var j = 0; j < kW; j++)
        {
            var column = Enumerable.Range(0, _layer.Kernel.Height * channels)
                .Select(d => ((((d / channels) * kW) + j) * channels) + (d % channels));
            if (moments?.Among(group, [.. column]) is not { } some)
                return null;
            seen ??= new double[some.Length];
            TensorPrimitives.MultiplyAdd(some, 1.0 / kW, seen, seen);
        }

        return seen;
    }

    /// <summary>What a convolution's options are for one of its two axes.</summary>
    public static ConvOptions Along(ConvOptions options, bool isVertical)
    {
        var padding = options.Padding;
        if (padding.Mode == PaddingMode.Explicit)
        {
            padding = isVertical
                ? Padding.Explicit(padding.Top, padding.Bottom, 0, 0)
                : Padding.Explicit(0, 0, padding.Left, padding.Right);
        }

        return options with
        {
            Stride = isVertical ? (options.Stride.Height, 1) : (1, options.Stride.Width),
            Dilation = isVertical ? (options.Dilation.Height, 1) : (1, options.Dilation.Width),
            Padding = padding,
        };
    }
}
